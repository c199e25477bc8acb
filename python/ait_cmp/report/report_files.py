"""Files of a report: named by rank and time, never overwriting another, whole lines only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ait_cmp.errors import ConfigError


class ReportNames:
    """Names of all files of one run: what belongs together differs in its ending alone.

    Attributes:
        folder: Where the files are made.
    """

    def __init__(
        self, folder: Path, now: time.struct_time, what: str = "report", first_number: int = 0
    ) -> None:
        self.folder = folder
        self._now = now
        self._what = what
        self._first_number = first_number
        self._numbers: dict[str, int] = {}

    def called(self, what: str) -> ReportNames:
        """Names of the same run for something else than reports of rows."""
        return ReportNames(self.folder, self._now, what, self._first_number)

    def free(self, ranks: Iterable[int]) -> ReportNames:
        """Names with the first number that is free for the reports of all these ranks."""
        names = [self.of_rank(rank) for rank in ranks]
        names += [self.called(what).of_rank(-1) for what in ("report", "result")]
        taken = {path.name.partition(".")[0] for path in self.folder.iterdir()}
        number = self._first_number
        while any(_numbered(name, number) in taken for name in names):
            number += 1
        return ReportNames(self.folder, self._now, self._what, number)

    def of_rank(self, rank: int) -> str:
        """The name of a rank's files without ending; rank -1: the dump has no rank folders."""
        middle = "" if rank < 0 else f"rank{rank}_"
        return f"ait_cmp_{self._what}_{middle}{time.strftime('%Y%m%d%H%M%S', self._now)}"

    def create(self, name: str, ending: str) -> LineFile:
        """A new file: with a number behind its name if that is taken.

        Args:
            name: Name without ending.
            ending: With its dot.

        Raises:
            OSError: It cannot be made.
        """
        number = self._numbers.get(name, self._first_number)
        while True:
            path = self.folder / f"{_numbered(name, number)}{ending}"
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                number += 1
                continue
            self._numbers[name] = number
            return LineFile(path, descriptor)


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def output_folder(folder: Path) -> Path:
    """The folder of reports, made if it is missing.

    Raises:
        ConfigError: It cannot be made, or nothing can be written there.
    """
    try:
        folder.absolute()
    except FileNotFoundError as error:
        message = "the current folder has been deleted: change to one that exists"
        raise ConfigError(message) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"output folder {folder} cannot be made: {error.strerror}"
        raise ConfigError(message) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        message = f"{folder.absolute()}: no report can be written there (read-only); "
        message += "--output DIR names another folder"
        raise ConfigError(message)
    return folder


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


class LineFile:
    """A file that grows by whole lines, also where the disk is full, or after it was closed.

    Attributes:
        path: Its path.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._n_bytes = 0

    def append(self, lines: Sequence[bytes]) -> None:
        """Append lines with their ends; they are in the file when this returns.

        Raises:
            OSError: Not all could be written; the file ends with the last whole one.
        """
        if self._descriptor < 0:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        text = b"".join(lines)
        n_written = 0
        try:
            while n_written < len(text):
                n_written += os.write(self._descriptor, memoryview(text)[n_written:])
        except OSError as error:
            os.ftruncate(self._descriptor, self._n_bytes + _whole(lines, n_written))
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._n_bytes += n_written

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _whole(lines: Sequence[bytes], n_written: int) -> int:
    """Bytes of the whole lines among those that were written."""
    n_whole = 0
    for line in lines:
        if n_whole + len(line) > n_written:
            break
        n_whole += len(line)
    return n_whole


class RankFiles:
    """One file a rank, made when its first rows come; that of the last rank is open."""

    def __init__(self, names: ReportNames, ending: str, head: bytes = b"") -> None:
        self._paths: dict[int, Path] = {}
        self._names = names
        self._ending = ending
        self._head = head
        self._files: dict[int, LineFile] = {}
        self._open_rank: int | None = None

    @property
    def paths(self) -> list[Path]:
        """Paths of the files made, in the order of the ranks."""
        return [path for _, path in sorted(self._paths.items())]

    def append(self, rank: int, lines: Sequence[bytes]) -> None:
        """Append lines to the file of a rank."""
        if rank != self._open_rank:
            self.close()  # a process may not have a thousand files open
            self._open_rank = rank
        if rank not in self._files:
            file = self._names.create(self._names.of_rank(rank), self._ending)
            self._files[rank] = file
            self._paths[rank] = file.path
            file.append([self._head])
        self._files[rank].append(lines)

    def close(self) -> None:
        """Close the file that is open."""
        if self._open_rank in self._files:
            self._files[self._open_rank].close()
        self._open_rank = None
