"""result.json beside the reports: what the summary says as data, once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ait_cmp.report.json_text import json_line
from ait_cmp.report.report_files import ReportNames
from ait_cmp.report.sinks import GraphLines, StepReport

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison


class ResultSink:
    """docs/en/result-format.md defines the file."""

    def __init__(self, names: ReportNames) -> None:
        self._names = names.called("result")

    def write(self, report: StepReport) -> None:
        """Nothing: the file tells what the end of a run knows."""

    def write_lines(self, lines: GraphLines) -> None:
        """Nothing, as of steps."""

    def finish(self, result: Comparison) -> None:
        """Write the file."""
        text = json_line(result.result)
        file = self._names.create(self._names.of_rank(-1), ".json")
        try:
            file.append([f"{text}\n".encode("ascii")])
        finally:
            file.close()
        result.result_path = file.path

    def close(self) -> None:
        """Nothing is open."""
