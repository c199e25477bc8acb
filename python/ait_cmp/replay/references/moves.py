"""Ops that move values, compare them or make them up: right bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from ait_cmp.replay.references.result import (
    Array,
    Formula,
    Given,
    RefusedError,
    Value,
    axes_of,
    number_of,
    numbers_of,
    references,
)


def _out_shape(given: Given) -> tuple[int, ...]:
    if not given.out_shapes:
        message = "the shape of its output is not known"
        raise RefusedError(message)
    return given.out_shapes[0]


def _same_values(x: Array, given: Given) -> Array:
    """The values in their order, whatever shape the graph gives them."""
    return x.reshape(_out_shape(given))


def _squeezed(x: Array, *, axis: Any = (), given: Given) -> Array:
    if given.out_shapes:
        return x.reshape(given.out_shapes[0])
    axes = axes_of(axis, x.ndim) or tuple(i for i, size in enumerate(x.shape) if size == 1)
    return np.squeeze(x, axes)


def _unsqueezed(x: Array, axes: Any, given: Given) -> Array:
    if given.out_shapes:
        return x.reshape(given.out_shapes[0])
    return np.expand_dims(x, tuple(numbers_of(axes)))


def _each(x: list[Array]) -> list[Array]:
    return x


def _transpose(x: Array, perm: Any) -> Array:
    return np.transpose(x, axes_of(perm, x.ndim))


def _concat(x: list[Array], concat_dim: Any) -> Array:
    return np.concatenate(x, axis=number_of(concat_dim))


def _unpack(x: Array, *, num: int = 0, axis: int = 0) -> list[Array]:
    parts = np.split(x, num or x.shape[axis], axis=axis)
    return [np.squeeze(part, axis=axis) for part in parts]


def _split(x: Array, split_dim: Any, num_split: int) -> list[Array]:
    return np.split(x, num_split, axis=number_of(split_dim))


def _split_sizes(x: Array, size_splits: Any, split_dim: Any) -> list[Array]:
    axis, sizes = number_of(split_dim), numbers_of(size_splits)
    rest = x.shape[axis] - sum(size for size in sizes if size >= 0)
    ends = np.cumsum([size if size >= 0 else rest for size in sizes])[:-1]
    return np.split(x, ends, axis=axis)


def _slice(x: Array, offsets: Any, size: Any) -> Array:
    cuts = [
        slice(begin, begin + count if count >= 0 else None)
        for begin, count in zip(numbers_of(offsets), numbers_of(size))
    ]
    return x[tuple(cuts)]


def _strided_slice(
    x: Array,
    begin: Any,
    end: Any,
    strides: Any = None,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Array:
    begins, ends = numbers_of(begin), numbers_of(end)
    steps = [1] * len(begins) if strides is None else numbers_of(strides)
    index: list[Any] = []
    for position, (first, last, step) in enumerate(zip(begins, ends, steps)):
        bit = 1 << position
        if ellipsis_mask & bit:
            index.append(Ellipsis)
        elif new_axis_mask & bit:
            index.append(None)
        elif shrink_axis_mask & bit:
            index.append(first)
        else:
            start = None if begin_mask & bit else first
            stop = None if end_mask & bit else _stop(last, step)
            index.append(slice(start, stop, step))
    return np.asarray(x[tuple(index)])


def _stop(last: int, step: int) -> int | None:
    # Walking down, -1 stands for the end before element 0 only if nothing else can be meant.
    return None if step < 0 and last < -(2**31) else last


def _strided_slice_v2(
    x: Array,
    begin: Any,
    end: Any,
    axes: Any = None,
    strides: Any = None,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Array:
    begins = numbers_of(begin)
    where = list(range(len(begins))) if axes is None else list(axes_of(axes, x.ndim))
    if where == list(range(len(begins))):
        return _strided_slice(
            x,
            begin,
            end,
            strides,
            begin_mask=begin_mask,
            end_mask=end_mask,
            ellipsis_mask=ellipsis_mask,
            new_axis_mask=new_axis_mask,
            shrink_axis_mask=shrink_axis_mask,
        )
    if any((begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)):
        message = "masks together with axes are not known"
        raise RefusedError(message)
    steps = [1] * len(begins) if strides is None else numbers_of(strides)
    cuts = [slice(None)] * x.ndim
    for axis, first, last, step in zip(where, begins, numbers_of(end), steps):
        cuts[axis] = slice(first, _stop(last, step), step)
    return x[tuple(cuts)]


def _as_strided(x: Array, size: Any, stride: Any, storage_offset: Any = None) -> Array:
    flat = np.ascontiguousarray(x).reshape(-1)
    sizes, strides = numbers_of(size), numbers_of(stride)
    at = np.asarray(0 if storage_offset is None else number_of(storage_offset), dtype=np.int64)
    for count, step in zip(sizes, strides):
        at = at[..., None] + np.arange(count, dtype=np.int64) * step
    if at.size and not 0 <= int(at.min()) <= int(at.max()) < flat.size:
        message = "its size and stride reach beyond the input"
        raise RefusedError(message)
    return flat[at]


def _broadcast(x: Array, given: Given) -> Array:
    return np.broadcast_to(x, _out_shape(given))


def _pad(
    x: Array, paddings: Any, constant_values: Any = None, mode: str = "constant", pairs: bool = True
) -> Array:
    numbers = np.asarray(numbers_of(paddings))
    # Pairs (before, after) per axis, or all that come before and then all that come after.
    widths = numbers.reshape(-1, 2) if pairs else numbers.reshape(2, -1).T
    if len(widths) != x.ndim:
        message = f"{len(widths)} paddings for {x.ndim} dimensions"
        raise RefusedError(message)
    if mode == "constant":
        value = 0 if constant_values is None else np.asarray(constant_values).reshape(-1)[0]
        return np.pad(x, widths, constant_values=value)
    if mode not in ("reflect", "edge"):
        message = f"padding mode {mode} is not known"
        raise RefusedError(message)
    return np.pad(x, widths, mode="reflect" if mode == "reflect" else "edge")


def _pad_v3(
    x: Array,
    paddings: Any,
    constant_values: Any = None,
    *,
    mode: str = "constant",
    paddings_contiguous: bool = True,
) -> Array:
    return _pad(x, paddings, constant_values, mode, pairs=paddings_contiguous)


def _fill(dims: Any, value: Any) -> Array:
    return np.full(numbers_of(dims), np.asarray(value).reshape(-1)[0])


def _triangle(function: Any, x: Array, diagonal: Any) -> Array:
    return np.asarray(function(x, number_of(diagonal)))


def _range(start: Array, limit: Array, delta: Array) -> Array | Value:
    first, last, step = (np.asarray(v).reshape(-1)[0] for v in (start, limit, delta))
    count = max(0, int(np.ceil((last - first) / step)))
    value = first + np.arange(count) * step
    # Whole numbers are exact; others are rounded when they are added up.
    return Value(value, terms=np.abs(first) + np.abs(value), n_terms=max(count, 1))


def _one_hot(x: Array, depth: Any, on_value: Any, off_value: Any, *, axis: int = -1) -> Array:
    on, off = (np.asarray(value).reshape(-1)[0] for value in (on_value, off_value))
    hot = np.asarray(x)[..., None] == np.arange(number_of(depth))
    return np.moveaxis(np.where(hot, on, off), -1, axis)


def _select(condition: Array, x1: Array, x2: Array) -> Array:
    flags = np.asarray(condition)
    if 0 < flags.ndim < x1.ndim and flags.shape[0] == x1.shape[0] and flags.ndim == 1:
        flags = flags.reshape(-1, *[1] * (x1.ndim - 1))
    return np.where(flags, x1, x2)


def _reduce_flags(function: Any, x: Array, axes: Any, keep_dims: bool) -> Array:
    where = axes_of(axes, x.ndim)
    return np.asarray(function(x, axis=where or None, keepdims=keep_dims))


def _compare(function: Any) -> Formula:
    return lambda x1, x2: np.asarray(function(x1, x2))


# Where the shape of the output is known, of a dump always, the inputs that state it are not needed.
_RESHAPED = (*("Reshape", "SqueezeV3", "UnsqueezeV3", "ExpandDims", "Flatten", "FlattenV2"),)

MOVES = references(
    "exact",
    {
        **dict.fromkeys(_RESHAPED, _same_values),
        "Squeeze": _squeezed,
        "SqueezeV2": _squeezed,
        "Unsqueeze": lambda x, *, axes, given: _unsqueezed(x, axes, given),
        "UnsqueezeV2": lambda x, *, axis, given: _unsqueezed(x, axis, given),
        "Identity": lambda x: x,
        "IdentityN": _each,
        "TensorMove": lambda x: x,
        "TransData": lambda src: src,
        "Assign": lambda value: value,
        "Transpose": _transpose,
        "TransposeD": lambda x, *, perm: _transpose(x, perm),
        "ConcatV2": _concat,
        "Concat": _concat,
        "ConcatD": lambda x, *, concat_dim: _concat(x, concat_dim),
        "ConcatV2D": lambda x, *, concat_dim: _concat(x, concat_dim),
        "Pack": lambda x, *, axis=0: np.stack(x, axis=axis),
        "Unpack": _unpack,
        "Split": lambda x, split_dim, *, num_split: _split(x, split_dim, num_split),
        "SplitD": lambda x, *, split_dim, num_split: _split(x, split_dim, num_split),
        "SplitV": _split_sizes,
        "SplitVD": lambda x, *, size_splits, split_dim: _split_sizes(x, size_splits, split_dim),
        "Slice": _slice,
        "SliceD": lambda x, *, offsets, size: _slice(x, offsets, size),
        "StridedSlice": _strided_slice,
        "StridedSliceV2": _strided_slice_v2,
        "AsStrided": _as_strided,
        "Tile": lambda x, multiples: np.tile(x, numbers_of(multiples)),
        "TileD": lambda x, *, multiples: np.tile(x, numbers_of(multiples)),
        "BroadcastTo": _broadcast,
        "Expand": _broadcast,
        "Pad": _pad,
        "PadV2": _pad,
        "PadV3": _pad_v3,
        "Fill": _fill,
        "FillV2": lambda dims, *, value=0.0: _fill(dims, np.float64(value)),
        "Triu": lambda x, *, diagonal=0: _triangle(np.triu, x, diagonal),
        "Tril": lambda x, *, diagonal=0: _triangle(np.tril, x, diagonal),
        "Range": _range,
        "ReverseV2": lambda x, axis: np.flip(x, axes_of(axis, x.ndim)),
        "Roll": lambda x, *, shifts, dims=(): np.roll(x, shifts, tuple(dims) or None),
        "ZerosLike": lambda x: np.zeros_like(x),
        "OnesLike": lambda x: np.ones_like(x),
        "OneHot": _one_hot,
        "Shape": lambda x: np.array(x.shape, dtype=np.int64),
        "Size": lambda x: np.array(x.size, dtype=np.int64),
        "Rank": lambda x: np.array(x.ndim, dtype=np.int64),
        "Equal": _compare(np.equal),
        "NotEqual": _compare(np.not_equal),
        "Less": _compare(np.less),
        "LessEqual": _compare(np.less_equal),
        "Greater": _compare(np.greater),
        "GreaterEqual": _compare(np.greater_equal),
        "IsNan": lambda x: np.isnan(x),
        "IsInf": lambda x: np.isinf(x),
        "IsFinite": lambda x: np.isfinite(x),
        "LogicalAnd": _compare(np.logical_and),
        "LogicalOr": _compare(np.logical_or),
        "LogicalNot": lambda x: np.logical_not(x),
        "BitwiseAnd": _compare(np.bitwise_and),
        "BitwiseOr": _compare(np.bitwise_or),
        "BitwiseXor": _compare(np.bitwise_xor),
        "Invert": lambda x: np.invert(x),
        "Select": _select,
        "SelectV2": lambda condition, then, else_: _select(condition, then, else_),
        "MaskedFill": lambda x, mask, value: np.where(mask, value, x),
        "ReduceAll": lambda x, axes, *, keep_dims=False: _reduce_flags(np.all, x, axes, keep_dims),
        "ReduceAny": lambda x, axes, *, keep_dims=False: _reduce_flags(np.any, x, axes, keep_dims),
    },
    unused={
        "Reshape": "shape axis num_axes",
        "SqueezeV3": "axes",
        "UnsqueezeV3": "axes",
        "ExpandDims": "axis",
        "Flatten": "axis",
        "FlattenV2": "axis end_axis",
        "TransData": "src_format dst_format src_subformat dst_subformat groups",
        "Assign": "ref validate_shape use_locking",
        "BroadcastTo": "shape",
        "Expand": "shape",
        "Pack": "N",
        "ConcatV2": "N",
        "Concat": "N",
        "ConcatD": "N",
        "ConcatV2D": "N",
        "SplitV": "num_split",
        "SplitVD": "num_split",
        "IdentityN": "N",
        "Shape": "dtype",
        "Size": "dtype",
    },
)
