"""What is known of one tensor when its values are not at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core
from ait_cmp.info.results import Sums
from ait_cmp.tensor_ref import ViewStep, check_fields

Shape = tuple[int, ...]
Steps = tuple[ViewStep, ...]


class Sketch(NamedTuple):
    """A tensor in one pass, as `_core.sketch` gives it.

    Attributes:
        shape: Shape after the steps.
        problem: Why its values cannot be read, then all but `is_wide` are None; "" if they can.
        is_wide: Whether its values are compared as float64 rather than float32.
        sums: Counts and extrema.
        sum_squares: Sum of squares of the finite values, inf when float64 cannot hold it.
        content: Content hash.
        values: All values as bytes of float64, None of a larger tensor.
        buckets: Signed bucket sums as bytes of float64, None of a smaller tensor.
    """

    shape: Shape
    problem: str
    is_wide: bool
    sums: Sums | None
    sum_squares: float | None
    content: int | None
    values: bytes | None
    buckets: bytes | None


check_fields(Sketch, "sketch")
# Shape of a tensor whose file does not say it; -1 is no size that a tensor can have.
UNKNOWN_SHAPE = (-1,)
SKETCH_BUCKETS: int = _core.sketch_buckets


@dataclass(frozen=True)
class ReducedTensor:
    """One tensor, reduced to what a comparison can estimate from.

    Attributes:
        source: What it was read from: "dump", "sketch", "stats" or "min_max".
        dtype: Stored type, `torch.bfloat16`; "" if the file does not say.
        shape: Logical shape; None if the file does not say.
        state: State of the tensor in its dump, "ok" when it had values.
        note: Sentence on what is wrong or unusual, or "".
        is_wide: Whether its values are compared as float64 rather than float32.
        sums: Counts and extrema, None without values.
        sum_squares: Sum of squares of the finite values, inf when float64 cannot hold it.
        content: Content hash of all values (of the bytes, when state is "unsupported").
        values: All values in logical order, float32 or float64 (n,); complex as pairs; else None.
        buckets: Signed bucket sums in logical order, float64 (SKETCH_BUCKETS,); else None.
        steps: Views that could not be applied, since the buckets have an order of their own.
    """

    source: str
    dtype: str
    shape: Shape | None
    state: str = "ok"
    note: str = ""
    is_wide: bool = False
    sums: Sums | None = None
    sum_squares: float | None = None
    content: int | None = None
    values: NDArray[Any] | None = None
    buckets: NDArray[np.float64] | None = None
    steps: Steps = ()

    @property
    def n_values(self) -> int | None:
        """Number of values, a complex number counting twice; None if not known."""
        return None if self.sums is None else self.sums.n

    @property
    def known_shape(self) -> Shape:
        """Its shape, UNKNOWN_SHAPE if the file does not say it."""
        return UNKNOWN_SHAPE if self.shape is None else self.shape

    @property
    def is_raw(self) -> bool:
        """Whether it is known by its bytes alone, as its dtype has no public coding."""
        return self.state == "unsupported" and (
            self.content is not None or self.source == "min_max"
        )

    @property
    def keeps_order(self) -> bool:
        """Whether values or buckets are in the order in which they are compared."""
        return not self.steps and (self.values is not None or self.buckets is not None)


def sketch_tensor(tensor: Any, steps: Sequence[ViewStep], threads: int) -> ReducedTensor:
    """Reduce a tensor of a dump.

    Args:
        tensor: A `_core.Tensor`.
        steps: Views to apply first.
        threads: Worker threads.

    Returns:
        The reduced tensor; without sums when its values cannot be read, the note then says why.

    Raises:
        FormatError: The file changed meanwhile.
        OSError: The file cannot be read.
    """
    has_bytes = tensor.state in ("ok", "unsupported") and tensor.size_bytes > 0
    if not has_bytes and tensor.state != "ok":
        return ReducedTensor("dump", tensor.dtype, tensor.shape, tensor.state, tensor.note)
    found = Sketch._make(_core.sketch(tensor, tuple(steps), threads=threads))
    wide, values, buckets = found.is_wide, found.values, found.buckets
    if found.problem:
        state = "unsupported" if tensor.state == "ok" else tensor.state
        return ReducedTensor("dump", tensor.dtype, found.shape, state, found.problem)
    if tensor.state == "unsupported":
        return ReducedTensor(
            "dump", tensor.dtype, found.shape, "unsupported", tensor.note, content=found.content
        )
    return ReducedTensor(
        "dump",
        tensor.dtype,
        found.shape,
        note=tensor.note,
        is_wide=wide,
        sums=None if found.sums is None else Sums._make(found.sums),
        sum_squares=found.sum_squares,
        content=found.content,
        values=None if values is None else _as_compared(np.frombuffer(values), wide),
        buckets=None if buckets is None else np.frombuffer(buckets),
    )


def _as_compared(values: NDArray[np.float64], wide: bool) -> NDArray[Any]:
    return values if wide else values.astype(np.float32)


def with_steps(tensor: ReducedTensor, steps: Sequence[ViewStep]) -> ReducedTensor:
    """The tensor seen through views, as far as its source allows.

    A tensor that is kept whole is rearranged; of a sketched one the steps are remembered, unless
    they leave the order as it is. ValueError or IndexError if a step does not fit the shape.
    """
    if not steps:
        return tensor
    if tensor.values is None and any(kind in ("slice", "select") for kind, _ in steps):
        note = "of a reduced file the part that this slice is compared with is not known"
        return replace(tensor, state="unsupported", note=note, sums=None, content=None)
    if tensor.shape is None:
        return tensor
    shape = shape_after(tensor.shape, steps)
    if all(kind in ("reshape", "stored") for kind, _ in steps):
        return replace(tensor, shape=shape)
    if tensor.values is None:
        return replace(tensor, shape=shape, steps=tuple(steps))
    is_complex = len(tensor.values) == 2 * math.prod(tensor.shape)
    array = tensor.values
    if is_complex:
        array = array.view(np.complex128 if tensor.is_wide else np.complex64)
    array = np.ascontiguousarray(apply_steps(array.reshape(tensor.shape), steps)).reshape(-1)
    if is_complex:
        array = array.view(tensor.values.dtype)
    return replace(tensor, shape=shape, values=array, **_statistics_of(array))


def _statistics_of(values: NDArray[Any]) -> dict[str, Any]:
    """What a selection changes; a hash of part of a tensor is not known."""
    wide = values.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    sums = Sums(
        wide.size,
        int(np.isnan(wide).sum()),
        int(np.isposinf(wide).sum()),
        int(np.isneginf(wide).sum()),
        float(finite.max()) if finite.size else -math.inf,
        float(finite.min()) if finite.size else math.inf,
        float(finite.mean()) if finite.size else math.nan,
    )
    return {"sums": sums, "sum_squares": float(np.square(finite).sum()), "content": None}


def apply_steps(array: NDArray[Any], steps: Sequence[ViewStep]) -> NDArray[Any]:
    """The array after the steps; ValueError or IndexError if a step does not fit it."""
    for kind, numbers in steps:
        if kind in ("reshape", "stored"):
            array = array.reshape(numbers)
        elif kind == "transpose":
            array = array.transpose(numbers)
        elif kind == "slice":
            axis, begin, end = numbers
            if not 0 <= begin <= end <= array.shape[axis]:
                message = f"slice {begin}:{end} of a dimension of {array.shape[axis]}"
                raise IndexError(message)
            array = array[(slice(None),) * axis + (slice(begin, end),)]
        else:
            array = array[numbers[0]]
    return array


def shape_after(shape: Shape, steps: Sequence[ViewStep]) -> Shape:
    """Shape after the steps; ValueError or IndexError if a step does not fit it."""
    return apply_steps(np.broadcast_to(np.int8(0), shape), steps).shape


def inverse_steps(shape: Shape, steps: Sequence[ViewStep]) -> Steps | None:
    """Steps from the result back to the tensor of this shape; None after a selection."""
    inverse: list[ViewStep] = []
    for number, (kind, numbers) in enumerate(steps):
        before = shape_after(shape, steps[:number])
        if kind in ("reshape", "stored"):
            inverse.append(ViewStep("reshape", before))
        elif kind == "transpose":
            back = tuple(int(axis) for axis in np.argsort(numbers))
            inverse.append(ViewStep("transpose", back))
        else:
            return None
    return tuple(reversed(inverse))
