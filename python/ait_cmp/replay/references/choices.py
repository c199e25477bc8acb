"""Ops that choose: values are exact, an index is right if the value there is. Ties are free."""

from __future__ import annotations

from typing import Any

import numpy as np

from ait_cmp.replay.references.elementwise import sigmoid
from ait_cmp.replay.references.result import (
    Array,
    Given,
    NotJudged,
    RefusedError,
    Value,
    number_of,
    references,
)
from ait_cmp.replay.references.sums import softmax

# Scores that are computed before they are compared: as near as this they may change places.
_NEAR_TIE = 2.0**-18


def _accepted(
    scores: Array, expected: Array, written: Array | None, axis: int, nearness: float = 0.0
) -> Array:
    """The indices that were written where they are right, else the expected ones.

    Args:
        scores: What was chosen from.
        expected: Indices along `axis`, best first.
        written: What the op wrote, None if that is not known.
        axis: Axis of the choice.
        nearness: Scores are told apart if they differ by more than this share of the larger.
    """
    if written is None or written.shape != expected.shape:
        return expected
    numbers = written.astype(np.int64)
    n_scores = scores.shape[axis]
    is_inside = (numbers >= 0) & (numbers < n_scores)
    safe = np.where(is_inside, numbers, 0)
    best = np.take_along_axis(scores, expected, axis)
    chosen = np.take_along_axis(scores, safe, axis)
    room = nearness * np.maximum(np.abs(best), np.abs(chosen))
    is_equal = (
        (best == chosen) | (np.abs(best - chosen) <= room) | ((best != best) & (chosen != chosen))
    )
    right = is_inside & is_equal & ~_repeats(safe, axis)
    return np.where(right, numbers, expected)


def _repeats(numbers: Array, axis: int) -> Array:
    """Where an index stands a second time along an axis."""
    order = np.argsort(numbers, axis=axis, kind="stable")
    ordered = np.take_along_axis(numbers, order, axis)
    again = np.zeros(numbers.shape, dtype=np.bool_)
    moved, flags = np.moveaxis(ordered, axis, -1), np.moveaxis(again, axis, -1)
    flags[..., 1:] = moved[..., 1:] == moved[..., :-1]
    result = np.zeros_like(again)
    np.put_along_axis(result, order, again, axis)
    return result


