"""Rows of a report made by hand, as the core holds those of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ait_cmp import _core
from ait_cmp.info.results import ReducedResult
from ait_cmp.pairing.graph.op_graph import OpNode
from ait_cmp.pairing.pair import Pair, StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.row import COLUMNS, Row
from ait_cmp.tensor_ref import TensorRef

EMPTY = Row(**dict.fromkeys(COLUMNS, None), custom=())


def paired_step(
    rows: Sequence[Row],
    files: Sequence[str] | None = None,
    *,
    nodes: Sequence[OpNode] = (),
    node_of: Mapping[str, int] | None = None,
) -> PairedStep:
    """A step with these rows; `files`: of each its dump file, else /dump/{op name}."""
    paths = [f"/dump/{row.op_name}" for row in rows] if files is None else files
    pairs = []
    for place, (row, path) in enumerate(zip(rows, paths)):
        my = TensorRef(path, row.io or "outputs", row.index or 0)
        golden = None if row.golden_data_path is None else TensorRef(row.golden_data_path, "", 0)
        key = (row.rank or 0, row.graph or "", row.token_id or 0)
        op = (place, row.op_name or "", row.my_op_type or "", my.io, my.index)
        pairs.append(Pair(*key, *op, my, golden, "", "", "", ""))
    step = PairedStep(StepPairs(pairs, nodes=tuple(nodes), node_of=dict(node_of or {})))
    step.rows.take([ReducedResult("compared", [])] * len(rows))
    for place, row in enumerate(rows):
        step.rows[place] = row
    return step


def step_rows(rows: Sequence[Row]) -> _core.StepRows:
    """These rows, all of one step."""
    return paired_step(rows).rows


def steps_of(rows: Sequence[Row]) -> list[_core.StepRows]:
    """These rows by graph and step."""
    steps: dict[tuple[int, str, int], list[Row]] = {}
    for row in rows:
        steps.setdefault((row.rank, row.graph, row.token_id), []).append(row)
    return [step_rows(of_step) for of_step in steps.values()]
