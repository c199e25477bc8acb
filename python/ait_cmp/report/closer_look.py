"""What a closer look at the two tensors of a divergence tells: one function a finding."""

from __future__ import annotations

import math

import numpy as np

from ait_cmp import _core
from ait_cmp.pairing.pair import Pair
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.row import Row
from ait_cmp.report.values import Array, read_pair, shape_of

# Elements may differ from a constant factor, and rows from their like elsewhere, by so many unit
# roundoffs.
_ROUNDINGS = 4


def remarks_on(row: Row, pair: Pair, step: PairedStep, node: int) -> list[str]:
    """Sentences on a divergence.

    Args:
        row: The row that shows it.
        pair: Its pair.
        step: The step, judged.
        node: Number of the op that diverges.
    """
    values = read_pair(pair)
    if values is None:
        return []
    mine, golden = values
    shape = shape_of(row.my_shape)
    tolerance = _ROUNDINGS * max(
        _core.roundoff_of(row.my_dtype), _core.roundoff_of(row.golden_dtype)
    )
    found = [
        _where_nonfinite(mine, golden, shape),
        _constant_factor(mine, golden, tolerance),
    ]
    order = _other_order(mine, golden, shape, tolerance)
    if order:
        found += [order, _agreement_below(step, node)]
    return [sentence for sentence in found if sentence]


def _where_nonfinite(mine: Array, golden: Array, shape: tuple[int, ...]) -> str:
    """In which rows NaN or infinities stand that the other side does not have."""
    same = (mine == golden) | (np.isnan(mine) & np.isnan(golden))
    odd = ~same & ~(np.isfinite(mine) & np.isfinite(golden))
    if not odd.any():
        return ""
    n_rows = shape[-2] if len(shape) > 1 else mine.size
    width = shape[-1] if len(shape) > 1 else 1
    rows = sorted({int(number) // max(width, 1) % n_rows for number in np.flatnonzero(odd)})
    sides = [
        name
        for name, side in (("my", mine), ("golden", golden))
        if not np.isfinite(side[odd]).all()
    ]
    what = "NaN" if np.isnan(np.where(np.isfinite(mine), golden, mine)[odd]).any() else "inf"
    unit = "rows" if len(shape) > 1 else "elements"
    return f"{what} stands in {unit} {_ranges(rows)} of {n_rows} ({' and '.join(sides)} side)"


def _ranges(numbers: list[int]) -> str:
    """ "0-3, 6-7": at most five of them."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    shown = [f"{low}-{high}" if high > low else str(low) for low, high in parts[:5]]
    return ", ".join(shown) + (" and others" if len(parts) > 5 else "")


def _constant_factor(mine: Array, golden: Array, tolerance: float) -> str:
    """Whether one factor makes the golden tensor of mine."""
    kept = np.isfinite(mine) & np.isfinite(golden)
    x, y = mine[kept], golden[kept]
    size = float(y @ y)
    if x.size < 2 or size == 0:
        return ""
    factor = float(x @ y) / size
    if abs(factor - 1) <= tolerance or not math.isfinite(factor):
        return ""
    if not np.any(x):
        return "my is 0 in every element: was it written at all?"
    if not np.all(np.abs(x - factor * y) <= tolerance * np.abs(factor * y)):
        return ""
    why = "the sign is wrong?" if abs(factor + 1) <= tolerance else "a scale is missing?"
    return f"my = {factor:.4g} x golden in every element: {why}"


def _other_order(mine: Array, golden: Array, shape: tuple[int, ...], tolerance: float) -> str:
    """Whether both have the same rows, each elsewhere."""
    width = shape[-1] if len(shape) > 1 else 1
    if width < 1 or mine.size < 2 * width:
        return ""
    if not (np.isfinite(mine).all() and np.isfinite(golden).all()):
        return ""
    mine, golden = mine.reshape(-1, width), golden.reshape(-1, width)
    my_order, golden_order = _order_of_rows(mine), _order_of_rows(golden)
    x, y = mine[my_order], golden[golden_order]
    size = np.median(np.abs(y), axis=1, keepdims=True)  # a massive value tells nothing of others
    if np.array_equal(my_order, golden_order) or not np.all(
        np.abs(x - y) <= tolerance * (np.abs(y) + size)
    ):
        return ""
    what = "rows" if len(shape) > 1 else "elements"
    return f"the same {what} in another order"


def _order_of_rows(rows: Array) -> Array:
    """The order of one weighted sum of every row, which rounding hardly changes."""
    weights = np.cos(np.arange(rows.shape[1]) + 1.0)
    order: Array = np.argsort(rows @ weights, kind="stable")
    return order


def _agreement_below(step: PairedStep, node: int) -> str:
    """From which op on all that depends on an op passes again."""
    touched = set(step.nodes[node].outputs)
    verdicts: dict[int, list[str]] = {}
    rows = step.rows
    for number in range(len(rows)):
        pair_node = step.pair_at(number).node
        row = Row._make(rows[number])
        if row.io == "outputs" and row.verdict:
            verdicts.setdefault(pair_node, []).append(row.verdict)
    first = ""
    for number in range(node + 1, len(step.nodes)):
        op = step.nodes[number]
        if not touched.intersection(op.reads or ()):
            continue
        touched.update(op.outputs)
        found = verdicts.get(number, [])
        if any(verdict != "pass" for verdict in found):
            first = ""
        elif found and not first:
            first = op.name
    return f"the tensors agree again from {first} on" if first else ""
