"""Which rank, graph and step of the dump under test meets which of the golden dump.

Position alone never pairs anything, and nothing is left out without a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

from ait_cmp.align.graph_match import GraphMatcher, GraphPair, Graphs, Score
from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.discover.runs import number_ranges


@dataclass(frozen=True)
class StepPair:
    """One step of the dump under test and the golden step that it is compared with."""

    my: StepKey
    golden: StepKey


@dataclass(frozen=True)
class Alignment:
    """Everything that is compared, and everything that has no counterpart.

    Attributes:
        steps: Pairs of steps, sorted by rank, graph and step of the my side.
        graphs: Pairs of graphs.
        my_ranks_only: Ranks that the golden side lacks.
        golden_ranks_only: Ranks that the my side lacks.
        my_graphs_only: (rank, graph) without counterpart, of ranks that both sides have.
        golden_graphs_only: The same for the golden side.
        my_steps_only: Steps of paired graphs that the golden side lacks.
        golden_steps_only: Steps of paired graphs that the my side lacks.
        notes: One sentence for each of these.
    """

    steps: list[StepPair]
    graphs: list[GraphPair]
    my_ranks_only: list[int]
    golden_ranks_only: list[int]
    my_graphs_only: list[tuple[int, str]]
    golden_graphs_only: list[tuple[int, str]]
    my_steps_only: list[StepKey]
    golden_steps_only: list[StepKey]
    notes: list[str]


def align(my: DumpTree, golden: DumpTree, *, score: Score | None = None) -> Alignment:
    """Pair ranks, graphs and steps of two dumps.

    Args:
        my: Dump under test.
        golden: Reference.
        score: Share of the nodes of a my step that exist in a golden step. It is asked once for two
            graphs that may meet, with the first step of each. None: operator names of the files if
            both sides are GE dumps, else the names of the graphs alone decide.

    Returns:
        Pairs and everything left over; no pairs at all if the dumps have nothing in common.
    """
    if score is None and my.kind == golden.kind == "ge":
        score = _operator_score(my, golden)
    my_steps, golden_steps = _steps_by_graph(my), _steps_by_graph(golden)
    ranks, notes = _pair_ranks(set(my_steps), set(golden_steps))
    my_ranks_only = sorted(set(my_steps) - {pair[0] for pair in ranks})
    golden_ranks_only = sorted(set(golden_steps) - {pair[1] for pair in ranks})
    found = Alignment([], [], my_ranks_only, golden_ranks_only, [], [], [], [], notes)
    for my_rank, golden_rank in ranks:
        matcher = GraphMatcher(
            Graphs(my_rank, my_steps[my_rank]),
            Graphs(golden_rank, golden_steps[golden_rank]),
            score,
            _operators(my, my_rank),
        )
        found.graphs.extend(matcher.pair_graphs())
        notes.extend(matcher.notes)
        _add_leftovers(found, matcher)
    for pair in found.graphs:
        _add_steps(
            found,
            pair,
            my_steps[pair.my_rank][pair.my_graph],
            golden_steps[pair.golden_rank][pair.golden_graph],
        )
    found.steps.sort(key=lambda pair: (pair.my, pair.golden))
    return found


def _steps_by_graph(tree: DumpTree) -> dict[int, dict[str, list[int]]]:
    """Rank -> graph -> its steps in order."""
    steps: dict[int, dict[str, list[int]]] = {}
    for key in tree.step_keys():
        steps.setdefault(key.rank, {}).setdefault(key.graph, []).append(key.step)
    return steps


def _pair_ranks(mine: set[int], theirs: set[int]) -> tuple[list[tuple[int, int]], list[str]]:
    """Pair equal ranks; a side without rank folders meets the only rank of the other side."""
    if len(mine) == len(theirs) == 1 and -1 in mine | theirs:
        return [(min(mine), min(theirs))], []
    notes = []
    for ranks, other, here, there in (
        (mine, theirs, "my", "golden"),
        (theirs, mine, "golden", "my"),
    ):
        if -1 in ranks and other:
            notes.append(
                f"The {here} side has no rank folders, the {there} side has ranks "
                f"{number_ranges(other)}: name the rank that it belongs to with --rank."
            )
        elif -1 not in other and ranks - other:
            notes.append(
                f"Ranks on the {here} side only, not compared: {number_ranges(ranks - other)}; "
                f"the {there} side has {number_ranges(other) or 'none'}."
            )
    return [(rank, rank) for rank in sorted(mine & theirs)], notes


def _operators(tree: DumpTree, rank: int) -> dict[str, frozenset[str]]:
    """Graph -> operator names in the files of its first step; no names for an FX tree."""
    names: dict[str, frozenset[str]] = {}
    for key in tree.step_keys():
        if key.rank == rank and key.graph not in names:
            names[key.graph] = frozenset(file.op_name for file in tree.ge.get(key, []))
    return names


def _operator_score(my: DumpTree, golden: DumpTree) -> Score:
    """Score of two GE dumps: the share of operator names of a my step that the golden step has."""

    def share(my_key: StepKey, golden_key: StepKey) -> float:
        names = {file.op_name for file in my.ge[my_key] if file.op_name}
        known = {file.op_name for file in golden.ge[golden_key]}
        return len(names & known) / len(names) if names else 1.0

    return share


def _add_leftovers(found: Alignment, matcher: GraphMatcher) -> None:
    for graph in matcher.my_left():
        found.my_graphs_only.append((matcher.my.rank, graph))
        found.notes.append(matcher.leftover_note(graph))
    left = matcher.golden_left()
    found.golden_graphs_only.extend((matcher.golden.rank, graph) for graph in left)
    if left:
        names = ", ".join(matcher.golden.label(graph) for graph in left)
        found.notes.append(f"Golden graphs that nothing is compared with: {names}.")


def _add_steps(found: Alignment, pair: GraphPair, mine: list[int], theirs: list[int]) -> None:
    my_keys = [StepKey(pair.my_rank, pair.my_graph, step) for step in mine]
    golden_keys = {step: StepKey(pair.golden_rank, pair.golden_graph, step) for step in theirs}
    my_only = [key for key in my_keys if key.step not in golden_keys]
    golden_only = [key for step, key in golden_keys.items() if step not in set(mine)]
    found.steps.extend(
        StepPair(key, golden_keys[key.step]) for key in my_keys if key.step in golden_keys
    )
    found.my_steps_only.extend(my_only)
    found.golden_steps_only.extend(golden_only)
    label = Graphs(pair.my_rank, {}).label(pair.my_graph)
    for side, keys in (("my", my_only), ("golden", golden_only)):
        if keys:
            steps = number_ranges(key.step for key in keys)
            found.notes.append(f"{label}: steps on the {side} side only, not compared: {steps}.")
