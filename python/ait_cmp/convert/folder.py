"""All dump files below a folder, converted once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ait_cmp.config import INFO_KIND, SETTLE_S, thread_count
from ait_cmp.convert.converter import Candidate, Converter, Settings
from ait_cmp.convert.one_file import KINDS, TEMPORARY_ENDING, TEMPORARY_PREFIX, is_left_over
from ait_cmp.convert.result import Conversion
from ait_cmp.discover.contents import sort_files
from ait_cmp.discover.scan import Folder, is_of_exceptions, scan_folders, size_of
from ait_cmp.errors import ConfigError
from ait_cmp.file_kinds import FileKind


def checked_folder(path: str | os.PathLike[str]) -> str:
    """The folder as an absolute path; ConfigError if it is none."""
    folder = os.path.normpath(Path(path).absolute())
    if not Path(folder).is_dir():
        what = (
            "this is a file; its folder"
            if Path(folder).is_file()
            else "there is no such folder; one"
        )
        message = f"{folder}: {what} is expected"
        raise ConfigError(message)
    return folder


class Found(NamedTuple):
    """The files of a dump by name.

    Attributes:
        candidates: Dump files.
        n_reduced: Number of reduced files whose dump file is gone.
    """

    candidates: list[Candidate]
    n_reduced: int


def find_candidates(root: str, folders: Iterable[Folder]) -> Found:
    """Dump files of these folders below `root`, and how many there were before."""
    found: list[Candidate] = []
    n_reduced = 0
    for folder in folders:
        if is_of_exceptions(root, folder.path):
            continue
        contents = sort_files(folder)
        found += [Candidate(file.path, "ge") for file in contents.ge if file.kind == "dump"]
        found += [Candidate(file.path, "fx") for file in contents.fx if file.kind == "dump"]
        kinds = [*(file.kind for file in contents.ge), *(file.kind for file in contents.fx)]
        n_reduced += sum(kind in KINDS for kind in kinds)
    return Found(found, n_reduced)


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


Progress = Callable[[Conversion], None]


def convert_dir(
    path: str | os.PathLike[str],
    *,
    info: str = INFO_KIND,
    keep: bool = False,
    force: bool = False,
    settle: float = SETTLE_S,
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
        force: Convert files, too, that are smaller than their info files.
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
    settings = make_settings(info, keep, force, settle, threads, max_rate)
    root = checked_folder(path)
    stopped = stop or threading.Event()
    result = Conversion()
    folders, remarks = scan_folders(root)
    result.left.update({remark.path: remark.sentence for remark in remarks})
    remove_left_overs(folders)
    start = time.monotonic()
    converter = Converter(settings, stopped)
    candidates, result.already = find_candidates(root, folders)
    unfinished = run_pass(converter, candidates, result, start, progress)
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
    info: str,
    keep: bool,
    force: bool,
    settle: float,
    threads: int | None,
    max_rate: float | None,
) -> Settings:
    """Settings with defaults filled in; ConfigError if one is wrong."""
    bytes_per_s = None if max_rate is None else max_rate * 1e6
    kind: FileKind | None = next((kind for kind in KINDS if kind == info), None)
    if kind is None:
        message = f"info: one of {', '.join(KINDS)} expected, found {info}"
        raise ConfigError(message)
    return Settings(kind, keep, force, settle, thread_count(threads), bytes_per_s)


def run_pass(
    converter: Converter,
    candidates: Sequence[Candidate],
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
    at = {candidate.path: candidate for candidate in candidates}
    # Only who looks on wants to know how long it will take: a stat a file.
    sizes = {} if progress is None else {path: size_of(path) for path in at}
    result.waiting_bytes = sum(sizes.values())
    unfinished = []
    for outcome in converter.outcomes(candidates):
        result.add(outcome)
        result.waiting_bytes -= sizes.pop(outcome.path, 0)
        if outcome.status == "unfinished":
            unfinished.append(at[outcome.path])
        result.read_s = time.monotonic() - start
        if progress is not None:
            progress(result)
    return unfinished
