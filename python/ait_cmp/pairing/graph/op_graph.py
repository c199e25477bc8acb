"""Who feeds whom, fused members counted as one op: what the verdict walks along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ait_cmp.pairing.graph.index import GraphIndex


class OpNode(NamedTuple):
    """One op of a step, fused members counted as one.

    Attributes:
        name: Name in the graph; of a fused op the name of its file.
        type: GE type, of a fused op the type of its file if that is known.
        inputs: Numbers of the ops that feed it, each smaller than its own number.
        members: Names of the graph ops that it stands for (its own name if it is not fused).
    """

    name: str
    type: str
    inputs: tuple[int, ...]
    members: tuple[str, ...]


class OpGraph:
    """Ops of a graph in topological order for one choice of fused ops.

    Attributes:
        nodes: The ops; each is fed by nodes with smaller numbers only.
        node_of_op: Op number of the graph -> number in `nodes`.
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
        for place, (_, _, claimed) in enumerate(fused):
            for member in claimed:
                # An op that two fused names claim stays with the first.
                groups.setdefault(member, place)
        feeders, parts = _contract(graph, groups)
        order = _sort(feeders)
        numbers = {key: number for number, key in enumerate(order)}
        nodes = []
        for key in order:
            inputs = sorted({numbers[feeder] for feeder in feeders[key]})
            name, kind = fused[-key - 1][:2] if key < 0 else _named(graph, key)
            members = tuple(graph.ops[part].name for part in parts[key])
            # In a cycle, which a wrong fused name can make, the edge back is dropped.
            nodes.append(OpNode(name, kind, tuple(i for i in inputs if i < numbers[key]), members))
        self.nodes = tuple(nodes)
        self.node_of_op = {op: numbers[key] for key, ops in parts.items() for op in ops}


def _named(graph: GraphIndex, number: int) -> tuple[str, str]:
    op = graph.ops[number]
    return op.name, op.type


def _contract(
    graph: GraphIndex, groups: dict[int, int]
) -> tuple[dict[int, dict[int, None]], dict[int, list[int]]]:
    """Feeders and members per key: the op number, or -1 - place of the fused op."""
    feeders: dict[int, dict[int, None]] = {}
    parts: dict[int, list[int]] = {}
    for number, op in enumerate(graph.ops):
        key = _key(number, groups)
        parts.setdefault(key, []).append(number)
        mine = feeders.setdefault(key, {})
        for fed in op.fed:
            if fed.source is not None:
                feeder = _key(fed.source[0], groups)
                if feeder != key:
                    mine[feeder] = None
    return feeders, parts


def _key(number: int, groups: dict[int, int]) -> int:
    place = groups.get(number)
    return number if place is None else -1 - place


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
