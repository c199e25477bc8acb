"""What every form of the report has in common: it is given the steps as they are ready."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from ait_cmp import _core
    from ait_cmp.discover import StepKey
    from ait_cmp.pairing.paired_step import PairedStep
    from ait_cmp.report.comparison import Comparison


class StepReport(NamedTuple):
    """A step of the report: compared, judged, with its own metrics; it does not change any more.

    Attributes:
        key: Rank, graph and step of the my side.
        step: Its pairs and rows.
    """

    key: StepKey
    step: PairedStep

    @property
    def rows(self) -> _core.StepRows:
        """Its rows, those without a result left out."""
        return self.step.rows


class GraphLines(NamedTuple):
    """The lines of a graph that was compared elsewhere, each form compressed (gzip).

    Attributes:
        rank: Rank of the graph.
        first_id: data_id of its first row; the lines count from 0.
        csv: Its rows.
        jsonl: The same as lines of JSON, empty where they were not asked for.
    """

    rank: int
    first_id: int
    csv: bytes
    jsonl: bytes


class Sink(Protocol):
    """A form of the report.

    A run calls `write` for every step in the order of the report, or `write_lines` for every graph
    in the order of its rank, `finish` once when all steps were written (after Ctrl-C, too), and
    `close` at the end whatever happened.
    """

    def write(self, report: StepReport) -> None:
        """Take the rows of a step; what streams to a file is in the file when this returns."""

    def write_lines(self, lines: GraphLines) -> None:
        """Take the rows of a graph."""

    def finish(self, result: Comparison) -> None:
        """Take what only the end of a run knows: counts, divergences, notes."""

    def close(self) -> None:
        """Close the files."""


class Sinks:
    """All forms of a report. One that cannot write is left out from then on: the run goes on.

    Attributes:
        unwritten: Sentences on those.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks
        self._failed: list[Sink] = []
        self.unwritten: list[str] = []

    def write(self, report: StepReport) -> None:
        """Give a step to every form."""
        self._each(lambda sink: sink.write(report))

    def write_lines(self, lines: GraphLines) -> None:
        """Give the lines of a graph to every form."""
        self._each(lambda sink: sink.write_lines(lines))

    def finish(self, result: Comparison) -> None:
        """Tell every form what only the end of a run knows; the result what was not written."""
        result.unwritten = self.unwritten
        self._each(lambda sink: sink.finish(result), also_failed=True)

    def close(self) -> None:
        """Close the files."""
        for sink in self._sinks:
            sink.close()

    def _each(self, do: Callable[[Sink], None], *, also_failed: bool = False) -> None:
        for sink in self._sinks:
            if sink in self._failed and not also_failed:
                continue
            try:
                do(sink)
            except OSError as error:
                self._failed.append(sink)
                self.unwritten.append(_cannot_write(error))


def _cannot_write(error: OSError) -> str:
    what = f"the report {error.filename} could not be written whole: {error.strerror}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what}; --output DIR names another folder"
    return f"{what}; it ends with the last whole row"
