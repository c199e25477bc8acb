"""Which part of a tensor a slice file holds, where FFTS+ cut an op into one file per slice.

Automatic mode: one file per thread, and a header attribute in JSON that says the range of every
tensor. Manual mode: ops of their own, `..._lxslice{N}`, whose sizes follow one another along the
cut axis. Source: hicann/ge `runtime/v1/common/dump/data_dumper.cc`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ait_cmp.pairing.graph.slots import PLAIN_FORMATS, Shape, TensorHead
from ait_cmp.tensor_ref import ViewStep
from ait_cmp.terms import Io

# A number in a header is stored in 64 bits.
_MAX_DIM = 2**63 - 1
# Slices run on the cores of one chip: a larger number is part of a name.
_MAX_DIGITS = 4

_GRAPH_MARK = re.compile(r"^.*sgt_graph_\d+[/_]")
_SLICE_MARK = re.compile(r"_lxslice(\d+)$", re.ASCII)

# [begin, end) of every dimension.
Ranges = tuple[tuple[int, int], ...]
# [thread][tensor] -> ranges
ThreadRanges = tuple[tuple[Ranges, ...], ...]


class Part(NamedTuple):
    """The part of a tensor that a slice holds.

    Attributes:
        ranges: [begin, end) of every dimension of the whole.
        whole: Shape of the whole.
        is_stored_short: Whether the header states the shape of the whole for the slice's bytes.
    """

    ranges: Ranges
    whole: Shape
    is_stored_short: bool = False

    @property
    def shape(self) -> Shape:
        """Shape of the slice."""
        return tuple(end - begin for begin, end in self.ranges)

    def my_steps(self) -> tuple[ViewStep, ...]:
        """Steps that read the slice itself."""
        return (ViewStep("stored", self.shape),) if self.is_stored_short else ()

    def golden_steps(self) -> tuple[ViewStep, ...]:
        """Steps from the whole tensor, in whichever shape, to this part of it."""
        steps: list[ViewStep] = [ViewStep("reshape", self.whole)]
        for axis, ((begin, end), dim) in enumerate(zip(self.ranges, self.whole)):
            if (begin, end) != (0, dim):
                steps.append(ViewStep("slice", (axis, begin, end)))
        return tuple(steps)


@dataclass(frozen=True)
class Slicing:
    """What the header says about the slices of an op.

    Attributes:
        count: Number of slices.
        ranges: "inputs" or "outputs" -> ranges in the stored shape.
        original_ranges: The same in the logical shape; empty lists where it is that stored.
        output_axes: Axes along which each output is cut.
    """

    count: int
    ranges: dict[str, ThreadRanges]
    original_ranges: dict[str, ThreadRanges]
    output_axes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Cut:
    """One slice of an op, and what is known of its part of the whole.

    Attributes:
        number: Thread (automatic mode) or N of `_lxslice{N}` (manual mode).
        count: Number of slices, as far as the header or the files tell.
        n_found: Slices in the dump.
        is_manual: Whether it is an op of its own by name.
        parts: "inputs" or "outputs" -> part of every tensor; None where it is not known.
        shapes: Manual mode: "inputs" or "outputs" -> [N][tensor] shapes, None for a missing slice.
        output_axes: Axes along which each output is cut, () if the header does not say.
        problem: Why no part is known, a sentence or "".
    """

    number: int
    count: int
    n_found: int
    is_manual: bool
    parts: dict[Io, tuple[Part | None, ...]]
    shapes: dict[Io, tuple[tuple[Shape, ...] | None, ...]]
    output_axes: tuple[tuple[int, ...], ...] = ()
    problem: str = ""

    @property
    def note(self) -> str:
        """Sentence for a row that is compared with its part."""
        found = ""
        if self.n_found < self.count:
            found = f" Only {self.n_found} of the {self.count} slices are in the dump."
        return (
            f"Slice {self.number} (from 0) of {self.count} into which FFTS+ cut this op, compared "
            f"with its part of the golden tensor.{found}"
        )


def split_slice_name(name: str) -> tuple[str, int]:
    """The name of the op that was cut, and N of `_lxslice{N}`; -1 without one."""
    if "lxslice" not in name and "sgt_graph" not in name:
        return name, -1
    found = _SLICE_MARK.search(name)
    number = int(found[1]) if found is not None and len(found[1]) <= _MAX_DIGITS else -1
    base = name[: found.start()] if found is not None and number >= 0 else name
    return _GRAPH_MARK.sub("", base) or base, number


@lru_cache(maxsize=32)
def read_slicing(text: str) -> Slicing | str:
    """The attribute of a header, or the sentence that says what is wrong with it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"The slice attribute of the header is no JSON ({type(error).__name__})."
    if not isinstance(value, dict):
        return "The slice attribute of the header is no JSON object."
    count = value.get("slice_instance_num", 0)
    if not _is_number(count):
        return f"The slice attribute has slice_instance_num {count!r:.40}, a number was expected."
    found: dict[str, ThreadRanges] = {}
    for key in ("input", "output", "ori_input", "ori_output"):
        ranges = _read_ranges(value.get(f"{key}_tensor_slice", []))
        if ranges is None:
            return (
                f"The slice attribute has no lists of {{lower, higher}} in {key}_tensor_slice, "
                "one list per thread, tensor and dimension."
            )
        found[key] = ranges
    return Slicing(
        count,
        {"inputs": found["input"], "outputs": found["output"]},
        {"inputs": found["ori_input"], "outputs": found["ori_output"]},
        _read_axes(value.get("outputCutList", [])),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_DIM


def _read_ranges(value: Any) -> ThreadRanges | None:
    """Ranges per thread and tensor; None if the value has another form."""
    if not isinstance(value, list):
        return None
    threads = []
    for tensors in value:
        if not isinstance(tensors, list) or not all(isinstance(dims, list) for dims in tensors):
            return None
        ranges = [tuple(_read_range(dim) for dim in dims) for dims in tensors]
        if any(None in dims for dims in ranges):
            return None
        threads.append(tuple(tuple(dim for dim in dims if dim is not None) for dims in ranges))
    return tuple(threads)


def _read_range(dim: Any) -> tuple[int, int] | None:
    if not isinstance(dim, dict):
        return None
    lower: Any = dim.get("lower")
    higher: Any = dim.get("higher")
    is_range = _is_number(lower) and _is_number(higher) and lower <= higher
    return (lower, higher) if is_range else None


def _read_axes(value: Any) -> tuple[tuple[int, ...], ...]:
    """Axes of every output with a cut other than 1; () if the list has another form."""
    if not isinstance(value, list) or not all(isinstance(cuts, list) for cuts in value):
        return ()
    return tuple(tuple(axis for axis, cut in enumerate(cuts) if cut != 1) for cuts in value)


def parts_of_thread(
    slicing: Slicing, io: Io, thread: int, heads: Sequence[TensorHead]
) -> tuple[Part | None, ...]:
    """The parts that the tensors of a thread's file hold; None where the header does not say."""
    return tuple(_part(slicing, io, thread, position, heads) for position in range(len(heads)))


def _part(
    slicing: Slicing, io: Io, thread: int, position: int, heads: Sequence[TensorHead]
) -> Part | None:
    head = heads[position]
    is_plain = head.storage_format in PLAIN_FORMATS
    threads = (slicing.ranges if is_plain else slicing.original_ranges)[io]
    # The lists count tensors of the op; where the dump left some out, positions do not agree.
    if thread >= len(threads) or any(len(tensors) != len(heads) for tensors in threads):
        return None
    ranges = threads[thread][position]
    ranks = {len(tensors[position]) for tensors in threads}
    if not ranges or ranks != {len(head.shape)} or not head.has_shape:
        return None
    whole = tuple(
        max(tensors[position][axis][1] for tensors in threads) for axis in range(max(ranks))
    )
    part = Part(ranges, whole)
    if head.shape == part.shape:
        return part
    is_short = head.state == "short" and is_plain and head.shape == whole
    return part._replace(is_stored_short=True) if is_short else None


def manual_part(cut: Cut, io: Io, index: int, whole: Shape) -> Part | str:
    """The part of a whole tensor that a manual slice is: what follows the slices before it.

    Args:
        cut: The slice.
        io: "inputs" or "outputs".
        index: Which tensor.
        whole: Shape of the whole tensor.

    Returns:
        The part, or the sentence that says why it is not certain.
    """
    slices = [None if shapes is None else shapes[index] for shapes in cut.shapes[io]]
    mine = slices[cut.number]
    assert mine is not None
    if all(shape == whole for shape in slices if shape is not None):
        return Part(tuple((0, dim) for dim in whole), whole)
    if any(shape is not None and len(shape) != len(whole) for shape in slices):
        return f"The slices of this op and the whole tensor {list(whole)} differ in rank."
    axes = {
        axis
        for shape in slices
        if shape is not None
        for axis, dim in enumerate(shape)
        if dim != whole[axis]
    }
    stated = cut.output_axes[index] if io == "outputs" and index < len(cut.output_axes) else ()
    if len(axes) != 1 or (stated and set(stated) != axes):
        return f"The axis along which this slice was cut from {list(whole)} is not certain."
    axis = axes.pop()
    sizes = [0 if shape is None else shape[axis] for shape in slices]
    if None in slices[: cut.number]:
        return f"Slice {slices.index(None)} of this op is not in the dump: no place can be counted."
    total, begin = sum(sizes), sum(sizes[: cut.number])
    # Slices of an input may overlap: then sizes do not tell where one begins.
    if total > whole[axis] or (io == "inputs" and total != whole[axis]):
        return (
            f"The slices add up to {total} along axis {axis}, the whole tensor has {whole[axis]}."
        )
    ranges = [(0, dim) for dim in whole]
    ranges[axis] = (begin, begin + mine[axis])
    return Part(tuple(ranges), whole)
