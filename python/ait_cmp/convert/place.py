"""Info files take the place of dump files; at every moment one of the two is there and whole.

Waiting for the disk takes longer than all the rest, and a file system writes what belongs to many
files in one go. So files go a group at a time, every step for the whole group before the next one:
write under hidden names, sync, look whether the dump files are as they were read, rename, sync the
folders, and only then remove the dump files.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ait_cmp import _core
from ait_cmp.convert.one_file import (
    TEMPORARY_ENDING,
    TEMPORARY_PREFIX,
    Identity,
    Outcome,
    Prepared,
)
from ait_cmp.convert.shares import Shares
from ait_cmp.tensor_ref import check_fields

_counter = itertools.count()


class KnownFile(NamedTuple):
    """A version of a file."""

    path: str
    identity: Identity


class NewFile(NamedTuple):
    """A file that is to be written."""

    path: str
    mode: int
    content: bytes


class NewName(NamedTuple):
    """A file that is to be renamed."""

    path: str
    new_path: str


class Created(NamedTuple):
    """A new file, open; or `error` is the number of what went wrong."""

    error: int
    descriptor: int


check_fields(KnownFile, "known_file")
check_fields(NewFile, "new_file")
check_fields(NewName, "new_name")
check_fields(Created, "created")


def put_in_place(group: Sequence[Prepared], disk: Shares) -> list[Outcome]:
    """Write the info files, and remove the dump files when all that is on the disk.

    A file that fails keeps its dump file and holds up no other. Where the disk is nearly full the
    info files of all groups may find no space together that find it one after the other.

    Args:
        group: Files whose claims end here.
        disk: One share for every group that may be written at the same time.

    Returns:
        What became of every file; "full" if there is no space for it even alone.
    """
    claims = {prepared.claim.descriptor for prepared in group}
    try:
        with disk.taken(1):
            outcomes = _place(group, claims)
        is_full = [at for at, outcome in enumerate(outcomes) if outcome.status == "full"]
        if is_full:
            # No other group is at work; small ones first, they make room for the others.
            with disk.taken(disk.total):
                for at in sorted(is_full, key=lambda at: len(group[at].packed)):
                    (outcomes[at],) = _place([group[at]], claims)
        return outcomes
    finally:
        _core.close_files(list(claims))


def _place(group: Sequence[Prepared], claims: set[int]) -> list[Outcome]:
    """Try it once. Ends the claims, but those on files that are to be tried again."""
    files = [_File(prepared) for prepared in group]
    try:
        for step in (_write, _sync, _check, _rename, _sync_folders, _remove_dumps):
            step([file for file in files if file.failure is None])
        outcomes = [file.outcome() for file in files]
    finally:
        for file in files:
            file.remove_temporary()
        _core.close_files([file.descriptor for file in files if file.descriptor >= 0])
    # The space of a removed file is free when nobody has it open any more.
    over = {
        prepared.claim.descriptor
        for prepared, outcome in zip(group, outcomes)
        if outcome.status != "full"
    }
    _core.close_files(list(over))
    claims -= over
    return outcomes


class _File:
    """One file of a group."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.folder = str(Path(prepared.target).parent)
        name = f"{TEMPORARY_PREFIX}{os.getpid()}-{next(_counter)}{TEMPORARY_ENDING}"
        self.temporary = f"{self.folder}/{name}"
        self.descriptor = -1
        self.is_renamed = False
        # What became of it, where it left the group early.
        self.failure: Outcome | None = None

    def fail(self, error: int) -> None:
        """Leave the dump file, unless `error` is 0."""
        if error in (errno.ENOSPC, errno.EDQUOT):
            reason = f"{self.folder}: the disk is full; no space for {len(self.prepared.packed)} "
            reason += "bytes of an info file. Nothing was lost: free some space and start again."
            self.failure = self._left("full", reason)
        elif error:
            reason = f"its info file cannot be written: {os.strerror(error)}"
            self.failure = self._left("left", f"{self.prepared.path}: {reason}")

    def fail_as_changed(self) -> None:
        reason = f"{self.prepared.path}: changed while it was read"
        if self.is_renamed:
            # It stays: another converter may just have put a newer one in its place.
            reason += f"; {self.prepared.target} tells what it held before"
        self.failure = self._left("unfinished", reason)

    def fail_to_remove(self, error: int) -> None:
        reason = f"{self.prepared.path}: cannot be removed: {os.strerror(error)}; "
        self.failure = self._left("left", f"{reason}its info file is in place")

    def _left(self, status: str, reason: str) -> Outcome:
        return Outcome(self.prepared.path, status, reason, self.prepared.claim.identity.size_bytes)

    def outcome(self) -> Outcome:
        """What became of it."""
        prepared = self.prepared
        size_bytes = prepared.claim.identity.size_bytes
        placed = Outcome(prepared.path, "converted", "", size_bytes, len(prepared.packed))
        return self.failure or placed

    def remove_temporary(self) -> None:
        """Leave no half-written file."""
        if self.descriptor >= 0 and not self.is_renamed:
            Path(self.temporary).unlink(missing_ok=True)


def _dumps(files: Iterable[_File]) -> list[KnownFile]:
    return [KnownFile(file.prepared.path, file.prepared.claim.identity) for file in files]


def _write(files: Sequence[_File]) -> None:
    news = [
        NewFile(file.temporary, file.prepared.claim.mode | 0o200, file.prepared.packed)
        for file in files
    ]
    for file, created in zip(files, map(Created._make, _core.create_files(news))):
        file.descriptor = created.descriptor
        file.fail(created.error)


def _sync(files: Sequence[_File]) -> None:
    for file, error in zip(files, _core.sync_files([file.descriptor for file in files])):
        file.fail(error)


def _check(files: Sequence[_File]) -> None:
    for file, is_unchanged in zip(files, _core.are_unchanged(_dumps(files))):
        if not is_unchanged:
            file.fail_as_changed()


def _rename(files: Sequence[_File]) -> None:
    names = [NewName(file.temporary, file.prepared.target) for file in files]
    for file, error in zip(files, _core.rename_files(names)):
        file.is_renamed = error == 0
        file.fail(error)


def _sync_folders(files: Sequence[_File]) -> None:
    for folder in dict.fromkeys(file.folder for file in files):
        error = _sync_folder(folder)
        for file in files:
            if file.folder == folder:
                file.fail(error)


def _sync_folder(folder: str) -> int:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # File systems that cannot sync a folder do it with the file.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            return error.errno or errno.EIO
    return 0


def _remove_dumps(files: Sequence[_File]) -> None:
    removed = [file for file in files if not file.prepared.keep]
    for file, error in zip(removed, _core.remove_unchanged(_dumps(removed))):
        if error == errno.ESTALE:
            file.fail_as_changed()
        elif error:
            file.fail_to_remove(error)
