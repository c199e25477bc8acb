"""The search itself: scan, sort, choose, and say what was chosen."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from ait_cmp.discover.contents import Contents, sort_files
from ait_cmp.discover.file_names import is_number
from ait_cmp.discover.fx_tree import build_fx_steps, fx_folders
from ait_cmp.discover.ge_tree import build_ge_steps, ge_folders
from ait_cmp.discover.graph_files import graph_files_above, last_ge_graphs, newest_graph_files
from ait_cmp.discover.levels import Levels, needs_link_target
from ait_cmp.discover.packed import Unpacked
from ait_cmp.discover.remarks import content_notes, empty_step_folders
from ait_cmp.discover.runs import StepFolder, name_list, number_ranges
from ait_cmp.discover.scan import Remark, is_of_exceptions, readable, walk_folders
from ait_cmp.discover.tree import DumpTree, FxFile, GeFile, GraphFile, Level, StepKey
from ait_cmp.errors import ConfigError

Item = TypeVar("Item")


def discover(
    path: str | os.PathLike[str],
    *,
    ranks: Collection[int] | None = None,
    tokens: Collection[int] | None = None,
    kind: str | None = None,
) -> DumpTree:
    """Find every dump file of one side.

    Args:
        path: Any level of a GE or FX dump: the dump folder, a rank, time, device, graph, model id
            or step folder. Levels above it are told by the names of its parents, and graph files
            are looked for there if none lie below.
        ranks: Ranks to keep; None keeps all. A tree without rank folders is kept as it is.
        tokens: Steps to keep, from 0; None keeps all.
        kind: "ge" or "fx" to look at one kind in a folder that holds both; None refuses such.

    Returns:
        The newest run of every rank and graph.

    Raises:
        ConfigError: The folder is missing or cannot be read, holds no dump, or holds both kinds.
    """
    if not str(path):
        message = "the path of a dump expected, found an empty text (a variable that is not set?)"
        raise ConfigError(message)
    root = os.path.normpath(Path(path).absolute())
    shown = readable(root)
    _check_folder(root, shown)
    remarks: list[Remark] = []
    unpacked = Unpacked()
    try:
        # The names of a folder are packed, or let go, before those of the next are read.
        walked = walk_folders(root, remarks)
        found = [(at.path, not at.has_folders, sort_files(at, unpacked)) for at in walked]
        found.sort(key=itemgetter(0))
    except OSError as error:
        message = f"{shown}: this folder could not be read ({error.strerror})."
        raise ConfigError(message) from error
    notes = [remark.sentence for remark in remarks]
    # A link called "latest" tells no level, its target does.
    named = str(Path(root).resolve()) if needs_link_target(root) else root
    contents = [
        (named + path[len(root) :], files)
        for path, _, files in found
        if not is_of_exceptions(root, path)
    ]
    ge = ge_folders(contents) if kind != "fx" else []
    fx = fx_folders(contents) if kind != "ge" else []
    ge, fx = _without_loose_files(ge, fx, notes)
    if ge and fx:
        raise ConfigError(_both_kinds(shown, ge, fx))
    if not ge and not fx:
        raise ConfigError(_nothing_found(shown, contents, kind, notes))
    ge_steps, ge_chosen, ge_notes = build_ge_steps(ge)
    fx_steps, fx_chosen, fx_notes = build_fx_steps(fx)
    notes += ge_notes + fx_notes
    bases = dict.fromkeys(_bases(ge) | _bases(fx), False)
    bases.update(dict.fromkeys(_bases(ge_chosen) | _bases(fx_chosen), True))
    graph_files, graph_notes = _graph_files(named, contents, bases)
    notes += graph_notes
    chosen = {at.path for at in ge_chosen} | {at.path for at in fx_chosen}
    empty = empty_step_folders({path for path, is_lowest, _ in found if is_lowest}, contents)
    notes += content_notes(contents, chosen, empty)
    return DumpTree(
        root=root,
        kind="ge" if ge else "fx",
        ge=_keep_steps(ge_steps, ranks, tokens, shown, notes),
        fx=_keep_steps(fx_steps, ranks, tokens, shown, notes),
        graph_files=graph_files,
        overflow_files=[
            file
            for _, found in contents
            if found.path in chosen or not found.ge
            for file in found.overflow
        ],
        notes=[readable(note) for note in notes],
        given=_level_of(named, [at.levels for at in ge_chosen] or [at.levels for at in fx_chosen]),
        empty_steps=_empty_steps(empty, [*ge_chosen, *fx_chosen]),
        unread=(
            *(remark.sentence for remark in remarks if remark.may_hold_dump),
            *(readable(note) for _, found in contents for note in found.notes),
        ),
    )


def _level_of(named: str, levels: Sequence[Levels]) -> Level:
    """What a folder is the folder of: of one step, one graph, one rank, or of more."""
    if all(_is_within(named, at.step_folder) for at in levels):
        return "step" if len({at.step_folder for at in levels}) == 1 else "dump"
    if all(_is_within(named, f"{at.container}/{at.graph}") for at in levels):
        return "graph"
    return "rank" if len({at.rank for at in levels}) == 1 else "dump"


def _empty_steps(
    empty: Sequence[str], chosen: Sequence[StepFolder[GeFile] | StepFolder[FxFile]]
) -> frozenset[StepKey]:
    """The steps that empty folders beside those of chosen ones would be."""
    graphs = {str(Path(at.path).parent): (at.levels.rank, at.levels.graph) for at in chosen}
    return frozenset(
        StepKey(*graphs[folder], int(name))
        for folder, _, name in (path.rpartition("/") for path in empty)
        if folder in graphs and is_number(name)
    )


def _is_within(folder: str, top: str) -> bool:
    return f"{folder}/".startswith(f"{top}/")


def _check_folder(root: str, shown: str) -> None:
    try:
        exists, is_folder = Path(root).exists(), Path(root).is_dir()
    except OSError as error:
        message = f"{shown}: this folder could not be read ({error.strerror})."
        raise ConfigError(message) from error
    if not exists:
        message = f"{shown}: there is no such folder."
        raise ConfigError(message)
    if not is_folder:
        message = f"{shown}: this is a file; expected the folder of a dump."
        raise ConfigError(message)


def _without_loose_files(
    ge: list[StepFolder[GeFile]], fx: list[StepFolder[FxFile]], notes: list[str]
) -> tuple[list[StepFolder[GeFile]], list[StepFolder[FxFile]]]:
    """Leave out folders outside of any layout if there are others: a copied tensor, a core file."""
    folders = [folder.path for folder in ge if folder.levels.is_loose]
    folders += [folder.path for folder in fx if folder.levels.is_loose]
    if len(folders) in (0, len(ge) + len(fx)):
        return ge, fx
    notes.append(f"Files outside of the step folders are ignored, in {name_list(folders)}.")
    return (
        [folder for folder in ge if not folder.levels.is_loose],
        [folder for folder in fx if not folder.levels.is_loose],
    )


def _bases(folders: Sequence[StepFolder[Item]]) -> set[str]:
    return {folder.levels.base for folder in folders}


def _graph_files(
    named: str, contents: Sequence[tuple[str, Contents]], bases: dict[str, bool]
) -> tuple[list[GraphFile], list[str]]:
    """Graph files below `named`, or of the nearest folder above it up to the dump folder.

    Args:
        bases: Dump folder -> whether its files were chosen; graphs of others are left out.
    """
    graphs: list[GraphFile] = []
    ge_graphs: list[str] = []
    for path, found in contents:
        owner = next((above for above in _upwards(path) if above in bases), None)
        if owner is None or bases[owner]:
            graphs += found.graphs
            ge_graphs += found.ge_graphs
    if not graphs:
        highest = min((base for base, taken in bases.items() if taken), key=len)
        graphs, above = graph_files_above(named, highest)
        ge_graphs += above
    kept, notes = newest_graph_files(graphs)
    return kept + last_ge_graphs(ge_graphs), notes


def _upwards(path: str) -> Iterator[str]:
    """A folder and all above it."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield "/"


