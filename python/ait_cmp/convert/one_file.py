"""One dump file -> its info file, in memory; place.py then puts it in its place."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.file_kinds import FileKind, reduced_path
from ait_cmp.info.reduce import (
    min_max_bytes,
    open_dump_file,
    reduce_dump,
    sketch_bytes,
    unreadable_tensor,
)
from ait_cmp.tensor_ref import check_fields
from ait_cmp.terms import Writer

KINDS: tuple[FileKind, ...] = ("sketch", "min_max")
# Of a file that is still being written. Hidden, and no name of a dump: discovery never takes it.
TEMPORARY_PREFIX = ".ait-cmp-"
TEMPORARY_ENDING = ".tmp"


class Outcome(NamedTuple):
    """What became of one file.

    Attributes:
        path: The dump file.
        status: "converted"; "literal" (text or objects: small, no tensor, left); "left" (cannot be
            reduced); "unfinished" (perhaps still being written); "busy" (another converter has
            it); "gone"; "done" (its info file is there, with --keep); "larger" (its info
            file would be); "full" (no space for its info
            file).
        reason: Sentence for "left", "unfinished" and "full", else "".
        source_bytes: Size of the dump file.
        info_bytes: Size of its info file, 0 unless converted.
    """

    path: str
    status: str
    reason: str = ""
    source_bytes: int = 0
    info_bytes: int = 0


class Identity(NamedTuple):
    """Which version of which file stands at a path; times in ns since the epoch."""

    device: int
    inode: int
    size_bytes: int
    changed_ns: int


class Claim(NamedTuple):
    """A dump file that no other converter touches: what `_core.claim_files` tells of it.

    Attributes:
        error: Number of the error, 0 if it could be opened; or it `is_busy`.
        descriptor: The lock lasts until it is closed, or until this process ends, however it ends.
        is_busy: Whether another converter has it.
        mode: Permissions.
        identity: Which version of which file it is.
    """

    error: int
    descriptor: int
    is_busy: bool
    mode: int
    identity: Identity


check_fields(Identity, "identity")
check_fields(Claim, "claim")


class Prepared(NamedTuple):
    """An info file that is ready to take the place of its dump file.

    Attributes:
        path: The dump file.
        target: Path of the info file.
        packed: Its bytes.
        claim: The dump file when it was read.
        keep: Whether the dump file stays.
    """

    path: str
    target: str
    packed: bytes
    claim: Claim
    keep: bool


def claim_files(paths: Sequence[str]) -> list[Claim]:
    """Lock dump files against other converters.

    Without locks (some network file systems) two converters do the same work twice: both write the
    same bytes under the same name.
    """
    claims = map(Claim._make, _core.claim_files(paths))
    return [claim._replace(identity=Identity._make(claim.identity)) for claim in claims]


def prepare_file(
    path: str,
    claim: Claim,
    *,
    writer: Writer,
    kind: FileKind,
    keep: bool,
    force: bool,
    settle_s: float,
    quiet_s: float = 0.0,
    threads: int = 1,
) -> Outcome | Prepared:
    """Read one dump file and make its info file, in memory.

    Args:
        path: The dump file.
        claim: The claim on it.
        writer: Who wrote it.
        kind: "sketch" or "min_max".
        keep: Leave the dump file where it is.
        force: Make an info file that is larger than the dump file, too.
        settle_s: Seconds without a change after which a file counts as written whose size does not
            say so.
        quiet_s: Seconds for which the caller has seen it unchanged; its time of change may come
            from another clock.
        threads: Threads for a large tensor.

    Returns:
        What is to be put in place, or what became of a file that cannot be reduced.
    """
    if claim.is_busy:
        return Outcome(path, "busy")
    if claim.error == errno.ENOENT and not _may_be_link(path):
        return Outcome(path, "gone")
    if claim.error:
        return Outcome(path, "left", f"{path}: {os.strerror(claim.error)}")
    target = reduced_path(path, writer, kind)
    if keep and _is_newer(target, claim.identity.changed_ns):
        return Outcome(path, "done", source_bytes=claim.identity.size_bytes)
    is_settled = max(quiet_s, time.time() - claim.identity.changed_ns * 1e-9) >= settle_s
    packed = _pack(path, claim.identity.size_bytes, writer, kind, is_settled, threads)
    if isinstance(packed, Outcome):
        return packed
    if len(packed) >= claim.identity.size_bytes and not force:
        return Outcome(path, "larger", source_bytes=claim.identity.size_bytes)
    return Prepared(path, target, packed, claim, keep)


def _may_be_link(path: str) -> bool:
    """Whether there is a link that leads nowhere, or nobody can tell."""
    try:
        return Path(path).is_symlink()
    except OSError:
        return True


def _pack(
    path: str, size: int, writer: Writer, kind: FileKind, is_settled: bool, threads: int
) -> Outcome | bytes:
    """The bytes of the info file, or why there are none."""

    def refused(reason: str) -> Outcome:
        return Outcome(path, "left" if is_settled else "unfinished", reason, size)

    try:
        dump = open_dump_file(path, writer, file_bytes=size)
        if dump.is_literal:
            return Outcome(path, "literal", "", size)
        problem = dump.problem()
        if problem:
            return refused(problem)
        if not is_settled and not dump.is_certainly_whole():
            return Outcome(path, "unfinished", f"{path}: changed a moment ago", size)
        info = reduce_dump(dump, threads)
        problem = unreadable_tensor(info)
        if problem:
            return Outcome(path, "left", f"{path}: {problem}", size)
        return sketch_bytes(info) if kind == "sketch" else min_max_bytes(dump, info)
    except FileNotFoundError:
        return Outcome(path, "gone")
    except FormatError as error:
        return refused(str(error))
    except OSError as error:
        return Outcome(path, "left", f"{path}: {error.strerror}", size)


def _is_newer(target: str, changed_ns: int) -> bool:
    try:
        return Path(target).stat().st_mtime_ns >= changed_ns
    except OSError:
        return False


def is_left_over(path: str) -> bool:
    """Whether a temporary file belongs to a converter that is no more."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        old_enough = time.time() - os.fstat(descriptor).st_mtime > 60
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return old_enough
