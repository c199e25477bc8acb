"""All dump files below a folder, converted by a few threads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ait_cmp.config import usable_cores
from ait_cmp.convert.one_file import (
    KINDS,
    TEMPORARY_ENDING,
    TEMPORARY_PREFIX,
    Outcome,
    Prepared,
    is_left_over,
    prepare_file,
)
from ait_cmp.convert.result import Conversion, Pace
from ait_cmp.discover.contents import sort_files
from ait_cmp.discover.scan import Folder, scan_folders
from ait_cmp.errors import ConfigError

# A file of this size is worth all threads; smaller ones are spread over them.
_LARGE_FILE_BYTES = 256 << 20
# Files handed to the threads ahead of time: what SIGTERM has to wait for at most.
_AHEAD_PER_THREAD = 2
# Threads that wait for the disk; a file system writes what several of them sync in one go.
_WRITERS = 16
# How long Ctrl-C may have to wait for its turn.
_SIGNAL_S = 0.2
# Exception dumps lie there; they are no part of a graph's run.
_EXCEPTION_FOLDER = "/extra-info/"


class Candidate(NamedTuple):
    """A file whose name is that of a dump.

    Attributes:
        path: The file.
        is_ge: GE dump or `.npy` file.
        quiet_s: Seconds for which it has been seen unchanged.
    """

    path: str
    is_ge: bool
    quiet_s: float = 0.0


@dataclass(frozen=True)
class Settings:
    """How files are converted.

    Attributes:
        kind: "sketch" or "min_max".
        keep: Whether originals stay.
        settle_s: Seconds without a change after which a file counts as written whose size does not
            say so.
        threads: Worker threads.
        max_rate: Bytes to read per second at most, None for no limit.
    """

    kind: str = "sketch"
    keep: bool = False
    settle_s: float = 5.0
    threads: int = 1
    max_rate: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            message = f"info: one of {', '.join(KINDS)} expected, found {self.kind}"
            raise ConfigError(message)
        if self.threads < 1:
            message = f"threads: a number from 1 on expected, found {self.threads}"
            raise ConfigError(message)
        if not self.settle_s >= 0:
            message = f"settle: seconds from 0 on expected, found {self.settle_s}"
            raise ConfigError(message)
        if self.max_rate is not None and not self.max_rate > 0:
            message = f"max_rate: a rate above 0 expected, found {self.max_rate}"
            raise ConfigError(message)


def checked_folder(path: str | os.PathLike[str]) -> str:
    """The folder as an absolute path; ConfigError if it is none."""
    folder = os.path.normpath(Path(path).absolute())
    if not Path(folder).is_dir():
        message = f"{folder}: there is no such folder"
        raise ConfigError(message)
    return folder


def find_candidates(folders: Iterable[Folder]) -> list[Candidate]:
    """Dump files of these folders, by name."""
    found: list[Candidate] = []
    for folder in folders:
        if _EXCEPTION_FOLDER in f"{folder.path}/":
            continue
        contents = sort_files(folder)
        found += [Candidate(file.path, True) for file in contents.ge if file.kind == "dump"]
        found += [Candidate(file.path, False) for file in contents.fx if file.kind == "dump"]
    return found


def identity_of(path: str) -> tuple[int, int] | None:
    """Size and time of the last change; None if the file is gone."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def remove_left_overs(folders: Iterable[Folder]) -> None:
    """Delete temporary files of converters that were killed."""
    for folder in folders:
        for name in folder.files:
            if name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_ENDING):
                path = f"{folder.path}/{name}"
                if is_left_over(path):
                    Path(path).unlink(missing_ok=True)


