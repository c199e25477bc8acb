"""Files of a report: named by rank and time, never overwriting another, whole lines only."""

from __future__ import annotations

import os
import time
from pathlib import Path


class ReportNames:
    """Names of all files of one run: what belongs together differs in its ending alone.

    Attributes:
        folder: Where the files are made.
    """

    def __init__(self, folder: Path, now: time.struct_time, what: str = "report") -> None:
        self.folder = folder
        self._now = now
        self._what = what
        self._numbers: dict[str, int] = {}

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
        number = self._numbers.get(name, 0)
        while True:
            stem = name if number == 0 else f"{name}_{number}"
            path = self.folder / f"{stem}{ending}"
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                number += 1
                continue
            self._numbers[name] = number
            return LineFile(path, descriptor)


class LineFile:
    """A file that grows by whole lines.

    Attributes:
        path: Its path.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def append(self, lines: bytes) -> None:
        """Append lines; they are in the file when this returns."""
        left = memoryview(lines)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class RankFiles:
    """One file a rank, made when its first rows come.

    Attributes:
        paths: Paths of the files made, in that order.
    """

    def __init__(self, names: ReportNames, ending: str, head: bytes = b"") -> None:
        self.paths: list[Path] = []
        self._names = names
        self._ending = ending
        self._head = head
        self._files: dict[int, LineFile] = {}

    def append(self, rank: int, lines: bytes) -> None:
        """Append lines to the file of a rank."""
        if rank not in self._files:
            file = self._names.create(self._names.of_rank(rank), self._ending)
            self._files[rank] = file
            self.paths.append(file.path)
            file.append(self._head)
        self._files[rank].append(lines)

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()
