"""Rows -> CSV file. No computing."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Union

from ait_cmp.row import COLUMNS, Row

Cell = Union[str, int, float, None]

# A spreadsheet runs a cell that starts with one of these as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell_text(value: Cell) -> str:
    """Text of a cell: numbers in the shortest form that reads back to the same float64."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA_STARTS) and not _is_number(value) else value
    return repr(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
        self._write_lines([(*COLUMNS, *custom_names)])

    def write(self, rows: Iterable[Row]) -> None:
        """Append rows; they are in the file when this returns."""
        self._write_lines([*map(cell_text, row[:-1]), *map(cell_text, row.custom)] for row in rows)

    def _write_lines(self, lines: Iterable[Sequence[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        # Paths may hold bytes that are no UTF-8: they go out as they are on disk.
        left = memoryview(text.getvalue().encode("utf-8", "surrogateescape"))
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
