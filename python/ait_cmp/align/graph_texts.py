"""Graph texts of both sides as pairing needs them, read once each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ait_cmp import _core
from ait_cmp.align.graph_choice import ge_graph_files, graph_files_of
from ait_cmp.align.graph_match import graph_number
from ait_cmp.discover import DumpTree, GraphFile
from ait_cmp.errors import FormatError, reason_of
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.identity import read_final_members
from ait_cmp.pairing.graph.index import GraphIndex, sanitise
from ait_cmp.pairing.graph.origins import read_origins

# A graph text without a fitting number belongs to a graph if it names so many of its ops.
_MIN_KNOWN_OPS = 0.5


class GraphTexts:
    """The graph texts of both sides; those of the side under test come first.

    Attributes:
        notes: One sentence for every file that could not be read.
    """

    def __init__(self, trees: Sequence[DumpTree]) -> None:
        self.notes: list[str] = []
        self._trees = trees
        self._read: dict[str, list[_core.Graph]] = {}
        self._contexts: dict[tuple[int, str], GraphContext | None] = {}
        self._sources: dict[tuple[int, str], tuple[str, _core.Graph]] = {}
        self._files: dict[tuple[int, str], GraphFile] = {}
        self._members: dict[str, tuple[str, ...]] | None = None

    def context(self, rank: int, graph: str, op_names: Iterable[str]) -> GraphContext | None:
        """The graph of this rank and name, None if no text belongs to it.

        Args:
            rank: Rank, -1 without rank level.
            graph: Name of the dump's folder, `graph_1`.
            op_names: Names in the files of one of its steps; they tell which text belongs to a
                graph whose name has no number.
        """
        key = (rank, graph)
        if key not in self._contexts:
            index = self._find(rank, graph, {name for name in op_names if name})
            self._contexts[key] = None if index is None else self._made(key, index)
        return self._contexts[key]

    def _made(self, key: tuple[int, str], index: GraphIndex) -> GraphContext:
        file = self._files[key]
        names = {name.node for names in index.fx_names.values() for name in names}
        origins, notes = read_origins(file.path, file.pid, index, names)
        self.notes += notes
        return GraphContext(index, self._final_members(), origins)

    def source(self, rank: int, graph: str) -> tuple[str, _core.Graph] | None:
        """Path and text of a graph whose context was asked for, None if no text belongs to it."""
        return self._sources.get((rank, graph))

    def _find(self, rank: int, graph: str, op_names: set[str]) -> GraphIndex | None:
        best, best_share = None, 0.0
        for tree in self._trees:
            for file in graph_files_of(tree, rank, graph):
                texts = self._texts(file)
                if not texts:
                    continue
                index = GraphIndex(texts[0])
                if file.number == graph_number(graph) >= 0:
                    self._sources[rank, graph] = (file.path, texts[0])
                    self._files[rank, graph] = file
                    return index
                share = _known_share(index, op_names)
                if share > best_share:
                    best, best_share = index, share
                    self._sources[rank, graph] = (file.path, texts[0])
                    self._files[rank, graph] = file
        return best if best_share >= _MIN_KNOWN_OPS else None

    def _texts(self, file: GraphFile) -> list[_core.Graph]:
        if file.path not in self._read:
            self._read[file.path] = []
            try:
                self._read[file.path] = _core.read_graph(file.path)
            except (FormatError, OSError) as error:
                self.notes.append(f"A graph text cannot be read: {reason_of(error)}.")
        return self._read[file.path]

    def _final_members(self) -> dict[str, tuple[str, ...]]:
        """Fused op -> the ops it stands for, from the graphs that GE wrote."""
        if self._members is None:
            self._members = read_final_members(
                graph
                for tree in self._trees
                for file in ge_graph_files(tree)
                for graph in self._texts(file)
            )
        return self._members


def _known_share(index: GraphIndex, op_names: set[str]) -> float:
    known = {sanitise(op.name) for op in index.ops}
    return len(known & op_names) / len(op_names) if op_names else 0.0
