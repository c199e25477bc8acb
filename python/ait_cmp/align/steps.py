"""Which rank, graph and step of the dump under test meets which of the golden dump.

Position alone never pairs anything, and nothing is left out without a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ait_cmp.align.choices import Choices
from ait_cmp.align.graph_match import Evidence, GraphMatcher, GraphPair, Graphs, Score
from ait_cmp.align.step_match import Agreement, match_steps, proposed_offset
from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.discover.packed import folder_of
from ait_cmp.discover.runs import number_ranges

_WORLD = re.compile(r"/worldsize(\d+)_global_rank\d+/", re.ASCII)


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


def align(
    my: DumpTree,
    golden: DumpTree,
    *,
    score: Score | None = None,
    evidence: Evidence | None = None,
    choices: Choices | None = None,
) -> Alignment:
    """Pair ranks, graphs and steps of two dumps.

    Args:
        my: Dump under test.
        golden: Reference.
        score: Share of the nodes of a my step that exist in a golden step. It is asked once for two
            graphs that may meet, with the first step of each. None: operator names of the files if
            both sides are GE dumps, else the names of the graphs alone decide.
        evidence: What the files of two steps say of each other; None: names and numbers decide.
        choices: What the user says; it wins over everything else.

    Returns:
        Pairs and everything left over; no pairs at all if the dumps have nothing in common.
    """
    if score is None and my.kind == golden.kind == "ge":
        score = _operator_score(my, golden)
    return _Aligner(my, golden, score, evidence, choices or Choices()).align()


@dataclass
class _Aligner:
    """One alignment while it is made."""

    my: DumpTree
    golden: DumpTree
    score: Score | None
    evidence: Evidence | None
    choices: Choices
    found: Alignment = field(default_factory=lambda: Alignment([], [], [], [], [], [], [], [], []))

    def __post_init__(self) -> None:
        self.my_empty, self.golden_empty = _empty_steps(self.my), _empty_steps(self.golden)

    def align(self) -> Alignment:
        mine, theirs = _steps_by_graph(self.my), _steps_by_graph(self.golden)
        ranks, notes = self._pair_ranks(set(mine), set(theirs))
        self.found.notes.extend(notes)
        self.found.my_ranks_only.extend(sorted(set(mine) - {rank for rank, _ in ranks}))
        self.found.golden_ranks_only.extend(sorted(set(theirs) - {rank for _, rank in ranks}))
        for my_rank, golden_rank in ranks:
            matcher = GraphMatcher(
                Graphs(my_rank, mine[my_rank]),
                Graphs(golden_rank, theirs[golden_rank]),
                self.score,
                _operators(self.my, my_rank, mine[my_rank]),
                self.evidence,
            )
            self._take_given_graphs(matcher)
            self.found.graphs.extend(matcher.pair_graphs())
            self.found.notes.extend(matcher.notes)
            _add_leftovers(self.found, matcher)
        for pair in self.found.graphs:
            self._add_steps(
                pair,
                mine[pair.my_rank][pair.my_graph],
                theirs[pair.golden_rank][pair.golden_graph],
            )
        self.found.steps.sort(key=lambda pair: (pair.my, pair.golden))
        return self.found

    def _pair_ranks(
        self, mine: set[int], theirs: set[int]
    ) -> tuple[list[tuple[int, int]], list[str]]:
        """Ranks that the user names, then equal ones, then one side's only rank."""
        given = {pair.my[0].rank: pair.golden[0].rank for pair in self.choices.pairs}
        ranks, notes = _pair_ranks(
            mine - set(given), theirs - set(given.values()), _is_one_process(self.golden)
        )
        return sorted({*given.items(), *ranks}), notes

    def _take_given_graphs(self, matcher: GraphMatcher) -> None:
        """Graphs that the user pairs; two folders of graphs or steps are such a pair."""
        both = (matcher.my.rank, matcher.golden.rank)
        for pair in self.choices.pairs:
            if pair.is_graph and (pair.my[0].rank, pair.golden[0].rank) == both:
                matcher.take_given(pair.my[0].graph, pair.golden[0].graph)
        levels = {self.my.given, self.golden.given}
        if levels <= {"graph", "step"} and len(matcher.my.steps) == len(matcher.golden.steps) == 1:
            matcher.take_given(*matcher.my.steps, *matcher.golden.steps)

    def _add_steps(self, pair: GraphPair, mine: list[int], theirs: list[int]) -> None:
        my_keys = {step: StepKey(pair.my_rank, pair.my_graph, step) for step in mine}
        golden_keys = {step: StepKey(pair.golden_rank, pair.golden_graph, step) for step in theirs}
        golden_of = self._given_steps(my_keys, golden_keys)
        label = Graphs(pair.my_rank, {}).label(pair.my_graph)
        if golden_of is None:
            agree = self._agreement(my_keys, golden_keys)
            empty = (
                self.my_empty.get((pair.my_rank, pair.my_graph), ()),
                self.golden_empty.get((pair.golden_rank, pair.golden_graph), ()),
            )
            golden_of, note = match_steps(mine, theirs, agree, self.choices.offset, empty)
            if note:
                self.found.notes.append(f"{label}: {note}")
        self.found.steps.extend(
            StepPair(my_keys[step], golden_keys[other]) for step, other in golden_of.items()
        )
        met = set(golden_of.values())
        my_only = [key for step, key in my_keys.items() if step not in golden_of]
        golden_only = [key for step, key in golden_keys.items() if step not in met]
        self.found.my_steps_only.extend(my_only)
        self.found.golden_steps_only.extend(golden_only)
        for side, keys in (("my", my_only), ("golden", golden_only)):
            if keys:
                steps = number_ranges(key.step for key in keys)
                self.found.notes.append(
                    f"{label}: steps on the {side} side only, not compared: {steps}."
                )
        if not golden_of:
            self.found.notes.append(
                f"{label} has the steps {number_ranges(mine)}, the golden side "
                f"{number_ranges(theirs)}: if they are the same run of the model, "
                f"--golden-token-offset {proposed_offset(mine, theirs)} brings them together."
            )

    def _given_steps(
        self, my_keys: dict[int, StepKey], golden_keys: dict[int, StepKey]
    ) -> dict[int, int] | None:
        """Steps that the user pairs, None if he pairs none of these."""
        given = {
            pair.my[0].step: pair.golden[0].step
            for pair in self.choices.pairs
            if pair.is_step
            and pair.my[0] in my_keys.values()
            and pair.golden[0] in golden_keys.values()
        }
        if given:
            return given
        if self.my.given == self.golden.given == "step" and len(my_keys) == len(golden_keys) == 1:
            return {next(iter(my_keys)): next(iter(golden_keys))}
        return None

    def _agreement(
        self, my_keys: dict[int, StepKey], golden_keys: dict[int, StepKey]
    ) -> Agreement | None:
        if self.evidence is None:
            return None
        evidence = self.evidence
        return lambda mine, other: evidence.same_inputs(my_keys[mine], golden_keys[other])


