"""Large ops are computed in parts, so that memory stays bounded: which part of which tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ait_cmp.replay.references import Binding
from ait_cmp.replay.references.result import axes_of

Shape = tuple[int, ...]

# Values of an output in one part: some arrays of so many float64 numbers are alive at once. Parts
# of products are larger, as each takes the whole right factor.
PART_VALUES = 2**18
PRODUCT_VALUES = 2**21

# Small integer inputs by parameter: axes, and how many.
Small = Mapping[str, Sequence[int]]


class Cut(NamedTuple):
    """How an op may be cut.

    Attributes:
        axis: Axis of all outputs along which it is cut.
        size: Positions on it.
        inputs: Parameter -> its axis of that size; others are needed whole.
        part_values: Values of an output in one part.
    """

    axis: int
    size: int
    inputs: Mapping[str, int]
    part_values: int = PART_VALUES


class Part(NamedTuple):
    """Positions begin to end of the axis of a cut."""

    begin: int
    end: int


def parts_of(cut: Cut | None, n_values: int) -> Iterator[Part]:
    """The parts of an op whose largest output has so many values; one for an op without a cut."""
    if cut is None or n_values <= cut.part_values:
        yield Part(0, cut.size if cut else 0)
        return
    step = max(1, cut.size * cut.part_values // n_values)
    for begin in range(0, cut.size, step):
        yield Part(begin, min(cut.size, begin + step))


def pieces_of(shape: Shape) -> Iterator[tuple[int | slice, ...]]:
    """Indices of pieces of an array, in its order, each of at most `PART_VALUES` values."""
    if math.prod(shape) <= PART_VALUES:
        yield ()
        return
    rest = math.prod(shape[1:])
    if rest > PART_VALUES:
        for position in range(shape[0]):
            for inner in pieces_of(shape[1:]):
                yield (position, *inner)
        return
    step = PART_VALUES // rest
    for begin in range(0, shape[0], step):
        yield (slice(begin, begin + step),)


def find_cut(
    binding: Binding, shapes: Mapping[str, Shape], out_shape: Shape, small: Small
) -> Cut | None:
    """How an op may be cut, None if it may not.

    Args:
        binding: The op.
        shapes: Parameter -> shape; dynamic inputs are left out.
        out_shape: Shape of the first output.
        small: Values of small integer inputs.
    """
    find = _FINDERS.get(binding.reference.kind)
    if find is None or not out_shape or binding.dynamic:
        return None
    return find(binding, shapes, out_shape, small)


def _elementwise(_: Binding, shapes: Mapping[str, Shape], out: Shape, __: Small) -> Cut | None:
    """Along the longest axis; what has length 1 there broadcasts."""
    axis = max(range(len(out)), key=lambda position: out[position])
    inputs = {}
    for name, shape in shapes.items():
        own = axis - len(out) + len(shape)
        if own >= 0 and shape[own] == out[axis] and out[axis] != 1:
            inputs[name] = own
    return Cut(axis, out[axis], inputs) if inputs else None


def _rows(binding: Binding, shapes: Mapping[str, Shape], out: Shape, small: Small) -> Cut | None:
    """Along the longest axis before all that are summed over."""
    first = next(iter(shapes))
    shape = shapes[first]
    summed = summed_axes(binding, shapes, len(shape), small)
    free = range(min(summed, default=len(shape)))
    if not free or any(axis >= len(out) or shape[axis] != out[axis] for axis in free):
        return None
    axis = max(free, key=lambda position: shape[position])
    inputs = {name: axis for name, other in shapes.items() if other == shape}
    return Cut(axis, shape[axis], inputs)


def summed_axes(
    binding: Binding, shapes: Mapping[str, Shape], ndim: int, small: Small
) -> tuple[int, ...]:
    """Axes of the first input that an op sums over, or chooses along."""
    attributes = binding.attributes
    if binding.reference.type in _OF_AXES:
        return axes_of(small.get("axes") or attributes.get("axes") or range(ndim), ndim)
    if binding.reference.type in _OF_ONE_AXIS:
        name, default = _OF_ONE_AXIS[binding.reference.type]
        return axes_of(small.get(name, attributes.get(name, default)), ndim)
    if binding.reference.type in ("SoftmaxV2", "LogSoftmaxV2"):
        return axes_of(attributes.get("axes", (-1,)), ndim)
    if binding.reference.type in ("RmsNorm", "AddRmsNorm", "AddRmsNormCast"):
        return tuple(range(ndim - len(shapes["gamma"]), ndim))
    if binding.reference.type == "LayerNormV4":
        (count,) = shapes["normalized_shape"] or (1,)
        return tuple(range(ndim - count, ndim))
    if binding.reference.type == "LayerNormV3":
        return tuple(range(axes_of(attributes.get("begin_norm_axis", 0), ndim)[0], ndim))
    return (0,)  # not known: no axis is free


def _product(binding: Binding, shapes: Mapping[str, Shape], out: Shape, _: Small) -> Cut | None:
    """Along the batch if there is one, else along the rows of the left factor."""
    left, right = shapes.get("x1", ()), shapes.get("x2", ())
    if len(left) > 2 and len(left) == len(right) == len(out) and left[0] == right[0] == out[0]:
        return Cut(0, out[0], {"x1": 0, "x2": 0}, PRODUCT_VALUES)
    is_turned = any(binding.attributes.get(name) for name in ("transpose_x1", "adj_x1"))
    if len(left) < 2 or len(out) < 2:
        return None
    inputs = {"x1": len(left) - (1 if is_turned else 2)}
    bias = shapes.get("bias", ())
    if len(bias) > 1 and bias[-2] != 1:
        inputs["bias"] = len(bias) - 2
    return Cut(len(out) - 2, out[-2], inputs, PRODUCT_VALUES)


# Types that reduce along `axes`, an input or an attribute; without any along all.
_OF_AXES = frozenset(
    {
        *("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceLogSumExp"),
        *("ReduceSumD", "ReduceMeanD", "ReduceMaxD", "ReduceMinD", "LpNormV2"),
    }
)
# Type -> the input or attribute with its one axis, and its default.
_OF_ONE_AXIS = {
    "SwiGlu": ("dim", -1),
    "GLU": ("dim", -1),
    "TopK": ("dim", -1),
    "TopKV2": ("dim", -1),
    "Sort": ("axis", -1),
    "ArgMaxV2": ("dimension", 0),
    "ArgMin": ("dimension", 0),
    "ArgMaxD": ("dimension", 0),
    "ArgMinD": ("dimension", 0),
    "ArgMaxWithValue": ("dimension", 0),
    "ArgMinWithValue": ("dimension", 0),
}

_FINDERS = {
    "choice": _rows,
    "elementwise": _elementwise,
    "cast": _elementwise,
    "gated": _rows,
    "sum": _rows,
    "product": _product,
}
