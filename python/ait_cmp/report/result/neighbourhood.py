"""The ops around a divergence, two edges up and down, with their errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.row import Row

_REACH = 2
_MOST_OPS = 60


def neighbourhood_of(step: PairedStep, node: int) -> dict[str, Any] | None:
    """What docs/en/result-format.md calls `neighbourhood`; None without a graph text.

    Args:
        step: The step, judged.
        node: Number of the op that diverges.
    """
    if step.nodes[node].reads is None:
        return None
    distances = {node: 0}
    _walk(distances, node, -1, step.writers_of)
    _walk(distances, node, 1, step.readers_of)
    nearest = sorted(distances, key=lambda number: (abs(distances[number]), number))[:_MOST_OPS]
    numbers = sorted(nearest, key=lambda number: (distances[number], number))
    position = {number: at for at, number in enumerate(numbers)}
    return {
        "ops": [_op(step, number, distances[number]) for number in numbers],
        "edges": [
            {"from": position[writer], "to": position[reader], "differs": _differs(step, tensor)}
            for reader in numbers
            for tensor in dict.fromkeys(step.nodes[reader].reads or ())
            if (writer := step.writer(tensor)) in position
        ],
        "left_out": len(distances) - len(numbers),
    }


def _walk(
    distances: dict[int, int], node: int, step: int, near: Callable[[int], Iterable[int]]
) -> None:
    edge = [node]
    for distance in range(1, _REACH + 1):
        edge = [number for at in edge for number in dict.fromkeys(near(at))]
        for number in edge:
            distances.setdefault(number, step * distance)


def _op(step: PairedStep, number: int, distance: int) -> dict[str, Any]:
    node = step.nodes[number]
    rows = [Row._make(step.rows[row]) for row in step.output_rows(number)]
    told = {
        name: next((found for row in rows if (found := getattr(row, name))), "")
        for name in ("fx_node", "module", "source")
    }
    compared = [row for row in rows if row.relative_euclidean_distance is not None]
    worst = max(compared, key=lambda row: row.relative_euclidean_distance or 0.0, default=None)
    return {
        "op_name": node.name,
        "op_type": node.type,
        **told,
        "distance": distance,
        "error": None if worst is None else worst.relative_euclidean_distance,
        "error_growth": None if worst is None else worst.error_growth,
        "block_error": None if worst is None else worst.block_error,
        "block_growth": None if worst is None else worst.block_growth,
        "verdict": "" if worst is None else worst.verdict or "",
        "data_id": None if worst is None else worst.data_id,
    }


def _differs(step: PairedStep, tensor: int) -> bool | None:
    """Whether a tensor that flows is outside of what passes; None where it is not known."""
    row = step.row_of_tensor(tensor)
    verdict = Row._make(step.rows[row]).verdict if row is not None and row < len(step.rows) else ""
    return verdict != "pass" if verdict else None
