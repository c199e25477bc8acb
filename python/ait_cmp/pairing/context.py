"""What pairing works out once per graph and uses in every step of it."""

from __future__ import annotations

from collections.abc import Mapping

from ait_cmp.graph import GraphIndex, Tensor
from ait_cmp.pairing.identity import Identifier
from ait_cmp.pairing.slots import Shape, Slots, find_slots


class GraphContext:
    """A graph with the answers that its steps share.

    Attributes:
        graph: The graph.
        identifier: Names of dump files -> graph ops.
    """

    def __init__(
        self, graph: GraphIndex, final_members: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self.graph = graph
        self.identifier = Identifier(graph, final_members or {})
        self._slots: dict[tuple[int, ...], Slots] = {}

    def slots(self, members: tuple[int, ...]) -> Slots:
        """Edges that enter and leave an op or a set of members."""
        slots = self._slots.get(members)
        if slots is None:
            slots = self._slots[members] = find_slots(self.graph, members)
        return slots

    def static_shape(self, tensor: Tensor) -> Shape | None:
        """Shape that the graph text states, None if it leaves any of it open."""
        op = self.graph.ops[tensor[0]]
        shape = op.output_shapes[tensor[1]] if tensor[1] < len(op.output_shapes) else None
        return None if shape is None or any(dim < 0 for dim in shape) else tuple(shape)
