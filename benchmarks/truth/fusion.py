"""Ways in which a compiler fuses the operators of a graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.truth.ge_graph import Op, producer
from benchmarks.truth.ge_ops import ELEMENTWISE_TYPES, SUM_TYPES

#: Longest name of a fused op that lists its members.
MAX_NAME = 512


@dataclass(frozen=True)
class Way:
    """How to fuse.

    Args:
        types: Types of the members.
        most: Largest number of members.
        is_rounded_inside: Whether each member's output is rounded to its dtype.
        branches: Whether an inner tensor may also be read outside: a second output.
    """

    types: frozenset[str] = frozenset()
    most: int = 1
    is_rounded_inside: bool = True
    branches: bool = False


WAYS = {
    "unfused": Way(),
    "chains": Way(ELEMENTWISE_TYPES, 8, is_rounded_inside=True),
    "short": Way(ELEMENTWISE_TYPES, 3, is_rounded_inside=False),
    "wide": Way(ELEMENTWISE_TYPES | SUM_TYPES, 12, is_rounded_inside=False, branches=True),
}


def groups(ops: Sequence[Op], way: Way) -> list[tuple[Op, ...]]:
    """Members of each dumped op, groups in the order in which they can run."""
    readers: dict[str, list[int]] = defaultdict(list)
    for op in ops:
        for edge in op.fed:
            readers[producer(edge)].append(op.number)
    group_of: dict[str, list[Op]] = {}
    for op in ops:
        group_of[op.name] = _joined(op, group_of, readers, way)
    unique = {id(group): group for group in group_of.values()}
    return [tuple(group) for group in sorted(unique.values(), key=lambda group: group[-1].number)]


def _joined(
    op: Op, group_of: dict[str, list[Op]], readers: dict[str, list[int]], way: Way
) -> list[Op]:
    """The group that the op joins, or a new one of its own."""
    if op.type not in way.types:
        return [op]
    for edge in op.fed:
        group = group_of.get(producer(edge), [])
        if group and len(group) < way.most and group[-1].type in way.types:
            is_last = producer(edge) == group[-1].name
            if _may_join(op, group, readers, way) and (is_last or way.branches):
                group.append(op)
                return group
    return [op]


def _may_join(op: Op, group: list[Op], readers: dict[str, list[int]], way: Way) -> bool:
    """Nobody outside reads a member before the group has run with its new end."""
    inside = {member.number for member in group}
    outside = [n for member in group for n in readers[member.name] if n not in inside | {op.number}]
    return all(n > op.number for n in outside) and (way.branches or not outside)


def name(group: Sequence[Op]) -> tuple[str, str]:
    """Type and name of the dumped op."""
    if len(group) == 1:
        return group[0].type, group[0].name
    joined = "".join(op.name for op in group)
    return (
        "AutomaticBufferFusionOp",
        joined if len(joined) <= MAX_NAME else f"{group[0].name}_ub_fusion",
    )
