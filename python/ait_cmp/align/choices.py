"""What the user says of which part of a dump meets which: --pair and --golden-token-offset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.discover.packed import first_path
from ait_cmp.errors import ConfigError


@dataclass(frozen=True)
class GivenPair:
    """Two parts of the dumps that the user wants to be compared.

    Attributes:
        my: Steps of the my part: of one step, of one graph or of one rank.
        golden: Steps of the golden part.
        text: MY=GOLDEN, as it was given.
    """

    my: tuple[StepKey, ...]
    golden: tuple[StepKey, ...]
    text: str

    @property
    def is_step(self) -> bool:
        """Whether both parts are one step."""
        return len(self.my) == len(self.golden) == 1

    @property
    def is_graph(self) -> bool:
        """Whether both parts are one graph (or a step of one)."""
        return _n_graphs(self.my) == _n_graphs(self.golden) == 1


@dataclass(frozen=True)
class Choices:
    """What the user says; the default says nothing.

    Attributes:
        pairs: Parts that meet, whatever they are called.
        offset: My step s meets golden step s + offset; None if the dumps are to tell.
    """

    pairs: tuple[GivenPair, ...] = ()
    offset: int | None = None


def read_pairs(texts: Sequence[str], my: DumpTree, golden: DumpTree) -> tuple[GivenPair, ...]:
    """The parts that MY=GOLDEN texts name.

    A side is a folder of a step, a graph or a rank: a path, or the last parts of one
    (`worldsize2_global_rank1`, `graph_2`, `graph_2/1/5`).

    Raises:
        ConfigError: A text has another form, or names no part or several.
    """
    found = []
    for text in texts:
        mine, equals, theirs = text.partition("=")
        if not (mine and equals and theirs):
            message = f"--pair {text}: MY=GOLDEN expected, two folders of steps, graphs or ranks"
            raise ConfigError(message)
        pair = GivenPair(_part(mine, my, text), _part(theirs, golden, text), text)
        if not (pair.is_graph or _n_ranks(pair.my) == _n_ranks(pair.golden) == 1):
            message = (
                f"--pair {text}: one step, one graph or one rank on each side expected; they hold "
                f"{_n_ranks(pair.my)} and {_n_ranks(pair.golden)} ranks, {_n_graphs(pair.my)} and "
                f"{_n_graphs(pair.golden)} graphs"
            )
            raise ConfigError(message)
        found.append(pair)
    return tuple(found)


def _part(text: str, tree: DumpTree, given: str) -> tuple[StepKey, ...]:
    """The steps whose folder is, or lies below, the folder that a text names."""
    wanted = tuple(part for part in os.path.normpath(text).split("/") if part)
    below_root = len(Path(tree.root).parent.parts)
    below: dict[tuple[str, ...], list[StepKey]] = {}  # folder that the text may mean -> steps
    for key in tree.step_keys():
        parts = Path(_folder(tree, key)).parts
        places = [1] if text.startswith("/") else range(below_root, len(parts))
        for at in places:
            if parts[at : at + len(wanted)] == wanted:
                below.setdefault(parts[: at + len(wanted)], []).append(key)
    found = sorted({key for keys in below.values() for key in keys})
    meant = {tuple(keys) for keys in below.values()}
    if len(meant) > 1 and len(meant) > _n_ranks(found):
        folders = sorted({"/".join(folder[below_root:]) for folder in below})
        message = f"--pair {given}: {text} names several folders of {tree.root}: "
        message += f"{', '.join(folders[:4])}{' ...' if len(folders) > 4 else ''}"
        raise ConfigError(message)
    if not found:
        folders = sorted({_folder(tree, key)[len(tree.root) + 1 :] for key in tree.step_keys()})
        message = (
            f"--pair {given}: {tree.root} has no step, graph or rank folder {text}; its steps lie "
            f"in {', '.join(folders[:4])}{' ...' if len(folders) > 4 else ''}"
        )
        raise ConfigError(message)
    return tuple(found)


def _folder(tree: DumpTree, key: StepKey) -> str:
    return first_path(tree.ge[key] if tree.kind == "ge" else tree.fx[key]).rpartition("/")[0]


def _n_graphs(keys: Sequence[StepKey]) -> int:
    return len({(key.rank, key.graph) for key in keys})


def _n_ranks(keys: Sequence[StepKey]) -> int:
    return len({key.rank for key in keys})
