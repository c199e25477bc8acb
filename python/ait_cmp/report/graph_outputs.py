"""What reaches the ends of a graph: the errors of its outputs, and whether they choose the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ait_cmp.discover import StepKey
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.row import Row
from ait_cmp.report.values import read_pair, shape_of


class GraphOutput(NamedTuple):
    """One output of a graph in one step.

    Attributes:
        rank: Rank, -1 without rank level.
        graph: Name of the graph.
        token: Step, from 0.
        op_name: The op that wrote it.
        output: Which of its outputs it is.
        error: Relative Euclidean distance.
        cosine: Cosine similarity.
        argmax_differs: Share of the positions whose largest element along the last axis is another
            one; None if nobody looked.
    """

    rank: int
    graph: str
    token: int
    op_name: str
    output: int
    error: float | None
    cosine: float | None
    argmax_differs: float | None


def look_at_outputs(key: StepKey, step: PairedStep) -> list[GraphOutput]:
    """The outputs of a step that could be compared; of the widest float one its choices."""
    rows = {
        number: Row._make(step.rows[number]) for number in step.end_rows if number < len(step.rows)
    }
    compared = {number: row for number, row in rows.items() if row.status == "compared"}
    widest = max(compared, key=lambda number: _width(compared[number]), default=-1)
    return [
        GraphOutput(
            key.rank,
            key.graph,
            key.step,
            row.op_name,
            row.index,
            row.relative_euclidean_distance,
            row.cosine_similarity,
            _choices_that_differ(step, number, row) if number == widest else None,
        )
        for number, row in compared.items()
    ]


def _width(row: Row) -> int:
    shape = shape_of(row.my_shape)
    is_float = row.my_dtype.startswith(("torch.float", "torch.bfloat"))
    return shape[-1] if shape and is_float else 0


def _choices_that_differ(step: PairedStep, number: int, row: Row) -> float | None:
    width = _width(row)
    if width < 2:
        return None
    if row.max_absolute_error == 0 and not row.nonfinite_mismatch_count:
        return 0.0
    values = read_pair(step.pair_at(number))
    if values is None or values[0].size % width:
        return None
    mine, golden = (np.argmax(side.reshape(-1, width), axis=1) for side in values)
    return float(np.mean(mine != golden))


def telling_outputs(outputs: Sequence[GraphOutput]) -> list[GraphOutput]:
    """Of every graph of a rank the output that is farthest off, and the one that chooses worst."""
    graphs: dict[tuple[int, str], list[GraphOutput]] = {}
    for output in outputs:
        graphs.setdefault((output.rank, output.graph), []).append(output)
    found: list[GraphOutput] = []
    for of_graph in graphs.values():
        known = [output for output in of_graph if output.error is not None]
        choices = [output for output in known if output.argmax_differs is not None]
        worst = max(known, key=lambda output: output.error or 0.0, default=None)
        odd = max(choices, key=lambda output: output.argmax_differs or 0.0, default=None)
        found += [output for output in known if output is worst or output is odd]
    return found
