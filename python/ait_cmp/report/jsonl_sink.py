"""Rows -> JSON lines, one file a rank beside its CSV: an object a row, its keys the columns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ait_cmp.report.json_text import json_line
from ait_cmp.report.report_files import RankFiles, ReportNames
from ait_cmp.report.row import COLUMNS, rows_of
from ait_cmp.report.sinks import StepReport

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison


class JsonlSink:
    """Numbers stay numbers and what was not computed is null; a formula is harmless here."""

    def __init__(self, names: ReportNames, custom_names: Sequence[str]) -> None:
        self._files = RankFiles(names, ".jsonl")
        self._keys = (*COLUMNS, *custom_names)

    def write(self, report: StepReport) -> None:
        """Append the rows of a step."""
        lines = [
            json_line(dict(zip(self._keys, map(_cell, (*row[:-1], *row.custom)))))
            for row in rows_of(report.rows)
        ]
        self._files.append(report.key.rank, [f"{line}\n".encode() for line in lines])

    def finish(self, result: Comparison) -> None:
        """Tell where the rows are."""
        result.jsonl_paths = self._files.paths

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _cell(value: Any) -> Any:
    """A path that is no UTF-8 shows its odd bytes as the CSV does: JSON has no such text."""
    if isinstance(value, str) and not value.isascii():
        return os.fsencode(value).decode("utf-8", "backslashreplace")
    return value
