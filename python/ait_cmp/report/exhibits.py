"""What a picture of a divergence needs, kept when its step is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ait_cmp.pairing.pair import Pair
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.divergence_groups import model_op
from ait_cmp.report.findings import Divergence
from ait_cmp.report.result.neighbourhood import neighbourhood_of
from ait_cmp.report.row import Row

MOST_EXHIBITS = 100


class NewDivergence(NamedTuple):
    """A divergence, and where it was found in its step.

    Attributes:
        told: The divergence.
        row: Number of the row that shows it.
        node: Number of its op, -1 if the graph text does not know it.
    """

    told: Divergence
    row: int
    node: int


class Exhibit(NamedTuple):
    """A divergence that can be pictured.

    Attributes:
        row: The row that shows it.
        pair: Its two tensors.
        neighbourhood: The ops around it as result.json has them, None without a graph text.
    """

    row: Row
    pair: Pair
    neighbourhood: dict[str, Any] | None


# (rank, graph, step, name of the op)
Where = tuple[int, str, int, str]


def where_of(found: Divergence) -> Where:
    """Which op of which step it is."""
    return found.rank, found.graph, found.token, found.op_name


class Exhibits(dict[Where, Exhibit]):
    """Those of the first divergences, one an op of the model."""

    def __init__(self) -> None:
        super().__init__()
        self._ops: set[tuple[str, str, str]] = set()

    def add(self, step: PairedStep, found: Sequence[NewDivergence]) -> None:
        """Keep what is new of a judged step."""
        for new in found:
            op = model_op(new.told)
            if op in self._ops or len(self) >= MOST_EXHIBITS:
                continue
            self._ops.add(op)
            self[where_of(new.told)] = Exhibit(
                Row._make(step.rows[new.row]),
                step.pair_at(new.row),
                neighbourhood_of(step, new.node) if new.node >= 0 else None,
            )
