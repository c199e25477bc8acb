"""Ops that sum along axes: reductions, softmax, norms."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from ait_cmp.replay.references.dtypes import round_to
from ait_cmp.replay.references.result import (
    Array,
    Formula,
    Given,
    RefusedError,
    Value,
    axes_of,
    number_of,
    references,
)


def _count(x: Array, where: tuple[int, ...]) -> int:
    return int(np.prod([x.shape[axis] for axis in where], dtype=np.int64))


def _sum(x: Array, axes: Any, *, keep_dims: bool = False, noop_with_empty_axes: bool = True) -> Any:
    where = _reduced(x, axes, noop_with_empty_axes)
    if x.dtype.kind in "iub":
        return np.sum(x, axis=where, keepdims=keep_dims, dtype=np.int64)
    terms = np.sum(np.abs(x), axis=where, keepdims=keep_dims)
    return Value(np.sum(x, axis=where, keepdims=keep_dims), terms, max(_count(x, where), 1))


def _log_sum_exp(x: Array, axes: Any, *, keep_dims: bool = False) -> Value:
    where = _reduced(x, axes, True)
    top = np.max(x, axis=where, keepdims=True)
    total = np.log(np.sum(np.exp(x - top), axis=where, keepdims=True)) + top
    value = total if keep_dims else np.squeeze(total, where)
    return Value(value, 1.0 + np.abs(value), max(_count(x, where), 1))


def _lp_norm_v2(
    x: Array,
    *,
    p: float = 2.0,
    axes: Any = (),
    keepdim: bool = False,
    epsilon: float = 0.0,
) -> Value:
    """Without axes over all; epsilon is held against the norm, and is below any rounding."""
    del epsilon
    if p not in (1.0, 2.0):
        message = f"p {p:g} is not known (1 and 2 are)"
        raise RefusedError(message)
    where = _reduced(x, axes, False)
    norm = np.sum(np.abs(x) ** p, axis=where, keepdims=keepdim) ** (1 / p)
    return Value(norm, norm, max(_count(x, where), 1))


def _mean(
    x: Array, axes: Any, *, keep_dims: bool = False, noop_with_empty_axes: bool = True
) -> Value:
    where = _reduced(x, axes, noop_with_empty_axes)
    count = max(_count(x, where), 1)
    terms = np.sum(np.abs(x), axis=where, keepdims=keep_dims) / count
    return Value(np.sum(x, axis=where, keepdims=keep_dims) / count, terms, count)


def _reduced(x: Array, axes: Any, noop_with_empty_axes: bool) -> tuple[int, ...]:
    if np.size(axes) == 0 and not noop_with_empty_axes:
        return tuple(range(x.ndim))
    return axes_of(axes, x.ndim)


def _extreme(function: Any) -> Any:
    def formula(
        x: Array, axes: Any, *, keep_dims: bool = False, noop_with_empty_axes: bool = True
    ) -> Array:
        where = _reduced(x, axes, noop_with_empty_axes)
        return np.asarray(function(x, axis=where, keepdims=keep_dims))

    return formula


def _fixed_axes(formula: Any) -> Any:
    """The form of a reduction whose axes are an attribute."""
    return lambda x, *, axes, keep_dims=False: formula(x, axes, keep_dims=keep_dims)


def _product(x: Array, axes: Any, *, keep_dims: bool = False) -> Value:
    where = axes_of(axes, x.ndim)
    value = np.prod(x, axis=where, keepdims=keep_dims)
    return Value(value, np.abs(value), max(_count(x, where), 1))


def _cumsum(x: Array, axis: Any, *, exclusive: bool = False, reverse: bool = False) -> Any:
    where = number_of(axis)
    value = _running(x, where, exclusive, reverse)
    if x.dtype.kind in "iub":
        return value
    terms = _running(np.abs(x), where, exclusive, reverse)
    return Value(value, terms, x.shape[where] if x.ndim else 1)


def _running(x: Array, axis: int, exclusive: bool, reverse: bool) -> Array:
    ordered = np.flip(x, axis) if reverse else x
    dtype = np.int64 if x.dtype.kind in "iub" else np.float64
    value = np.cumsum(ordered, axis=axis, dtype=dtype)
    if exclusive:
        value = value - ordered
    return np.flip(value, axis) if reverse else value


def _shifted(x: Array, axes: Any) -> tuple[Array, Array, tuple[int, ...]]:
    """x less its largest value, exp of it summed up, and the axes."""
    where = axes_of(axes, x.ndim)
    shifted = x - np.max(x, axis=where, keepdims=True)
    return shifted, np.sum(np.exp(shifted), axis=where, keepdims=True), where


def softmax(x: Array, axes: Any = -1) -> Value:
    """exp(x) / sum exp(x) along axes; the exponents are rounded float32 numbers."""
    shifted, total, where = _shifted(x, axes)
    value = np.exp(shifted) / total
    terms = value * (1.0 - np.where(np.isfinite(shifted), shifted, 0.0))
    return Value(value, terms, max(_count(x, where), 1))


def _log_softmax(x: Array, axes: Any = -1) -> Value:
    shifted, total, where = _shifted(x, axes)
    value = shifted - np.log(total)
    terms = 1.0 + np.where(np.isfinite(shifted), np.abs(shifted), 0.0)
    return Value(value, terms, max(_count(x, where), 1))


def _layer_norm_at(
    x: Array, where: tuple[int, ...], gamma: Array | None, beta: Array | None, epsilon: float
) -> tuple[Value, Value, Value, Value]:
    """The normalised values, their mean, variance and 1 / standard deviation."""
    count = max(_count(x, where), 1)
    mean = np.mean(x, axis=where, keepdims=True)
    variance = np.mean(np.square(x - mean), axis=where, keepdims=True)
    rstd = 1.0 / np.sqrt(variance + epsilon)
    scale = rstd if gamma is None else rstd * gamma
    shift = 0.0 if beta is None else beta
    sizes = np.mean(np.abs(x), axis=where, keepdims=True)
    terms = (np.abs(x) + sizes) * np.abs(scale) + np.abs(shift)
    return (
        Value((x - mean) * scale + shift, terms, count),
        Value(mean, sizes, count),
        Value(variance, variance + sizes**2, count),
        Value(rstd, rstd + rstd**3 * sizes**2, count),
    )


def _layer_norm_v4(
    x: Array,
    normalized_shape: Any,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    epsilon: float = 1e-5,
) -> tuple[Value, Value, Value]:
    where = tuple(range(x.ndim - np.size(normalized_shape), x.ndim))
    y, mean, _, rstd = _layer_norm_at(x, where, gamma, beta, epsilon)
    return y, mean, rstd


def _layer_norm_from(
    x: Array, gamma: Array, beta: Array, begin_norm_axis: int, epsilon: float
) -> tuple[Value, Value, Value, Value]:
    begin = begin_norm_axis % max(x.ndim, 1)
    shape = x.shape[begin:]
    return _layer_norm_at(
        x, tuple(range(begin, x.ndim)), gamma.reshape(shape), beta.reshape(shape), epsilon
    )


def _layer_norm(
    x: Array, gamma: Array, beta: Array, *, begin_norm_axis: int = 0, epsilon: float = 0.0
) -> tuple[Value, Value, Value]:
    return _layer_norm_from(x, gamma, beta, begin_norm_axis, epsilon)[:3]


def _layer_norm_v3(
    x: Array, gamma: Array, beta: Array, *, begin_norm_axis: int = 0, epsilon: float = 1e-5
) -> tuple[Value, Value, Value]:
    y, mean, _, rstd = _layer_norm_from(x, gamma, beta, begin_norm_axis, epsilon)
    return y, mean, rstd


def rms_norm(x: Array, gamma: Array, *, epsilon: float = 1e-6) -> tuple[Value, Value]:
    """x / rms(x) gamma over the axes that gamma has, and 1 / rms(x)."""
    where = tuple(range(x.ndim - gamma.ndim, x.ndim))
    count = max(_count(x, where), 1)
    rstd = 1.0 / np.sqrt(np.mean(np.square(x), axis=where, keepdims=True) + epsilon)
    value = x * rstd * gamma
    return Value(value, np.abs(value), count), Value(rstd, rstd, count)


def _added(x1: Array, x2: Array, given: Given, rounded: bool) -> Array:
    """The sum that is normalised: as it was computed, or as it is written."""
    total = x1 + x2
    return round_to(given.dtypes["x1"], total) if rounded else total


def _add_rms_norm(rounded: bool) -> Any:
    def formula(
        x1: Array, x2: Array, gamma: Array, *, epsilon: float = 1e-6, given: Given
    ) -> tuple[Value, Value, Array]:
        y, rstd = rms_norm(_added(x1, x2, given, rounded), gamma, epsilon=epsilon)
        return y, rstd, x1 + x2

    return formula


def _add_rms_norm_cast(rounded: bool) -> Any:
    def formula(
        x1: Array, x2: Array, gamma: Array, *, epsilon: float = 1e-6, given: Given
    ) -> tuple[Value, Value, Value, Array]:
        y, rstd = rms_norm(_added(x1, x2, given, rounded), gamma, epsilon=epsilon)
        written = round_to(given.out_dtypes[1], y.value) if rounded else y.value
        return y._replace(value=written), y, rstd, x1 + x2

    return formula


def _add_layer_norm(rounded: bool) -> Any:
    def formula(
        x1: Array,
        x2: Array,
        gamma: Array,
        beta: Array,
        bias: Array | None = None,
        *,
        epsilon: float = 1e-5,
        given: Given,
    ) -> tuple[Value, Value, Value, Array]:
        first = x1 if bias is None else x1 + bias
        x = _added(first, x2, given, rounded)
        where = tuple(range(x.ndim - gamma.ndim, x.ndim))
        y, mean, _, rstd = _layer_norm_at(x, where, gamma, beta, epsilon)
        return y, mean, rstd, first + x2

    return formula


def _both(make: Callable[[bool], Formula]) -> tuple[Formula, Formula]:
    """Nobody tells whether the sum is rounded before it is normalised."""
    return make(False), make(True)


SUMS = references(
    "sum",
    {
        "ReduceSum": _sum,
        "ReduceSumD": _fixed_axes(_sum),
        "ReduceMean": _mean,
        "ReduceMeanD": _fixed_axes(_mean),
        "ReduceMax": _extreme(np.max),
        "ReduceMaxD": _fixed_axes(_extreme(np.max)),
        "ReduceMin": _extreme(np.min),
        "ReduceMinD": _fixed_axes(_extreme(np.min)),
        "ReduceProd": _product,
        "LpNormV2": _lp_norm_v2,
        "ReduceLogSumExp": _log_sum_exp,
        "Cumsum": _cumsum,
        "SoftmaxV2": lambda x, *, axes=(-1,): softmax(x, axes),
        "LogSoftmaxV2": lambda logits, *, axes=(-1,): _log_softmax(logits, axes),
        "LayerNorm": _layer_norm,
        "LayerNormV3": _layer_norm_v3,
        "LayerNormV4": _layer_norm_v4,
        "RmsNorm": rms_norm,
        "AddRmsNorm": _both(_add_rms_norm),
        "AddRmsNormCast": _both(_add_rms_norm_cast),
        "AddLayerNorm": _both(_add_layer_norm),
    },
    unused={
        "SoftmaxV2": "half_to_float",
        "LayerNorm": "begin_params_axis",
        "LayerNormV3": "begin_params_axis",
        "AddLayerNorm": "additional_output",
    },
)
