"""Folders of FX files -> steps of graphs of ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ait_cmp.discover.contents import Contents
from ait_cmp.discover.file_names import is_number
from ait_cmp.discover.fx_runs import newest_fx_run
from ait_cmp.discover.levels import fx_levels
from ait_cmp.discover.packed import is_packed, newest_of, sort_fx
from ait_cmp.discover.runs import (
    StepFolder,
    newest_dumps,
    newest_runs,
    number_ranges,
    parts_of_steps,
)
from ait_cmp.discover.tree import FxFile, StepKey


def fx_folders(contents: list[tuple[str, Contents]]) -> list[StepFolder[FxFile]]:
    """Folders that hold FX files with their levels; see `ge_folders`."""
    return [
        StepFolder(found.path, fx_levels(path), found.fx, newest_of(found.fx))
        for path, found in contents
        if found.fx
    ]


def build_fx_steps(
    folders: list[StepFolder[FxFile]],
) -> tuple[dict[StepKey, Sequence[FxFile]], list[StepFolder[FxFile]], list[str]]:
    """Choose one run per rank and graph, number its steps from 0 and sort its files.

    Files are sorted by time, node, inputs before outputs, and index as a number.

    Returns:
        (files by step, the folders that were chosen, sentences on the choices)
    """
    chosen, notes = newest_dumps(folders)
    chosen, run_notes = newest_runs(chosen)
    chosen, older_notes = newest_fx_run(chosen)
    run_notes += older_notes
    chosen, base_notes = _count_from_zero(chosen)
    steps: dict[StepKey, Sequence[FxFile]] = {}
    mixed: dict[StepKey, set[str]] = {}
    for key, parts in parts_of_steps(chosen):
        if is_packed(parts):  # none of its nodes was called twice
            steps[key] = parts[0]
            continue
        steps[key] = files = [file for part in parts for file in part]
        mixed[key] = _keep_newest_calls(files)
        sort_fx(files)
    mixed_notes = _mixed_notes({key: nodes for key, nodes in mixed.items() if nodes})
    return dict(sorted(steps.items())), chosen, notes + run_notes + base_notes + mixed_notes


def _count_from_zero(
    folders: list[StepFolder[FxFile]],
) -> tuple[list[StepFolder[FxFile]], list[str]]:
    """Subtract 1 from the steps of layouts that number the first step 1, unless a step 0 exists."""
    from_one = [folder for folder in folders if folder.levels.counts_from_one]
    if not from_one:
        return folders, []
    if any(folder.levels.step == 0 or _has_step_0_beside(folder) for folder in from_one):
        note = "The FX steps of this old layout are numbered from 0 (a step 0 exists)."
        return folders, [note]
    shifted = [
        replace(folder, levels=replace(folder.levels, step=folder.levels.step - 1))
        if folder.levels.counts_from_one
        else folder
        for folder in folders
    ]
    return shifted, ["The FX steps of this old layout are numbered from 1; step 1 is taken as 0."]


def _has_step_0_beside(folder: StepFolder[FxFile]) -> bool:
    """Whether a step 0 lies beside the step of this folder (maybe outside the given path)."""
    path = Path(folder.path)
    step = path if is_number(path.name) else path.parent
    return (step.parent / "0").is_dir()


def _keep_newest_calls(files: list[FxFile]) -> set[str]:
    """Drop, in place, all but the newest call of every node; return nodes with several calls."""
    newest: dict[str, int] = {}
    for file in files:
        newest[file.node] = max(newest.get(file.node, -1), file.timestamp)
    older = {file.node for file in files if file.timestamp != newest[file.node]}
    if older:
        files[:] = [file for file in files if file.timestamp == newest[file.node]]
    return older


def _mixed_notes(mixed: dict[StepKey, set[str]]) -> list[str]:
    graphs = sorted({(key.rank, key.graph) for key in mixed})
    notes = []
    for rank, graph in graphs:
        steps = {key.step: mixed[key] for key in mixed if (key.rank, key.graph) == (rank, graph)}
        nodes = set().union(*steps.values())
        whose = f"rank {rank}, {graph}" if rank >= 0 else graph
        notes.append(
            f"{whose}: nodes that were dumped more than once in a step (several runs in one "
            f"folder): {len(nodes)}, for example {min(nodes)}, in steps {number_ranges(steps)}; "
            "the newest call of each is taken."
        )
    return notes