def _steps_by_graph(tree: DumpTree) -> dict[int, dict[str, list[int]]]:
    """Rank -> graph -> its steps in order."""
    steps: dict[int, dict[str, list[int]]] = {}
    for key in tree.step_keys():
        steps.setdefault(key.rank, {}).setdefault(key.graph, []).append(key.step)
    return steps


def _empty_steps(tree: DumpTree) -> dict[tuple[int, str], list[int]]:
    """(rank, graph) -> its steps whose folders hold nothing."""
    steps: dict[tuple[int, str], list[int]] = {}
    for key in tree.empty_steps:
        steps.setdefault((key.rank, key.graph), []).append(key.step)
    return steps


def _is_one_process(tree: DumpTree) -> bool:
    """Whether the dump is of a run of one process, as its rank folder says."""
    files = (tree.ge if tree.kind == "ge" else tree.fx).values()
    worlds = {_WORLD.search(f"{tree.root}/{folder_of(of_step)}/") for of_step in files if of_step}
    return all(world is not None and int(world[1]) == 1 for world in worlds) and bool(worlds)


def _pair_ranks(
    mine: set[int], theirs: set[int], golden_is_one_process: bool
) -> tuple[list[tuple[int, int]], list[str]]:
    """Pair equal ranks; the only rank of one side meets the only rank of the other.

    The rank of a golden run of one process meets every rank: each of them ran the same model.
    """
    if len(mine) == len(theirs) == 1:
        (rank,), (other,) = mine, theirs
        notes = []
        if rank != other and -1 not in (rank, other):
            notes = [f"my rank {rank} is compared with golden rank {other}: each side has but one."]
        return [(rank, other)], notes
    if golden_is_one_process and len(theirs) == 1 and mine and -1 not in mine:
        (other,) = theirs
        note = (
            "The golden dump is of a run of one process: each of my ranks "
            f"{number_ranges(mine)} is compared with it."
        )
        return [(rank, other) for rank in sorted(mine)], [note]
    notes = []
    for ranks, others, here, there in (
        (mine, theirs, "my", "golden"),
        (theirs, mine, "golden", "my"),
    ):
        if -1 in ranks and others:
            notes.append(
                f"The {here} side has no rank folders, the {there} side has ranks "
                f"{number_ranges(others)}: name the rank that it belongs to with --rank."
            )
        elif -1 not in others and ranks - others:
            notes.append(
                f"Ranks on the {here} side only, not compared: {number_ranges(ranks - others)}; "
                f"the {there} side has {number_ranges(others) or 'none'}."
            )
    return [(rank, rank) for rank in sorted(mine & theirs)], notes


def _operators(
    tree: DumpTree, rank: int, steps: Mapping[str, Sequence[int]]
) -> dict[str, frozenset[str]]:
    """Graph -> operator names in the files of its first step; no names for an FX tree."""
    first = {graph: StepKey(rank, graph, of_graph[0]) for graph, of_graph in steps.items()}
    return {
        graph: frozenset(file.op_name for file in tree.ge.get(key, []))
        for graph, key in first.items()
    }


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