def _keep_steps(
    steps: dict[StepKey, Sequence[Item]],
    ranks: Collection[int] | None,
    tokens: Collection[int] | None,
    shown: str,
    notes: list[str],
) -> dict[StepKey, Sequence[Item]]:
    """The steps of the ranks and tokens asked for; a wish that nothing fulfils is noted."""
    there = {key.rank for key in steps}
    if ranks is not None and steps:
        if there == {-1}:
            notes.append(
                f"{shown}: there are no rank folders; the whole dump stands for the rank asked for."
            )
        else:
            missing = set(ranks) - there
            if missing:
                notes.append(
                    f"{shown}: there is no rank {number_ranges(missing)} in this dump; it has "
                    f"{number_ranges(there)}."
                )
            steps = {key: files for key, files in steps.items() if key.rank in ranks}
    if tokens is not None and steps:
        there = {key.step for key in steps}
        missing = set(tokens) - there
        if missing:
            notes.append(
                f"{shown}: there is no step {number_ranges(missing)} in this dump; it has "
                f"{number_ranges(there)}."
            )
        steps = {key: files for key, files in steps.items() if key.step in tokens}
    return steps


def _both_kinds(shown: str, ge: list[StepFolder[GeFile]], fx: list[StepFolder[FxFile]]) -> str:
    ge_folders, fx_folders = _bases(ge), _bases(fx)
    if ge_folders & fx_folders:
        # Both were dumped into one folder: rank/time/... beside rank/graph_N/...
        ge_folders = {folder.levels.container for folder in ge}
        fx_folders = {f"{folder.levels.container}/{folder.levels.graph}" for folder in fx}
    return readable(
        f"{shown}: holds GE and FX dumps; give one of them, GE: {name_list(ge_folders)}; "
        f"FX: {name_list(fx_folders)}."
    )


def _nothing_found(
    shown: str, contents: Sequence[tuple[str, Contents]], kind: str | None, notes: Sequence[str]
) -> str:
    wanted = {
        "ge": "GE dump files (type.name.task.stream.time)",
        "fx": "FX dump files (node-target.OUTPUT.0.time.npy)",
    }
    looked_for = wanted[kind] if kind else " and ".join(wanted.values())
    foreign = [name for _, found in contents for name in found.foreign]
    held = f"; it holds other files: {name_list(foreign)}" if foreign else "; it holds no files"
    found = f"{shown}: no dump found; looked for {looked_for} in this folder and all below{held}."
    return readable(" ".join([found, *notes]))
