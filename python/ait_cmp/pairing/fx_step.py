"""One step of an FX dump, found by `_fx_tensor_name`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from ait_cmp.discover import FxFile
from ait_cmp.pairing.graph.index import FxName, read_index
from ait_cmp.tensor_ref import ViewStep


class FxFound(NamedTuple):
    """An FX file that holds a named tensor.

    Attributes:
        file: The file.
        view: () or the selection of one element of a stacked nested output.
        note: Sentence if the match is not exact, else "".
    """

    file: FxFile
    view: tuple[ViewStep, ...]
    note: str


class FxNode(NamedTuple):
    """The files of one FX node that belong together.

    Attributes:
        target: What the node calls.
        inputs: Arguments by index, elements of lists by sub-index, as numbers.
        outputs: Result index -> file.
        note: Sentence if older files of the node were left out, else "".
    """

    target: str
    inputs: tuple[FxFile, ...]
    outputs: dict[int, FxFile]
    note: str


class FxStep:
    """Files of one step by FX node; of a node that ran several times the newest files count."""

    def __init__(self, files: Iterable[FxFile]) -> None:
        self.files = tuple(files)
        self._by_node: dict[str, dict[str, list[FxFile]]] = {}
        for file in self.files:
            self._by_node.setdefault(file.node, {}).setdefault(file.target, []).append(file)
        self._nodes: dict[tuple[str, str], FxNode] = {}

    def node(self, name: str, target: str | None = None) -> FxNode | None:
        """The files of a node, None if there are none.

        The node name decides; a target that differs is accepted if the node has but one, since
        graph optimisation renames targets (`aten.view` to `aten.reshape`) and keeps node names.
        """
        targets = self._by_node.get(name)
        if targets is None:
            return None
        if target not in targets:
            if len(targets) != 1:
                return None
            target = next(iter(targets))
        assert target is not None
        known = self._nodes.get((name, target))
        if known is None:
            known = self._nodes[name, target] = _newest(target, targets[target])
        return known

    def has(self, node: str) -> bool:
        """Whether there is any file of a node."""
        return node in self._by_node

    def nodes_of(self, operators: Container[str]) -> Iterator[FxNode]:
        """The nodes that call one of these operators, `t` of `aten.t.default`."""
        for name, targets in self._by_node.items():
            for target in targets:
                if operator_of(target) in operators:
                    node = self.node(name, target)
                    assert node is not None
                    yield node

    def find(self, name: FxName) -> FxFound | None:
        """The file of a named tensor, None if the dump lacks it."""
        node = self.node(name.node, name.target)
        if node is None:
            return None
        path = [read_index(part) for part in name.suffix.split(".")]
        first, *rest = path
        file = None if first is None else node.outputs.get(first)
        inner = [part for part in rest if part is not None]
        if file is None or len(inner) != len(rest):
            return None
        notes = [node.note] if node.note else []
        if node.target != name.target:
            notes.append(f"The graph calls the target {name.target}.")
        view = tuple(ViewStep("select", (part,)) for part in inner)
        return FxFound(file, view, " ".join(notes))


def operator_of(target: str) -> str:
    """`t` of `aten.t.default`."""
    return target.split(".")[-2] if "." in target else target


def _newest(target: str, files: list[FxFile]) -> FxNode:
    newest = max([file.timestamp for file in files])
    kept = [file for file in files if file.timestamp == newest]
    note = "" if len(kept) == len(files) else "The FX node ran several times; the last run counts."
    inputs = [file for file in kept if file.io == "INPUT"]
    inputs.sort(key=lambda file: (file.index, file.sub_index))
    outputs = {file.index: file for file in kept if file.io == "OUTPUT" and file.sub_index < 0}
    return FxNode(target, tuple(inputs), outputs, note)
