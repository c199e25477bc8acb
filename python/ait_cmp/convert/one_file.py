"""One dump file -> its info file; at every moment one of the two is there and whole."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import time
from pathlib import Path
from typing import NamedTuple

from ait_cmp.errors import AitCmpError, FormatError
from ait_cmp.info.reduce import (
    min_max_bytes,
    open_dump_file,
    reduce_dump,
    sketch_bytes,
    unreadable_tensor,
)

KINDS = ("sketch", "min_max")
# Of a file that is still being written. Hidden, and no name of a dump: discovery never takes it.
TEMPORARY_PREFIX = ".ait-cmp-"
TEMPORARY_ENDING = ".tmp"

_counter = itertools.count()


class DiskFullError(AitCmpError):
    """No space is left for an info file; every original is still there."""


class Outcome(NamedTuple):
    """What became of one file.

    Attributes:
        path: The dump file.
        status: "converted"; "literal" (text or objects: small, no tensor, left); "left" (cannot be
            reduced); "unfinished" (perhaps still being written); "busy" (another converter has
            it); "gone"; "done" (its info file is there, with --keep).
        reason: Sentence for "left" and "unfinished", else "".
        source_bytes: Size of the dump file.
        info_bytes: Size of its info file, 0 unless converted.
    """

    path: str
    status: str
    reason: str = ""
    source_bytes: int = 0
    info_bytes: int = 0


def info_path(path: str, *, is_ge: bool, kind: str) -> str:
    """Name of the reduced file of a dump file: `{file}_info.npz`, for `.npy` `{stem}_info.npz`."""
    base = path if is_ge else path[: -len(".npy")]
    if kind == "sketch":
        return f"{base}_info.npz"
    return f"{base}_min_max.{'npz' if is_ge else 'npy'}"


class Prepared(NamedTuple):
    """An info file that is ready to take the place of its dump file.

    Attributes:
        path: The dump file.
        target: Path of the info file.
        packed: Its bytes.
        before: Status of the dump file when it was read.
        keep: Whether the dump file stays.
        descriptor: The dump file, open and locked until `put_in_place` or `give_up`.
    """

    path: str
    target: str
    packed: bytes
    before: os.stat_result
    keep: bool
    descriptor: int

    def put_in_place(self) -> Outcome:
        """Write the info file and remove the dump file; waits for the disk.

        Raises:
            DiskFullError: No space is left.
        """
        try:
            return self._put_in_place()
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Let go of the dump file."""
        os.close(self.descriptor)

    def _put_in_place(self) -> Outcome:
        size = self.before.st_size
        if not _is_same(self.path, self.before):
            reason = f"{self.path}: changed while it was read"
            return Outcome(self.path, "unfinished", reason, size)
        try:
            _put_in_place(self.packed, self.target, self.before)
            if not self.keep:
                _remove(self.path, self.before)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                folder, n_bytes = Path(self.target).parent, len(self.packed)
                message = f"{folder}: the disk is full; no space for {n_bytes} bytes of an info "
                message += "file. Nothing was lost: free some space and start again."
                raise DiskFullError(message) from error
            return Outcome(self.path, "left", f"{self.target}: {error.strerror}", size)
        return Outcome(self.path, "converted", "", size, len(self.packed))


def prepare_file(
    path: str,
    *,
    is_ge: bool,
    kind: str,
    keep: bool,
    settle_s: float,
    quiet_s: float = 0.0,
    threads: int = 1,
) -> Outcome | Prepared:
    """Read one dump file and make its info file, in memory.

    Args:
        path: The dump file.
        is_ge: GE dump (True) or `.npy` file.
        kind: "sketch" or "min_max".
        keep: Leave the dump file where it is.
        settle_s: Seconds without a change after which a file counts as written whose size does not
            say so.
        quiet_s: Seconds for which the caller has seen it unchanged; its time of change may come
            from another clock.
        threads: Threads for a large tensor.

    Returns:
        What is to be put in place, or what became of a file that cannot be reduced.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Outcome(path, "gone")
    except OSError as error:
        return Outcome(path, "left", f"{path}: {error.strerror}")
    is_prepared = False
    try:
        if not _claim(descriptor):
            return Outcome(path, "busy")
        before = os.fstat(descriptor)
        if not _is_same(path, before):
            return Outcome(path, "gone")
        target = info_path(path, is_ge=is_ge, kind=kind)
        if keep and _is_newer(target, before):
            return Outcome(path, "done", source_bytes=before.st_size)
        is_settled = max(quiet_s, time.time() - before.st_mtime) >= settle_s
        packed = _pack(path, before.st_size, is_ge, kind, is_settled, threads)
        if isinstance(packed, Outcome):
            return packed
        is_prepared = True
        return Prepared(path, target, packed, before, keep, descriptor)
    finally:
        if not is_prepared:
            os.close(descriptor)


def _pack(
    path: str, size: int, is_ge: bool, kind: str, is_settled: bool, threads: int
) -> Outcome | bytes:
    """The bytes of the info file, or why there are none."""

    def refused(reason: str) -> Outcome:
        return Outcome(path, "left" if is_settled else "unfinished", reason, size)

    try:
        dump = open_dump_file(path, is_ge=is_ge, file_bytes=size)
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


def _claim(descriptor: int) -> bool:
    """Lock the file against other converters; the lock ends with this process, however it ends.

    Without locks (some network file systems) two converters do the same work twice: both write the
    same bytes under the same name.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_same(path: str, before: os.stat_result) -> bool:
    """Whether the path still leads to the file that was read, and nothing was written to it."""
    try:
        now = Path(path).stat()
    except OSError:
        return False
    return (now.st_ino, now.st_dev, now.st_size, now.st_mtime_ns) == (
        before.st_ino,
        before.st_dev,
        before.st_size,
        before.st_mtime_ns,
    )


def _is_newer(target: str, source: os.stat_result) -> bool:
    try:
        return Path(target).stat().st_mtime_ns >= source.st_mtime_ns
    except OSError:
        return False


def _put_in_place(packed: bytes, target: str, source: os.stat_result) -> None:
    """Write the info file so that it appears whole, and is on the disk when this returns."""
    folder = str(Path(target).parent)
    name = f"{TEMPORARY_PREFIX}{os.getpid()}-{next(_counter)}{TEMPORARY_ENDING}"
    temporary = f"{folder}/{name}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, source.st_mode & 0o777 | 0o200)
    try:
        try:
            # Others know by this lock that the file is not left over.
            _claim(descriptor)
            left = memoryview(packed)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        Path(temporary).rename(target)
    except BaseException:
        _remove_if_there(temporary)
        raise
    _sync_folder(folder)


def _remove(path: str, before: os.stat_result) -> None:
    """Remove the original, unless something else has taken its name."""
    if _is_same(path, before):
        _remove_if_there(path)


def _remove_if_there(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # File systems that cannot sync a folder do it with the file.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


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
