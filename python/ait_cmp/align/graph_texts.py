"""Graph texts of both sides as pairing needs them, read once each.

Ranks that compiled the same program have texts of the same bytes: those are one text, and what
pairing works out of it serves all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from ait_cmp import _core
from ait_cmp.align.graph_choice import TextFiles, ge_graph_files
from ait_cmp.align.graph_match import graph_number
from ait_cmp.discover import DumpTree, GraphFile
from ait_cmp.errors import FormatError, reason_of
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.identity import read_final_members
from ait_cmp.pairing.graph.index import GraphIndex, sanitise
from ait_cmp.pairing.graph.origins import Origins, SourceFiles, origins_of_text

# A graph text without a fitting number belongs to a graph if it names so many of its ops.
_MIN_KNOWN_OPS = 0.5
_BYTES_AT_ONCE = 1 << 20


class _Text:
    """The content of a graph text, of one file or of several that are equal.

    Attributes:
        graphs: Its graphs; none if it cannot be read.
        contexts: What pairing works out of the first of them, for each of its origins.
    """

    def __init__(self, graphs: list[_core.Graph]) -> None:
        self.graphs = graphs
        self.contexts: list[tuple[Origins, GraphContext]] = []
        self._origins: Origins | None = None

    @cached_property
    def index(self) -> GraphIndex:
        """The first of its graphs."""
        return GraphIndex(self.graphs[0])

    @cached_property
    def nodes(self) -> frozenset[str]:
        """FX nodes that it names."""
        return frozenset(name.node for names in self.index.fx_names.values() for name in names)

    def origins(self, path: str) -> Origins:
        """What it says itself of where its ops come from; `path` is a file with this content."""
        if self._origins is None:
            self._origins = origins_of_text(path, self.index)
        return self._origins


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _OfRanks(Generic[_Key, _Value]):
    """What was asked for of the two ranks that were asked for last; of others it is made anew.

    A thousand ranks may have a thousand texts.
    """

    def __init__(self) -> None:
        self._of: dict[int, dict[_Key, _Value]] = {-1: {}}

    def turn_to(self, rank: int) -> None:
        """A rank is asked for."""
        now = self._of.pop(rank, {})
        self._of = {**dict([*self._of.items()][-1:]), rank: now}

    @property
    def _now(self) -> dict[_Key, _Value]:
        return next(reversed(self._of.values()))

    def get(self, key: _Key) -> _Value | None:
        """None if it is not known any more."""
        found = next((known[key] for known in self._of.values() if key in known), None)
        if found is not None:
            self._now[key] = found
        return found

    def put(self, key: _Key, value: _Value) -> None:
        """Remember it."""
        self._now[key] = value


class GraphTexts:
    """The graph texts of both sides; those of the side under test come first.

    Attributes:
        notes: One sentence for every file that could not be read.
    """

    def __init__(self, trees: Sequence[DumpTree]) -> None:
        self.notes: list[str] = []
        self._trees = trees
        self._text_files = [TextFiles(tree) for tree in trees]
        self._rank = -1
        # Path -> number of its content, None if it cannot be read.
        self._contents: dict[str, bytes | None] = {}
        self._texts: _OfRanks[bytes, _Text] = _OfRanks()
        self._source_files = SourceFiles()
        self._contexts: _OfRanks[tuple[int, str], GraphContext] = _OfRanks()
        self._without: set[tuple[int, str]] = set()  # graphs that no text belongs to
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
        if key in self._without:
            return None
        if rank != self._rank:
            self._rank = rank
            self._texts.turn_to(rank)
            self._contexts.turn_to(rank)
        context = self._contexts.get(key)
        if context is None:
            known = self._files.get(key)
            text = self._find(rank, graph, op_names) if known is None else self._text(known)
            if text is None or not text.graphs:  # of a file that is gone by now
                self._without.add(key)
                return None
            context = self._made(key, text)
            self._contexts.put(key, context)
        return context

    def _made(self, key: tuple[int, str], text: _Text) -> GraphContext:
        file = self._files[key]
        origins, notes = self._source_files.origins(file.path, file.pid, text.nodes)
        self.notes += [note for note in notes if note not in self.notes]
        if origins is None:
            origins = text.origins(file.path)
        for known, context in text.contexts:
            if known == origins:
                return context
        context = GraphContext(text.index, self._final_members(), origins)
        text.contexts.append((origins, context))
        return context

    def source(self, rank: int, graph: str) -> tuple[str, _core.Graph] | None:
        """Path and text of a graph whose context was asked for, None if no text belongs to it."""
        file = self._files.get((rank, graph))
        graphs = [] if file is None else self._text(file).graphs
        return (file.path, graphs[0]) if file is not None and graphs else None

    def _find(self, rank: int, graph: str, op_names: Iterable[str]) -> _Text | None:
        best, best_share = None, 0.0
        names: set[str] | None = None
        for files in self._text_files:
            for file in files.of(rank, graph):
                text = self._text(file)
                if not text.graphs:
                    continue
                if file.number == graph_number(graph) >= 0:
                    self._files[rank, graph] = file
                    return text
                if names is None:
                    names = {name for name in op_names if name}
                share = _known_share(text.index, names)
                if share > best_share:
                    best, best_share = text, share
                    self._files[rank, graph] = file
        return best if best_share >= _MIN_KNOWN_OPS else None

    def _text(self, file: GraphFile) -> _Text:
        content = self._contents.get(file.path, b"")
        if content is None:
            return _Text([])
        try:
            content = content or _digest(file.path)
            text = self._texts.get(content)
            if text is None:
                text = _Text(_core.read_graph(file.path))
                self._texts.put(content, text)
        except (FormatError, OSError) as error:
            self.notes.append(f"A graph text cannot be read: {reason_of(error)}.")
            self._contents[file.path] = None
            return _Text([])
        self._contents[file.path] = content
        return text

    def _final_members(self) -> dict[str, tuple[str, ...]]:
        """Fused op -> the ops it stands for, from the graphs that GE wrote."""
        if self._members is None:
            self._members = read_final_members(
                graph
                for tree in self._trees
                for file in ge_graph_files(tree)
                for graph in self._text(file).graphs
            )
        return self._members


def _digest(path: str) -> bytes:
    """A number that files of the same bytes have in common, and no others."""
    digest = hashlib.blake2b()
    try:
        with Path(path).open("rb") as file:
            while part := file.read(_BYTES_AT_ONCE):
                digest.update(part)
    except OSError as error:  # of a read that fails Python does not say which file it was
        raise OSError(error.errno, error.strerror, path) from error
    return digest.digest()


def _known_share(index: GraphIndex, op_names: set[str]) -> float:
    known = {sanitise(op.name) for op in index.ops}
    return len(known & op_names) / len(op_names) if op_names else 0.0
