"""Rows -> JSON lines, one file a rank beside its CSV: an object a row, its keys the columns."""

from __future__ import annotations

import gzip
import io
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ait_cmp.report.csv_sink import portions_of
from ait_cmp.report.json_text import json_line
from ait_cmp.report.report_files import RankFiles, ReportNames
from ait_cmp.report.row import COLUMNS, rows_of
from ait_cmp.report.sinks import GraphLines, StepReport

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison


_DATA_ID = re.compile(rb'"data_id": (\d+)')


class JsonlSink:
    """Numbers stay numbers and what was not computed is null; a formula is harmless here."""

    def __init__(self, names: ReportNames | None, custom_names: Sequence[str]) -> None:
        self._files = None if names is None else RankFiles(names, ".jsonl")
        self._keys = (*COLUMNS, *custom_names)

    def write(self, report: StepReport) -> None:
        """Append the rows of a step."""
        assert self._files is not None
        self._files.append(report.key.rank, self.lines(report))

    def lines(self, report: StepReport) -> list[bytes]:
        """The lines of a step."""
        lines = (
            json_line(dict(zip(self._keys, map(_cell, (*row[:-1], *row.custom)))))
            for row in rows_of(report.rows)
        )
        return [f"{line}\n".encode() for line in lines]

    def write_lines(self, lines: GraphLines) -> None:
        """Append the lines of a graph, numbered on from those before."""
        assert self._files is not None
        with gzip.GzipFile(fileobj=io.BytesIO(lines.jsonl)) as file:
            for portion in portions_of(_numbered(line, lines.first_id) for line in file):
                self._files.append(lines.rank, portion)

    def finish(self, result: Comparison) -> None:
        """Tell where the rows are."""
        result.jsonl_paths = [] if self._files is None else self._files.paths

    def close(self) -> None:
        """Close the files."""
        if self._files is not None:
            self._files.close()


def _numbered(line: bytes, first_id: int) -> bytes:
    """A line with its data_id, which no text stands before, counted on."""
    return _DATA_ID.sub(lambda found: b'"data_id": %d' % (int(found[1]) + first_id), line, 1)


def _cell(value: Any) -> Any:
    """A path that is no UTF-8 shows its odd bytes as the CSV does: JSON has no such text."""
    if isinstance(value, str) and not value.isascii():
        return os.fsencode(value).decode("utf-8", "backslashreplace")
    return value
