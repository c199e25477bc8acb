"""Where the tensors of a step's files stand in the op graph: what the verdict walks along."""

from __future__ import annotations

from ait_cmp.pairing.ge_step import GeStep, PlacedOp
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.op_graph import FlowTensor, OpGraph, OpNode
from ait_cmp.pairing.graph.slices import split_slice_name
from ait_cmp.pairing.pair import Pair


class StepFlow:
    """The op graph of a step, and where every pair stands in it.

    Attributes:
        nodes: Ops in topological order; without a graph text the files in order of time.
        tensors: What flows between them.
        node_of: Path of a my-side file that has a node -> its number.
    """

    def __init__(self, my: GeStep, context: GraphContext | None, *, is_by_name: bool) -> None:
        """
        Args:
            my: The step.
            context: Its graph, None without a graph text.
            is_by_name: Whether tensors can be paired without a graph text.
        """
        self.nodes: tuple[OpNode, ...] = ()
        self.tensors: tuple[FlowTensor, ...] = ()
        self.node_of: dict[str, int] = {}
        self._my = my
        self._context = context
        self._op_graph: OpGraph | None = None
        self._first_output: dict[str, int] = {}
        if context is not None:
            self._read_graph(context)
        elif is_by_name:
            self._list_files()

    def _read_graph(self, context: GraphContext) -> None:
        """The op graph with the fused ops of the step, slices of one op as one."""
        fused: dict[tuple[int, ...], tuple[str, str, tuple[int, ...]]] = {}
        for placed in self._my.placed_ops.values():
            identity = placed.op.identity
            if identity is not None and identity.is_fused:
                name, _ = split_slice_name(placed.op.name)
                fused.setdefault(identity.members, (name, placed.op.file.op_type, identity.members))
        self._op_graph = context.op_graph(fused.values())
        self.nodes, self.tensors = self._op_graph.nodes, self._op_graph.tensors
        for path, placed in self._my.placed_ops.items():
            identity = placed.op.identity
            # What was taken after another op ran is no output of its op.
            if identity is not None and not identity.after:
                self.node_of[path] = self._op_graph.node_of_op[identity.members[0]]

    def _list_files(self) -> None:
        """Without a graph text an op may have read whatever was written before it."""
        nodes: list[OpNode] = []
        tensors: list[FlowTensor] = []
        for op in self._my.ops:
            if op.error is not None or not op.is_last:
                continue
            node = self.node_of[op.file.path] = len(nodes)
            first = self._first_output[op.file.path] = len(tensors)
            tensors += [FlowTensor(node)] * len(op.outputs)
            outputs = tuple(range(first, len(tensors)))
            nodes.append(OpNode(op.name, op.file.op_type, (), (op.name,), None, outputs))
        self.nodes, self.tensors = tuple(nodes), tuple(tensors)

    def with_node(self, pair: Pair) -> Pair:
        """The pair with its node of the op graph."""
        path = pair.my.path
        node = self.node_of.get(path)
        if node is None or not pair.io:
            return pair
        placed = self._my.placed_ops.get(path)
        if placed is None or self._op_graph is None:
            tensor = self._first_output[path] + pair.index if pair.io == "outputs" else -1
            return pair._replace(node=node, tensor=tensor)
        return self._in_graph(pair, node, placed, self._op_graph)

    def _in_graph(self, pair: Pair, node: int, placed: PlacedOp, op_graph: OpGraph) -> Pair:
        assert self._context is not None
        identity = placed.op.identity
        members = () if identity is None else identity.members
        fx_node = self._context.fx_node_of(members)
        origin = self._context.origin_of(fx_node, members)
        tensor, is_written = -1, False
        if pair.io == "outputs":
            output = placed.outputs[pair.index]
            tensor = -1 if output is None else op_graph.tensor_of.get(output, -1)
        else:
            slot = placed.inputs[pair.index]
            if slot is not None and slot.source is not None:
                is_written = slot.slot in self._context.graph.ops[slot.op].in_place
                source = op_graph.read_by(slot.op, slot.source)
                tensor = op_graph.tensor_of.get(source, -1)
        return pair._replace(
            node=node,
            tensor=tensor,
            is_written=is_written,
            fx_node=fx_node,
            module=origin.module,
            source=origin.source,
        )
