"""Divergences whose golden node got other tensors than the op: the remark that says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ait_cmp.compare.plan import Plan
from ait_cmp.discover import StepKey
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.readers import core_readers
from ait_cmp.pairing.renumbering import renumbered
from ait_cmp.report.findings import Divergence
from ait_cmp.report.row import Row, rows_of
from ait_cmp.tensor_ref import TensorRef

if TYPE_CHECKING:
    from ait_cmp import _core

# The first ones tell: behind them every node is shifted.
_LOOKED_AT = 10


def with_renumbered_nodes(
    divergences: Sequence[Divergence], plan: Plan, steps: Iterable[_core.StepRows]
) -> list[Divergence]:
    """The divergences, the first ones with a remark where FX nodes have other numbers.

    Args:
        divergences: In execution order.
        plan: What meets what.
        steps: Rows of every step.
    """
    if plan.golden.kind != "fx":
        return list(divergences)
    looked_at = [found for found in divergences[:_LOOKED_AT] if found.fx_node]
    inputs = _golden_inputs(looked_at, steps)
    golden_of = dict(plan.steps)
    remarks: dict[int, str] = {}
    for number, found in enumerate(divergences[:_LOOKED_AT]):
        golden_key = golden_of.get(StepKey(found.rank, found.graph, found.token))
        given = inputs.get((found.token, found.file))
        if golden_key is None or not given:
            continue
        step = FxStep(plan.golden.fx[golden_key])
        remarks[number] = renumbered(step, found.fx_node, given, core_readers(1))
    return [
        found._replace(remarks=(remarks[number], *found.remarks)) if remarks.get(number) else found
        for number, found in enumerate(divergences)
    ]


def _golden_inputs(
    divergences: Sequence[Divergence], steps: Iterable[_core.StepRows]
) -> dict[tuple[int, str], list[TensorRef]]:
    """(token, my file) -> what feeds it on the golden side, as the graph text names it."""
    files = {found.file for found in divergences}
    inputs: dict[tuple[int, str], list[TensorRef]] = {}
    if not files:
        return inputs
    for step in steps:
        for row in rows_of(step):
            file = row.my_data_path.rpartition(",inputs,")[0]
            if file in files and _is_named(row):
                ref = TensorRef(row.golden_data_path, "", 0)
                inputs.setdefault((row.token_id, file), []).append(ref)
    return inputs


def _is_named(row: Row) -> bool:
    """Whether the graph text names a tensor, and it is there in full and as it is stored."""
    is_whole = row.status == "compared" and not row.estimated
    return is_whole and row.match == "dataflow" and row.my_shape == row.golden_shape
