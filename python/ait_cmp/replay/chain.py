"""A fused chain: its members evaluated in graph order, with and without rounding in between.

Nobody tells whether the device rounds what passes from one member to the next, so two evaluations
are accepted: exact, and each inner tensor rounded to its dtype.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable

import numpy as np

from ait_cmp.pairing.graph.index import GraphTensor
from ait_cmp.replay.evaluate import Found, Sums, TypedArray, add, as_list, new_sums, widened
from ait_cmp.replay.parts import PART_VALUES, summed_axes
from ait_cmp.replay.references import Binding, Given, RefusedError, Value
from ait_cmp.replay.references.dtypes import FLOAT_TYPES, integer_range, round_to
from ait_cmp.replay.references.result import Array


@dataclass(frozen=True)
class Member:
    """One op of a chain.

    Attributes:
        number: Its number in the graph.
        binding: Its reference.
        sources: Position among its fed inputs -> the tensor of the graph that arrives.
        dtypes: Dtype of each of its outputs.
        shapes: Shape of each of its outputs, () if the text leaves one open.
    """

    number: int
    binding: Binding
    sources: Mapping[int, GraphTensor]
    dtypes: Sequence[str]
    shapes: Sequence[tuple[int, ...]] = ()


@dataclass(frozen=True)
class Chain:
    """Members in graph order and what enters them from outside.

    Attributes:
        members: The members.
        inputs: Member number and position -> tensor.
        outputs: Tensor of the graph that each output of the file is.
    """

    members: Sequence[Member]
    inputs: Mapping[GraphTensor, TypedArray]
    outputs: Sequence[GraphTensor]


_Change = Callable[[GraphTensor, str, Array], Array]


def evaluate_chain(
    chain: Chain, outputs: Sequence[TypedArray], *, element_max: float, form: int, is_rounded: bool
) -> list[Found]:
    """Hold the outputs of a fused op against one evaluation of its members.

    Raises:
        RefusedError: A member does not know its values.
    """
    found: list[Found] = []
    for part, taken in _parts(chain, outputs):
        judged = _evaluate_part(part, taken, element_max, form, is_rounded, found)
        found = found or judged
    return found


def _evaluate_part(
    chain: Chain,
    outputs: Sequence[TypedArray],
    element_max: float,
    form: int,
    is_rounded: bool,
    known: Sequence[Found],
) -> list[Found]:
    """Add one part of the outputs to what is known of those before it."""
    inner = _inner_edges(chain)
    change = _rounded if is_rounded else _unchanged
    exact = _run(chain, form, _unchanged)
    values = _run(chain, form, change) if is_rounded else exact
    slack = [np.zeros(np.shape(exact[edge])) for edge in chain.outputs]
    for edge in inner:
        moved = _run(chain, form, _moved_by_rounding(edge))
        for position, out in enumerate(chain.outputs):
            with np.errstate(invalid="ignore"):
                slack[position] = slack[position] + np.abs(moved[out] - exact[out])
    found: list[Found] = []
    for position, (edge, output, allowed) in enumerate(zip(chain.outputs, outputs, slack)):
        # Overflow of an inner tensor of half precision is chance.
        is_lost = ~np.isfinite(values[edge]) & np.isfinite(exact[edge])
        allowed = np.where(np.isnan(allowed) | is_lost, np.inf, allowed)
        value = Value(np.where(is_lost, 0.0, values[edge]), slack=allowed)
        before = known[position] if known else None
        if isinstance(before, Sums):
            sums = before
        else:
            sums = new_sums("fused", value, output, element_max, False)
        add(sums, value, output)
        found.append(sums)
    return found


def _parts(
    chain: Chain, outputs: Sequence[TypedArray]
) -> Iterator[tuple[Chain, Sequence[TypedArray]]]:
    """The chain in parts along one axis of its outputs, so that memory stays bounded."""
    axis = _axis(chain, outputs)
    size = outputs[0].array.size
    if axis is None or size <= PART_VALUES:
        yield chain, outputs
        return
    length = outputs[0].array.shape[axis]
    # Two positions at least: what broadcasts along the axis is told from what does not.
    step = max(2, length * PART_VALUES // size)
    ends = [*range(step, length - 1, step), length]
    for begin, end in zip([0, *ends], ends):
        rows = slice(begin, end)
        inputs = {edge: _taken(tensor, axis, rows) for edge, tensor in chain.inputs.items()}
        yield replace(chain, inputs=inputs), [_taken(tensor, axis, rows) for tensor in outputs]


def _taken(tensor: TypedArray, axis: int, rows: slice) -> TypedArray:
    """Some positions of an axis, counted from the last; whole where it is broadcast along it."""
    array = tensor.array
    if array.ndim < -axis or array.shape[axis] == 1:
        return tensor
    index: tuple[Any, ...] = (..., rows, *[slice(None)] * (-axis - 1))
    return tensor._replace(array=array[index])


def _axis(chain: Chain, outputs: Sequence[TypedArray]) -> int | None:
    """The longest axis, counted from the last one, along which all members go position by position;
    None if there is none."""
    shape = outputs[0].array.shape
    if any(output.array.shape != shape for output in outputs):
        return None
    summed: set[int] = set()
    for member in chain.members:
        own = _summed(chain, member, len(shape))
        if own is None:
            return None
        summed |= own
    free = [
        axis
        for axis in range(-len(shape), 0)
        if axis not in summed
        and all(
            tensor.array.ndim < -axis or tensor.array.shape[axis] in (1, shape[axis])
            for tensor in chain.inputs.values()
        )
    ]
    return max(free, key=lambda axis: shape[axis], default=None)


def _summed(chain: Chain, member: Member, ndim: int) -> set[int] | None:
    """Axes from the last that a member does not take position by position; None: not known."""
    kind, type_ = member.binding.reference.kind, member.binding.reference.type
    if kind in ("elementwise", "cast"):
        return set()
    attributes = member.binding.attributes
    keeps_dims = type_ in ("SoftmaxV2", "LogSoftmaxV2", "RmsNorm") or attributes.get("keep_dims")
    if kind != "sum" or not keeps_dims:
        return None
    shapes, small = {}, {}
    for name, (first, *_) in member.binding.positions.items():
        outside = chain.inputs.get((member.number, first))
        if outside is not None:
            shapes[name] = outside.array.shape
            if outside.array.dtype.kind in "iu":
                small[name] = [int(number) for number in outside.array.reshape(-1)]
    (first_input, *_) = next(iter(member.binding.positions.values()))
    outside = chain.inputs.get((member.number, first_input))
    stated = [*small.get("axes", ()), *np.ravel(attributes.get("axes", ()))]
    is_known = outside.array.ndim == ndim if outside else all(axis < 0 for axis in stated)
    if not is_known or (type_ == "RmsNorm" and "gamma" not in shapes):
        return None
    return {axis - ndim for axis in summed_axes(member.binding, shapes, ndim, small)}


def _inner_edges(chain: Chain) -> list[GraphTensor]:
    """Float tensors that pass from one member to another and are rounded on the way or not."""
    own = {
        (member.number, index) for member in chain.members for index in range(len(member.dtypes))
    }
    used = {edge for member in chain.members for edge in member.sources.values()}
    dtypes = {
        (member.number, index): dtype
        for member in chain.members
        for index, dtype in enumerate(member.dtypes)
    }
    return sorted(edge for edge in own & used if dtypes[edge] in FLOAT_TYPES)


def _unchanged(_: GraphTensor, __: str, value: Array) -> Array:
    return value


def _rounded(_: GraphTensor, dtype: str, value: Array) -> Array:
    return round_to(dtype, value)


def _moved_by_rounding(wanted: GraphTensor) -> _Change:
    def change(edge: GraphTensor, dtype: str, value: Array) -> Array:
        if edge != wanted:
            return value
        return np.asarray(value * (1.0 + FLOAT_TYPES[dtype].unit))

    return change


def _run(chain: Chain, form: int, change: _Change) -> dict[GraphTensor, Array]:
    """Values of all tensors that the members write; `change` is what happens between two."""
    values: dict[GraphTensor, Array] = {}
    for member in chain.members:
        arguments, dtypes = {}, {}
        for position, edge in member.sources.items():
            outside = chain.inputs.get((member.number, position))
            if outside is not None:
                arguments[position] = widened(outside.array)
                dtypes[position] = outside.dtype
            elif edge in values:
                dtype = _dtype_of(chain, edge)
                arguments[position] = change(edge, dtype, values[edge])
                dtypes[position] = dtype
            else:
                message = "an input of one of its members is not in the dump"
                raise RefusedError(message)
        positions = member.binding.positions
        names = {name: dtypes[fed[0]] for name, fed in positions.items()}
        given = Given(names, member.dtypes, member.shapes)
        n_forms = len(member.binding.reference.formulas)
        results = as_list(member.binding.evaluate(arguments, given, min(form, n_forms - 1)))
        for index, result in enumerate(results):
            values[member.number, index] = _value_of(result, member, index)
    return values


def _value_of(result: Any, member: Member, index: int) -> Array:
    if isinstance(result, str):
        raise RefusedError(result)
    value = np.asarray(result.value if isinstance(result, Value) else result)
    dtype = member.dtypes[index] if index < len(member.dtypes) else ""
    return value if integer_range(dtype) is not None else value.astype(np.float64)


def _dtype_of(chain: Chain, edge: GraphTensor) -> str:
    for member in chain.members:
        if member.number == edge[0] and edge[1] < len(member.dtypes):
            return member.dtypes[edge[1]]
    return ""


def has_smaller_inner(chain: Chain, outputs: Sequence[TypedArray]) -> bool:
    """Whether an inner tensor may have fewer values than an output: they share its rounding."""
    part, taken = next(_parts(chain, outputs))
    inner = set(_inner_edges(chain))
    return any(
        np.size(value) < output.array.size
        for edge, value in _run(part, 0, _unchanged).items()
        for output in taken
        if edge in inner
    )


def nearest(candidates: Sequence[list[Found]], position: int) -> Sums | None:
    """The evaluation that an output is nearest to, None if it is not judged."""
    sums = [found[position] for found in candidates]
    judged = [one for one in sums if isinstance(one, Sums)]
    return min(
        judged, key=lambda one: (one.errors.n_nonfinite, one.errors.own_growth), default=None
    )
