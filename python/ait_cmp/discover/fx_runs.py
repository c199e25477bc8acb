"""Old FX layouts: several graphs of one run, or one graph of several runs, in one folder.

A user of those torchair versions cannot choose a folder: a second run adds its own `gm_{time}_dump`
folders beside those of the first, `time` being when the graph was compiled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone

from ait_cmp.discover.runs import StepFolder, name_list
from ait_cmp.discover.tree import FxFile

# A run goes on without pauses; graphs compiled so long after the last file of the others are those
# of another run, if they repeat them (seconds).
_PAUSE_S = 60.0
# Two graphs are the same one if so many of their nodes are.
_SAME_NODES = 0.9
_GM_TIME = re.compile(r"gm_(\d{14,20})_dump", re.ASCII)


def newest_fx_run(folders: list[StepFolder[FxFile]]) -> tuple[list[StepFolder[FxFile]], list[str]]:
    """Of several runs in one folder the newest; graphs of one run stay together."""
    by_rank: dict[tuple[str, int], list[StepFolder[FxFile]]] = {}
    for folder in folders:
        if folder.levels.counts_from_one:
            by_rank.setdefault((folder.levels.base, folder.levels.rank), []).append(folder)
    dropped: set[str] = set()
    for of_rank in by_rank.values():
        dropped |= _older_graphs(of_rank)
    if not dropped:
        return folders, []
    note = (
        "several runs in one folder: the graphs of the newest are taken, those of the runs before "
        f"are left out: {name_list(dropped)}."
    )
    return [folder for folder in folders if folder.levels.graph not in dropped], [note]


def _older_graphs(folders: Sequence[StepFolder[FxFile]]) -> set[str]:
    """Graphs that a later run repeats."""
    graphs: dict[str, list[StepFolder[FxFile]]] = {}
    for folder in folders:
        graphs.setdefault(folder.levels.graph, []).append(folder)
    compiled = {graph: at for graph in graphs if (at := _compile_time(graph)) is not None}
    in_order = sorted(compiled, key=lambda graph: compiled[graph])
    older: set[str] = set()
    for number, graph in enumerate(in_order):
        before = in_order[:number]
        if not before:
            continue
        ended = max(_end_time(graphs[other]) for other in before)
        later = in_order[number:]
        if compiled[graph] - ended >= _PAUSE_S and _repeats(
            [graphs[other] for other in later], [graphs[other] for other in before]
        ):
            older |= set(before)
    return older


def _repeats(
    later: Sequence[list[StepFolder[FxFile]]], before: Sequence[list[StepFolder[FxFile]]]
) -> bool:
    """Whether a graph of the later ones has the nodes of one before at the same steps."""
    return any(_is_same_graph(one, other) for one in later for other in before)


def _is_same_graph(one: Sequence[StepFolder[FxFile]], other: Sequence[StepFolder[FxFile]]) -> bool:
    mine, theirs = _nodes_by_step(one), _nodes_by_step(other)
    common = set(mine) & set(theirs)
    if not common or min(common) != min(min(mine), min(theirs)):
        return False
    step = min(common)
    both = mine[step] | theirs[step]
    return len(mine[step] & theirs[step]) >= _SAME_NODES * len(both)


def _nodes_by_step(folders: Sequence[StepFolder[FxFile]]) -> dict[int, frozenset[str]]:
    return {
        folder.levels.step: frozenset(f"{file.node}-{file.target}" for file in folder.files)
        for folder in folders
    }


def _compile_time(graph: str) -> float | None:
    found = _GM_TIME.fullmatch(graph)
    return None if found is None else _seconds(found[1])


def _end_time(folders: Sequence[StepFolder[FxFile]]) -> float:
    return max(_seconds(str(folder.newest)) or 0.0 for folder in folders)


def _seconds(stamp: str) -> float | None:
    """Seconds since the epoch of `YYYYmmddHHMMSS` with or without a fraction; None if no date."""
    try:
        moment = datetime.strptime(stamp[:14], "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    fraction = stamp[14:]
    return moment.timestamp() + (int(fraction) / 10 ** len(fraction) if fraction else 0.0)
