"""Rows of a report made by hand, as the core holds those of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ait_cmp import _core
from ait_cmp.info.results import ReducedResult
from ait_cmp.pairing.graph.op_graph import FlowTensor, OpNode
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
    tensors: Sequence[FlowTensor] = (),
    node_of: Mapping[str, int] | None = None,
    figures: Sequence[Mapping[str, Any] | None] | None = None,
) -> PairedStep:
    """A step with these rows.

    Args:
        rows: The rows.
        files: Of each its dump file; None: /dump/{op name}.
        nodes: Ops of the graph. A row of output k is of the k-th tensor that its op writes, one of
            input k of the k-th that it reads.
        tensors: Tensors of the graph.
        node_of: File -> number of its op.
        figures: Of each row what the verdict needs beside the cells, None: as of a reduced row.
    """
    paths = [f"/dump/{row.op_name}" for row in rows] if files is None else files
    places = node_of or {}
    pairs = []
    for place, (row, path) in enumerate(zip(rows, paths)):
        my = TensorRef(path, row.io or "outputs", row.index or 0)
        golden = None if row.golden_data_path is None else TensorRef(row.golden_data_path, "", 0)
        key = (row.rank or 0, row.graph or "", row.token_id or 0)
        op = (place, row.op_name or "", row.my_op_type or "", my.io, my.index)
        node = places.get(path, -1)
        tensor = -1
        if node >= 0:
            at = nodes[node].outputs if my.io == "outputs" else nodes[node].reads or ()
            tensor = at[my.index] if my.index < len(at) else -1
        pairs.append(Pair(*key, *op, my, golden, "", "", "", "", node, tensor))
    flow = {"nodes": tuple(nodes), "tensors": tuple(tensors), "node_of": dict(places)}
    step = PairedStep(StepPairs(pairs, **flow))
    step.rows.take([_nothing(found) for found in figures or [None] * len(rows)])
    for place, row in enumerate(rows):
        step.rows[place] = row
    return step


def judge(rows: _core.StepRows, first_id: int) -> None:
    """Number and judge rows with the default limits."""
    rows.number(first_id)
    history = _core.VerdictHistory()
    _core.StepVerdict(rows, history, 0.99, 0.05, 4.0, 3.2).finish({}, history)


def step_rows(rows: Sequence[Row]) -> _core.StepRows:
    """These rows, all of one step."""
    return paired_step(rows).rows


def steps_of(rows: Sequence[Row]) -> list[_core.StepRows]:
    """These rows by graph and step."""
    steps: dict[tuple[int, str, int], list[Row]] = {}
    for row in rows:
        steps.setdefault((row.rank, row.graph, row.token_id), []).append(row)
    return [step_rows(of_step) for of_step in steps.values()]


def _nothing(figures: Mapping[str, Any] | None) -> ReducedResult:
    if figures is None:
        return ReducedResult("compared", [])
    return ReducedResult("compared", [], metrics={}, figures=dict(figures))
