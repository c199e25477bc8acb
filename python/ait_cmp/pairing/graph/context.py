"""What pairing works out once per graph and uses in every step of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ait_cmp.pairing.graph.identity import Identifier
from ait_cmp.pairing.graph.index import VIEW_TYPES, GraphIndex, GraphTensor
from ait_cmp.pairing.graph.op_graph import OpGraph
from ait_cmp.pairing.graph.origins import Origin, Origins
from ait_cmp.pairing.graph.slots import Shape, Slots, find_slots
from ait_cmp.pairing.graph.view_chain import ViewChain, trace_views

# A graph input or weight may be used everywhere; a few uses tell what it is.
MAX_USES = 16


class Use(NamedTuple):
    """A real use of a tensor, perhaps behind views: input `slot` of op number `op`."""

    op: int
    slot: int
    arrives: GraphTensor


class GraphContext:
    """A graph with the answers that its steps share.

    Attributes:
        graph: The graph.
        identifier: Names of dump files -> graph ops.
        argument_nodes: FX nodes whose ops use graph inputs or constants.
    """

    def __init__(
        self,
        graph: GraphIndex,
        final_members: Mapping[str, tuple[str, ...]] | None = None,
        origins: Origins | None = None,
    ) -> None:
        self.graph = graph
        self._origins = origins or Origins()
        self.identifier = Identifier(graph, final_members or {})
        self._slots: dict[tuple[int, ...], Slots] = {}
        self._fx_nodes: dict[tuple[int, ...], str] = {}
        self._chains: dict[GraphTensor, ViewChain] = {}
        self._uses: dict[GraphTensor, tuple[Use, ...]] = {}
        self._arguments: dict[str, tuple[GraphTensor, ...]] = {}
        self._op_graphs: dict[tuple[tuple[str, str, tuple[int, ...]], ...], OpGraph] = {}
        self._targets: dict[str, str] = {}
        for names in graph.fx_names.values():
            for name in names:
                self._targets.setdefault(name.node, name.target)
        self.argument_nodes = tuple(node for node in graph.made_for if self._has_unnamed(node))

    @property
    def named_nodes(self) -> frozenset[str]:
        """FX nodes that the graph text names."""
        return frozenset(name.node for names in self.graph.fx_names.values() for name in names)

    def _has_unnamed(self, node: str) -> bool:
        graph = self.graph
        bases = (self.chain(tensor).base for tensor in self.arguments(node))
        return any(graph.is_data(base) or graph.is_const(base) for base in bases)

    def target_of(self, node: str) -> str | None:
        """The target that the graph states for an FX node."""
        return self._targets.get(node)

    def slots(self, members: tuple[int, ...]) -> Slots:
        """Edges that enter and leave an op or a set of members."""
        slots = self._slots.get(members)
        if slots is None:
            slots = self._slots[members] = find_slots(self.graph, members)
        return slots

    def op_graph(self, fused: Iterable[tuple[str, str, tuple[int, ...]]]) -> OpGraph:
        """The op graph for the fused ops (name, type, members) of a step."""
        key = tuple(sorted(fused))
        op_graph = self._op_graphs.get(key)
        if op_graph is None:
            op_graph = self._op_graphs[key] = OpGraph(self.graph, key)
        return op_graph

    def fx_node_of(self, members: tuple[int, ...]) -> str:
        """The FX node that an op or the last of its members was made for, "" if nobody knows."""
        found = self._fx_nodes.get(members)
        if found is None:
            found = self._fx_nodes[members] = self._find_fx_node(members)
        return found

    def _find_fx_node(self, members: tuple[int, ...]) -> str:
        for number in reversed(members):
            names = [name.node for name in self.graph.ops[number].output_names if name is not None]
            node = names[0] if names else self.graph.fx_node[number]
            if node is not None:
                return node
        return ""

    def origin_of(self, fx_node: str, members: tuple[int, ...]) -> Origin:
        """Where in the user's model an op or its members come from."""
        return self._origins.find(fx_node, [self.graph.ops[number].name for number in members])

    def static_shape(self, tensor: GraphTensor) -> Shape | None:
        """Shape that the graph text states, None if it leaves any of it open."""
        op = self.graph.ops[tensor[0]]
        shape = op.output_shapes[tensor[1]] if tensor[1] < len(op.output_shapes) else None
        return None if shape is None or any(dim < 0 for dim in shape) else tuple(shape)

    def chain(self, tensor: GraphTensor) -> ViewChain:
        """The views that made a tensor, up to what they look at."""
        chain = self._chains.get(tensor)
        if chain is None:
            chain = self._chains[tensor] = trace_views(self.graph, tensor)
        return chain

    def is_inserted_view(self, number: int) -> bool:
        """Whether an op is a view without an FX name: made for a consumer, not for an FX node."""
        op = self.graph.ops[number]
        return op.type in VIEW_TYPES and not any(op.output_names)

    def uses(self, tensor: GraphTensor) -> tuple[Use, ...]:
        """Where a tensor is used, inserted views followed down to their consumers."""
        uses = self._uses.get(tensor)
        if uses is None:
            uses = self._uses[tensor] = self._find_uses(tensor)
        return uses

    def _find_uses(self, tensor: GraphTensor) -> tuple[Use, ...]:
        uses: list[Use] = []
        pending = [tensor]
        seen = 0
        while pending and len(uses) < MAX_USES and seen < 4 * MAX_USES:
            at = pending.pop(0)
            for number, slot in self.graph.consumers.get(at, ())[: 4 * MAX_USES]:
                seen += 1
                if not self.is_inserted_view(number):
                    uses.append(Use(number, slot, at))
                elif slot == 0:
                    pending.append((number, 0))
        return tuple(uses[:MAX_USES])

    def arguments(self, node: str) -> tuple[GraphTensor, ...]:
        """Tensors that enter the ops made for an FX node, as they arrive there, without repeats."""
        known = self._arguments.get(node)
        if known is None:
            known = self._arguments[node] = self._find_arguments(node)
        return known

    def _find_arguments(self, node: str) -> tuple[GraphTensor, ...]:
        made = self.graph.made_for.get(node, ())
        inside = set(made)
        found: dict[GraphTensor, None] = {}
        for number in made:
            if self.is_inserted_view(number):
                continue
            for fed in self.graph.ops[number].fed:
                if fed.source is None:
                    continue
                base = self.chain(fed.source).base
                if base[0] not in inside:
                    found[fed.source] = None
        return tuple(found)