class Converter:
    """A pool of threads that converts files until it is told to stop."""

    def __init__(self, settings: Settings, stop: threading.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._pace = Pace(settings.max_rate)
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="ait-cmp-convert")
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="ait-cmp-write")
        self._one_large_file = threading.Lock()

    def __enter__(self) -> Converter:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        self._writers.shutdown()

    def outcomes(self, candidates: Iterable[Candidate]) -> Iterator[Outcome]:
        """What became of every file, as it is known; after `stop` only of those in hand.

        Raises:
            DiskFullError: No space is left; files in hand are finished first.
        """
        waiting = iter(candidates)
        reading: set[Future[Outcome | Prepared]] = set()
        writing: set[Future[Outcome]] = set()
        most = self._settings.threads * _AHEAD_PER_THREAD
        try:
            while True:
                while (
                    len(reading) < most
                    and len(writing) < 2 * _WRITERS
                    and not self._stop.is_set()
                    and (candidate := next(waiting, None)) is not None
                ):
                    reading.add(self._pool.submit(self._prepare, candidate))
                if not reading and not writing:
                    return
                at_work: set[Future[Any]] = {*reading, *writing}
                done, _ = wait(at_work, timeout=_SIGNAL_S, return_when=FIRST_COMPLETED)
                for written in done & writing:
                    writing.discard(written)
                    yield written.result()
                for read in done & reading:
                    reading.discard(read)
                    found = read.result()
                    if isinstance(found, Prepared):
                        writing.add(self._writers.submit(found.put_in_place))
                    else:
                        yield found
        finally:
            for read in reading:
                if not read.cancel() and isinstance(found := read.result(), Prepared):
                    found.give_up()
            wait(writing)

    def _prepare(self, candidate: Candidate) -> Outcome | Prepared:
        settings = self._settings
        try:
            size_bytes = Path(candidate.path).stat().st_size
        except OSError:
            return Outcome(candidate.path, "gone")
        self._stop.wait(self._pace.pause_s(size_bytes))
        if self._stop.is_set():
            return Outcome(candidate.path, "waiting")
        is_large = size_bytes >= _LARGE_FILE_BYTES

        def prepare(threads: int) -> Outcome | Prepared:
            return prepare_file(
                candidate.path,
                is_ge=candidate.is_ge,
                kind=settings.kind,
                keep=settings.keep,
                settle_s=settings.settle_s,
                quiet_s=candidate.quiet_s,
                threads=threads,
            )

        if not is_large:
            return prepare(1)
        with self._one_large_file:
            return prepare(settings.threads)


Progress = Callable[[Conversion], None]


def convert_dir(
    path: str | os.PathLike[str],
    *,
    info: str = "sketch",
    keep: bool = False,
    settle: float = 5.0,
    threads: int | None = None,
    max_rate: float | None = None,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Conversion:
    """Replace every dump file below a folder by an info file of a few kilobytes a tensor.

    Args:
        path: Any level of a GE or FX dump.
        info: "sketch" (estimates of cosine and distance) or "min_max" (two numbers a tensor).
        keep: Leave the dump files where they are.
        settle: Seconds without a change after which a file counts as written whose size does not
            say so.
        threads: Worker threads; None takes all cores that the process may use.
        max_rate: Megabytes to read per second at most; None for no limit.
        stop: Set it to end after the files in hand.
        progress: Called with the state so far, now and then.

    Returns:
        What became of the files.

    Raises:
        ConfigError: An argument is wrong or the folder is missing.
        DiskFullError: The disk is full; nothing was lost.
    """
    settings = make_settings(info, keep, settle, threads, max_rate)
    root = checked_folder(path)
    stopped = stop or threading.Event()
    result = Conversion()
    folders, notes = scan_folders(root)
    for note in notes:
        result.left[note.split(":")[0]] = note
    remove_left_overs(folders)
    start = time.monotonic()
    with Converter(settings, stopped) as converter:
        waiting = find_candidates(folders)
        unfinished = run_pass(converter, waiting, result, start, progress)
        before = [identity_of(at.path) for at in unfinished]
        if unfinished and not stopped.wait(settings.settle_s):
            # A moment later their size, or that they did not change, tells more.
            quiet = [
                at._replace(quiet_s=settings.settle_s if identity_of(at.path) == was else 0.0)
                for at, was in zip(unfinished, before)
            ]
            run_pass(converter, quiet, result, start, progress)
    result.was_stopped = stopped.is_set()
    return result


def make_settings(
    info: str, keep: bool, settle: float, threads: int | None, max_rate: float | None
) -> Settings:
    """Settings with defaults filled in; ConfigError if one is wrong."""
    bytes_per_s = None if max_rate is None else max_rate * 1e6
    return Settings(info, keep, settle, threads or usable_cores(), bytes_per_s)


def run_pass(
    converter: Converter,
    candidates: Iterable[Candidate],
    result: Conversion,
    start: float,
    progress: Progress | None,
) -> list[Candidate]:
    """Convert these files once.

    Args:
        start: Monotonic time at which `result.read_s` began to count.

    Returns:
        Those that may still be being written.
    """
    kinds = {}
    unfinished = []

    def noted() -> Iterator[Candidate]:
        for candidate in candidates:
            kinds[candidate.path] = candidate
            yield candidate

    for outcome in converter.outcomes(noted()):
        candidate = kinds.pop(outcome.path)
        result.add(outcome)
        if outcome.status == "unfinished":
            unfinished.append(candidate)
        result.read_s = time.monotonic() - start
        if progress is not None:
            progress(result)
    return unfinished
