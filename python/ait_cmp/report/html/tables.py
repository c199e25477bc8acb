"""Where the rows of a page come from: reports on disk, or a comparison in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from pathlib import Path
from typing import Protocol

from ait_cmp.errors import FormatError
from ait_cmp.report.html.columns import Cell, ColumnPacker
from ait_cmp.report.row import Row

# A page holds so many rows; of larger reports it holds failing rows, neighbours and a sample.
MOST_ROWS = 300_000
_NEIGHBOURS = 2
_CHUNK = 4096


class Table(Protocol):
    """Rows that can be gone through more than once."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the columns."""

    def rows(self) -> Iterator[Sequence[Cell]]:
        """Every row: one cell a column."""


@dataclass(frozen=True)
class ComparisonTable:
    """The rows of a comparison in memory.

    Attributes:
        columns: Names of the columns, those of custom algorithms last.
        source: The rows.
    """

    columns: Sequence[str]
    source: Iterable[Row]

    def rows(self) -> Iterator[Sequence[Cell]]:
        """Every row."""
        return ((*row[:-1], *row.custom) for row in self.source)


class CsvTable:
    """One or several reports, in their order.

    Attributes:
        columns: Names of the columns: of the first report, then what others have more.
        n_rows: Report -> number of its whole rows, once they have been read.

    Raises:
        FormatError: A file is no report.
        OSError: A file cannot be read.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._heads = {path: _head(path) for path in paths}
        self.columns: Sequence[str] = list(
            dict.fromkeys(name for head in self._heads.values() for name in head)
        )
        self.n_rows: dict[Path, int] = {}

    def rows(self) -> Iterator[Sequence[Cell]]:
        """Every whole row; a line that a killed run left half done is left out."""
        for path in self._paths:
            head = self._heads[path]
            positions = [head.index(name) if name in head else None for name in self.columns]
            with path.open(newline="", encoding="utf-8", errors="surrogateescape") as lines:
                self.n_rows[path] = 0
                for cells in _csv_rows(lines, path):
                    if len(cells) == len(head):
                        self.n_rows[path] += 1
                        yield ["" if at is None else _unquoted(cells[at]) for at in positions]


def _csv_rows(lines: Iterable[str], path: Path) -> Iterator[list[str]]:
    reader = csv.reader(line.replace("\0", "\ufffd") for line in lines)
    try:
        next(reader)
        yield from reader
    except csv.Error as error:
        message = f"{path}: line {reader.line_num} is no CSV: {error}"
        raise FormatError(message) from error


def _head(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as lines:
        head = next(csv.reader(line.replace("\0", "\ufffd") for line in lines), [])
    if not {"data_id", "verdict", "op_name"} <= set(head):
        found = ", ".join(head[:3])[:80] or "nothing"
        message = f"{path}: no report of ait-cmp: a line of column names expected, found {found!r}"
        raise FormatError(message)
    return head


def _unquoted(cell: str) -> str:
    """Without the quote that keeps a spreadsheet from running the cell."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r") else cell


def chosen_rows(table: Table, most: int = MOST_ROWS) -> tuple[list[ColumnPacker], int]:
    """The columns of the rows that a page holds, and how many rows there are in all.

    All, or, of more than `most`: failing rows with their neighbours (not more than two thirds
    of them), and of the others as many as have room, evenly spread.
    """
    at = list(table.columns).index("verdict")
    fails = bytearray(row[at] == "fail" for row in table.rows())
    keep = bytes(b"\1" * len(fails)) if len(fails) <= most else _sample(fails, most)
    columns = [ColumnPacker(name) for name in table.columns]
    chosen = compress(table.rows(), keep)
    while chunk := list(islice(chosen, _CHUNK)):
        for column, cells in zip(columns, zip(*chunk)):
            column.add(cells)
    return columns, len(fails)


def _sample(fails: bytearray, most: int) -> bytes:
    keep = bytearray(len(fails))
    room = most * 2 // 3
    for row in (row for row, fail in enumerate(fails) if fail):
        begin, end = max(0, row - _NEIGHBOURS), min(len(fails), row + _NEIGHBOURS + 1)
        room -= (end - begin) - sum(keep[begin:end])
        if room < 0:
            break
        keep[begin:end] = b"\1" * (end - begin)
    others = [row for row, kept in enumerate(keep) if not kept]
    n = min(most - sum(keep), len(others))
    for number in range(n):
        keep[others[number * len(others) // n]] = 1
    return bytes(keep)
