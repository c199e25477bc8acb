"""A divergence whose golden node got other tensors than the op: the remark that says so."""

from __future__ import annotations

from ait_cmp.compare.plan import Plan
from ait_cmp.discover import StepKey
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.pairing.readers import core_readers
from ait_cmp.pairing.renumbering import renumbered
from ait_cmp.report.findings import Divergence
from ait_cmp.report.row import Row, column
from ait_cmp.tensor_ref import TensorRef


class RenumberedNodes:
    """Looks whether FX nodes have other numbers than the graph text says.

    Args:
        plan: What meets what.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._golden_of = dict(plan.steps)

    def __call__(self, key: StepKey, step: PairedStep, found: Divergence) -> str:
        """What is to be said of a divergence, "" if its node got the tensors of the op."""
        golden_key = self._golden_of.get(key)
        if self._plan.golden.kind != "fx" or golden_key is None or not found.fx_node:
            return ""
        paths = enumerate(column(step.rows, "my_data_path"))
        rows = (
            Row._make(step.rows[number])
            for number, path in paths
            if path.rpartition(",inputs,")[0] == found.file
        )
        given = [TensorRef(row.golden_data_path, "", 0) for row in rows if _is_named(row)]
        if not given:
            return ""
        golden = FxStep(self._plan.golden.fx[golden_key])
        return renumbered(golden, found.fx_node, given, core_readers(1))


def _is_named(row: Row) -> bool:
    """Whether the graph text names a tensor, and it is there in full and as it is stored."""
    is_whole = row.status == "compared" and not row.estimated
    return is_whole and row.match == "dataflow" and row.my_shape == row.golden_shape
