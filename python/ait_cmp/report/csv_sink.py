"""Rows -> CSV, one file a rank. No computing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ait_cmp import _core
from ait_cmp.report.report_files import RankFiles, ReportNames
from ait_cmp.report.row import COLUMNS
from ait_cmp.report.sinks import StepReport

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison


class CsvSink:
    """Complete lines, in the file as soon as a step is reported."""

    def __init__(self, names: ReportNames, custom_names: Sequence[str]) -> None:
        self._files = RankFiles(names, ".csv", _core.csv_lines([(*COLUMNS, *custom_names)]))

    def write(self, report: StepReport) -> None:
        """Append the rows of a step."""
        self._files.append(report.key.rank, _rows_of(report.rows.csv()))

    def finish(self, result: Comparison) -> None:
        """Tell where the rows are."""
        result.csv_paths = self._files.paths

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _rows_of(text: bytes) -> list[bytes]:
    """The rows of a table; a cell in quotes may hold line ends, so a row may be several lines."""
    rows: list[bytes] = []
    open_quotes = 0
    for line in (line + b"\n" for line in text.split(b"\n")[:-1]):
        if open_quotes % 2:
            rows[-1] += line
        else:
            rows.append(line)
            open_quotes = 0
        open_quotes += line.count(b'"')
    return rows
