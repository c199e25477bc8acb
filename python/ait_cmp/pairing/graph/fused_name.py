"""The name of a fused op, taken apart into the names of its members.

UB fusion joins member names without a separator (`Add_14Rsqrt_4Mul_18Cast_37`), so one name can be
read in several ways. All readings are weighed; a greedy longest prefix would take a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ait_cmp.pairing.graph.index import VIEW_TYPES, GraphIndex

# Readings weighed for one name. Real names have one or two; more would be no evidence.
MAX_READINGS = 64


class Split(NamedTuple):
    """How a fused name was read.

    Attributes:
        members: Op numbers in the order of the name, () if the name cannot be read for certain.
        hint: Closest reading where there is no certain one, a sentence or "".
    """

    members: tuple[int, ...]
    hint: str


def split_fused_name(name: str, graph: GraphIndex) -> Split:
    """Reads a sanitised fused name as a chain of graph ops.

    Members differ from one another and hang together by data edges. Preferred are readings in
    which each member is fed by an earlier one, then fewer members, then a longer first member.
    """
    readings: list[tuple[int, ...]] = []
    for members in _readings(name, graph):
        if len(readings) == MAX_READINGS:
            return Split((), "its name can be read as members in too many ways")
        readings.append(members)
    joined = [members for members in readings if _hangs_together(members, graph)]
    if not joined:
        return Split((), _hint(name, graph, readings))
    ranked = sorted(joined, key=lambda members: _rank(members, graph))
    if len(ranked) > 1 and _rank(ranked[0], graph) == _rank(ranked[1], graph):
        shown = " or ".join(_shown(members, graph) for members in ranked[:2])
        return Split((), f"its name can be read as {shown}")
    return Split(ranked[0], "")


def _readings(name: str, graph: GraphIndex) -> Iterator[tuple[int, ...]]:
    """Every way to write `name` as a row of different graph ops, without recursion."""
    lengths = graph.name_lengths
    parts: list[list[int]] = [[] for _ in range(len(name))]
    reaches_end = [False] * len(name) + [True]
    for start in range(len(name) - 1, -1, -1):
        for length in lengths:
            end = start + length
            if end > len(name):
                break
            if reaches_end[end] and name[start:end] in graph.by_file_name:
                parts[start].append(end)
                reaches_end[start] = True
    open_readings: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    # Work is bounded too: a name of many equal parts has readings without end.
    steps_left = 64 * MAX_READINGS
    while open_readings and steps_left:
        steps_left -= 1
        start, members = open_readings.pop()
        if start == len(name):
            yield members
            continue
        for end in parts[start]:
            numbers = graph.by_file_name[name[start:end]]
            # Two graph ops of one sanitised name: which one is meant cannot be told.
            if len(numbers) == 1 and numbers[0] not in members:
                open_readings.append((end, (*members, numbers[0])))


def _feeders(number: int, graph: GraphIndex) -> set[int]:
    """Ops whose outputs reach an op directly or through views without an FX name."""
    found: set[int] = set()
    pending = [fed.source[0] for fed in graph.ops[number].fed if fed.source is not None]
    while pending:
        source = pending.pop()
        if source in found:
            continue
        found.add(source)
        op = graph.ops[source]
        if op.type in VIEW_TYPES and op.fed and op.fed[0].source is not None:
            pending.append(op.fed[0].source[0])
    return found


def _hangs_together(members: tuple[int, ...], graph: GraphIndex) -> bool:
    """Whether data edges join all members into one piece."""
    inside = set(members)
    links: dict[int, set[int]] = {member: set() for member in members}
    for member in members:
        for feeder in _feeders(member, graph) & inside:
            links[member].add(feeder)
            links[feeder].add(member)
    reached = {members[0]}
    pending = [members[0]]
    while pending:
        for neighbour in links[pending.pop()] - reached:
            reached.add(neighbour)
            pending.append(neighbour)
    return len(reached) == len(inside)


def _rank(members: tuple[int, ...], graph: GraphIndex) -> tuple[int, int, int]:
    alone = sum(
        not (_feeders(member, graph) & set(members[:position]))
        for position, member in enumerate(members)
        if position
    )
    return alone, len(members), -len(graph.ops[members[0]].name)


def _shown(members: tuple[int, ...], graph: GraphIndex) -> str:
    return " + ".join(graph.ops[member].name for member in members)


def _hint(name: str, graph: GraphIndex, readings: list[tuple[int, ...]]) -> str:
    if readings:
        return f"its name reads as {_shown(readings[0], graph)}, but no data edges join these ops"
    prefix = longest_prefix(name, graph)
    return f"its name begins like graph op {prefix}" if prefix else ""


def longest_prefix(name: str, graph: GraphIndex) -> str | None:
    """The longest graph op name that `name` begins with, None if there is none."""
    for length in reversed(graph.name_lengths):
        if length < len(name) and name[:length] in graph.by_file_name:
            return graph.ops[graph.by_file_name[name[:length]][0]].name
    return None
