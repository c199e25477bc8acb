"""Divergences whose golden node got other tensors than the op: the remark that says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ait_cmp.compare.plan import Plan
from ait_cmp.discover import StepKey
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.readers import core_readers
from ait_cmp.pairing.renumbering import renumbered
from ait_cmp.report.exhibits import NewDivergence
from ait_cmp.report.findings import Divergence
from ait_cmp.report.row import Row, rows_of
from ait_cmp.tensor_ref import TensorRef

if TYPE_CHECKING:
    from ait_cmp import _core

# The first ones tell: behind them every node is shifted.
_LOOKED_AT = 10


class RenumberedNodes:
    """Keeps what feeds the first divergences, and tells of them at the end."""

    def __init__(self) -> None:
        self._n_seen = 0
        # (token, my file) -> what feeds it on the golden side, as the graph text names it.
        self._inputs: dict[tuple[int, str], list[TensorRef]] = {}

    def add(self, rows: _core.StepRows, found: Sequence[NewDivergence]) -> None:
        """Look at the rows of a step and what diverges in it."""
        first = found[: max(_LOOKED_AT - self._n_seen, 0)]
        self._n_seen += len(found)
        files = {new.told.file for new in first if new.told.fx_node}
        for row in rows_of(rows) if files else ():
            file = row.my_data_path.rpartition(",inputs,")[0]
            if file in files and _is_named(row):
                ref = TensorRef(row.golden_data_path, "", 0)
                self._inputs.setdefault((row.token_id, file), []).append(ref)

    def told(self, divergences: Sequence[Divergence], plan: Plan) -> list[Divergence]:
        """The divergences, the first ones with a remark where FX nodes have other numbers.

        Args:
            divergences: In execution order.
            plan: What meets what.
        """
        if plan.golden.kind != "fx":
            return list(divergences)
        golden_of = dict(plan.steps)
        remarks: dict[int, str] = {}
        for number, found in enumerate(divergences[:_LOOKED_AT]):
            golden_key = golden_of.get(StepKey(found.rank, found.graph, found.token))
            given = self._inputs.get((found.token, found.file))
            if golden_key is None or not given:
                continue
            step = FxStep(plan.golden.fx[golden_key])
            remarks[number] = renumbered(step, found.fx_node, given, core_readers(1))
        return [
            found._replace(remarks=(remark, *found.remarks))
            if (remark := remarks.get(number))
            else found
            for number, found in enumerate(divergences)
        ]


def _is_named(row: Row) -> bool:
    """Whether the graph text names a tensor, and it is there in full and as it is stored."""
    is_whole = row.status == "compared" and not row.estimated
    return is_whole and row.match == "dataflow" and row.my_shape == row.golden_shape
