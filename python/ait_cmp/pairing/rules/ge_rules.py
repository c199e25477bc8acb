"""Flow 2: the rules by which a GE tensor finds its counterpart in another GE dump."""

from __future__ import annotations

from ait_cmp.pairing.ge_step import GeOp, GeStep, PlacedOp
from ait_cmp.pairing.graph.index import GraphTensor
from ait_cmp.pairing.graph.slices import Ranges, split_slice_name
from ait_cmp.pairing.graph.slots import InputSlot, Shape, TensorHead
from ait_cmp.pairing.rules.inserted import is_inserted_copy
from ait_cmp.pairing.rules.match import Answer, Match, Miss
from ait_cmp.tensor_ref import TensorRef
from ait_cmp.terms import INPUTS_OUTPUTS, Io

# A golden tensor: its address, the type of the op that holds it, whether that op is fused.
_Golden = tuple[TensorRef, str, bool]


class GeRules:
    """Finds counterparts of one step in a GE dump, by name and along the edges of the graph."""

    def __init__(self, golden: GeStep) -> None:
        last = [op for op in golden.ops if op.is_last]
        self._by_name = {op.name: op for op in last if op.cut is None}
        self._slices = {(op.name, op.cut.number): op for op in last if op.cut is not None}
        self._n_slices = {split_slice_name(name)[0]: 0 for name, _ in self._slices}
        for name, _ in self._slices:
            self._n_slices[split_slice_name(name)[0]] += 1
        self._edges: dict[tuple[int, int], _Golden] = {}
        self._outputs: dict[GraphTensor, _Golden] = {}
        self._arrivals: dict[GraphTensor, _Golden] = {}
        self._inside: dict[int, str] = {}
        self._errors = {op.name: op.error for op in golden.ops if op.error is not None}
        for placed in golden.placed_ops.values():
            self._add(placed)

    def _add(self, placed: PlacedOp) -> None:
        op = placed.op
        assert op.identity is not None
        if op.cut is not None or op.identity.after:
            return  # no file of it holds a whole tensor, or one as its op wrote it
        fused = op.identity.is_fused
        for index, slot in enumerate(placed.inputs):
            if slot is not None:
                golden = (op.ref("inputs", index), op.file.op_type, fused)
                self._edges[slot.op, slot.slot] = golden
                if slot.source is not None:
                    self._arrivals.setdefault(slot.source, golden)
        for index, tensor in enumerate(placed.outputs):
            if tensor is not None:
                self._outputs[tensor] = (op.ref("outputs", index), op.file.op_type, fused)
        if fused:
            self._inside.update(dict.fromkeys(op.identity.members, op.name))

    def same_name(self, op: GeOp) -> GeOp | None:
        """The golden file of the op with the same name and as many tensors, None if there is none.

        Copies that GE inserts are numbered anew in every compilation: their names mean nothing.
        """
        other = self._by_name.get(op.name)
        if other is None or is_inserted_copy(op):
            return None
        alike = len(op.inputs) == len(other.inputs) and len(op.outputs) == len(other.outputs)
        return other if alike else None

    def same_slice(self, op: GeOp) -> GeOp | None:
        """The golden file of the same slice of the op, None if there is none that was cut alike."""
        if op.cut is None or is_inserted_copy(op):
            return None
        other = self._slices.get((op.name, op.cut.number))
        if other is None or other.cut is None or not _are_cut_alike(op, other):
            return None
        return other

    def find_input(self, placed: PlacedOp, slot: InputSlot, head: TensorHead) -> Answer:
        """The counterpart of the dumped input that is edge `slot`.

        The same edge on the golden side, or else the tensor that arrives there, as its producer or
        another consumer dumped it.
        """
        del head
        golden = self._edges.get((slot.op, slot.slot))
        if golden is None and slot.source is not None:
            golden = self._outputs.get(slot.source) or self._arrivals.get(slot.source)
        return self._answer(placed, golden, slot.source)

    def find_output(self, placed: PlacedOp, tensor: GraphTensor, head: TensorHead) -> Answer:
        """The counterpart of the dumped output that is graph tensor `tensor`."""
        del head
        golden = self._outputs.get(tensor) or self._arrivals.get(tensor)
        return self._answer(placed, golden, tensor)

    def _answer(
        self, placed: PlacedOp, golden: _Golden | None, tensor: GraphTensor | None
    ) -> Answer:
        if golden is not None:
            ref, op_type, golden_is_fused = golden
            identity = placed.op.identity
            fused = golden_is_fused or (identity is not None and identity.is_fused)
            return Match(ref, op_type, "fused" if fused else "name", "")
        if placed.op.name in self._errors:
            return Miss(
                f"The golden file of this op cannot be read: {self._errors[placed.op.name]}",
                "unreadable",
            )
        if placed.op.name in self._n_slices and placed.op.cut is None:
            return Miss(
                f"FFTS+ cut this op into {self._n_slices[placed.op.name]} slices on the golden "
                "side only: no golden file holds the whole tensor.",
                "part",
            )
        if tensor is not None and tensor[0] in self._inside:
            return Miss(
                f"It is inside the fused op {self._inside[tensor[0]]} of the golden side.", "part"
            )
        return Miss(
            "The golden dump has no file of this op and none that holds this tensor.", "no_golden"
        )


def _are_cut_alike(op: GeOp, other: GeOp) -> bool:
    """Whether two files hold the same slice: as many tensors, each the same part or as large."""
    return all(_parts(op, io) == _parts(other, io) for io in INPUTS_OUTPUTS)


def _parts(op: GeOp, io: Io) -> list[Ranges | Shape]:
    assert op.cut is not None
    parts = op.cut.parts.get(io) or (None,) * len(op.heads(io))
    return [head.shape if part is None else part.ranges for part, head in zip(parts, op.heads(io))]
