"""Pairs the graphs of one rank by name, confirmed or overruled by the nodes in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ait_cmp.discover import StepKey

# Graphs of different names meet only if the golden one knows so many of my nodes.
MIN_COMMON_NODES = 0.5
# Graphs of one name that have fewer nodes in common belong to different programs.
MIN_SAME_NAME = 0.1
# Graphs of one name that have fewer nodes in common meet with a remark.
_DOUBTFUL = 0.8
# A graph of another name has to know so many more of my nodes to overrule the name.
_NAME_BONUS = 0.05
# Above this share of common operator names two graphs of one side are versions of one graph.
_MAX_PART_OVERLAP = 0.1
_GRAPH_NUMBER = re.compile(r"graph_(\d+)(?:_\d+)?(?:@device\d+)?", re.ASCII)

# Share (0 to 1) of the named FX nodes, or operators, of a my step that exist in a golden step.
Score = Callable[[StepKey, StepKey], float]


@dataclass(frozen=True)
class GraphPair:
    """Two graphs that are compared.

    Attributes:
        my_rank: Rank on the my side, -1 without rank folders.
        my_graph: Graph on the my side.
        golden_rank: Rank on the golden side.
        golden_graph: Graph on the golden side.
        rule: "name" (same `graph_N`), "nodes" (node names in common) or "part" (a model that GE cut
            out of a graph that is paired already).
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
        pairs: my graph -> pair.
        notes: A sentence for every pair that is not plainly by name.
    """

    my: Graphs
    golden: Graphs
    score: Score | None
    operators: dict[str, frozenset[str]]
    pairs: dict[str, GraphPair] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _scores: dict[tuple[str, str], float] = field(default_factory=dict)
    _unclear: set[tuple[str, str]] = field(default_factory=set)

    def pair_graphs(self) -> list[GraphPair]:
        """Pair what can be paired; `notes` and `my_left` tell about the rest."""
        mates = self._name_mates()
        for graph, mate in mates.items():
            # Nothing can fit so much better that it would overrule the name.
            if self.score is None or self._score(graph, mate) >= 1.0 - _NAME_BONUS:
                self._take(graph, mate, "name")
        if self.score is not None:
            while self._pair_best(mates):
                pass
            self._pair_parts()
        return [self.pairs[graph] for graph in self.my.in_order(self.pairs)]

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

    def _steps_in_common(self, graph: str, mate: str) -> float:
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

    def _pair_best(self, mates: dict[str, str]) -> bool:
        """Pair the graphs with most nodes, then most steps, in common; False if none are left."""
        rated: dict[tuple[float, float], list[tuple[str, str]]] = {}
        for graph in self.my_left():
            for mate in self.golden_left():
                has_name = mates.get(graph) == mate
                score = self._score(graph, mate)
                if (graph, mate) in self._unclear:
                    continue
                if score >= (MIN_SAME_NAME if has_name else MIN_COMMON_NODES):
                    rating = score + _NAME_BONUS * has_name, self._steps_in_common(graph, mate)
                    rated.setdefault(rating, []).append((graph, mate))
        if not rated:
            return False
        best = rated[max(rated)]
        by_name = [(graph, mate) for graph, mate in best if mates.get(graph) == mate]
        if by_name:
            for graph, mate in by_name:
                self._take(graph, mate, "name")
                self._note_weak_name(graph, mate)
            return True
        for group in _connected(best):
            self._pair_alike(group)
        return True

    def _pair_alike(self, group: list[tuple[str, str]]) -> None:
        """Pair graphs that nodes and steps cannot tell apart in the order of compilation.

        Only if there are as many on both sides and every single pair fits; otherwise none of them
        is compared, as any choice could be wrong.
        """
        mine = self.my.in_order({graph for graph, _ in group})
        theirs = self.golden.in_order({mate for _, mate in group})
        in_order = list(zip(mine, theirs))
        if len(mine) != len(theirs) or not set(in_order) <= set(group):
            self._unclear.update(group)
            return
        for graph, mate in in_order:
            self._take(graph, mate, "nodes")
            order = " and the order of compilation" if len(mine) > 1 else ""
            self.notes.append(
                f"{self.my.label(graph)} is compared with the golden {mate}, which has "
                f"{self._score(graph, mate):.0%} of its nodes: the names of nodes{order} tell, not "
                "the names of the graphs."
            )

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
    for pair in pairs:
        of_my.setdefault(pair[0], []).append(pair)
        of_golden.setdefault(pair[1], []).append(pair)
    groups = []
    while of_my:
        group: list[tuple[str, str]] = []
        waiting = [next(iter(of_my))]
        while waiting:
            for pair in of_my.pop(waiting.pop(), []):
                group.append(pair)
                waiting.extend(graph for graph, _ in of_golden.pop(pair[1], []))
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
