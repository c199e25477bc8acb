"""Where in the user's model the ops of a graph come from, as far as the capture tells."""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.fx_sources import FILE_NAME, FORMAT, VERSION, module_path
from ait_cmp.pairing.graph.index import GraphIndex

# An attribute of the ops of a graph text: {name: (path, class), ...} as Python prints it.
_STACK = "nn_module_stack"
_ENTRY = re.compile(r""": \((?P<quote>["'])(?P<path>.*?)(?P=quote), """)
# A file of FX nodes belongs to a graph if it has so many of the nodes that the graph names.
_MIN_KNOWN_NODES = 0.5


class Origin(NamedTuple):
    """Where an op comes from.

    Attributes:
        module: Path of its module in the user's model, `layers.0.mlp.up_proj`; "": not known.
        source: File and line, `/models/qwen.py:38`; "": not known.
    """

    module: str = ""
    source: str = ""


class Origins:
    """The origins of the ops of one graph.

    Args:
        of_nodes: FX node -> its origin.
        of_ops: Op of the graph -> its origin, for ops without an FX node that is known.
    """

    def __init__(
        self,
        of_nodes: Mapping[str, Origin] | None = None,
        of_ops: Mapping[str, Origin] | None = None,
    ) -> None:
        self._of_nodes = of_nodes or {}
        self._of_ops = of_ops or {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Origins):
            return NotImplemented
        return (self._of_nodes, self._of_ops) == (other._of_nodes, other._of_ops)

    def find(self, fx_node: str, op_names: Collection[str]) -> Origin:
        """The origin of an op that was made for a node, or of one of its members."""
        found = self._of_nodes.get(fx_node)
        if found is None and self._of_ops:
            known = (self._of_ops[name] for name in op_names if name in self._of_ops)
            found = next(known, None)
        return found or Origin()


class SourceFiles:
    """The files of FX nodes that the dump helpers write beside graph texts; read when asked for."""

    def __init__(self) -> None:
        # Folder -> process -> its files.
        self._of_folder: dict[Path, dict[int, list[Path]]] = {}

    def _files(self, folder: Path, pid: int) -> list[Path]:
        if folder not in self._of_folder:
            found: dict[int, list[Path]] = {}
            self._of_folder[folder] = found
            for path in sorted(folder.glob("fx_sources_*.json")):
                match = FILE_NAME.fullmatch(path.name)
                if match is not None:
                    found.setdefault(int(match["pid"]), []).append(path)
        of_folder = self._of_folder[folder]
        if pid != -1:
            return of_folder.get(pid, [])
        return sorted(path for files in of_folder.values() for path in files)

    def origins(
        self, graph_text: str, pid: int, nodes: Collection[str]
    ) -> tuple[Origins | None, list[str]]:
        """What the files beside a graph text tell of it.

        Args:
            graph_text: Path of the text.
            pid: Process that wrote it, -1 if that is not known.
            nodes: The FX nodes that it names.

        Returns:
            The origins, None if no file tells, and a sentence for every file that could not be
            read.
        """
        notes: list[str] = []
        best: dict[str, Origin] = {}
        best_share = 0.0
        for path in self._files(Path(graph_text).parent, pid):
            try:
                found = _read_nodes(path)
            except (FormatError, OSError) as error:
                notes.append(f"FX sources cannot be read: {error}")
                continue
            share = len(found.keys() & nodes) / len(found.keys() | nodes) if nodes else 0.0
            if share > best_share and len(found.keys() & nodes) >= _MIN_KNOWN_NODES * len(nodes):
                best, best_share = found, share
        return (Origins(best) if best else None), notes


def _read_nodes(path: Path) -> dict[str, Origin]:
    """The nodes of a file that the dump helpers write.

    Raises:
        FormatError: It is none of theirs.
        OSError: It cannot be read.
    """
    try:
        told = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        message = f"{path}: JSON expected ({error})"
        raise FormatError(message) from error
    if not isinstance(told, dict) or (told.get("format"), told.get("version")) != (FORMAT, VERSION):
        message = f'{path}: "format": "{FORMAT}", "version": {VERSION} expected'
        raise FormatError(message)
    nodes = told.get("nodes")
    if not isinstance(nodes, dict):
        message = f"{path}: nodes: an object expected"
        raise FormatError(message)
    return {name: _origin(node) for name, node in nodes.items() if isinstance(node, dict)}


def _origin(node: Mapping[str, Any]) -> Origin:
    module, file, line = node.get("module"), node.get("file"), node.get("line")
    source = f"{file}:{line}" if isinstance(file, str) and isinstance(line, int) else ""
    return Origin(module if isinstance(module, str) else "", source)


def origins_of_text(graph_text: str, index: GraphIndex) -> Origins:
    """What a graph text itself tells.

    Args:
        graph_text: Path of the text.
        index: The graph.
    """
    return Origins(of_ops=_of_attributes(graph_text, index))


def _of_attributes(graph_text: str, index: GraphIndex) -> dict[str, Origin]:
    """Modules that the ops of the text have as attributes; nothing is parsed where none has."""
    try:
        with (
            Path(graph_text).open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text,
        ):
            if text.find(_STACK.encode()) < 0:
                return {}
        told = _core.read_graph_attributes(graph_text, 0, {op.name for op in index.ops})
    except (FormatError, OSError, ValueError):  # what is wrong with the text is said elsewhere
        return {}
    stacks = {name: attributes.get(_STACK) for name, (attributes, _) in told.items()}
    return {
        name: Origin(module_path(entries[-1]["path"]))
        for name, stack in stacks.items()
        if isinstance(stack, str) and (entries := list(_ENTRY.finditer(stack)))
    }
