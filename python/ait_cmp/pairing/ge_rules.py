"""Flow 2: the rules by which a GE tensor finds its counterpart in another GE dump."""

from __future__ import annotations

from ait_cmp.graph import Tensor
from ait_cmp.pairing.ge_step import GeOp, GeStep, PlacedOp
from ait_cmp.pairing.inserted import is_inserted_copy
from ait_cmp.pairing.match import Answer, Match, Miss
from ait_cmp.pairing.pair import TensorRef
from ait_cmp.pairing.slots import InputSlot, TensorHead

# A golden tensor: its address, the type of the op that holds it, whether that op is fused.
_Golden = tuple[TensorRef, str, bool]


class GeRules:
    """Finds counterparts of one step in a GE dump, by name and along the edges of the graph."""

    def __init__(self, golden: GeStep) -> None:
        self._by_name: dict[str, GeOp] = {op.name: op for op in golden.ops if op.is_last}
        self._edges: dict[tuple[int, int], _Golden] = {}
        self._outputs: dict[Tensor, _Golden] = {}
        self._arrivals: dict[Tensor, _Golden] = {}
        self._inside: dict[int, str] = {}
        self._errors = {op.name: op.error for op in golden.ops if op.error is not None}
        for place in golden.placed.values():
            self._add(place)

    def _add(self, place: PlacedOp) -> None:
        op = place.op
        assert op.identity is not None
        fused = op.identity.is_fused
        for index, slot in enumerate(place.inputs):
            if slot is not None:
                golden = (op.ref("inputs", index), op.file.op_type, fused)
                self._edges[slot.op, slot.slot] = golden
                if slot.source is not None:
                    self._arrivals.setdefault(slot.source, golden)
        for index, tensor in enumerate(place.outputs):
            if tensor is not None:
                self._outputs[tensor] = (op.ref("outputs", index), op.file.op_type, fused)
        if fused:
            self._inside.update(dict.fromkeys(op.identity.members, op.name))

    def same_name(self, op: GeOp) -> GeOp | None:
        """The golden file of the op with the same name and as many tensors, None if there is none.

        Copies that GE inserts are numbered anew in every compilation: their names mean nothing.
        """
        other = self._by_name.get(op.name)
        if other is None or other.n_slices > 1 or is_inserted_copy(op):
            return None
        alike = len(op.inputs) == len(other.inputs) and len(op.outputs) == len(other.outputs)
        return other if alike else None

    def find_input(self, place: PlacedOp, slot: InputSlot, head: TensorHead) -> Answer:
        """The counterpart of the dumped input that is edge `slot`.

        The same edge on the golden side, or else the tensor that arrives there, as its producer or
        another consumer dumped it.
        """
        del head
        golden = self._edges.get((slot.op, slot.slot))
        if golden is None and slot.source is not None:
            golden = self._outputs.get(slot.source) or self._arrivals.get(slot.source)
        return self._answer(place, golden, slot.source)

    def find_output(self, place: PlacedOp, tensor: Tensor, head: TensorHead) -> Answer:
        """The counterpart of the dumped output that is graph tensor `tensor`."""
        del head
        golden = self._outputs.get(tensor) or self._arrivals.get(tensor)
        return self._answer(place, golden, tensor)

    def _answer(self, place: PlacedOp, golden: _Golden | None, tensor: Tensor | None) -> Answer:
        if golden is not None:
            ref, op_type, golden_is_fused = golden
            identity = place.op.identity
            fused = golden_is_fused or (identity is not None and identity.is_fused)
            return Match(ref, op_type, "fused" if fused else "name", "")
        if place.op.name in self._errors:
            return Miss(f"The golden file of this op cannot be read: {self._errors[place.op.name]}")
        if tensor is not None and tensor[0] in self._inside:
            return Miss(f"It is inside the fused op {self._inside[tensor[0]]} of the golden side.")
        return Miss("The golden dump has no file of this op and none that holds this tensor.")
