"""The files of a folder, packed: a dump has millions, and few steps are looked at at a time."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from operator import attrgetter, sub
from typing import Any, Generic, TypeVar, Union, overload

from ait_cmp import _core
from ait_cmp.discover.tree import FxFile, GeFile

Item = TypeVar("Item", GeFile, FxFile)

# The core is fast enough for names at this level; they become a tenth.
_LEVEL = 1
# Folders whose files are at hand: both sides of a step, and of the step before.
_N_UNPACKED = 4

_GE_ORDER = attrgetter("timestamp", "path")
_FX_ORDER = attrgetter("timestamp", "node", "io", "index", "sub_index")


class Unpacked:
    """The files of the folders that were asked for last."""

    def __reduce__(self) -> tuple[type[Unpacked], tuple[()]]:
        """Elsewhere none is at hand."""
        return Unpacked, ()

    def __init__(self) -> None:
        self.n_folders = 0
        # Numbers of folders, not the folders: those know this one.
        self._kept: list[tuple[int, list[Any]]] = []

    def __getstate__(self) -> dict[str, Any]:
        """What is packed travels, not what was made of it."""
        return {**vars(self), "_kept": []}

    def files_of(self, packed: PackedFiles[Item]) -> list[Item]:
        """The files of a folder."""
        for number, files in self._kept:
            if number == packed.number:
                return files
        found = packed.unpacked()
        self._kept = [*self._kept[1 - _N_UNPACKED :], (packed.number, found)]
        return found


class PackedFiles(Sequence[Item], Generic[Item]):
    """The files of one folder, all with names of today's form, in their order.

    Attributes:
        folder: Absolute path of the folder.
        number: Of the folders of one dump.
        newest: Largest time stamp.
        longest_pause: Between one file and the next, in units of the time stamp.
    """

    def __init__(self, folder: str, files: Sequence[Item], unpacked: Unpacked) -> None:
        self.folder = folder
        self.number = unpacked.n_folders
        unpacked.n_folders += 1
        self._make: Any = type(files[0])
        self._n = len(files)
        times = [file.timestamp for file in files]
        self.newest = max(times)
        self.longest_pause = max(map(sub, times[1:], times), default=0)
        names = "\0".join([file.path[len(folder) + 1 :] for file in files])
        self._names = zlib.compress(os.fsencode(names), _LEVEL)
        self._unpacked = unpacked

    def unpacked(self) -> list[Item]:
        """All of them, made anew."""
        cells = _core.parse_plain_names(self.folder, self.names())
        return list(map(self._make._make, cells))

    def names(self) -> list[str]:
        """Their names."""
        return os.fsdecode(zlib.decompress(self._names)).split("\0")

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[Item]:
        return iter(self._unpacked.files_of(self))

    @overload
    def __getitem__(self, number: int) -> Item: ...
    @overload
    def __getitem__(self, number: slice) -> list[Item]: ...
    def __getitem__(self, number: int | slice) -> Item | list[Item]:
        return self._unpacked.files_of(self)[number]


# Files of a step: packed, if they lie in one folder and have names of today's form.
GeFiles = Union[PackedFiles[GeFile], list[GeFile]]
FxFiles = Union[PackedFiles[FxFile], list[FxFile]]


def is_packed(parts: Sequence[Sequence[Any]]) -> bool:
    """Whether the files of a step lie in one folder, packed in their order."""
    return len(parts) == 1 and isinstance(parts[0], PackedFiles)


def sort_ge(files: list[GeFile]) -> None:
    """Sort by time, then path."""
    files.sort(key=_GE_ORDER)


def sort_fx(files: list[FxFile]) -> None:
    """Sort by time, node, inputs before outputs, and index as a number."""
    files.sort(key=_FX_ORDER)


def has_older_calls(files: Sequence[FxFile]) -> bool:
    """Whether a node was dumped more than once."""
    return len({file.node for file in files}) < len({(file.node, file.timestamp) for file in files})


def paths_of(files: Sequence[GeFile] | Sequence[FxFile]) -> list[str]:
    """Their paths; packed ones are not made for it."""
    if isinstance(files, PackedFiles):
        return [f"{files.folder}/{name}" for name in files.names()]
    return [file.path for file in files]


def folder_of(files: Sequence[GeFile] | Sequence[FxFile]) -> str:
    """The folder of the first of at least one file."""
    if isinstance(files, PackedFiles):
        return files.folder
    return files[0].path.rpartition("/")[0]


def first_path(files: Sequence[GeFile] | Sequence[FxFile]) -> str:
    """Path of the first of them, "" if there is none."""
    return next(iter(paths_of(files)), "")


def newest_of(files: Sequence[GeFile] | Sequence[FxFile]) -> int:
    """Largest time stamp of at least one file."""
    if isinstance(files, PackedFiles):
        return files.newest
    return max(file.timestamp for file in files)


def longest_pause_of(files: Sequence[GeFile]) -> int:
    """Longest time between one file and the next, of those in order that have a time."""
    if isinstance(files, PackedFiles):
        return files.longest_pause
    times = [file.timestamp for file in files if file.timestamp >= 0]
    return max(map(sub, times[1:], times), default=0)
