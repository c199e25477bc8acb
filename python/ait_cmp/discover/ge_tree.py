"""Folders of GE files -> steps of graphs of ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ait_cmp.discover.contents import Contents
from ait_cmp.discover.levels import ge_levels
from ait_cmp.discover.packed import is_packed, newest_of, sort_ge
from ait_cmp.discover.runs import StepFolder, newest_dumps, newest_runs, parts_of_steps
from ait_cmp.discover.tree import GeFile, StepKey


def ge_folders(contents: list[tuple[str, Contents]]) -> list[StepFolder[GeFile]]:
    """Folders that hold GE files with their levels.

    Args:
        contents: (path by which the levels are told, files) of every folder.
    """
    return [
        StepFolder(found.path, ge_levels(path), found.ge, newest_of(found.ge))
        for path, found in contents
        if found.ge
    ]


def build_ge_steps(
    folders: list[StepFolder[GeFile]],
) -> tuple[dict[StepKey, Sequence[GeFile]], list[StepFolder[GeFile]], list[str]]:
    """Choose one run per rank and graph and sort its files by time, then name.

    Returns:
        (files by step, the folders that were chosen, sentences on the choices)
    """
    chosen, notes = newest_dumps(folders)
    chosen, device_notes = _tell_devices_apart(chosen)
    chosen, run_notes = newest_runs(chosen)
    steps: dict[StepKey, Sequence[GeFile]] = {}
    for key, parts in parts_of_steps(chosen):
        if is_packed(parts):
            steps[key] = parts[0]
            continue
        steps[key] = files = [file for part in parts for file in part]
        sort_ge(files)
    return dict(sorted(steps.items())), chosen, notes + device_notes + run_notes


def _tell_devices_apart(
    folders: list[StepFolder[GeFile]],
) -> tuple[list[StepFolder[GeFile]], list[str]]:
    """Give every device an identity of its own where one rank used several.

    Without rank folders the devices are the ranks of a run that shared one folder, so the device
    number becomes the rank. Below a rank folder one process used several devices: the lowest keeps
    the graph's name, the others get `graph_1@device3`.
    """
    devices: dict[int, set[int]] = {}
    graph_devices: dict[tuple[int, str], set[int]] = {}
    for folder in folders:
        levels = folder.levels
        devices.setdefault(levels.rank, set()).add(levels.device)
        graph_devices.setdefault((levels.rank, levels.graph), set()).add(levels.device)
    notes = []
    renamed = []
    for folder in folders:
        levels = folder.levels
        used = graph_devices[levels.rank, levels.graph]
        if levels.rank < 0 and len(devices[-1]) > 1:
            levels = replace(levels, rank=levels.device)
        elif len(used) > 1 and levels.device != min(used):
            levels = replace(levels, graph=f"{levels.graph}@device{levels.device}")
        renamed.append(replace(folder, levels=levels))
    for rank, used in sorted(devices.items()):
        if len(used) > 1:
            numbers = ", ".join(map(str, sorted(used)))
            notes.append(
                f"Several device folders ({numbers}) without rank folders: the device number is "
                "taken for the rank."
                if rank < 0
                else f"rank {rank}: several device folders ({numbers}); graphs of the same name "
                "on a further device are called graph@device."
            )
    return renamed, notes
