"""Rows -> CSV file. No computing."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from ait_cmp import _core
from ait_cmp.report.row import COLUMNS


def report_name(rank: int | None, now: time.struct_time) -> str:
    """File name of a report; rank None: the dump has no rank folders."""
    middle = "" if rank is None else f"rank{rank}_"
    return f"ait_cmp_report_{middle}{time.strftime('%Y%m%d%H%M%S', now)}.csv"


class CsvReport:
    """One report file: created at once, written in whole lines, never overwriting another."""

    def __init__(
        self, folder: Path, rank: int | None, custom_names: Sequence[str], now: time.struct_time
    ) -> None:
        self.path, descriptor = _create(folder / report_name(rank, now))
        self._descriptor = descriptor
        self._write(_core.csv_lines([(*COLUMNS, *custom_names)]))

    def write(self, rows: _core.StepRows) -> None:
        """Append the rows of a step; they are in the file when this returns."""
        self._write(rows.csv())

    def _write(self, lines: bytes) -> None:
        left = memoryview(lines)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> CsvReport:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _create(path: Path) -> tuple[Path, int]:
    """A new file: with a number behind its name if that is taken."""
    number = 0
    while True:
        candidate = path if number == 0 else path.with_name(f"{path.stem}_{number}{path.suffix}")
        try:
            return candidate, os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            number += 1
