"""Slices that FFTS+ cut an op into: each is compared with its part of the whole golden tensor."""

from __future__ import annotations

from math import prod
from typing import Callable

from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import GeOp, GeStep, PlacedOp
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.index import GraphTensor
from ait_cmp.pairing.graph.slices import Part, manual_part
from ait_cmp.pairing.graph.slots import Shape, TensorHead
from ait_cmp.pairing.readers import Readers
from ait_cmp.pairing.rules.ge_rules import GeRules
from ait_cmp.pairing.rules.inserted import is_inserted_copy
from ait_cmp.pairing.rules.match import Answer, Match, Miss
from ait_cmp.tensor_ref import ViewStep
from ait_cmp.terms import Io

# Asks the rules of the flow for the counterpart of the whole tensor with this head.
Ask = Callable[[TensorHead], Answer]


class SliceRules:
    """Finds counterparts of slices in one step; the rules of its flow find the whole tensors."""

    def __init__(
        self,
        context: GraphContext | None,
        golden: FxStep | GeStep,
        ge_rules: GeRules | None,
        readers: Readers,
    ) -> None:
        self._context = context
        self._golden = golden
        self._ge_rules = ge_rules
        self._readers = readers

    def find(
        self, op: GeOp, placed: PlacedOp | None, io: Io, index: int, ask: Ask
    ) -> tuple[Answer, tuple[ViewStep, ...]]:
        """The counterpart of a tensor of a slice, and the steps that read the slice itself.

        Args:
            op: The file.
            placed: The op with its edges of the graph.
            io: "inputs" or "outputs".
            index: Which tensor.
            ask: Finds the whole tensor.
        """
        own = own_steps(op, io, index)
        twin = None if self._ge_rules is None else self._ge_rules.same_slice(op)
        if twin is not None:
            golden = twin.ref(io, index)._replace(view=own_steps(twin, io, index))
            return Match(golden, twin.file.op_type, "name", ""), own
        cut = op.cut
        assert cut is not None
        head = op.heads(io)[index]
        if is_inserted_copy(op):
            return _read_as_slice(ask(head), op), own
        if cut.problem:
            return Miss(
                f"One of {cut.count} slices into which FFTS+ cut this op. {cut.problem}", "part"
            ), ()
        if cut.is_manual:
            return self._find_manual(op, placed, io, index, ask), own
        part = cut.parts[io][index]
        if part is not None:
            return _cut(ask(head), part, cut.note), own
        tensor = _tensor(placed, io, index)
        whole = None if tensor is None else self._known_shape(tensor)
        if head.state == "short" or (whole is not None and prod(whole) != prod(head.shape)):
            return Miss(
                "FFTS+ cut this op into slices, and the header does not say which part of the "
                "tensor this one holds.",
                "part",
            ), ()
        return ask(head), own

    def _find_manual(
        self, op: GeOp, placed: PlacedOp | None, io: Io, index: int, ask: Ask
    ) -> Answer:
        assert op.cut is not None
        head = op.heads(io)[index]
        tensor = _tensor(placed, io, index)
        whole = None if tensor is None else self._known_shape(tensor)
        if whole is None:
            whole = self._golden_shape(ask(head))
        if whole is None:
            answer = ask(head)
            if isinstance(answer, Miss):
                return answer
            return Miss(
                "A slice of an op that FFTS+ cut; the shape of the whole is not known.", "part"
            )
        part = manual_part(op.cut, io, index, whole)
        if isinstance(part, str):
            return Miss(f"A slice of an op that FFTS+ cut. {part}", "part")
        return _cut(ask(head._replace(shape=whole)), part, op.cut.note)

    def _known_shape(self, tensor: GraphTensor) -> Shape | None:
        """Shape of a whole tensor: in the golden GE dump, or else stated by the graph."""
        if isinstance(self._golden, GeStep):
            head = self._golden.heads.get(tensor)
            if head is not None and head.has_shape:
                return head.shape
        return None if self._context is None else self._context.static_shape(tensor)

    def _golden_shape(self, answer: Answer) -> Shape | None:
        """Shape of an FX counterpart that is compared as it is stored, None for any other."""
        if isinstance(answer, Miss) or answer.golden.view or answer.golden.io:
            return None
        (scan,) = self._readers.scan_npy([answer.golden.file], 1)
        return None if scan.error is not None or -1 in scan.shape else scan.shape


def own_steps(op: GeOp, io: Io, index: int) -> tuple[ViewStep, ...]:
    """Steps that read a tensor of a slice file where the header has the shape of the whole."""
    parts = () if op.cut is None else op.cut.parts.get(io, ())
    part = parts[index] if index < len(parts) else None
    return () if part is None else part.my_steps()


def _read_as_slice(answer: Answer, op: GeOp) -> Answer:
    """An answer that is a tensor of the slice file itself."""
    if isinstance(answer, Miss) or answer.golden.path != op.file.path:
        return answer
    golden = answer.golden
    return answer._replace(golden=golden._replace(view=own_steps(op, golden.io, golden.index)))


def _cut(answer: Answer, part: Part, note: str) -> Answer:
    """The part of the whole tensor that an answer names."""
    if isinstance(answer, Miss):
        return answer
    golden = answer.golden._replace(view=answer.golden.view + part.golden_steps())
    return answer._replace(golden=golden, note=f"{answer.note} {note}".lstrip())


def _tensor(placed: PlacedOp | None, io: Io, index: int) -> GraphTensor | None:
    if placed is None:
        return None
    if io == "outputs":
        return placed.outputs[index]
    slot = placed.inputs[index]
    return None if slot is None else slot.source
