"""Where a value of a step comes from: the op's own file, its producer's, or the graph text."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.info.source import Sources
from ait_cmp.pairing.ge_step import GeStep, PlacedOp
from ait_cmp.pairing.graph.index import DATA_TYPES, GraphTensor
from ait_cmp.pairing.graph.slots import TensorHead
from ait_cmp.replay.evaluate import TypedArray
from ait_cmp.replay.op_texts import OpTexts
from ait_cmp.replay.references import RefusedError
from ait_cmp.replay.references.dtypes import integer_range
from ait_cmp.replay.references.result import Array
from ait_cmp.tensor_ref import TensorRef

# Kinds of files that hold values: dumps, and info files, which keep small tensors whole.
KEPT_KINDS = frozenset({"dump", "sketch"})

# Files whose headers are kept: an op and its producers.
_OPEN_FILES = 64


class Files:
    """Tensors of dump files; the headers of the last ones stay open."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _core.GeDump] = OrderedDict()

    def dump(self, path: str) -> _core.GeDump:
        """One file.

        Raises:
            FormatError: It is none.
            OSError: It cannot be read.
        """
        dump = self._open.pop(path, None)
        dump = _core.read_ge(path) if dump is None else dump
        self._open[path] = dump
        if len(self._open) > _OPEN_FILES:
            self._open.popitem(last=False)
        return dump

    def tensor(self, ref: TensorRef) -> TypedArray:
        """Values in logical order.

        Raises:
            FormatError: The file, or this tensor, has none.
            OSError: It cannot be read.
        """
        if ref.kind != "dump":
            return _kept_tensor(ref)
        dump = self.dump(ref.path)
        tensors = dump.inputs if ref.io == "inputs" else dump.outputs
        tensor = tensors[ref.index]
        return TypedArray(tensor.dtype, tensor.numpy())

    def have_equal_bytes(self, first: TensorRef, second: TensorRef) -> bool:
        """Whether two tensors of one dtype and format hold the same bytes."""
        return self.tensor(first).array.tobytes() == self.tensor(second).array.tobytes()


def _kept_tensor(ref: TensorRef) -> TypedArray:
    """A tensor that an info file keeps whole.

    Raises:
        RefusedError: It does not.
        FormatError: The file is damaged.
        OSError: It cannot be read.
    """
    tensor = Sources(1).tensor(ref)
    if tensor.values is None:
        message = "a reduced dump, which does not keep the values of a tensor of this size"
        raise RefusedError(message)
    values = np.asarray(tensor.values).reshape(tensor.known_shape)
    if integer_range(tensor.dtype) is not None:
        values = values.astype(tensor.dtype.partition(".")[2])
    return TypedArray(tensor.dtype, values)


class StepValues:
    """All tensors of a step by what they are in the graph.

    Args:
        step: The step.
        texts: Its graph.
        files: Reader of tensors.
        before: The step before of the same graph, None without one.
    """

    def __init__(
        self, step: GeStep, texts: OpTexts, files: Files, before: StepValues | None = None
    ) -> None:
        self.texts = texts
        self.files = files
        self.produced: dict[GraphTensor, TensorRef] = {}
        self.heads: dict[TensorRef, TensorHead] = {}
        self.op_names: dict[str, str] = {}
        self._read: dict[GraphTensor, TensorRef] = {}
        self._writers: dict[GraphTensor, list[tuple[int, GraphTensor]]] = {}
        self._before = before
        #: Ops of which an earlier execution was dumped, too: nobody knows which one was read.
        self.repeated = {op.name for op in step.ops if not op.is_last}
        for order, op in enumerate(step.ops):
            placed = step.placed_ops.get(op.file.path)
            if placed is not None and op.file.kind in KEPT_KINDS and op.cut is None:
                self._take(placed, order)

    def _take(self, placed: PlacedOp, order: int) -> None:
        path, kind = placed.op.file.path, placed.op.file.kind
        self.op_names[path] = placed.op.name
        for index, edge in enumerate(placed.outputs):
            if edge is not None and placed.op.outputs[index].state == "ok":
                ref = TensorRef(path, "outputs", index, kind=kind)
                self.produced[edge] = ref
                self.heads[ref] = placed.op.outputs[index]
        for index, slot in enumerate(placed.inputs):
            if slot is None or slot.source is None:
                continue
            in_place = self.texts.graph.ops[slot.op].in_place
            if slot.slot in in_place:
                written = (slot.op, in_place[slot.slot])
                self._writers.setdefault(slot.source, []).append((order, written))
            elif placed.op.inputs[index].state == "ok":
                self._read.setdefault(slot.source, TensorRef(path, "inputs", index, kind=kind))

    def forget_before(self) -> None:
        """Let the step before this one go."""
        self._before = None

    def writer_before(self, edge: GraphTensor, order: int) -> GraphTensor | None:
        """The output of the last op that wrote a tensor in place before a time in the step."""
        earlier = [item for item in self._writers.get(edge, ()) if item[0] < order]
        return max(earlier)[1] if earlier else None

    def is_written_in_place(self, edge: GraphTensor) -> bool:
        """Whether an op of the step writes into a tensor."""
        return edge in self._writers

    def find(self, edge: GraphTensor, order: int) -> TensorRef | TypedArray | str:
        """What an op at a time of the step reads: address or values, or why there are none.

        Args:
            edge: The tensor of the graph.
            order: When the reader ran, in order of time.
        """
        written = self.writer_before(edge, order)
        ref = self.produced.get(edge if written is None else written)
        if ref is not None:
            return ref
        constant = self.texts.constant(edge)
        if constant is not None:
            return TypedArray(*constant)
        if written is None and not self.is_written_in_place(edge) and edge in self._read:
            return self._read[edge]
        name = self.texts.name(edge[0])
        if self.texts.type(edge[0]) in DATA_TYPES:
            return f'{name}, which is not in the dump (dump_mode="all" dumps it)'
        return f"{name}, which has no file in this step"

    def state_before(self, edge: GraphTensor, written: GraphTensor) -> TensorRef | str:
        """What an op that writes into a graph input found in it: what the step before left.

        Args:
            edge: The graph input.
            written: The output that it becomes.
        """
        if self._before is None:
            name = self.texts.name(edge[0])
            return f"{name}, which is written in place, and the step before is not in the dump"
        ref = self._before.produced.get(written)
        if ref is None:
            return f"{self.texts.name(edge[0])}, which the step before did not write"
        return ref

    def load(self, found: TensorRef | TypedArray) -> TypedArray | str:
        """Its values; a sentence if they cannot be read."""
        if isinstance(found, TypedArray):
            return found
        try:
            return self.files.tensor(found)
        except (FormatError, OSError) as error:
            return str(error)


def count_different(first: Array, second: Array) -> int:
    """How many elements of two arrays of one type and size differ in their bits."""
    if first.dtype != second.dtype or first.size != second.size:
        return max(first.size, second.size)
    mine, other = (
        np.ascontiguousarray(array).reshape(-1).view(f"u{array.itemsize}")
        for array in (first, second)
    )
    return int((mine != other).sum())
