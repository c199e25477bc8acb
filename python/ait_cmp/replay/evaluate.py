"""One op: its reference evaluated on its inputs, held against what it wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Union

import numpy as np

from ait_cmp import _core
from ait_cmp.replay.parts import Cut, Part, find_cut, parts_of, pieces_of
from ait_cmp.replay.references import Binding, Given, RefusedError, Value
from ait_cmp.replay.references.dtypes import FLOAT_TYPES, HF32_UNIT, round_to
from ait_cmp.replay.references.result import ACCUMULATOR_ROUNDOFF, Array

# Kinds whose outputs are right bit for bit where the reference allows nothing else.
_EXACT_KINDS = frozenset({"exact", "choice"})
# Kinds that sum up many terms.
_ORDERED_KINDS = frozenset({"sum", "product", "attention", "rotary", "quantised"})
# Values of an input that may be axes.
_SMALL = 8
# Kinds that get values as they are stored; attention widens them head by head.
_STORED_KINDS = frozenset({"exact", "attention"})
_HALVES = frozenset({"torch.float16", "torch.bfloat16"})


class TypedArray(NamedTuple):
    """Values of a tensor as the dump stores them.

    Attributes:
        dtype: Stored dtype, `torch.bfloat16`.
        array: Values in logical order, in a numpy type that holds them all.
    """

    dtype: str
    array: Array


class Sums(NamedTuple):
    """What was found for one output.

    Attributes:
        kind: Kind of the reference, "exact" where every difference counts.
        errors: Sums over its elements.
        is_hf32: Whether it was judged in units of HF32.
    """

    kind: str
    errors: _core.ErrorSums
    is_hf32: bool = False


# What was found for one output, or the sentence why it is not judged.
Found = Union[Sums, str]


def evaluate(
    binding: Binding,
    inputs: Mapping[int, TypedArray],
    outputs: Sequence[TypedArray],
    *,
    element_max: float,
    form: int = 0,
    is_hf32: bool = False,
) -> list[Found]:
    """Hold the outputs of an op against one formula of its reference.

    Args:
        binding: The op.
        inputs: Position among the fed inputs -> tensor.
        outputs: What the op wrote.
        element_max: Elements above so many units are counted.
        form: Which of the accepted formulas.
        is_hf32: Judge float32 products in units of HF32.

    Raises:
        RefusedError: The reference does not know these values.
    """
    cut = cut_of(binding, inputs, outputs)
    found: list[Found | None] = [None] * len(outputs)
    arguments = _Arguments(binding, inputs, cut)
    for part in parts_of(cut, _largest(binding, inputs, outputs)):
        taken = [TypedArray(y.dtype, slice_of(y.array, cut and cut.axis, part)) for y in outputs]
        given = given_of(binding, inputs, taken)
        results = as_list(binding.evaluate(arguments.of(part), given, form))
        if len(results) < len(outputs):
            message = f"it wrote {len(outputs)} outputs, our reference knows {len(results)}"
            raise RefusedError(message)
        for position, (result, output) in enumerate(zip(results, taken)):
            if isinstance(result, str):
                found[position] = result
                continue
            sums = found[position]
            if not isinstance(sums, Sums):
                sums = new_sums(binding.reference.kind, result, output, element_max, is_hf32)
                found[position] = sums
            add(sums, result, output)
    return [one if one is not None else "it has no elements" for one in found]


def cut_of(
    binding: Binding, inputs: Mapping[int, TypedArray], outputs: Sequence[TypedArray]
) -> Cut | None:
    """How an op may be cut, so that every part is computed alone."""
    shapes, small = {}, {}
    for name, positions in binding.positions.items():
        array = inputs[positions[0]].array
        if name not in binding.dynamic:
            shapes[name] = array.shape
        if array.size <= _SMALL and array.dtype.kind in "iu":
            small[name] = [int(number) for number in array.reshape(-1)]
    cut = find_cut(binding, shapes, outputs[0].array.shape, small)
    if cut is None:
        return None
    axis, size = cut.axis, cut.size
    fits = all(y.array.ndim > axis and y.array.shape[axis] == size for y in outputs)
    return cut if fits else None


def _largest(
    binding: Binding, inputs: Mapping[int, TypedArray], outputs: Sequence[TypedArray]
) -> int:
    sizes = [y.array.size for y in outputs]
    return max(
        [*sizes, *(inputs[positions[0]].array.size for positions in binding.positions.values())]
    )


def slice_of(array: Array, axis: int | None, part: Part) -> Array:
    """Positions of a part along an axis; the whole without one."""
    if axis is None:
        return array
    return np.asarray(array[(slice(None),) * axis + (slice(part.begin, part.end),)])


class _Arguments:
    """Arguments of the reference, in the types that it computes with, part by part.

    What every part needs whole is widened once.
    """

    def __init__(self, binding: Binding, inputs: Mapping[int, TypedArray], cut: Cut | None) -> None:
        positions = binding.positions
        self._axes: dict[int, int] = {}
        self._arrays: dict[int, Array] = {}
        # Moves and attention take values as they are stored, all others floats as float64.
        self._is_stored = binding.reference.kind in _STORED_KINDS
        self._is_narrow = binding.reference.kind == "product" and all(
            inputs[position].dtype in _HALVES for group in positions.values() for position in group
        )
        for name, group in positions.items():
            axis = None if cut is None else cut.inputs.get(name)
            for position in group:
                array = inputs[position].array
                self._arrays[position] = array if axis is not None else self._widened(array)
                if axis is not None:
                    self._axes[position] = axis

    def of(self, part: Part) -> dict[int, Array]:
        """Position among the fed inputs -> array."""
        return {
            position: self._widened(slice_of(array, self._axes[position], part))
            if position in self._axes
            else array
            for position, array in self._arrays.items()
        }

    def _widened(self, array: Array) -> Array:
        return array if self._is_stored else widened(array, self._is_narrow)


def widened(array: Array, is_narrow: bool = False) -> Array:
    """Floats as float64; factors of half precision as float32, in which BLAS sums well enough."""
    if array.dtype.kind == "f":
        return array.astype(np.float32 if is_narrow else np.float64)
    # Unsigned 64-bit numbers stay: they may hold a float32 in their lower half.
    return array.astype(np.int64) if array.dtype.kind in "iu" and array.itemsize < 8 else array


def given_of(
    binding: Binding, inputs: Mapping[int, TypedArray], outputs: Sequence[TypedArray]
) -> Given:
    """What a reference may know beside the values of its inputs."""
    return Given(
        {name: inputs[positions[0]].dtype for name, positions in binding.positions.items()},
        [y.dtype for y in outputs],
        [y.array.shape for y in outputs],
        [y.array for y in outputs],
    )


def as_list(result: Any) -> list[Any]:
    """Outputs of a reference, one or several."""
    if isinstance(result, (list, tuple)) and not isinstance(result, Value):
        return list(result)
    return [result]


def new_sums(kind: str, result: Any, output: TypedArray, element_max: float, is_hf32: bool) -> Sums:
    """Sums for one output, in the unit of its dtype and of the kind of its reference.

    Raises:
        RefusedError: It has no unit.
    """
    float_type = FLOAT_TYPES.get(output.dtype)
    if float_type is None and output.array.dtype.kind == "f":
        message = f"there is no unit of error for {output.dtype}"
        raise RefusedError(message)
    is_exact = kind in _EXACT_KINDS and not _has_terms(result)
    if is_exact or float_type is None:
        errors = _core.ErrorSums(
            roundoff=0.0, floor=0.0, saturation=np.inf, element_max=element_max
        )
        return Sums("exact", errors)
    errors = _core.ErrorSums(
        roundoff=HF32_UNIT if is_hf32 else float_type.unit,
        floor=2.0 ** (float_type.min_exponent - float_type.bits),
        saturation=float_type.largest * (1.0 - 4.0 * float_type.unit),
        element_max=element_max,
    )
    return Sums(kind, errors, is_hf32)


def _has_terms(result: Any) -> bool:
    return isinstance(result, Value) and not (
        isinstance(result.terms, float) and result.terms == 0.0
    )


def add(sums: Sums, result: Any, output: TypedArray) -> None:
    """Add one part of an output.

    Raises:
        RefusedError: The reference has another number of elements.
    """
    value = result if isinstance(result, Value) else Value(result)
    reference = np.asarray(value.value)
    if reference.size != output.array.size:
        message = f"our reference has shape {reference.shape}, it wrote {output.array.shape}"
        raise RefusedError(message)
    if sums.kind == "exact" and _have_equal_bytes(reference, output.array):
        return  # nothing to add: no error, and nobody asks for sizes then
    written = output.array.reshape(reference.shape)
    terms, slack = (
        part if isinstance(part, float) else np.broadcast_to(part, reference.shape)
        for part in (value.terms, value.slack)
    )
    for at in pieces_of(reference.shape):
        piece = Value(
            np.asarray(reference[at]),
            terms if isinstance(terms, float) else np.asarray(terms[at]),
            value.n_terms,
            slack if isinstance(slack, float) else np.asarray(slack[at]),
        )
        _add_piece(sums, piece, TypedArray(output.dtype, np.asarray(written[at])))


def _add_piece(sums: Sums, value: Value, output: TypedArray) -> None:
    """Add what is small enough to be float64 several times."""
    reference = value.value
    if output.array.dtype.kind in "iub" and reference.dtype.kind in "iub":
        _add_integers(sums, value, output)
        return
    if sums.kind == "exact" and output.array.dtype.kind == "f":
        reference = round_to(output.dtype, reference.astype(np.float64))
    allowed = _allowed(value, reference.shape, sums.is_hf32)
    if sums.kind in _ORDERED_KINDS and not np.isfinite(reference).all():
        # What becomes of infinities among many terms depends on the order of the sum.
        beside = np.zeros(reference.size) if allowed is None else allowed
        allowed = np.where(np.isfinite(_flat(reference)), beside, np.inf)
    sums.errors.add(_flat(output.array), _flat(reference), allowed)


def _have_equal_bytes(first: Array, second: Array) -> bool:
    if first.dtype != second.dtype:
        return False
    mine, other = (np.ascontiguousarray(a).reshape(-1).view(np.uint8) for a in (first, second))
    return bool(np.array_equal(mine, other))


def _add_integers(sums: Sums, value: Value, output: TypedArray) -> None:
    """Integers beyond 2^53 are told apart by their difference."""
    reference = np.asarray(value.value)
    difference = (output.array.reshape(-1) != reference.reshape(-1)).astype(np.float64)
    is_small = np.abs(_flat(reference)) < 2.0**52
    written = np.where(is_small, _flat(output.array), difference)
    wanted = np.where(is_small, _flat(reference), 0.0)
    sums.errors.add(written, wanted, _allowed(value, reference.shape, False))


def _flat(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float64).reshape(-1)


def _allowed(value: Value, shape: tuple[int, ...], is_hf32: bool) -> Array | None:
    """What is allowed beside the roundoff of the result; NaN, of terms that overflow: anything."""
    if not _has_terms(value) and isinstance(value.slack, float) and value.slack == 0.0:
        return None
    per_term = ACCUMULATOR_ROUNDOFF * np.sqrt(value.n_terms)
    if is_hf32:
        # Both factors of every product are rounded; norm norm / sqrt(n) is the rms of such sums.
        per_term += HF32_UNIT / np.sqrt(value.n_terms)
    allowed = per_term * np.abs(np.asarray(value.terms, np.float64)) + value.slack
    allowed = np.where(np.isnan(allowed), np.inf, allowed)
    return _flat(np.broadcast_to(allowed, shape))
