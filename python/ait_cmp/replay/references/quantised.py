"""Quantised ops: codes equal, or off by one at a tie; integer products are rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ait_cmp.replay.references.dtypes import (
    FLOAT_TYPES,
    RUN_TIME_DTYPES,
    integer_range,
    round_to,
)
from ait_cmp.replay.references.elementwise import swiglu
from ait_cmp.replay.references.products import product
from ait_cmp.replay.references.result import (
    ACCUMULATOR_ROUNDOFF,
    Array,
    Given,
    NotJudged,
    Output,
    RefusedError,
    Value,
    references,
)
from ait_cmp.replay.references.sums import rms_norm

_ROUNDINGS = {"round": np.rint, "rint": np.rint, "floor": np.floor, "ceil": np.ceil}
_ROUNDINGS["trunc"] = np.trunc


def _codes(
    exact: Array, dtype: str, written: Array | None, room: Any, mode: str = "round"
) -> Array:
    """Integers for exact values: what was written where it is right, else what is expected.

    Args:
        exact: Values before they are rounded.
        dtype: Integer type of the codes.
        written: What the op wrote, None if that is not known.
        room: How far the values that the device rounds may be from the exact ones.
        mode: How they are rounded.
    """
    bounds = integer_range(dtype)
    if bounds is None or mode not in _ROUNDINGS:
        message = f"quantising to {dtype} with round_mode {mode} is not known"
        raise RefusedError(message)
    low, high = bounds
    rounding = _ROUNDINGS[mode]
    expected = np.clip(rounding(exact), low, high)
    if written is None or written.shape != expected.shape:
        return expected
    # Whatever lies between the roundings of both ends of the room, a tie to either side.
    tie = 2.0**-30 * (1.0 + np.abs(exact))
    least = np.clip(rounding(exact - room - tie), low, high)
    most = np.clip(rounding(exact + room + tie), low, high)
    codes = written.astype(np.float64)
    return np.where((codes >= least) & (codes <= most), codes, expected)


def _room(exact: Array, *dtypes: str) -> Array:
    """Two roundings in the coarsest of the dtypes that the device may compute in."""
    halves = [FLOAT_TYPES[dtype].unit for dtype in dtypes if dtype in ("torch.float16",)]
    return np.abs(exact) * (2.0 * max(halves, default=4.0 * ACCUMULATOR_ROUNDOFF))


def _scale_of(scale: Array) -> Array:
    """Scales as numbers; uint64 and int64 hold a float32 in their lower half."""
    if scale.dtype.kind in "iu" and scale.dtype.itemsize == 8:
        words = scale.astype(np.uint64) & np.uint64(0xFFFFFFFF)
        return words.astype(np.uint32).view(np.float32).astype(np.float64)
    return scale.astype(np.float64)


def _ascend_quant(
    x: Array,
    scale: Array,
    offset: Array | None = None,
    *,
    sqrt_mode: bool = False,
    round_mode: str = "round",
    dst_type: int = 2,
    axis: int = -1,
    given: Given,
) -> Array:
    factor = _along_axis(scale, axis, x.ndim)
    exact = x * factor * (factor if sqrt_mode else 1.0)
    if offset is not None:
        exact = exact + _along_axis(offset, axis, x.ndim)
    dtype = given.out_dtypes[0] if given.out_dtypes else RUN_TIME_DTYPES.get(dst_type, "")
    room = _room(exact, given.dtypes["x"])
    return _codes(exact, dtype, given.output(0), room, round_mode)


def _along_axis(values: Array, axis: int, ndim: int) -> Array:
    """A vector of one value per position of an axis; others as they are."""
    if values.ndim != 1 or values.size == 1:
        return values
    shape = [1] * ndim
    shape[axis] = values.size
    return values.reshape(shape)


def _per_row(
    x: Array, dtype: str, written: Array | None, roundoff: float = 8.0 * ACCUMULATOR_ROUNDOFF
) -> tuple[Array, Value]:
    """Codes and scales of rows: the largest size in a row becomes the largest code."""
    bounds = integer_range(dtype)
    if bounds is None:
        message = f"quantising to {dtype} is not known"
        raise RefusedError(message)
    scale = np.max(np.abs(x), axis=-1) / bounds[1]
    exact = x / np.where(scale == 0, 1.0, scale)[..., None]
    codes = _codes(exact, dtype, written, np.abs(exact) * roundoff)
    return codes, Value(scale, terms=scale)


def _dynamic_quant(
    x: Array, smooth_scales: Array | None = None, *, dst_type: int = 2, given: Given
) -> tuple[Array, Value]:
    dtype = given.out_dtypes[0] if given.out_dtypes else RUN_TIME_DTYPES.get(dst_type, "")
    return _per_row(x if smooth_scales is None else x * smooth_scales, dtype, given.output(0))


def _quant_matmul(
    x1: Array,
    x2: Array,
    scale: Array,
    offset: Array | None = None,
    bias: Array | None = None,
    pertoken_scale: Array | None = None,
    *,
    dtype: int = 0,
    transpose_x1: bool = False,
    transpose_x2: bool = False,
    given: Given,
) -> Output:
    if x1.dtype.kind not in "iu" or x2.dtype.kind not in "iu":
        message = f"a product of {given.dtypes['x1']} and {given.dtypes['x2']} is not known"
        raise RefusedError(message)
    total = _integer_product(x1, x2, transpose_x1, transpose_x2)
    late_bias = None
    if bias is not None and bias.dtype.kind in "iu":
        total = total + bias
    elif bias is not None:
        late_bias = bias
    factor = _scale_of(scale)
    if pertoken_scale is not None:
        factor = factor * pertoken_scale.reshape(-1, 1)
    exact, terms = total * factor, np.abs(total * factor)
    for addend in (late_bias, offset):
        if addend is not None:
            exact, terms = exact + addend, terms + np.abs(addend)
    out_dtype = given.out_dtypes[0] if given.out_dtypes else RUN_TIME_DTYPES.get(dtype, "")
    if integer_range(out_dtype) is not None and out_dtype != "torch.int32":
        return _codes(exact, out_dtype, given.output(0), terms * 8.0 * ACCUMULATOR_ROUNDOFF)
    return Value(exact, terms)


def _integer_product(x1: Array, x2: Array, transpose_x1: bool, transpose_x2: bool) -> Array:
    """The exact product of integers, as float64: sums stay below 2^53."""
    left, right = x1.astype(np.float64), x2.astype(np.float64)
    left = np.swapaxes(left, -1, -2) if transpose_x1 else left
    return np.asarray(np.matmul(left, np.swapaxes(right, -1, -2) if transpose_x2 else right))


def _quant_matmul_v4(
    x1: Array,
    x2: Array,
    bias: Array | None = None,
    x1_scale: Array | None = None,
    x2_scale: Array | None = None,
    x2_offset: Array | None = None,
    *,
    dtype: int = 0,
    transpose_x1: bool = False,
    transpose_x2: bool = False,
    group_size: int = 0,
    given: Given,
) -> Output:
    if x2_scale is None or group_size or (x1_scale is not None and x1_scale.ndim != 1):
        message = "scales by groups are not known"
        raise RefusedError(message)
    return _quant_matmul(
        x1, x2, x2_scale, x2_offset, bias, x1_scale,
        dtype=dtype, transpose_x1=transpose_x1, transpose_x2=transpose_x2, given=given,
    )  # fmt: skip


def _weight_quant_matmul(rounded: bool) -> Any:
    """x @ ((weight + offset) scale): nobody tells whether the weight is rounded in between."""

    def formula(
        x: Array,
        weight: Array,
        antiquant_scale: Array,
        antiquant_offset: Array | None = None,
        bias: Array | None = None,
        *,
        transpose_x: bool = False,
        transpose_weight: bool = False,
        antiquant_group_size: int = 0,
        given: Given,
    ) -> Value:
        if given.dtypes["weight"] not in ("torch.int8", "torch.int4"):
            message = f"a weight of {given.dtypes['weight']} is not known"
            raise RefusedError(message)
        codes = np.swapaxes(weight, -1, -2) if transpose_weight else weight
        n_rows = codes.shape[-2]
        values = codes.astype(np.float64)
        if antiquant_offset is not None:
            group = antiquant_group_size
            values = values + _per_group(antiquant_offset, n_rows, transpose_weight, group)
        values = values * _per_group(
            antiquant_scale, n_rows, transpose_weight, antiquant_group_size
        )
        values = round_to(given.dtypes["x"], values) if rounded else values
        return product(np.swapaxes(x, -1, -2) if transpose_x else x, values, bias)

    return formula


def _per_group(part: Array, n_rows: int, is_transposed: bool, group: int) -> Array:
    """Scales (one, one a column, or one a group of rows and column) for codes (rows, columns)."""
    values = _scale_of(part)
    if values.size == 1:
        return values.reshape(1, 1)
    if group == 0:
        return values.reshape(1, -1)
    grid = values.T if is_transposed else values
    return np.repeat(grid, group, axis=0)[:n_rows]


def _dequant_swiglu(
    x: Array,
    weight_scale: Array | None = None,
    activation_scale: Array | None = None,
    bias: Array | None = None,
    quant_scale: Array | None = None,
    *,
    activate_left: bool = False,
    quant_mode: str = "static",
    dst_type: int = 2,
    round_mode: str = "rint",
    swiglu_mode: int = 0,
    activate_dim: int = -1,
    given: Given,
) -> tuple[Array, Value]:
    modes = (quant_mode, round_mode, swiglu_mode, activate_dim % x.ndim)
    if modes != ("dynamic", "rint", 0, x.ndim - 1):
        message = f"quant_mode {quant_mode}, round_mode {round_mode}, swiglu_mode {swiglu_mode}, "
        message += f"activate_dim {activate_dim} are not known together"
        raise RefusedError(message)
    values = x.astype(np.float64) if bias is None else x + bias
    for scale in (
        weight_scale,
        None if activation_scale is None else activation_scale.reshape(-1, 1),
    ):
        values = values if scale is None else values * scale
    y = swiglu(values, -1, activate_left)
    if quant_scale is not None:
        y = y * quant_scale
    dtype = given.out_dtypes[0] if given.out_dtypes else RUN_TIME_DTYPES.get(dst_type, "")
    return _per_row(y, dtype, given.output(0))


def _normed(x1: Array, x2: Array, gamma: Array, beta: Array | None, epsilon: float) -> Array:
    y = rms_norm(x1 + x2, gamma, epsilon=epsilon)[0].value
    return y if beta is None else y + beta


_NOT_ASKED = "without its scale it means nothing"


def _add_rms_norm_quant(
    x1: Array,
    x2: Array,
    gamma: Array,
    scales1: Array,
    scales2: Array | None = None,
    zero_points1: Array | None = None,
    zero_points2: Array | None = None,
    beta: Array | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-6,
    div_mode: bool = True,
    given: Given,
) -> tuple[Array, Array | NotJudged, Array]:
    if axis not in (-1, x1.ndim - 1):
        message = f"axis {axis} is not known"
        raise RefusedError(message)
    y = _normed(x1, x2, gamma, beta, epsilon)
    # The sum, or what is quantised, may have been rounded in between.
    unit = FLOAT_TYPES[given.dtypes["x1"]].unit if given.dtypes["x1"] in FLOAT_TYPES else 0.0

    def quantised(index: int, scales: Array, zero_points: Array | None) -> Array:
        exact = y / scales if div_mode else y * scales
        room = 2.0 * unit * np.abs(exact)
        exact = exact if zero_points is None else exact + zero_points
        return _codes(exact, given.out_dtypes[index], given.output(index), room)

    first = quantised(0, scales1, zero_points1)
    second = _NOT_ASKED if scales2 is None else quantised(1, scales2, zero_points2)
    return first, second, x1 + x2


def _add_rms_norm_dynamic_quant(
    x1: Array,
    x2: Array,
    gamma: Array,
    smooth_scale1: Array | None = None,
    smooth_scale2: Array | None = None,
    beta: Array | None = None,
    *,
    epsilon: float = 1e-6,
    output_mask: Any = (),
    given: Given,
) -> tuple[Output, ...]:
    if len(output_mask):
        message = "output_mask is not known"
        raise RefusedError(message)
    y = _normed(x1, x2, gamma, beta, epsilon)
    # A code may move by what its row was rounded by in between.
    unit = FLOAT_TYPES[given.dtypes["x1"]].unit if given.dtypes["x1"] in FLOAT_TYPES else 0.0

    def quantised(index: int, smooth: Array | None) -> tuple[Array, Value]:
        smoothed = y if smooth is None else y * smooth
        codes, scale = _per_row(smoothed, given.out_dtypes[index], given.output(index), 2.0 * unit)
        return codes, scale._replace(slack=2.0 * unit * np.abs(scale.value))

    y1, scale1 = quantised(0, smooth_scale1)
    y2, scale2 = (_NOT_ASKED,) * 2 if smooth_scale2 is None else quantised(1, smooth_scale2)
    return y1, y2, x1 + x2, scale1, scale2


def _ascend_dequant(
    x: Array, deq_scale: Array, *, sqrt_mode: bool = False, relu_flag: bool = False
) -> Array:
    scale = _scale_of(deq_scale)
    value = x * (scale * scale if sqrt_mode else scale)
    return np.asarray(np.maximum(value, 0.0) if relu_flag else value)


def _ascend_anti_quant(
    x: Array, scale: Array, offset: Array | None = None, *, sqrt_mode: bool = False
) -> Value:
    shifted = x.astype(np.float64) if offset is None else x + offset
    value = shifted * (scale * scale if sqrt_mode else scale)
    return Value(value, terms=np.abs(value))


def _quantize(
    x: Array, scales: Array, zero_points: Array | None = None, *, axis: int = 1, given: Given
) -> Array:
    exact = x / _along_axis(scales, axis, x.ndim)
    if zero_points is not None:
        exact = exact + _along_axis(zero_points, axis, x.ndim)
    return _codes(exact, given.out_dtypes[0], given.output(0), _room(exact, given.dtypes["x"]))


QUANTISED = references(
    "quantised",
    {
        "AscendQuantV2": _ascend_quant,
        "Quantize": _quantize,
        "DynamicQuant": _dynamic_quant,
        "AscendDequant": _ascend_dequant,
        "AscendAntiQuantV2": _ascend_anti_quant,
        "QuantBatchMatmulV3": _quant_matmul,
        "QuantBatchMatmulV4": _quant_matmul_v4,
        "WeightQuantBatchMatmulV2": (_weight_quant_matmul(False), _weight_quant_matmul(True)),
        "DequantSwigluQuant": _dequant_swiglu,
        "AddRmsNormQuant": _add_rms_norm_quant,
        "AddRmsNormDynamicQuant": _add_rms_norm_dynamic_quant,
    },
    unused={
        "Quantize": "dtype",
        "AscendDequant": "dtype",
        "AscendAntiQuantV2": "dst_type",
        "WeightQuantBatchMatmulV2": "dtype inner_precise",
        "DequantSwigluQuant": "clamp_limit glu_alpha glu_bias",
        "AddRmsNormDynamicQuant": "dst_type",
    },
)
