"""What a wrong op computes instead, tried against what usually goes wrong, and where it is off."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ait_cmp.config import Limits
from ait_cmp.replay.evaluate import (
    Sums,
    TypedArray,
    add,
    as_list,
    cut_of,
    given_of,
    new_sums,
    slice_of,
    widened,
)
from ait_cmp.replay.parts import parts_of
from ait_cmp.replay.references import Binding, RefusedError, Value
from ait_cmp.replay.references.dtypes import FLOAT_TYPES, round_to, round_to_bits
from ait_cmp.replay.references.result import Array
from ait_cmp.replay.regions import describe_regions
from ait_cmp.replay.verdict import judge

# Of larger ops a part is tried: each trial computes it again, in float64.
_MAX_VALUES = 2**22
_MAX_PARTS = 4
# Rounding after every step of a sum is a loop over its terms.
_MAX_STEPS = 2**28
# Lengths of the exact partial sums that are rounded when they are added up: one by one, and the
# edge of the blocks that matrix units multiply.
_PARTIAL_SUMS = (1, 16, 32, 64, 128, 256)
_HF32_BITS = 12

# Attribute that turns an operand -> what a product equals that takes it the other way.
_TURNS = {
    "transpose_x1": "x1 transposed @ x2",
    "transpose_x2": "x1 @ x2 transposed",
    "adj_x1": "x1 transposed @ x2",
    "adj_x2": "x1 @ x2 transposed",
}

# What is tried: a sentence and the value that an op would have then.
Trial = tuple[str, Callable[[], Any]]


class Case:
    """A wrong output with all that is needed to compute it in another way.

    Args:
        binding: The op.
        inputs: Position among the fed inputs -> tensor.
        outputs: What it wrote.
        index: The output that is wrong.
        limits: What honest rounding may do.
        before: The inputs of the step before, {} without one.
    """

    def __init__(
        self,
        binding: Binding,
        inputs: Mapping[int, TypedArray],
        outputs: list[TypedArray],
        index: int,
        limits: Limits,
        before: Mapping[int, TypedArray],
    ) -> None:
        self.binding = binding
        self.inputs = inputs
        self.outputs = outputs
        self.index = index
        self.limits = limits
        self.before = before

    @property
    def output(self) -> TypedArray:
        """The wrong output."""
        return self.outputs[self.index]

    def compute(self, binding: Binding | None = None, inputs: Any = None) -> Any:
        """The output as a reference gives it, with other attributes or inputs."""
        use = self.binding if binding is None else binding
        tensors = self.inputs if inputs is None else inputs
        arrays = {position: self._widened(tensor) for position, tensor in tensors.items()}
        return as_list(use.evaluate(arrays, given_of(use, tensors, self.outputs)))[self.index]

    def _widened(self, tensor: TypedArray) -> Array:
        return tensor.array if self.binding.reference.kind == "exact" else widened(tensor.array)

    def fits(self, result: Any) -> bool:
        """Whether the output is this value within the limits."""
        sums = self.sums(result)
        return judge(sums, self.limits, self.output.array.size).status == "right"

    def sums(self, result: Any) -> Sums:
        """Errors of the output against a value."""
        kind = self.binding.reference.kind
        sums = new_sums(kind, result, self.output, self.limits.element_max, False)
        add(sums, result, self.output)
        return sums

    def argument(self, name: str) -> Array | None:
        """The float64 values of an input, None if it is not fed."""
        positions = self.binding.positions.get(name)
        return None if positions is None else widened(self.inputs[positions[0]].array)


def find_cause(case: Case) -> str:
    """A sentence on what a wrong output equals, and where it is off; "" if nothing fits."""
    if case.output.array.dtype.kind != "f":
        return ""
    sizes = [case.output.array.size, *(tensor.array.size for tensor in case.inputs.values())]
    try:
        if max(sizes) > _MAX_VALUES:
            return _cause_of_a_part(case)
        return _cause(case, case.compute())
    except (RefusedError, MemoryError):
        return ""


def _cause_of_a_part(case: Case) -> str:
    """The same of one of the first parts of a large op that are wrong by themselves."""
    cut = cut_of(case.binding, case.inputs, case.outputs)
    if cut is None:
        return ""
    axis_of = {
        position: axis
        for name, axis in cut.inputs.items()
        for position in case.binding.positions.get(name, ())
    }
    n_values = max(tensor.array.size for tensor in case.outputs)
    n_tried = 0
    for part in parts_of(cut, n_values):
        inputs = {
            position: tensor._replace(array=slice_of(tensor.array, axis_of.get(position), part))
            for position, tensor in case.inputs.items()
        }
        outputs = [
            tensor._replace(array=slice_of(tensor.array, cut.axis, part)) for tensor in case.outputs
        ]
        some = Case(case.binding, inputs, outputs, case.index, case.limits, {})
        wanted = some.compute()
        if some.fits(wanted):
            continue
        found = _cause(some, wanted, tells_where=False)
        n_tried += 1
        if found or n_tried == _MAX_PARTS:
            return f"A part of it was tried: {found}" if found else ""
    return ""


def _cause(case: Case, wanted: Any, *, tells_where: bool = True) -> str:
    for sentence, compute in _trials(case, wanted):
        try:
            if case.fits(compute()):
                return sentence
        except (RefusedError, ValueError, TypeError, IndexError):
            continue  # it cannot be computed in this way
    return _where(case, wanted) if tells_where else ""


def _trials(case: Case, wanted: Any) -> Iterator[Trial]:
    yield from _other_operands(case)
    yield from _factors(case, wanted)
    yield from _older_inputs(case)
    yield from _coarser_sums(case, wanted)
    yield from _flushed(case, wanted)


def _other_operands(case: Case) -> Iterator[Trial]:
    """An operand read transposed, or left out."""
    binding = case.binding
    for flag, words in _TURNS.items():
        if flag in _parameters(binding):
            turned = {**binding.attributes, flag: not binding.attributes.get(flag, False)}
            yield f"It equals {words}.", partial(case.compute, replace(binding, attributes=turned))
    for name in ("bias", "beta", "offset"):
        if name in binding.positions:
            positions = {key: value for key, value in binding.positions.items() if key != name}
            without = replace(binding, positions=positions)
            yield f"It equals the result without its {name}.", partial(case.compute, without)
    if binding.reference.type in ("Add", "AddV2", "Sub"):
        shape = case.output.array.shape
        for name, other in (("x1", "x2"), ("x2", "x1")):
            value = np.asarray(case.argument(name))
            yield f"It equals {name}: {other} was left out.", partial(np.broadcast_to, value, shape)


def _parameters(binding: Binding) -> set[str]:
    return set(inspect.signature(binding.reference.formulas[0]).parameters)


def _factors(case: Case, wanted: Any) -> Iterator[Trial]:
    """A constant factor: that of least squares."""
    value = np.asarray(wanted.value if isinstance(wanted, Value) else wanted, np.float64)
    written = np.asarray(case.output.array, np.float64)
    finite = np.isfinite(value) & np.isfinite(written)
    square = float(np.sum(np.square(value[finite])))
    if square <= 0.0 or not np.isfinite(square):
        return
    factor = float(np.sum(value[finite] * written[finite])) / square
    result = wanted if isinstance(wanted, Value) else Value(value)
    yield (
        f"It equals the result times {factor:.4g}.",
        lambda: result._replace(value=value * factor),
    )


def _older_inputs(case: Case) -> Iterator[Trial]:
    if case.before:
        yield (
            "It equals the result of the inputs of the step before.",
            lambda: case.compute(inputs={**case.inputs, **case.before}),
        )


def _coarser_sums(case: Case, wanted: Any) -> Iterator[Trial]:
    """Partial sums rounded to half precision, factors to HF32."""
    kind = case.binding.reference.kind
    if kind == "product":
        left, right = _factors_of(case)
        if left is None or right is None:
            return
        yield (
            "It equals the result of factors that are rounded to HF32.",
            lambda: _like(wanted, _coarse(left) @ _coarse(right)),
        )
        for dtype in ("torch.float16", "torch.bfloat16"):
            for step in _PARTIAL_SUMS:
                if left.size * right.shape[-1] // step > _MAX_STEPS:
                    continue
                compute = partial(_rounded_product, left, right, dtype, step)
                yield _accumulated(dtype, step), partial(_with_value, wanted, compute)
    elif case.binding.reference.type in ("ReduceSum", "ReduceMean", "Cumsum"):
        yield from _coarser_reductions(case, wanted)


def _coarser_reductions(case: Case, wanted: Any) -> Iterator[Trial]:
    x, axes = case.argument("x"), case.argument("axes")
    if x is None or axes is None or np.size(axes) != 1 or x.size > _MAX_STEPS:
        return
    axis = int(np.reshape(axes, -1)[0])
    count = x.shape[axis] if case.binding.reference.type == "ReduceMean" else 1
    for dtype in ("torch.float16", "torch.bfloat16"):
        for step in _PARTIAL_SUMS:
            compute = partial(_rounded_sum, np.moveaxis(x, axis, 0), dtype, step, count)
            yield _accumulated(dtype, step), partial(_with_value, wanted, compute)


def _accumulated(dtype: str, step: int) -> str:
    short = dtype.partition(".")[2]
    each = "" if step == 1 else f", {step} terms at a time"
    return f"It equals a sum that is accumulated in {short}{each}."


def _factors_of(case: Case) -> tuple[Array | None, Array | None]:
    left, right = case.argument("x1"), case.argument("x2")
    if left is None or right is None or "bias" in case.binding.positions:
        return None, None
    for name in ("transpose_x1", "adj_x1"):
        left = np.swapaxes(left, -1, -2) if case.binding.attributes.get(name) else left
    for name in ("transpose_x2", "adj_x2"):
        right = np.swapaxes(right, -1, -2) if case.binding.attributes.get(name) else right
    return left, right


def _coarse(x: Array) -> Array:
    return round_to_bits(x, _HF32_BITS)


def _rounded_product(left: Array, right: Array, dtype: str, step: int) -> Array:
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    total = np.zeros((*batch, left.shape[-2], right.shape[-1]))
    for begin in range(0, left.shape[-1], step):
        part = left[..., begin : begin + step] @ right[..., begin : begin + step, :]
        total = round_to(dtype, total + part)
    return total


def _rounded_sum(x: Array, dtype: str, step: int, count: int) -> Array:
    total = np.zeros(x.shape[1:])
    for begin in range(0, x.shape[0], step):
        total = round_to(dtype, total + x[begin : begin + step].sum(axis=0))
    return total / count


def _with_value(wanted: Any, compute: Callable[[], Array]) -> Any:
    return _like(wanted, compute())


def _like(wanted: Any, value: Array) -> Any:
    """A value of the shape that is wanted, with its allowances."""
    model = wanted if isinstance(wanted, Value) else Value(np.asarray(wanted))
    return model._replace(value=np.reshape(value, np.shape(model.value)))


def _flushed(case: Case, wanted: Any) -> Iterator[Trial]:
    float_type = FLOAT_TYPES.get(case.output.dtype)
    if float_type is None:
        return
    value = np.asarray(wanted.value if isinstance(wanted, Value) else wanted, np.float64)
    smallest = 2.0**float_type.min_exponent
    yield (
        "It equals the result with subnormal numbers flushed to zero.",
        lambda: _like(wanted, np.where(np.abs(value) < smallest, 0.0, value)),
    )


def _where(case: Case, wanted: Any) -> str:
    """Where the elements lie that are off, if they lie together."""
    is_wrong = wrong_elements(case, wanted)
    count = int(is_wrong.sum())
    return describe_regions(is_wrong) if 0 < count < is_wrong.size else ""


def wrong_elements(case: Case, wanted: Any) -> Array:
    """Which elements are beyond the limit of one element."""
    value = wanted if isinstance(wanted, Value) else Value(np.asarray(wanted))
    reference = np.asarray(value.value, np.float64)
    written = np.asarray(case.output.array, np.float64).reshape(reference.shape)
    float_type = FLOAT_TYPES[case.output.dtype]
    floor = 2.0 ** (float_type.min_exponent - float_type.bits)
    unit = float_type.unit * np.abs(reference) + floor + value.slack
    unit = unit + 2.0**-24 * np.sqrt(value.n_terms) * np.asarray(value.terms)
    with np.errstate(all="ignore"):
        is_off = np.abs(written - reference) > case.limits.element_max * unit
        return np.asarray(is_off | (np.isfinite(written) != np.isfinite(reference)))
