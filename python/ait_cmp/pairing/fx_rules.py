"""Flow 1: the rules by which a GE tensor finds its FX counterpart, most certain first."""

from __future__ import annotations

from collections.abc import Sequence

from ait_cmp.graph import FxName, GraphIndex, Tensor
from ait_cmp.pairing.context import GraphContext
from ait_cmp.pairing.dataflow import match_dataflow, names_of_input, names_of_tensor
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import GeStep, PlacedOp
from ait_cmp.pairing.match import Answer, Match, Miss
from ait_cmp.pairing.slots import InputSlot, TensorHead


class FxRules:
    """Finds counterparts of one step in an FX dump."""

    def __init__(self, context: GraphContext, my: GeStep, fx: FxStep) -> None:
        self._graph: GraphIndex = context.graph
        self._my = my
        self._fx = fx

    def find_input(self, place: PlacedOp, slot: InputSlot, head: TensorHead) -> Answer:
        """The counterpart of the dumped input that is edge `slot`."""
        del head
        names = names_of_input(self._graph, slot)
        return self._labelled(place, self._find(names))

    def find_output(self, place: PlacedOp, tensor: Tensor, head: TensorHead) -> Answer:
        """The counterpart of the dumped output that is graph tensor `tensor`."""
        del head
        return self._labelled(place, self._find(names_of_tensor(self._graph, tensor)))

    def _find(self, names: Sequence[FxName]) -> Answer:
        match = match_dataflow(names, self._fx)
        if match is not None:
            return match
        if names:
            return Miss(f"The FX dump has no file of {names[0].node}-{names[0].target}.")
        return Miss("The graph names no FX tensor for it.")

    def _labelled(self, place: PlacedOp, answer: Answer) -> Answer:
        identity = place.op.identity
        if isinstance(answer, Match) and identity is not None and identity.is_fused:
            return answer._replace(rule="fused")
        return answer
