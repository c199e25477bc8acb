"""Graph texts of a dump: which one belongs to which graph, read once each."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ait_cmp import _core
from ait_cmp.discover import DumpTree, GraphFile
from ait_cmp.errors import FormatError
from ait_cmp.graph import GraphIndex, sanitise
from ait_cmp.pairing.context import GraphContext
from ait_cmp.pairing.identity import read_final_members

_GRAPH_NUMBER = re.compile(r"graph_(\d+)", re.ASCII)
# A graph text without a fitting number belongs to a graph if it names so many of its ops.
_MIN_KNOWN_OPS = 0.5
_STAGES = {"original": 0, "optimized": 1}


class GraphTexts:
    """The graph texts of both sides; those under test come first.

    Attributes:
        notes: One sentence for every file that could not be read.
    """

    def __init__(self, trees: Iterable[DumpTree]) -> None:
        self.notes: list[str] = []
        files = [file for tree in trees for file in tree.graph_files]
        self._texts = sorted(
            (file for file in files if file.stage in _STAGES and file.format == "txt"),
            key=lambda file: _STAGES[file.stage],
        )
        self._final = [file for file in files if file.stage == "ge_proto"]
        self._read: dict[str, GraphIndex | None] = {}
        self._contexts: dict[tuple[int, str], GraphContext | None] = {}
        self._members: dict[str, tuple[str, ...]] | None = None

    def __bool__(self) -> bool:
        return bool(self._texts)

    def context(self, rank: int, graph: str, op_names: Iterable[str]) -> GraphContext | None:
        """The graph of this rank and name, None if no text belongs to it.

        Args:
            rank: Rank, -1 without rank level.
            graph: Name of the dump's folder, `graph_1`.
            op_names: Names in the files of one of its steps, to find a graph of another name.
        """
        key = (rank, graph)
        if key not in self._contexts:
            index = self._find(rank, graph, {name for name in op_names if name})
            members = self._final_members() if index is not None else {}
            self._contexts[key] = None if index is None else GraphContext(index, members)
        return self._contexts[key]

    def _find(self, rank: int, graph: str, op_names: set[str]) -> GraphIndex | None:
        texts = [file for file in self._texts if rank < 0 or file.rank in (-1, rank)]
        match = _GRAPH_NUMBER.match(graph)
        number = int(match[1]) if match else -1
        for file in texts:
            if file.number == number >= 0:
                index = self._index(file)
                if index is not None:
                    return index
        best = max(
            (
                (_known_share(index, op_names), -place, index)
                for place, file in enumerate(texts)
                if (index := self._index(file)) is not None
            ),
            default=None,
            key=lambda item: item[:2],
        )
        return best[2] if best is not None and best[0] >= _MIN_KNOWN_OPS else None

    def _index(self, file: GraphFile) -> GraphIndex | None:
        if file.path not in self._read:
            self._read[file.path] = None
            try:
                graphs = _core.read_graph(file.path)
            except (FormatError, OSError) as error:
                self.notes.append(f"The graph text cannot be read: {error}")
            else:
                self._read[file.path] = GraphIndex(graphs[0]) if graphs else None
        return self._read[file.path]

    def _final_members(self) -> dict[str, tuple[str, ...]]:
        """Fused op -> the ops it stands for, from the graphs that GE wrote."""
        if self._members is None:
            self._members = {}
            for file in self._final:
                try:
                    graphs = _core.read_graph(file.path)
                except (FormatError, OSError) as error:
                    self.notes.append(f"The graph of GE cannot be read: {error}")
                    continue
                self._members.update(read_final_members(graphs))
        return self._members


def _known_share(index: GraphIndex, op_names: set[str]) -> float:
    known = {sanitise(op.name) for op in index.ops}
    return len(known & op_names) / len(op_names) if op_names else 0.0
