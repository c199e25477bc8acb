"""Who feeds whom, fused members counted as one op: what the verdict walks along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ait_cmp.pairing.graph.index import GraphIndex, GraphTensor


class Member(NamedTuple):
    """An op of the graph that a fused op stands for.

    Attributes:
        type: GE type.
        first_input: Number of the tensor that its first input reads, -1 for none.
        dtypes: Of its outputs as the graph text has them, `DT_BF16`.
    """

    type: str
    first_input: int
    dtypes: tuple[str, ...]


class OpNode(NamedTuple):
    """One op of a step, fused members counted as one.

    Attributes:
        name: Name in the graph; of a fused op the name of its file.
        type: GE type, of a fused op the type of its file if that is known.
        inputs: Numbers of the ops that feed it, each smaller than its own number.
        members: Names of the graph ops that it stands for (its own name if it is not fused).
        reads: Numbers of the tensors that it reads, of nodes before it; None if nobody knows:
            then whatever was written before.
        outputs: Numbers of the tensors that it or its members write.
        fused: Its members, () if it is not fused.
    """

    name: str
    type: str
    inputs: tuple[int, ...]
    members: tuple[str, ...]
    reads: tuple[int, ...] | None = ()
    outputs: tuple[int, ...] = ()
    fused: tuple[Member, ...] = ()


class FlowTensor(NamedTuple):
    """A tensor between ops.

    Attributes:
        node: Number of the node that writes it.
        is_read: Whether an op or the end of the graph reads it.
        becomes: Number of the tensor that it is after the last op that writes it in place, -1 if
            none does.
        dtype: As the graph text has it, `DT_BF16`; "" if it does not say.
    """

    node: int
    is_read: bool = True
    becomes: int = -1
    dtype: str = ""


class OpGraph:
    """Ops of a graph in topological order for one choice of fused ops.

    Attributes:
        nodes: The ops; each is fed by nodes with smaller numbers only.
        node_of_op: Op number of the graph -> number in `nodes`.
        tensors: Tensors of the graph.
        tensor_of: Output `index` of op number `op` -> number in `tensors`.
    """

    def __init__(
        self, graph: GraphIndex, fused: Sequence[tuple[str, str, tuple[int, ...]]]
    ) -> None:
        """
        Args:
            graph: The graph.
            fused: Name, type and members of every fused op.
        """
        groups: dict[int, int] = {}
        for group, (_, _, claimed) in enumerate(fused):
            for member in claimed:
                # An op that two fused names claim stays with the first.
                groups.setdefault(member, group)
        self._graph = graph
        self._writers = _find_writers(graph)
        parts: dict[int, list[int]] = {}
        for number in range(len(graph.ops)):
            parts.setdefault(_key(number, groups), []).append(number)
        feeders = {key: self._feeders(key, ops, groups) for key, ops in parts.items()}
        order = _sort(feeders)
        numbers = {key: number for number, key in enumerate(order)}
        self.node_of_op = {op: numbers[key] for key, ops in parts.items() for op in ops}
        self.tensor_of = {
            tensor: number
            for number, tensor in enumerate(
                (op, index) for op, indices in enumerate(graph.outputs) for index in indices
            )
        }
        self.tensors = self._make_tensors()
        self.nodes = tuple(
            self._make_node(
                number,
                fused[-key - 1][:2] if key < 0 else _named(graph, key),
                parts[key],
                sorted({numbers[feeder] for feeder in feeders[key]}),
                is_fused=key < 0,
            )
            for number, key in enumerate(order)
        )

    def read_by(self, op: int, source: GraphTensor) -> GraphTensor:
        """The tensor that op number `op` finds where `source` lies.

        An op that was made before it may have written to it in place.
        """
        found = source
        for writer, output in self._writers.get(source, ()):
            if writer < op:
                found = (writer, output)
        return found

    def _feeders(self, key: int, ops: Sequence[int], groups: dict[int, int]) -> dict[int, None]:
        found: dict[int, None] = {}
        for number in ops:
            for fed in self._graph.ops[number].fed:
                if fed.source is None:
                    continue
                for source in (fed.source, self.read_by(number, fed.source)):
                    feeder = _key(source[0], groups)
                    if feeder != key:
                        found[feeder] = None
        return found

    def _make_tensors(self) -> tuple[FlowTensor, ...]:
        graph = self._graph
        read = {
            self.read_by(op, source) for source, users in graph.consumers.items() for op, _ in users
        }
        # An op that nothing reads at all is an end of the graph.
        read_ops = {op for op, _ in read}
        return tuple(
            FlowTensor(
                self.node_of_op[op],
                (op, index) in read or op not in read_ops,
                self._becomes((op, index)),
                _dtype(graph, op, index),
            )
            for op, index in self.tensor_of
        )

    def _becomes(self, tensor: GraphTensor) -> int:
        seen = {tensor}
        at = tensor
        while at in self._writers:
            at = self._writers[at][-1]
            if at in seen:
                break
            seen.add(at)
        return -1 if at == tensor else self.tensor_of.get(at, -1)

    def _make_node(
        self,
        number: int,
        named: tuple[str, str],
        ops: Sequence[int],
        inputs: Sequence[int],
        *,
        is_fused: bool,
    ) -> OpNode:
        graph = self._graph
        reads: dict[int, None] = {}
        for op in ops:
            for fed in graph.ops[op].fed:
                if fed.source is None:
                    continue
                tensor = self.tensor_of.get(self.read_by(op, fed.source))
                # In a cycle, which a wrong fused name can make, the edge back is dropped.
                if tensor is not None and self.tensors[tensor].node < number:
                    reads[tensor] = None
        return OpNode(
            *named,
            tuple(feeder for feeder in inputs if feeder < number),
            tuple(graph.ops[op].name for op in ops),
            tuple(reads),
            tuple(self.tensor_of[op, index] for op in ops for index in graph.outputs[op]),
            tuple(self._make_member(op) for op in ops) if is_fused else (),
        )

    def _make_member(self, number: int) -> Member:
        op = self._graph.ops[number]
        first = op.fed[0].source if op.fed else None
        tensor = -1 if first is None else self.tensor_of.get(self.read_by(number, first), -1)
        return Member(op.type, tensor, tuple(dtype for dtype in op.output_dtypes if dtype))


def _find_writers(graph: GraphIndex) -> dict[GraphTensor, list[GraphTensor]]:
    """Tensor -> the outputs that it becomes where ops write it in place, in creation order."""
    writers: dict[GraphTensor, list[GraphTensor]] = {}
    for number, op in enumerate(graph.ops):
        for slot, output in op.in_place.items():
            source = op.fed[slot].source
            if source is not None:
                writers.setdefault(source, []).append((number, output))
    return writers


def _dtype(graph: GraphIndex, op: int, index: int) -> str:
    dtypes = graph.ops[op].output_dtypes
    return (dtypes[index] or "") if index < len(dtypes) else ""


def _named(graph: GraphIndex, number: int) -> tuple[str, str]:
    op = graph.ops[number]
    return op.name, op.type


def _key(number: int, groups: dict[int, int]) -> int:
    """The op number, or -1 - number of the fused op."""
    group = groups.get(number)
    return number if group is None else -1 - group


def _sort(feeders: dict[int, dict[int, None]]) -> list[int]:
    """Keys so that feeders come first; members of a cycle last, in the order they came."""
    waiting = {key: len(sources) for key, sources in feeders.items()}
    fed: dict[int, list[int]] = {}
    for key, sources in feeders.items():
        for source in sources:
            fed.setdefault(source, []).append(key)
    order = [key for key, count in waiting.items() if count == 0]
    for key in order:  # grows while it is walked
        for consumer in fed.get(key, ()):
            waiting[consumer] -= 1
            if waiting[consumer] == 0:
                order.append(consumer)
    done = set(order)
    order += [key for key in feeders if key not in done]
    return order
