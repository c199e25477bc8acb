"""Names of the folders above a dump file -> rank, time, device, graph, model id and step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ait_cmp.discover.file_names import is_number

_RANK = re.compile(r"worldsize.*rank(\d{1,18})", re.ASCII)
# Old GE versions wrote dump_20241114_113410 instead of 20241114113410.
_TIME = re.compile(r"(?:dump_)?(\d{8})_?(\d{6})", re.ASCII)
_GRAPH = re.compile(r"graph_\d+(?:_\d+)?", re.ASCII)
_GM = re.compile(r"gm_.*_dump", re.ASCII | re.DOTALL)
# How far above the topmost known level a rank folder is looked for.
_RANK_REACH = 4


@dataclass(frozen=True)
class Levels:
    """Where a folder of dump files belongs.

    Attributes:
        base: The dump folder: parent of the topmost level that was recognised.
        container: Parent of the graph's folder (old FX layouts: of the step folders).
        rank: -1 if there is no rank folder; the same for the numbers below.
        time: 14 digits of the time folder, "" without one.
        device: Device id.
        graph: Graph (model) name, or the name of the folder that stands in its place.
        model_id: Model id.
        step: Step as written; 0 if there is no step folder.
        step_folder: Path of the step's folder; of the folder itself if there is none.
        counts_from_one: Whether this layout numbers its first step 1.
        is_complete: Whether every level of the layout was recognised by its name.
        is_loose: Whether no level was: the files were copied, or only look like dump files.
    """

    base: str
    container: str
    rank: int
    time: str
    device: int
    graph: str
    model_id: int
    step: int
    step_folder: str
    counts_from_one: bool
    is_complete: bool
    is_loose: bool


def _time_of(name: str) -> str:
    found = _TIME.fullmatch(name)
    return found[1] + found[2] if found else ""


def _is_index(name: str) -> bool:
    """Whether a folder's name is a number that fits 64 bits."""
    return is_number(name) and len(name) <= 18


def rank_of(name: str) -> int:
    """R of `worldsize{W}_global_rank{R}`, -1 for other names."""
    found = _RANK.fullmatch(name)
    return int(found[1]) if found else -1


class _Path:
    """A path whose parts are counted from its end: part(1) is the last."""

    def __init__(self, path: str) -> None:
        self._parts = path.rstrip("/").split("/")

    def part(self, level: int) -> str:
        return self._parts[-level] if 0 < level <= len(self._parts) else ""

    def number(self, level: int) -> int:
        return int(self.part(level)) if _is_index(self.part(level)) else -1

    def above(self, level: int) -> str:
        """The path of the folder that holds part(level)."""
        return "/".join(self._parts[:-level]) or "/"

    def upto(self, level: int) -> str:
        """The path of the folder part(level)."""
        return self.above(level - 1) if level > 1 else "/".join(self._parts)

    def rank_above(self, top: int) -> tuple[int, int]:
        """(rank, its level) of the nearest rank folder above the level `top`; (-1, top) if none."""
        for level in range(top + 1, top + 1 + _RANK_REACH):
            rank = rank_of(self.part(level))
            if rank >= 0:
                return rank, level
        return -1, top


def ge_levels(folder: str) -> Levels:
    """Levels of a folder that holds GE files: `[rank/]time/device/graph/model_id/step`.

    The time folder tells the position of the others. Without it (the user copied a part of the
    tree) digits and `graph_N` decide; a lone number is the step.
    """
    path = _Path(folder)
    is_digit = [False] + [_is_index(path.part(level)) for level in range(1, 6)]
    times = [""] + [_time_of(path.part(level)) for level in range(1, 6)]
    # Levels of time, device, graph, model id and step counted from the end; 0 = not there.
    if times[5] and is_digit[4]:
        time, device, graph, model, step = 5, 4, 3, 2, 1
    elif times[4] and is_digit[3]:
        time, device, graph, model, step = 4, 3, 2, 1, 0
    elif times[4]:
        time, device, graph, model, step = 4, 0, 3, 2, 1
    elif times[3] and is_digit[2]:
        time, device, graph, model, step = 3, 2, 1, 0, 0
    elif is_digit[1] and is_digit[2]:
        time, device, graph, model, step = 0, 4 if is_digit[4] else 0, 3, 2, 1
    elif is_digit[1] and _GRAPH.fullmatch(path.part(2)):
        time, device, graph, model, step = 0, 3 if is_digit[3] else 0, 2, 1, 0
    elif is_digit[1]:
        time, device, graph, model, step = 0, 0, 2, 0, 1
    else:
        time, device, graph, model, step = 0, 0, 1, 0, 0
    rank, top = path.rank_above(max(time, device, graph))
    return Levels(
        base=path.above(top),
        container=path.above(graph),
        rank=rank,
        time=times[time],
        device=path.number(device),
        graph=path.part(graph),
        model_id=path.number(model),
        step=max(path.number(step), 0),
        step_folder=path.upto(max(step, 1)),
        counts_from_one=False,
        is_complete=time == 5 and is_digit[2] and is_digit[1],
        is_loose=not (time or step or model),
    )


def fx_levels(folder: str) -> Levels:
    """Levels of a folder that holds FX files.

    `[rank/]graph_N/step` (steps from 0), `step/gm_{time}_dump` or `gm_{time}_dump/step` (steps from
    1); any other folder is one graph with the single step 0.
    """
    path = _Path(folder)
    is_digit = [False] + [_is_index(path.part(level)) for level in range(1, 3)]
    is_gm = [False] + [bool(_GM.fullmatch(path.part(level))) for level in range(1, 3)]
    if is_digit[1]:
        graph, step, from_one = 2, 1, is_gm[2]
    elif is_gm[1] and is_digit[2]:
        graph, step, from_one = 1, 2, True
    else:
        graph, step, from_one = 1, 0, False
    rank, top = path.rank_above(max(graph, step))
    name = path.part(graph)
    return Levels(
        base=path.above(top),
        container=path.above(max(graph, step)),
        rank=rank,
        time="",
        device=-1,
        graph=name,
        model_id=-1,
        step=max(path.number(step), 0),
        step_folder=path.upto(max(step, 1)),
        counts_from_one=from_one,
        is_complete=step > 0 and bool(from_one or _GRAPH.fullmatch(name)),
        is_loose=step == 0 and not is_gm[1],
    )


def needs_link_target(path: str) -> bool:
    """Whether the last part of the path is a link whose name is no level of a dump."""
    name = Path(path).name
    is_level = (
        _is_index(name) or rank_of(name) >= 0 or _GRAPH.fullmatch(name) or _GM.fullmatch(name)
    )
    return not is_level and Path(path).is_symlink()
