"""Which graph text describes a dumped graph, and how well two graphs fit by the nodes it names."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ait_cmp.align.graph_match import Score, graph_number
from ait_cmp.discover import DumpTree, GraphFile, StepKey

# The original graph names most FX nodes; the optimised one has the same names with shapes.
_STAGES = ("original", "optimized")
# Graphs of a rank whose nodes are remembered; each is held against each.
_N_GRAPHS = 256


def graph_files_of(tree: DumpTree, rank: int, graph: str) -> list[GraphFile]:
    """Graph texts (`.txt` of torchair) that may describe a dumped graph, best first.

    Args:
        tree: The GE dump.
        rank: Rank of the graph, -1 without rank folders.
        graph: Its name. A `graph_N` has the number of its text; for other names (a model that GE
            cut out of a graph, a copied folder) every text is a candidate, and the operator names
            of the files tell which one it is.

    Returns:
        Texts of this number and rank, original before optimised; texts of another rank only if
        there are none of this one, as ranks compile the same program.
    """
    return TextFiles(tree).of(rank, graph)


class TextFiles:
    """The graph texts of a dump by number and rank: a thousand ranks have a thousand of them."""

    def __init__(self, tree: DumpTree) -> None:
        # Number, or None for all -> rank -> texts.
        self._of_number: dict[int | None, dict[int, list[GraphFile]]] = {}
        for file in tree.graph_files:
            if file.stage in _STAGES and file.format == "txt":
                for number in (file.number, None):
                    of_rank = self._of_number.setdefault(number, {})
                    of_rank.setdefault(file.rank, []).append(file)

    def of(self, rank: int, graph: str) -> list[GraphFile]:
        """What `graph_files_of` says."""
        number = graph_number(graph)
        named = self._of_number.get(number, {}) if number >= 0 else {}
        candidates = named or self._of_number.get(-1 if number >= 0 else None, {})
        ranks = {rank, -1} & candidates.keys() or candidates.keys()
        return sorted(
            (file for one in sorted(ranks) for file in candidates[one]),
            key=lambda file: (_STAGES.index(file.stage), file.rank < 0, file.rank, -file.timestamp),
        )


def ge_graph_files(tree: DumpTree) -> list[GraphFile]:
    """Final graphs that GE wrote (`ge_proto_*_Build.txt`), newest last; they name no FX nodes."""
    return [file for file in tree.graph_files if file.stage == "ge_proto"]


def node_score(golden: DumpTree, named_nodes: Callable[[StepKey], frozenset[str]]) -> Score:
    """Score of a GE dump against an FX dump: the share of the FX nodes it names that FX dumped.

    Args:
        golden: The FX dump.
        named_nodes: FX nodes that the graph text of a my step names (`_fx_tensor_name`).

    Returns:
        A function for `align`. A graph that names no node fits none.
    """

    @lru_cache(maxsize=_N_GRAPHS)
    def dumped(golden_key: StepKey) -> frozenset[str]:
        return frozenset(file.node for file in golden.fx[golden_key])

    def share(my_key: StepKey, golden_key: StepKey) -> float:
        nodes = named_nodes(my_key)
        return len(nodes & dumped(golden_key)) / len(nodes) if nodes else 0.0

    return share