def _order(x: Array, axis: int, descending: bool) -> Array:
    """Indices that sort an axis, equal values in the order they came; NaN is the largest."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    turned = np.flip(x, axis)
    order = np.flip(np.argsort(turned, axis=axis, kind="stable"), axis)
    return np.asarray(x.shape[axis] - 1 - order)


def _extreme_index(x: Array, dimension: Any, written: Array | None, *, largest: bool) -> Array:
    axis = number_of(dimension) % max(x.ndim, 1)
    expected = np.expand_dims((np.argmax if largest else np.argmin)(x, axis=axis), axis)
    seen = None
    if written is not None and written.size == expected.size:
        seen = written.reshape(expected.shape)
    return _accepted(x, expected, seen, axis)


def _arg(largest: bool) -> Any:
    def formula(x: Array, dimension: Any, *, keep_dims: bool = False, given: Given) -> Array:
        index = _extreme_index(x, dimension, given.output(0), largest=largest)
        return index if keep_dims else np.squeeze(index, number_of(dimension))

    return formula


def _arg_with_value(largest: bool) -> Any:
    def formula(
        x: Array, *, dimension: int, keep_dims: bool = False, given: Given
    ) -> tuple[Array, Array]:
        index = _extreme_index(x, dimension, given.output(0), largest=largest)
        value = np.take_along_axis(x, index, dimension)
        if keep_dims:
            return index, value
        return np.squeeze(index, dimension), np.squeeze(value, dimension)

    return formula


def _top_k(
    x: Array,
    k: Any,
    *,
    sorted: bool = True,
    dim: int = -1,
    largest: bool = True,
    given: Given,
) -> tuple[Array, Array]:
    order = _order(x, dim, largest)
    expected = np.take(order, np.arange(number_of(k)), axis=dim)
    written = given.output(1)
    if not sorted and written is not None and written.shape == expected.shape:
        # Any order will do: expected ones take the order of those that were written.
        values = np.take_along_axis(x, np.clip(written.astype(np.int64), 0, x.shape[dim] - 1), dim)
        positions = np.argsort(_order(values, dim, largest), axis=dim)
        expected = np.take_along_axis(expected, positions, dim)
    index = _accepted(x, expected, written, dim)
    return np.take_along_axis(x, expected, dim), index


def _sort(
    x: Array, *, axis: int = -1, descending: bool = False, stable: bool = False, given: Given
) -> tuple[Array, Array]:
    expected = _order(x, axis, descending)
    index = expected if stable else _accepted(x, expected, given.output(1), axis)
    return np.take_along_axis(x, expected, axis), index


def _gating_softmax(x: Array, *, k: int, given: Given) -> tuple[Value, Array, Array]:
    scores = np.asarray(softmax(x).value)
    expected = _order(scores, -1, True)[..., :k]
    index = _accepted(scores, expected, given.output(1), -1, _NEAR_TIE)
    value = np.take_along_axis(scores, index, -1)
    rows = int(np.prod(x.shape[:-1]))
    row_index = (np.arange(k)[None, :] * rows + np.arange(rows)[:, None]).reshape(index.shape)
    return Value(value, value, x.shape[-1]), index, row_index


def _kept_groups(scores: Array, n_groups: int, k_group: int, mode: int) -> Array:
    """Scores with those of all but the best groups at minus infinity."""
    if k_group >= n_groups:
        return scores
    if mode not in (0, 1):
        message = f"group_select_mode {mode} is not known"
        raise RefusedError(message)
    groups = scores.reshape(*scores.shape[:-1], n_groups, -1)
    ranked = np.sort(groups, axis=-1)
    marks = ranked[..., -1] if mode == 0 else ranked[..., -2:].sum(axis=-1)
    best = _order(marks, -1, True)
    is_kept = np.zeros(marks.shape, dtype=np.bool_)
    np.put_along_axis(is_kept, best[..., :k_group], True, -1)
    bound = np.take_along_axis(marks, best[..., k_group - 1 : k_group + 1], -1)
    if np.any(np.abs(bound[..., 0] - bound[..., 1]) <= _NEAR_TIE * np.abs(bound[..., 0])):
        message = "two groups of experts have nearly equal marks: either may be chosen"
        raise RefusedError(message)
    return np.where(is_kept[..., None], groups, -np.inf).reshape(scores.shape)


def _gating_top_k(
    x: Array,
    bias: Array | None = None,
    *,
    k: int,
    k_group: int = 1,
    group_count: int = 1,
    group_select_mode: int = 0,
    renorm: int = 0,
    norm_type: int = 0,
    out_flag: bool = False,
    routed_scaling_factor: float = 1.0,
    eps: float = 1e-20,
    given: Given,
) -> tuple[Value, Array, Value | NotJudged]:
    if renorm != 0 or norm_type not in (0, 1):
        message = f"renorm {renorm} with norm_type {norm_type} is not known"
        raise RefusedError(message)
    weights = sigmoid(x) if norm_type == 1 else np.asarray(softmax(x).value)
    scores = weights if bias is None else weights + bias
    kept = _kept_groups(scores, group_count, k_group, group_select_mode)
    expected = _order(kept, -1, True)[..., :k]
    index = _accepted(kept, expected, given.output(1), -1, _NEAR_TIE)
    chosen = np.take_along_axis(weights, index, -1)
    if norm_type == 1:
        chosen = chosen / (chosen.sum(axis=-1, keepdims=True) + eps)
    value = chosen * routed_scaling_factor
    if not out_flag:
        return Value(value, value, k), index, "out is not asked for (out_flag)"
    return Value(value, value, k), index, Value(weights, weights, x.shape[-1])


CHOICES = references(
    "choice",
    {
        "ArgMaxV2": _arg(largest=True),
        "ArgMin": _arg(largest=False),
        "ArgMaxD": lambda x, *, dimension, given: _arg(largest=True)(x, dimension, given=given),
        "ArgMinD": lambda x, *, dimension, given: _arg(largest=False)(x, dimension, given=given),
        "ArgMaxWithValue": _arg_with_value(largest=True),
        "ArgMinWithValue": _arg_with_value(largest=False),
        "TopK": _top_k,
        "TopKV2": _top_k,
        "Sort": _sort,
        "MoeGatingTopKSoftmax": _gating_softmax,
        "MoeGatingTopK": _gating_top_k,
    },
    unused={
        "ArgMaxV2": "dtype",
        "ArgMin": "dtype",
        "ArgMaxD": "dtype",
        "ArgMinD": "dtype",
        "TopK": "indices_dtype",
        "TopKV2": "indices_dtype sort_policy",
        "Sort": "y2_dtype",
    },
)
