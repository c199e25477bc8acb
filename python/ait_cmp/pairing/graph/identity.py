"""Which graph op, or which members of a fused op, a GE dump file belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ait_cmp.pairing.graph.fused_name import split_fused_name
from ait_cmp.pairing.graph.index import GraphIndex, GraphText, sanitise
from ait_cmp.pairing.graph.slices import split_slice_name


class Identity(NamedTuple):
    """What a dump file stands for in the graph.

    Attributes:
        members: Op numbers; one for a plain op, () if the graph does not have the op.
        is_fused: Whether the file's op replaces its members (also a single renamed one).
        is_complete: Whether all members are known; if not, only outputs can be paired.
        name: Name to show: of the graph op, or else of the file.
        hint: What the name resembles if it stands for nothing known, a sentence or "".
        after: Watch mode: the op after which the output of the one member was taken, else "".
    """

    members: tuple[int, ...]
    is_fused: bool
    is_complete: bool
    name: str
    hint: str
    after: str = ""


# Watch mode of torchair's dump: `{op that just ran}_To_{op whose outputs are watched}`.
_WATCH_MARK = "_To_"


def split_watch_name(name: str) -> Iterator[tuple[str, str]]:
    """(op that just ran, watched op) for every way to read a name of watch mode."""
    at = name.find(_WATCH_MARK)
    while at > 0:
        after, watched = name[:at], name[at + len(_WATCH_MARK) :]
        if watched:
            yield after, watched
        at = name.find(_WATCH_MARK, at + 1)


def read_final_members(graphs: Iterable[GraphText]) -> dict[str, tuple[str, ...]]:
    """Sanitised name of a final op -> `_datadump_original_op_names`, from `ge_proto_*.txt`."""
    members: dict[str, tuple[str, ...]] = {}
    for graph in graphs:
        for op in graph.ops:
            originals = tuple(op.original_op_names)
            if originals:
                members[sanitise(op.name)] = originals
    return members


class Identifier:
    """Finds the identity of dump files of one graph; each name is worked out once."""

    def __init__(self, graph: GraphIndex, final_members: Mapping[str, tuple[str, ...]]) -> None:
        self._graph = graph
        self._final_members = final_members
        self._known: dict[tuple[str, str, tuple[str, ...]], Identity] = {}

    def identify(self, file_name: str, header_name: str, origins: tuple[str, ...]) -> Identity:
        """The identity of a file.

        The file name comes first if it is a graph op, or can be read as a row of them: the header
        of a UB-fused op may name its last member alone. The header decides where two graph ops
        share a sanitised name and where the file name is not known.

        Args:
            file_name: Sanitised op name in the file's name, "" if unknown.
            header_name: `op_name` of the header.
            origins: `original_op.name` of the outputs that have one.
        """
        key = (file_name, header_name, origins)
        known = self._known.get(key)
        if known is None:
            known = self._identify(file_name, header_name, origins)
            if not known.is_complete:
                known = self._of_watch(file_name or sanitise(header_name), known)
            if not known.is_complete:
                known = self._of_slice(file_name, header_name, origins, known)
            self._known[key] = known
        return known

    def _of_watch(self, name: str, known: Identity) -> Identity:
        """The identity of outputs that were taken after another op ran; else `known`."""
        for after, watched in split_watch_name(name):
            numbers = self._graph.by_file_name.get(watched, [])
            if len(numbers) == 1 and (after in self._graph.by_file_name or not known.members):
                return Identity((numbers[0],), False, True, name, "", after)
        return known

    def _of_slice(
        self, file_name: str, header_name: str, origins: tuple[str, ...], known: Identity
    ) -> Identity:
        """The identity of the op that FFTS+ cut, if the name is that of a slice; else `known`."""
        name, number = split_slice_name(file_name)
        title, _ = split_slice_name(header_name)
        if (name, title) == (file_name, header_name):
            return known
        found = self._identify(name, title, origins)
        if not found.is_complete:
            return known
        # Slices of manual mode are ops of their own: each keeps its name.
        return found if number < 0 else found._replace(name=f"{found.name}_lxslice{number}")

    def _identify(self, file_name: str, header_name: str, origins: tuple[str, ...]) -> Identity:
        graph = self._graph
        name = file_name or sanitise(header_name)
        shown = header_name if sanitise(header_name) == name else name
        if sanitise(header_name) == name and header_name in graph.number:
            return _plain(graph, graph.number[header_name])
        numbers = graph.by_file_name.get(name, [])
        if len(numbers) == 1:
            return _plain(graph, numbers[0])
        if len(numbers) > 1:
            both = " and ".join(graph.ops[number].name for number in numbers[:2])
            hint = f"{both} have the same file name and the header names neither"
            return Identity((), False, False, shown, hint)
        originals = self._final_members.get(name, ())
        members = tuple(graph.number[n] for n in originals if n in graph.number)
        if members and len(members) == len(originals):
            return Identity(members, True, True, shown, "")
        split = split_fused_name(name, graph)
        if split.members:
            return Identity(split.members, True, True, shown, "")
        members = tuple(dict.fromkeys(graph.number[n] for n in origins if n in graph.number))
        return Identity(members, bool(members), False, shown, split.hint)


def _plain(graph: GraphIndex, number: int) -> Identity:
    return Identity((number,), False, True, graph.ops[number].name, "")
