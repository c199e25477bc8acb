"""One step of a GE dump: headers read, every file's tensors found in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, NamedTuple

from ait_cmp.discover import GeFile
from ait_cmp.file_kinds import KINDS_WITH_SHAPES
from ait_cmp.info.source import GeScan
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.identity import Identity
from ait_cmp.pairing.graph.index import GraphIndex, GraphTensor, sanitise
from ait_cmp.pairing.graph.slices import Cut, parts_of_thread, read_slicing, split_slice_name
from ait_cmp.pairing.graph.slots import (
    PLAIN_FORMATS,
    InputSlot,
    Shape,
    Slots,
    TensorHead,
    assign_inputs,
    assign_outputs,
)
from ait_cmp.pairing.readers import Readers
from ait_cmp.tensor_ref import TensorRef
from ait_cmp.terms import INPUTS_OUTPUTS, Io


class GeOp(NamedTuple):
    """One GE dump file and what it stands for in the graph.

    Attributes:
        file: The file.
        error: Why it cannot be read, None if it can.
        inputs: Heads of its inputs.
        outputs: Heads of its outputs.
        identity: Graph op or members; None without a graph text.
        name: Name to show.
        is_last: False for an earlier execution of the same op in the step.
        attr: First attribute of the header, "" without one: FFTS+ describes slices in it.
        cut: Which slice of the op the file holds, None if it is whole.
        original: (output index, original shape) of graph inputs in a device format, which only
            the headers of the ops that read them show.
    """

    file: GeFile
    error: str | None
    inputs: tuple[TensorHead, ...]
    outputs: tuple[TensorHead, ...]
    identity: Identity | None
    name: str
    is_last: bool
    attr: str = ""
    cut: Cut | None = None
    original: tuple[tuple[int, Shape], ...] = ()

    @property
    def shows_shapes(self) -> bool:
        """Whether heads have the shapes of the tensors; [min, max] files do not."""
        return self.file.kind in KINDS_WITH_SHAPES

    @property
    def shows_wholes(self) -> bool:
        """Whether heads have the shapes of the tensors in the graph; those of slices do not."""
        return self.shows_shapes and (self.cut is None or not self.cut.is_manual)

    def heads(self, io: Io) -> tuple[TensorHead, ...]:
        """Heads of its "inputs" or "outputs"."""
        return self.inputs if io == "inputs" else self.outputs

    def ref(self, io: Io, index: int) -> TensorRef:
        """Address of one of its tensors."""
        return TensorRef(self.file.path, io, index, kind=self.file.kind)


class PlacedOp(NamedTuple):
    """A dump file whose tensors are matched with edges of the graph.

    Attributes:
        op: The file.
        inputs: Edge of every dumped input, None if it cannot be told.
        outputs: Graph tensor of every dumped output, None if it cannot be told.
    """

    op: GeOp
    inputs: tuple[InputSlot | None, ...]
    outputs: tuple[GraphTensor | None, ...]


@dataclass(frozen=True)
class GeStep:
    """All files of one step.

    Attributes:
        ops: In order of time.
        placed_ops: By path, for last executions of ops that the graph knows.
        heads: Graph tensor -> a head that shows it: of its producer, or of a consumer's input.
    """

    ops: tuple[GeOp, ...]
    placed_ops: dict[str, PlacedOp]
    heads: dict[GraphTensor, TensorHead]


def read_ge_step(files: Sequence[GeFile], context: GraphContext | None, readers: Readers) -> GeStep:
    """Reads the headers of a step and finds the tensors of every file in the graph.

    Args:
        files: Files of the step by time; reduced files take part without headers.
        context: Graph of the step, None if there is no graph text.
        readers: Header readers.
    """
    scans = readers.scan_ge([file.ref for file in files], readers.threads)
    ops = [_read_op(file, GeScan._make(scan), context) for file, scan in zip(files, scans)]
    ops = _find_slices(_mark_last(ops))
    if context is None:
        return GeStep(tuple(ops), {}, {})
    known = [
        op
        for op in ops
        if op.is_last
        and (op.cut is None or not op.cut.problem)
        and op.identity is not None
        and op.identity.members
    ]
    heads = _certain_heads(known, context)

    def shape_of(tensor: GraphTensor) -> Shape | None:
        head = heads.get(tensor)
        if head is not None and head.has_shape:
            return head.shape
        return context.static_shape(tensor)

    placed_ops = {}
    for op in known:
        assert op.identity is not None
        slots = context.slots(op.identity.members)
        expected = shape_of if op.shows_wholes else _unknown_shape
        placed_ops[op.file.path] = _placed(op, op.identity, slots, context.graph, expected)
    _find_original_shapes(placed_ops, context.graph)
    for placed in placed_ops.values():
        if not placed.op.shows_wholes:
            continue
        for head, slot in zip(placed.op.inputs, placed.inputs):
            if slot is not None and slot.source is not None:
                heads.setdefault(slot.source, head)
        for head, tensor in zip(placed.op.outputs, placed.outputs):
            if tensor is not None:
                heads.setdefault(tensor, head)
    shown = [placed_ops[op.file.path].op if op.file.path in placed_ops else op for op in ops]
    return GeStep(tuple(shown), placed_ops, heads)


def _find_original_shapes(placed_ops: dict[str, PlacedOp], graph: GraphIndex) -> None:
    """Give graph inputs in a device format the original shape that the ops that read them show."""
    shown: dict[tuple[GraphTensor, int], set[Shape]] = {}
    for placed in placed_ops.values():
        for head, slot in zip(placed.op.inputs, placed.inputs):
            if slot is not None and slot.source is not None and head.has_shape:
                shown.setdefault((slot.source, head.storage_format), set()).add(head.shape)
    for path, placed in placed_ops.items():
        original = []
        for index, (head, tensor) in enumerate(zip(placed.op.outputs, placed.outputs)):
            if tensor is None or not graph.is_data(tensor) or head.storage_format in PLAIN_FORMATS:
                continue
            shapes = shown.get((tensor, head.storage_format), set()) - {head.shape}
            if len(shapes) == 1:
                original.append((index, shapes.pop()))
        if original:
            placed_ops[path] = placed._replace(op=_with_original_shapes(placed.op, tuple(original)))


def _with_original_shapes(op: GeOp, original: tuple[tuple[int, Shape], ...]) -> GeOp:
    shape_of = dict(original)
    outputs = [
        head._replace(shape=shape_of.get(index, head.shape))
        for index, head in enumerate(op.outputs)
    ]
    return op._replace(outputs=tuple(outputs), original=original)


def _read_op(file: GeFile, scan: GeScan, context: GraphContext | None) -> GeOp:
    error, header_name = scan.error, scan.op_name
    attr = next((value for _, value in scan.attrs), "")
    in_heads = tuple(map(TensorHead._make, scan.inputs))
    out_heads = tuple(map(TensorHead._make, scan.outputs))
    if context is None:
        fits = header_name and sanitise(header_name) == (file.op_name or sanitise(header_name))
        name = header_name if fits else file.op_name
        return GeOp(file, error, in_heads, out_heads, None, name, True, attr)
    origins = tuple(head.original_op for head in out_heads if head.original_op)
    identity = context.identifier.identify(file.op_name, header_name, origins)
    return GeOp(file, error, in_heads, out_heads, identity, identity.name, True, attr)


def _mark_last(ops: list[GeOp]) -> list[GeOp]:
    """Marks one file per op as the one to compare: most tensors with data, then the last.

    Files of one op that differ by their FFTS+ thread are slices of one execution.
    """
    best: dict[tuple[str, int], int] = {}
    for number, op in enumerate(ops):
        key = (op.name, op.file.thread_id)
        other = best.get(key)
        if other is None or _tensors_with_data(op) >= _tensors_with_data(ops[other]):
            best[key] = number
    if len(best) == len(ops):
        return ops
    chosen = set(best.values())
    return [op._replace(is_last=number in chosen) for number, op in enumerate(ops)]


def _find_slices(ops: list[GeOp]) -> list[GeOp]:
    """The ops with what each file that FFTS+ wrote holds of its op."""
    threads: dict[str, int] = {}
    manual: dict[str, dict[int, GeOp]] = {}
    for op in ops:
        base, number = split_slice_name(op.name)
        if op.is_last and number >= 0:
            manual.setdefault(base, {})[number] = op
        elif op.is_last and op.file.thread_id >= 0:
            threads[op.name] = threads.get(op.name, 0) + 1
    if not threads and not manual:
        return ops
    found = []
    for op in ops:
        base, number = split_slice_name(op.name)
        if op.is_last and number >= 0:
            found.append(op._replace(cut=_manual_cut(op, number, manual[base])))
        elif op.is_last and op.name in threads and op.file.thread_id >= 0:
            found.append(_cut_by_thread(op, threads[op.name]))
        else:
            found.append(op)
    return found


def _manual_cut(op: GeOp, number: int, slices: dict[int, GeOp]) -> Cut:
    slicing = read_slicing(op.attr) if op.attr else ""
    axes = () if isinstance(slicing, str) else slicing.output_axes
    shapes: dict[Io, tuple[tuple[Shape, ...] | None, ...]] = {}
    for io in INPUTS_OUTPUTS:
        rows: list[tuple[Shape, ...] | None] = [None] * (max(slices) + 1)
        for other_number, other in slices.items():
            if len(other.heads(io)) == len(op.heads(io)):
                rows[other_number] = tuple(head.shape for head in other.heads(io))
        shapes[io] = tuple(rows)
    return Cut(number, max(slices) + 1, len(slices), True, {}, shapes, axes)


def _cut_by_thread(op: GeOp, n_threads: int) -> GeOp:
    """The op as a slice of automatic mode: its heads have the shapes of the whole tensors."""
    slicing = read_slicing(op.attr) if op.attr else "The header has no attribute with the slices."
    if isinstance(slicing, str):
        if n_threads == 1:
            return op  # nothing says that it was cut
        cut = Cut(op.file.thread_id, n_threads, n_threads, False, {}, {}, (), slicing)
        return op._replace(cut=cut)
    count = max(slicing.count, n_threads)
    if count == 1:
        return op
    thread = op.file.thread_id
    parts = {io: parts_of_thread(slicing, io, thread, op.heads(io)) for io in INPUTS_OUTPUTS}
    heads = {
        io: tuple(
            head if part is None else _whole_head(head, part.whole)
            for head, part in zip(op.heads(io), parts[io])
        )
        for io in parts
    }
    cut = Cut(thread, count, n_threads, False, parts, {})
    return op._replace(cut=cut, inputs=heads["inputs"], outputs=heads["outputs"])


def _whole_head(head: TensorHead, whole: Shape) -> TensorHead:
    if head.state != "short":
        return head._replace(shape=whole)
    return head._replace(shape=whole, state="ok", note="")


def _tensors_with_data(op: GeOp) -> int:
    return sum(head.state == "ok" for head in (*op.inputs, *op.outputs))


def _unknown_shape(_: GraphTensor) -> Shape | None:
    return None


def _certain_heads(ops: Sequence[GeOp], context: GraphContext) -> dict[GraphTensor, TensorHead]:
    """Heads that are certain at once: outputs of plain ops that dump all they have."""
    heads: dict[GraphTensor, TensorHead] = {}
    for op in ops:
        assert op.identity is not None
        is_plain = len(op.identity.members) == 1 and not op.identity.is_fused
        if is_plain and op.shows_shapes and not op.identity.after:
            outputs = context.slots(op.identity.members).outputs
            if len(outputs) == len(op.outputs):
                heads.update(
                    (tensor, head)
                    for tensor, head in zip(outputs, op.outputs)
                    if head.storage_format in PLAIN_FORMATS or not context.graph.is_data(tensor)
                )
    return heads


def _placed(
    op: GeOp,
    identity: Identity,
    slots: Slots,
    graph: GraphIndex,
    shape_of: Callable[[GraphTensor], Shape | None],
) -> PlacedOp:
    inputs: Sequence[InputSlot | None] = [None] * len(op.inputs)
    if identity.is_complete:
        inputs = assign_inputs(op.inputs, slots, shape_of)
    outputs = assign_outputs(op.outputs, slots, graph, shape_of)
    return PlacedOp(op, tuple(inputs), tuple(outputs))
