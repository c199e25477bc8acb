"""Sorts the files of one folder: GE dumps, FX dumps, graphs, overflow records, foreign files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from ait_cmp import _core
from ait_cmp.discover.file_names import (
    KIND_RANK,
    parse_fx_name,
    parse_ge_name,
    parse_hash_name,
    parse_overflow_name,
    read_mapping,
)
from ait_cmp.discover.graph_files import is_ge_proto_name, parse_graph_name
from ait_cmp.discover.packed import (
    FxFiles,
    GeFiles,
    PackedFiles,
    Unpacked,
    has_older_calls,
    sort_fx,
    sort_ge,
)
from ait_cmp.discover.scan import Folder, readable
from ait_cmp.discover.tree import FxFile, GeFile, GraphFile, OverflowFile

_MAPPING = "mapping.csv"
# A header begins with field 1 (`version`) after its length of 8 bytes.
_HEADER_START = 0x0A


@dataclass(frozen=True)
class Contents:
    """The files of one folder by what they are.

    Attributes:
        path: Absolute path of the folder.
        ge: GE files, one per dump (a reduced file counts only where the original is gone).
        fx: FX files, one per argument or result and time, likewise.
        graphs: Graphs of torchair.
        ge_graphs: Paths of graph texts of GE.
        overflow: Overflow records.
        exceptions: Names of exception dumps.
        foreign: Names of all other files.
        notes: What went wrong here.
    """

    path: str
    ge: GeFiles = field(default_factory=list)
    fx: FxFiles = field(default_factory=list)
    graphs: list[GraphFile] = field(default_factory=list)
    ge_graphs: list[str] = field(default_factory=list)
    overflow: list[OverflowFile] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def sort_files(folder: Folder, unpacked: Unpacked | None = None) -> Contents:
    """Tell files by their names; only `mapping.csv` and files with doubtful names are opened.

    Args:
        folder: The folder.
        unpacked: Where packed files find themselves unpacked; None packs none.
    """
    found = Contents(folder.path)
    mapping = _mapping_of(folder, found.notes)
    ge: dict[str, GeFile] = {}
    fx: dict[tuple[str, str, str, int, int, int], FxFile] = {}
    hashes: dict[str, GeFile] = {}
    n_plain = 0
    for name, cells in zip(folder.files, _core.parse_plain_names(folder.path, folder.files)):
        if cells is not None and len(cells) == len(FxFile._fields):
            _keep_fx(fx, FxFile._make(cells))
            n_plain += 1
            continue
        if cells is not None and not mapping:
            _keep_ge(ge, name, GeFile._make(cells))
            n_plain += 1
            continue
        if name == _MAPPING:
            continue
        if name.startswith("exception_info."):
            found.exceptions.append(name)
            continue
        fx_file = parse_fx_name(folder.path, name)
        if fx_file is not None:
            _keep_fx(fx, fx_file)
            continue
        overflow = parse_overflow_name(folder.path, name)
        if overflow is not None:
            found.overflow.append(overflow)
            continue
        ge_name = parse_ge_name(folder.path, name, mapping)
        if ge_name is not None:
            _keep_ge(ge, *ge_name)
            continue
        ge_name = parse_hash_name(folder.path, name)
        if ge_name is not None:
            _keep_ge(hashes, *ge_name)
            continue
        graph = parse_graph_name(folder.path, name)
        if graph is not None:
            found.graphs.append(graph)
        elif is_ge_proto_name(name):
            found.ge_graphs.append(f"{folder.path}/{name}")
        else:
            found.foreign.append(name)
    for base, file in hashes.items():
        # In a folder of dumps such a name is a dump; elsewhere the bytes have to say so.
        if ge or _MAPPING in folder.files or _starts_like_a_dump(file.path):
            ge[base] = file
        else:
            found.foreign.append(Path(file.path).name)
    ge_files, fx_files = list(ge.values()), list(fx.values())
    if unpacked is None or n_plain < len(ge) + len(fx) or has_older_calls(fx_files):
        return replace(found, ge=ge_files, fx=fx_files)
    sort_ge(ge_files)
    sort_fx(fx_files)
    return replace(
        found,
        ge=PackedFiles(folder.path, ge_files, unpacked) if ge_files else [],
        fx=PackedFiles(folder.path, fx_files, unpacked) if fx_files else [],
    )


def _keep_ge(kept: dict[str, GeFile], base: str, file: GeFile) -> None:
    before = kept.get(base)
    if before is None or KIND_RANK[file.kind] < KIND_RANK[before.kind]:
        kept[base] = file


def _keep_fx(kept: dict[tuple[str, str, str, int, int, int], FxFile], file: FxFile) -> None:
    key = (file.node, file.target, file.io, file.index, file.sub_index, file.timestamp)
    before = kept.get(key)
    if before is None or KIND_RANK[file.kind] < KIND_RANK[before.kind]:
        kept[key] = file


def _mapping_of(folder: Folder, notes: list[str]) -> dict[str, str]:
    if _MAPPING not in folder.files:
        return {}
    path = f"{folder.path}/{_MAPPING}"
    try:
        return read_mapping(path, folder.files)
    except OSError as error:
        notes.append(
            readable(
                f"{path}: the names of files with long names could not be read ({error.strerror})."
            )
        )
        return {}


def _starts_like_a_dump(path: str) -> bool:
    """Whether the file begins with a header length that fits, then a header."""
    try:
        with Path(path).open("rb") as file:
            start = file.read(9)
            size_bytes = os.fstat(file.fileno()).st_size
    except OSError:
        return False
    return (
        len(start) == 9
        and 1 <= int.from_bytes(start[:8], "little") <= size_bytes - 8
        and start[8] == _HEADER_START
    )
