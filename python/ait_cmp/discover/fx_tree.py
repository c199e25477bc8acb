"""Folders of FX files -> steps of graphs of ranks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ait_cmp.discover.contents import Contents
from ait_cmp.discover.file_names import is_number
from ait_cmp.discover.fx_runs import newest_fx_run
from ait_cmp.discover.levels import fx_levels
from ait_cmp.discover.runs import Place, newest_dumps, newest_runs, number_ranges
from ait_cmp.discover.tree import FxFile, StepKey


def fx_places(contents: list[tuple[str, Contents]]) -> list[Place[FxFile]]:
    """Folders that hold FX files with their levels; see `ge_places`."""
    return [
        Place(found.path, fx_levels(path), found.fx, max(file.timestamp for file in found.fx))
        for path, found in contents
        if found.fx
    ]


def build_fx_steps(
    places: list[Place[FxFile]],
) -> tuple[dict[StepKey, list[FxFile]], list[Place[FxFile]], list[str]]:
    """Choose one run per rank and graph, number its steps from 0 and sort its files.

    Files are sorted by time, node, inputs before outputs, and index as a number.

    Returns:
        (files by step, the folders that were chosen, sentences on the choices)
    """
    chosen, notes = newest_dumps(places)
    chosen, run_notes = newest_runs(chosen)
    chosen, older_notes = newest_fx_run(chosen)
    run_notes += older_notes
    chosen, base_notes = _count_from_zero(chosen)
    steps: dict[StepKey, list[FxFile]] = {}
    for place in chosen:
        key = StepKey(place.levels.rank, place.levels.graph, place.levels.step)
        steps.setdefault(key, []).extend(place.files)
    mixed = {key: _keep_newest_calls(files) for key, files in steps.items()}
    mixed_notes = _mixed_notes({key: nodes for key, nodes in mixed.items() if nodes})
    for files in steps.values():
        files.sort(
            key=lambda file: (file.timestamp, file.node, file.io, file.index, file.sub_index)
        )
    return dict(sorted(steps.items())), chosen, notes + run_notes + base_notes + mixed_notes


def _count_from_zero(places: list[Place[FxFile]]) -> tuple[list[Place[FxFile]], list[str]]:
    """Subtract 1 from the steps of layouts that number the first step 1, unless a step 0 exists."""
    from_one = [place for place in places if place.levels.counts_from_one]
    if not from_one:
        return places, []
    if any(place.levels.step == 0 or _has_step_0_beside(place) for place in from_one):
        note = "The FX steps of this old layout are numbered from 0 (a step 0 exists)."
        return places, [note]
    shifted = [
        replace(place, levels=replace(place.levels, step=place.levels.step - 1))
        if place.levels.counts_from_one
        else place
        for place in places
    ]
    return shifted, ["The FX steps of this old layout are numbered from 1; step 1 is taken as 0."]


def _has_step_0_beside(place: Place[FxFile]) -> bool:
    """Whether a step 0 lies beside this place's step (maybe outside the given path)."""
    folder = Path(place.folder)
    step = folder if is_number(folder.name) else folder.parent
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
