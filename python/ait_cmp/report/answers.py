"""What only values can tell: whether differing decisions are ties, and what rounding explains."""

from __future__ import annotations

import math

import numpy as np

from ait_cmp import _core
from ait_cmp.config import Limits
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.row import Row
from ait_cmp.report.values import Array, read_pair, read_values, shape_of


def answer(question: _core.StepQuestion, step: PairedStep, limits: Limits) -> bool | None:
    """Whether the values that a row's question is about agree; None if nobody can tell.

    The row says what was seen.
    """
    if question.is_choice:
        return _are_ties(question, step)
    return _agree_once_rounded(question.row, step, limits)


# --- decisions ---


def _are_ties(question: _core.StepQuestion, step: PairedStep) -> bool | None:
    row = Row._make(step.rows[question.row])
    decisions = read_pair(step.pair_at(question.row))
    sources = _golden_sources(question.row, step)
    if decisions is None or not sources:
        return None
    gaps = _gaps(*decisions, shape_of(row.my_shape), sources)
    if gaps is None:
        return None
    n_differ, n_apart = len(gaps), int(np.sum(~(gaps <= question.tolerance)))
    what = f"{n_differ} of {decisions[0].size} decisions differ"
    if n_apart == 0:
        told = f"{what} where the values agree within rounding: ties."
    else:
        told = f"{what}, {n_apart} of them where the values chosen do not agree within rounding."
    step.rows.say(question.row, told)
    return n_apart == 0


def _golden_sources(row: int, step: PairedStep) -> list[tuple[Array, tuple[int, ...]]]:
    """Golden values and shapes of the float tensors that a decision was made from."""
    pair = step.pair_at(row)
    found = []
    for tensor in step.nodes[pair.node].reads or ():
        number = step.row_of_tensor(tensor)
        if number is None:
            continue
        source = Row._make(step.rows[number])
        if not source.my_dtype.startswith(("torch.float", "torch.bfloat")):
            continue
        values = read_values(step.pair_at(number).golden)
        if values is None:
            return []
        found.append((values, shape_of(source.my_shape)))
    return found


def _gaps(
    mine: Array,
    golden: Array,
    shape: tuple[int, ...],
    sources: list[tuple[Array, tuple[int, ...]]],
) -> Array | None:
    """How far apart the values are that differing decisions chose, in root mean squares of all."""
    values, source_shape = sources[0]
    differ = mine != golden
    if len(sources) > 1:  # a comparison of two tensors
        gaps = _difference(sources[0], sources[1], shape)
    elif source_shape == shape and np.all(np.abs(golden) <= 1):  # a comparison with a constant
        return None
    elif source_shape == shape and np.allclose(golden, values, atol=1.0):  # rounded to an integer
        gaps = np.abs(values - np.round(values)).reshape(-1)
    else:
        gaps = _index_gaps(mine, golden, shape, values, source_shape)
    if gaps is None or gaps.size != differ.size:
        return None
    finite = values[np.isfinite(values)]
    size = math.sqrt(float(np.mean(finite**2))) if finite.size else 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = np.where(gaps == 0, 0.0, gaps / size)
    chosen: Array = gaps[differ]
    return chosen


def _difference(
    first: tuple[Array, tuple[int, ...]],
    second: tuple[Array, tuple[int, ...]],
    shape: tuple[int, ...],
) -> Array | None:
    try:
        x, y = (
            np.broadcast_to(values.reshape(source_shape), shape)
            for values, source_shape in (first, second)
        )
    except ValueError:  # shapes that no comparison has
        return None
    gaps: Array = np.abs(x - y).reshape(-1)
    return gaps


def _index_gaps(
    mine: Array,
    golden: Array,
    shape: tuple[int, ...],
    values: Array,
    source_shape: tuple[int, ...],
) -> Array | None:
    """Differences of the values at two sets of indices along the axis that was chosen from."""
    axis = _chosen_axis(shape, source_shape)
    if axis is None or values.size != math.prod(source_shape):
        return None
    table: Array = np.moveaxis(values.reshape(source_shape), axis, -1)
    n_choices = source_shape[axis]
    picked = []
    for indices in (mine, golden):
        if np.any((indices < 0) | (indices >= n_choices)):
            return np.full(mine.size, math.inf)
        at = indices.astype(np.int64)
        if len(shape) == len(source_shape):
            at = np.moveaxis(at.reshape(shape), axis, -1)
        flat = np.take_along_axis(
            table.reshape(-1, n_choices), at.reshape(table.size // n_choices, -1), axis=-1
        )
        if len(shape) == len(source_shape):
            lead: tuple[int, ...] = table.shape[:-1]
            whole = flat.reshape((*lead, -1))
            flat = np.moveaxis(whole, -1, axis)
        picked.append(flat.reshape(-1))
    gaps: Array = np.abs(picked[0] - picked[1])
    return gaps


def _chosen_axis(shape: tuple[int, ...], source_shape: tuple[int, ...]) -> int | None:
    """The axis of the source that indices of this shape point along, None if none fits."""
    for axis in range(len(source_shape) - 1, -1, -1):
        rest = source_shape[:axis] + source_shape[axis + 1 :]
        if shape == rest:
            return axis
        if len(shape) == len(source_shape) and shape[:axis] + shape[axis + 1 :] == rest:
            return axis
    return None


# --- rounding ---


def _agree_once_rounded(number: int, step: PairedStep, limits: Limits) -> bool | None:
    row = Row._make(step.rows[number])
    values = read_pair(step.pair_at(number))
    if values is None:
        return None
    coarser = max((row.my_dtype, row.golden_dtype), key=_core.roundoff_of)
    x, y = (_rounded(side, coarser) for side in values)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    if not np.all(np.isfinite(x[~same]) & np.isfinite(y[~same])):
        return False
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
    size = math.sqrt(float(x @ x) * float(y @ y))
    if size == 0:
        return bool(np.array_equal(x, y))
    distance = math.sqrt(float((x - y) @ (x - y)) / float(y @ y))
    return float(x @ y) / size >= limits.cosine_min and distance <= limits.red_max


def _rounded(values: Array, dtype: str) -> Array:
    """Values as a dtype holds them; of those that numpy lacks only bfloat16 is rounded to."""
    with np.errstate(over="ignore"):
        if dtype == "torch.float16":
            return values.astype(np.float16).astype(np.float64)
        if dtype != "torch.bfloat16":
            return values
        bits = values.astype(np.float32).view(np.uint32)
        rounded = bits + 0x7FFF + ((bits >> 16) & 1)
        whole: Array = (rounded & 0xFFFF0000).astype(np.uint32).view(np.float32)
        return np.where(np.isfinite(values), whole, values).astype(np.float64)
