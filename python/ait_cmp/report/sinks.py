"""What every form of the report has in common: it is given the steps as they are ready."""

from __future__ import annotations

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


class Sink(Protocol):
    """A form of the report.

    A run calls `write` for every step in the order of the report, `finish` once when all steps
    were written (after Ctrl-C, too), and `close` at the end whatever happened.
    """

    def write(self, report: StepReport) -> None:
        """Take the rows of a step; what streams to a file is in the file when this returns."""

    def finish(self, result: Comparison) -> None:
        """Take what only the end of a run knows: counts, divergences, notes."""

    def close(self) -> None:
        """Close the files."""
