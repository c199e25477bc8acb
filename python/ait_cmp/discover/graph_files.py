"""Finds the text files of graphs and keeps the newest of each."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ait_cmp.discover.tree import GraphFile

_DYNAMO_NAME = re.compile(
    r"dynamo_(?P<stage>original|optimized)_graph_"
    r"(?:(?P<number>\d+)_rank_(?P<rank>\d+)_pid_(?P<pid>\d+)_ts_)?(?P<time>\d+)"
    r"\.(?P<format>txt|pbtxt|py)",
    re.ASCII,
)
_GE_PROTO_NAME = re.compile(
    r"ge_proto_(?P<order>\d+)_(?:graph_(?P<id>\d+)_)?(?P<stage>.*)\.txt", re.ASCII
)
_GRAPH_LINE = re.compile(rb'name: "graph_(\d+)"')
# The name is the first field of the text; a licence comment may stand before it.
_HEAD_BYTES = 4096
# Folders above the given path that may hold the graphs: rank, time, device, graph, model id, step.
_LEVELS_ABOVE = 6


def parse_graph_name(folder: str, name: str) -> GraphFile | None:
    """Read the name of a torchair graph file; None for other names."""
    found = _DYNAMO_NAME.fullmatch(name)
    if found is None:
        return None
    path = f"{folder}/{name}"
    number = int(found["number"] or -1)
    if number < 0 and found["format"] == "txt":
        number = _number_in_text(path)
    return GraphFile(
        path=path,
        number=number,
        rank=int(found["rank"] or -1),
        pid=int(found["pid"] or -1),
        timestamp=int(found["time"]),
        stage=found["stage"],
        format=found["format"],
    )


def _number_in_text(path: str) -> int:
    try:
        with Path(path).open("rb") as file:
            found = _GRAPH_LINE.search(file.read(_HEAD_BYTES))
    except OSError:
        return -1
    return int(found[1]) if found else -1


def is_ge_proto_name(name: str) -> bool:
    """Whether this is a graph text that GE wrote."""
    return _GE_PROTO_NAME.fullmatch(name) is not None


def last_ge_graphs(paths: list[str]) -> list[GraphFile]:
    """Of the many stages that GE writes, the last one (`Build`) of every graph in every folder."""
    last: dict[tuple[str, str], tuple[bool, int, str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found = _GE_PROTO_NAME.fullmatch(name)
        if found is None:
            continue
        stage = (found["stage"].endswith("Build"), int(found["order"]), path)
        # The older name tells no graph: every graph that was built counts.
        graph = found["id"] or (found["order"] if stage[0] else "")
        last[folder, graph] = max(last.get((folder, graph), stage), stage)
    return sorted(
        (GraphFile(path, -1, -1, -1, order, "ge_proto", "txt") for _, order, path in last.values()),
        key=lambda file: (file.timestamp, file.path),
    )


def newest_graph_files(files: list[GraphFile]) -> tuple[list[GraphFile], list[str]]:
    """Keep one file per number, rank, stage and format: the newest, as runs may share a folder.

    Files without a number are all kept.

    Returns:
        (files sorted by number, rank and time; a sentence for every number with several files)
    """
    groups: dict[tuple[int, int, str, str], list[GraphFile]] = {}
    kept = []
    for file in files:
        if file.number < 0:
            kept.append(file)
        else:
            key = (file.number, file.rank, file.stage, file.format)
            groups.setdefault(key, []).append(file)
    notes = []
    for group in groups.values():
        *older, newest = sorted(group, key=lambda file: (file.timestamp, file.path))
        kept.append(newest)
        if older:
            rank = f" of rank {newest.rank}" if newest.rank >= 0 else ""
            notes.append(
                f"graph_{newest.number}{rank} has {len(group)} {newest.stage} graph files (several "
                f"runs); the newest, {Path(newest.path).name}, is taken."
            )
    kept.sort(key=lambda file: (file.number, file.rank, file.timestamp, file.path))
    return kept, sorted(notes)


def graph_files_above(root: str, base: str) -> tuple[list[GraphFile], list[str]]:
    """Graph files of the nearest folder above `root` that holds torchair graphs, `base` at most.

    Args:
        root: Folder that the user gave.
        base: Dump folder that holds the rank or time level; nothing above it is looked at.

    Returns:
        (torchair graph files, paths of GE graph texts beside them)
    """
    folder = root
    for _ in range(_LEVELS_ABOVE):
        if folder == base or not f"{folder}/".startswith(f"{base}/"):
            break
        folder = str(Path(folder).parent)
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        parsed = (parse_graph_name(folder, name) for name in names)
        files = [file for file in parsed if file is not None]
        if files:
            return files, [f"{folder}/{name}" for name in names if is_ge_proto_name(name)]
    return [], []
