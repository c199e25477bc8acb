"""Rows -> CSV, one file a rank. No computing."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ait_cmp import _core
from ait_cmp.report.report_files import RankFiles, ReportNames
from ait_cmp.report.row import COLUMNS
from ait_cmp.report.sinks import GraphLines, StepReport

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison


# Rows are copied so many bytes at a time.
_PORTION = 1 << 20


class CsvSink:
    """Complete lines, in the file as soon as a step is reported."""

    def __init__(self, names: ReportNames, custom_names: Sequence[str]) -> None:
        self._files = RankFiles(names, ".csv", _core.csv_lines([(*COLUMNS, *custom_names)]))

    def write(self, report: StepReport) -> None:
        """Append the rows of a step."""
        self._files.append(report.key.rank, _rows_of(report.rows.csv()))

    def write_lines(self, lines: GraphLines) -> None:
        """Append the rows of a graph, numbered on from those before."""
        for portion in portions_of(numbered_rows(lines)):
            self._files.append(lines.rank, portion)

    def finish(self, result: Comparison) -> None:
        """Tell where the rows are."""
        result.csv_paths = self._files.paths

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _rows_of(text: bytes) -> list[bytes]:
    """The rows of a table."""
    return list(whole_rows(line + b"\n" for line in text.split(b"\n")[:-1]))


def whole_rows(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Rows of lines; a cell in quotes may hold line ends, so a row may be several lines.

    What is left at the end of a file that was cut short is no row.
    """
    row, n_quotes = b"", 0
    for line in lines:
        row = row + line if row else line
        n_quotes += line.count(b'"')
        if n_quotes % 2 == 0 and line.endswith(b"\n"):
            yield row
            row, n_quotes = b"", 0


def portions_of(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The rows some at a time, so that memory does not grow with them."""
    portion: list[bytes] = []
    n_bytes = 0
    for row in rows:
        portion.append(row)
        n_bytes += len(row)
        if n_bytes > _PORTION:
            yield portion
            portion, n_bytes = [], 0
    yield portion


def numbered_rows(lines: GraphLines) -> Iterator[bytes]:
    """The rows of a graph, data_id (the second cell) counted on from those before."""
    with gzip.GzipFile(fileobj=io.BytesIO(lines.csv)) as file:
        rows = whole_rows(file)
        if not lines.first_id:
            yield from rows
            return
        for row in rows:
            token, number, rest = row.split(b",", 2)
            yield b"%b,%d,%b" % (token, int(number) + lines.first_id, rest)
