"""Rows of a report made by hand, as the core holds those of a step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ait_cmp import _core
from ait_cmp.info.results import ReducedResult, SideResult
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
    node_numbers = node_of or {}
    pairs = []
    for number, (row, path) in enumerate(zip(rows, paths)):
        my = TensorRef(path, row.io or "outputs", row.index or 0)
        golden = None if row.golden_data_path is None else TensorRef(row.golden_data_path, "", 0)
        key = (row.rank or 0, row.graph or "", row.token_id or 0)
        op = (number, row.op_name or "", row.my_op_type or "", my.io, my.index)
        node = node_numbers.get(path, -1)
        tensor = -1
        if node >= 0:
            at = nodes[node].outputs if my.io == "outputs" else nodes[node].reads or ()
            tensor = at[my.index] if my.index < len(at) else -1
        pairs.append(Pair(*key, *op, my, golden, "", "", "", "", node, tensor))
    flow = {"nodes": tuple(nodes), "tensors": tuple(tensors), "node_of": dict(node_numbers)}
    step = PairedStep(StepPairs(pairs, **flow))
    step.rows.take(map(_found, rows, figures or [None] * len(rows)))
    for number, row in enumerate(rows):
        step.rows[number] = row
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


def _found(row: Row, figures: Mapping[str, Any] | None) -> ReducedResult:
    """Of a row what is no cell: the cells are set afterwards."""
    my, golden = (
        SideResult("", tuple(json.loads(shape)), None) if (shape or "").startswith("[") else None
        for shape in (row.my_shape, row.golden_shape)
    )
    if figures is None:
        return ReducedResult("compared", [], my, golden)
    return ReducedResult("compared", [], my, golden, metrics={}, figures=dict(figures))
