"""Pairs the graphs of one rank by what they are; their names only decide between equals.

What a graph is: the nodes it has, the shapes of its tensors, the values it was given, how often it
ran. Graphs of one name that agree in all of that meet, whatever else there is: a run of many graphs
takes no more time for each. Of the others one assignment is looked for, the one in which most
agrees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ait_cmp.align.assignment import best_assignment
from ait_cmp.discover import StepKey

# Graphs of different names meet only if the golden one knows so many of my nodes.
MIN_COMMON_NODES = 0.5
# Graphs of one name that have fewer nodes in common belong to different programs.
MIN_SAME_NAME = 0.1
# Graphs of one name that have fewer nodes in common meet with a remark.
_DOUBTFUL = 0.8
# What agreement counts for in the rating of two graphs, each as a share of 0 to 1. A graph of
# another name has to know 5 % more of my nodes to overrule the name.
_WEIGHT = {"nodes": 100.0, "shapes": 40.0, "values": 20.0, "runs": 3.0, "name": 5.0}
# What a name counts for among graphs that are alike but for their runs.
_TIE_BREAK = 0.5
# Where nothing can be seen of shapes or values.
_UNSEEN = 0.5
# Ratings that differ by less are equal.
_ALIKE = 1e-6
# Above this share of common operator names two graphs of one side are versions of one graph.
_MAX_PART_OVERLAP = 0.1
_GRAPH_NUMBER = re.compile(r"graph_(\d+)(?:_\d+)?(?:@device\d+)?", re.ASCII)

# Share (0 to 1) of the named FX nodes, or operators, of a my step that exist in a golden step.
Score = Callable[[StepKey, StepKey], float]


class Evidence(Protocol):
    """What the files of a my step and a golden step say of each other."""

    def shapes(self, my: StepKey, golden: StepKey) -> float | None:
        """Share of tensors whose shapes agree, of some that both have; None if there are none."""

    def values(self, my: StepKey, golden: StepKey) -> float | None:
        """Share of graph inputs whose values agree; None if none is on both sides."""

    def same_inputs(self, my: StepKey, golden: StepKey) -> bool | None:
        """Whether the steps were given the same values; None if no graph input tells."""


@dataclass(frozen=True)
class GraphPair:
    """Two graphs that are compared.

    Attributes:
        my_rank: Rank on the my side, -1 without rank folders.
        my_graph: Graph on the my side.
        golden_rank: Rank on the golden side.
        golden_graph: Graph on the golden side.
        rule: "name" (same `graph_N`), "nodes" (what the graphs are), "part" (a model that GE cut
            out of a graph that is paired already) or "given" (the user says so).
        score: Share of my nodes that the golden graph knows; 1.0 if names alone were looked at.
    """

    my_rank: int
    my_graph: str
    golden_rank: int
    golden_graph: str
    rule: str
    score: float


@dataclass(frozen=True)
class Graphs:
    """Graphs of one rank: name -> steps in order."""

    rank: int
    steps: dict[str, list[int]]

    def first_step(self, graph: str) -> StepKey:
        return StepKey(self.rank, graph, self.steps[graph][0])

    def label(self, graph: str) -> str:
        """How sentences call the graph."""
        return f"rank {self.rank}, {graph}" if self.rank >= 0 else graph

    def in_order(self, graphs: Iterable[str]) -> list[str]:
        """Sorted as they were compiled: by N, for old FX folders by the time in the name."""
        return sorted(graphs, key=lambda graph: (graph_number(graph), graph))


@dataclass
class GraphMatcher:
    """Pairs the graphs of two ranks.

    Attributes:
        my: Graphs under test.
        golden: Golden graphs.
        score: How well two graphs fit, or None if only names are known.
        operators: Operator names of every my graph.
        evidence: What files say, None if nothing but names is to be looked at.
        pairs: my graph -> pair.
        notes: A sentence for every pair that is not plainly by name.
    """

    my: Graphs
    golden: Graphs
    score: Score | None
    operators: dict[str, frozenset[str]]
    evidence: Evidence | None = None
    pairs: dict[str, GraphPair] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _scores: dict[tuple[str, str], float] = field(default_factory=dict)
    _shares: dict[tuple[str, str, str], float | None] = field(default_factory=dict)
    _mates: dict[str, str] = field(default_factory=dict)

    def pair_graphs(self) -> list[GraphPair]:
        """Pair what can be paired; `notes` and `my_left` tell about the rest."""
        self._mates = self._name_mates()
        if self.score is None:
            for graph, mate in self._mates.items():
                self._take(graph, mate, "name")
        else:
            self._pair_by_rating()
            self._pair_parts()
        return [self.pairs[graph] for graph in self.my.in_order(self.pairs)]

    def take_given(self, graph: str, mate: str) -> None:
        """Pair two graphs because the user says so."""
        self._take(graph, mate, "given")

    def my_left(self) -> list[str]:
        """My graphs without counterpart."""
        return self.my.in_order(set(self.my.steps) - set(self.pairs))

    def golden_left(self) -> list[str]:
        """Golden graphs that nothing is compared with."""
        taken = {pair.golden_graph for pair in self.pairs.values()}
        return self.golden.in_order(set(self.golden.steps) - taken)

    def leftover_note(self, graph: str) -> str:
        """Why a my graph has no counterpart."""
        label = self.my.label(graph)
        rated = [(self._score(graph, mate), mate) for mate in self.golden.steps]
        if self.score is None or not rated:
            return f"{label}: no golden graph has this name; it is not compared."
        best, mate = max(rated)
        if best >= MIN_COMMON_NODES:
            return (
                f"{label} is not compared: the golden {mate} knows {best:.0%} of its nodes, but "
                "belongs to another graph or is one of several alike; give the folders of the two "
                "graphs to compare them."
            )
        return (
            f"{label} is not compared: at most {best:.0%} of its nodes exist in a golden graph "
            f"({mate}); another model or another program?"
        )

    def _take(self, graph: str, mate: str, rule: str) -> None:
        score = 1.0 if self.score is None else self._score(graph, mate)
        self.pairs[graph] = GraphPair(self.my.rank, graph, self.golden.rank, mate, rule, score)

    def _score(self, graph: str, mate: str) -> float:
        if self.score is None:
            return 0.0
        if (graph, mate) not in self._scores:
            first = self.my.first_step(graph), self.golden.first_step(mate)
            self._scores[graph, mate] = self.score(*first)
        return self._scores[graph, mate]

    def _runs(self, graph: str, mate: str) -> float:
        """Steps in common, as a share of those of both."""
        mine, theirs = set(self.my.steps[graph]), set(self.golden.steps[mate])
        return len(mine & theirs) / len(mine | theirs)

    def _name_mates(self) -> dict[str, str]:
        """my graph -> golden graph of the same name, or of the same number if only one has it."""
        mates = {graph: graph for graph in self.my.steps if graph in self.golden.steps}
        mine = _by_number(set(self.my.steps) - set(mates))
        theirs = _by_number(set(self.golden.steps) - set(mates))
        for number, graphs in mine.items():
            if len(graphs) == 1 and len(theirs.get(number, [])) == 1:
                mates[graphs[0]] = theirs[number][0]
        return mates

    def _pair_by_rating(self) -> None:
        """One best total assignment; graphs that are alike meet by name or in order of number."""
        uses_files = len(self.my_left()) > 1 or len(self.golden_left()) > 1
        if uses_files:
            self._take_agreeing_names()
        mine, theirs = self.my_left(), self.golden_left()
        fits = [(g, m) for g in mine for m in theirs if self._may_meet(g, m)]
        rating = {fit: self._rating(*fit, with_files=uses_files) for fit in fits}
        of_name = self._name_weights(rating)
        gain = {
            fit: rated + of_name[fit[0]] * self._has_name(*fit) for fit, rated in rating.items()
        }
        chosen = best_assignment(mine, theirs, gain)
        for graph, mate in chosen.items():
            if self._has_name(graph, mate):
                self._take(graph, mate, "name")
                self._note_weak_name(graph, mate)
        others = {graph: mate for graph, mate in chosen.items() if graph not in self.pairs}
        alike = self._alike(others, rating)
        for group in _connected(alike):
            self._pair_alike(group)

    def _take_agreeing_names(self) -> None:
        """Pair graphs of one name that agree in all that is looked at: none could agree more."""
        taken = self._golden_taken()
        for graph in self.my_left():
            mate = self._mates.get(graph)
            if mate is not None and mate not in taken and self._agrees(graph, mate):
                self._take(graph, mate, "name")

    def _agrees(self, graph: str, mate: str) -> bool:
        return (
            self._score(graph, mate) == self._runs(graph, mate) == 1.0
            and self._share("shapes", graph, mate) == 1.0
            and self._share("values", graph, mate) == 1.0
        )

    def _alike(
        self, chosen: dict[str, str], rating: dict[tuple[str, str], float]
    ) -> list[tuple[str, str]]:
        """The chosen pairs, and those that nothing but the choice tells from one of them."""
        best_of_mate = {mate: rating[graph, mate] for graph, mate in chosen.items()}
        taken = self._golden_taken()
        free = [
            (graph, mate) for graph, mate in rating if graph not in self.pairs and mate not in taken
        ]
        return [
            (graph, mate)
            for graph, mate in free
            if chosen.get(graph) == mate
            or (
                graph in chosen and abs(rating[graph, mate] - rating[graph, chosen[graph]]) < _ALIKE
            )
            or (mate in best_of_mate and abs(rating[graph, mate] - best_of_mate[mate]) < _ALIKE)
        ]

    def _golden_taken(self) -> set[str]:
        return {pair.golden_graph for pair in self.pairs.values()}

    def _has_name(self, graph: str, mate: str) -> bool:
        return self._mates.get(graph) == mate

    def _name_weights(self, rating: Mapping[tuple[str, str], float]) -> dict[str, float]:
        """What the name of a my graph counts for: little where its best mates differ in runs."""
        known: dict[str, list[float]] = {}
        for fit, rated in rating.items():
            known.setdefault(fit[0], []).append(rated - _WEIGHT["runs"] * self._runs(*fit))
        return {
            graph: _TIE_BREAK
            if len(rests) > 1 and abs(max(rests) - sorted(rests)[-2]) < _ALIKE
            else _WEIGHT["name"]
            for graph, rests in known.items()
        }

    def _may_meet(self, graph: str, mate: str) -> bool:
        """Whether they have so many nodes in common, and no shapes that say otherwise."""
        has_name = self._has_name(graph, mate)
        if self._score(graph, mate) < (MIN_SAME_NAME if has_name else MIN_COMMON_NODES):
            return False
        return has_name or self._share("shapes", graph, mate) != 0.0

    def _rating(self, graph: str, mate: str, *, with_files: bool) -> float:
        """How much of what they are agrees, names left out."""
        shares = {"nodes": self._score(graph, mate), "runs": self._runs(graph, mate)}
        for kind in ("shapes", "values") if with_files else ():
            share = self._share(kind, graph, mate)
            shares[kind] = _UNSEEN if share is None else share
        return sum(_WEIGHT[kind] * share for kind, share in shares.items())

    def _share(self, kind: str, graph: str, mate: str) -> float | None:
        if self.evidence is None:
            return None
        key = (kind, graph, mate)
        if key not in self._shares:
            look = self.evidence.shapes if kind == "shapes" else self.evidence.values
            self._shares[key] = look(self.my.first_step(graph), self.golden.first_step(mate))
        return self._shares[key]

    def _pair_alike(self, group: list[tuple[str, str]]) -> None:
        """Pair graphs that nothing tells apart in the order of compilation.

        Only if there are as many on both sides and every single pair fits; otherwise none of them
        is compared, as any choice could be wrong.
        """
        mine = self.my.in_order({graph for graph, _ in group})
        theirs = self.golden.in_order({mate for _, mate in group})
        in_order = list(zip(mine, theirs))
        if len(mine) != len(theirs) or not set(in_order) <= set(group):
            return
        for graph, mate in in_order:
            self._take(graph, mate, "nodes")
            self.notes.append(self._choice_note(graph, mate, is_order=len(mine) > 1))

    def _choice_note(self, graph: str, mate: str, *, is_order: bool) -> str:
        what = ["the names of nodes"]
        what += ["the shapes of tensors"] if self._tells("shapes", graph, mate) else []
        what += ["the values of graph inputs"] if self._tells("values", graph, mate) else []
        what += ["the number of runs"] if self._tells_by_runs(graph, mate) else []
        what += ["the order of compilation"] if is_order else []
        told = f"{', '.join(what[:-1])} and {what[-1]}" if len(what) > 1 else what[0]
        return (
            f"{self.my.label(graph)} is compared with the golden {mate}, which has "
            f"{self._score(graph, mate):.0%} of its nodes: {told} tell, not the names of the "
            "graphs."
        )

    def _tells(self, kind: str, graph: str, mate: str) -> bool:
        """Whether shapes, or values, agree here and not with another golden graph."""
        known = {m: s for (k, g, m), s in self._shares.items() if (k, g) == (kind, graph)}
        own = known.get(mate)
        return own is not None and any(s is not None and s < own for s in known.values())

    def _tells_by_runs(self, graph: str, mate: str) -> bool:
        """Whether the graph of its name ran another number of times, this one as often."""
        namesake = self._mates.get(graph)
        return namesake is not None and self._runs(graph, namesake) < self._runs(graph, mate)

    def _note_weak_name(self, graph: str, mate: str) -> None:
        score = self._score(graph, mate)
        if score < _DOUBTFUL:
            self.notes.append(
                f"{self.my.label(graph)}: only {score:.0%} of its nodes exist in the golden "
                f"{mate}: another model, or many fused operators?"
            )

    def _pair_parts(self) -> None:
        """A model that GE cut out of a graph meets the golden graph of the model it was cut from.

        Its operators are not those of that model; a second version of the graph (compiled again
        for other shapes) has the same ones and stays without counterpart.
        """
        for graph in self.my_left():
            whole = [
                pair
                for pair in self.pairs.values()
                if pair.rule != "part"
                and self._score(graph, pair.golden_graph) >= MIN_COMMON_NODES
                and self._overlap(graph, pair.my_graph) <= _MAX_PART_OVERLAP
            ]
            if len(whole) == 1:
                self._take(graph, whole[0].golden_graph, "part")
                self.notes.append(
                    f"{self.my.label(graph)} is compared with the golden {whole[0].golden_graph}: "
                    f"GE runs this part of {whole[0].my_graph} as a model of its own."
                )

    def _overlap(self, graph: str, other: str) -> float:
        mine, theirs = self.operators[graph], self.operators[other]
        return len(mine & theirs) / len(mine) if mine else 1.0


def _connected(pairs: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The pairs in groups that share no graph with one another."""
    of_my: dict[str, list[tuple[str, str]]] = {}
    of_golden: dict[str, list[tuple[str, str]]] = {}
    for mine, theirs in pairs:
        of_my.setdefault(mine, []).append((mine, theirs))
        of_golden.setdefault(theirs, []).append((mine, theirs))
    groups = []
    while of_my:
        group: list[tuple[str, str]] = []
        waiting = [next(iter(of_my))]
        while waiting:
            for mine, theirs in of_my.pop(waiting.pop(), []):
                group.append((mine, theirs))
                waiting.extend(graph for graph, _ in of_golden.pop(theirs, []))
        groups.append(group)
    return groups


def graph_number(graph: str) -> int:
    """N of `graph_N` (also `graph_N_K` and `graph_N@device1`), -1 for other names."""
    found = _GRAPH_NUMBER.fullmatch(graph)
    return int(found[1]) if found else -1


def _by_number(graphs: Iterable[str]) -> dict[int, list[str]]:
    numbers: dict[int, list[str]] = {}
    for graph in graphs:
        if graph_number(graph) >= 0:
            numbers.setdefault(graph_number(graph), []).append(graph)
    return numbers
