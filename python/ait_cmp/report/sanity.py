"""Warnings about the capture itself: dumps that are stale, mixed, shifted or not what was meant.

Every function takes plain data and returns whole sentences, none if all is well. They say what was
seen and what it may mean; they never change a verdict.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ait_cmp.align.steps import Alignment
from ait_cmp.discover import DumpTree, GeFile, StepKey
from ait_cmp.discover.packed import first_path, longest_pause_of

# A step runs without pauses; a longer one lies between two runs (microseconds).
_RUN_PAUSE_US = 60_000_000
# Two halves of a folder are two runs if so many of their operators are the same.
_SAME_RUN_OPERATORS = 0.9
# Above this share "most" are missing.
_MOST = 0.5


# (rank, graph)
_Graph = tuple[int, str]


def warn_of_trees(my: DumpTree, golden: DumpTree, found: Alignment) -> list[str]:
    """Warnings that names and times of files give: one folder twice, runs mixed in one step."""
    return [
        *warn_of_same_folder(my, golden, found),
        *warn_of_mixed_runs(my),
        *warn_of_mixed_runs(golden),
        *warn_of_aborted("my", my),
        *warn_of_aborted("golden", golden),
    ]


def warn_of_same_folder(my: DumpTree, golden: DumpTree, found: Alignment) -> list[str]:
    """Warn if a step is compared with itself, whatever paths and links lead there."""
    for pair in found.steps:
        mine, theirs = _first_path(my, pair.my), _first_path(golden, pair.golden)
        if mine and mine == theirs:
            return [
                f"My and golden path lead to the same dump ({Path(mine).parent}): it is compared "
                "with itself."
            ]
    return []


def _first_path(tree: DumpTree, key: StepKey) -> str:
    path = first_path(tree.ge[key] if tree.kind == "ge" else tree.fx[key])
    # pathlib raises for a link to itself, and so would end the run.
    return os.path.realpath(path) if path else ""


def warn_of_mixed_runs(tree: DumpTree) -> list[str]:
    """Warn if a GE step folder holds two runs: the same operators again after a long pause."""
    notes = []
    for key, files in tree.ge.items():
        pause = _pause_between_runs(files)
        if pause:
            notes.append(
                f"{label_of(key.rank, key.graph)}, step {key.step}: the same operators were dumped "
                f"again after {pause / 60e6:.0f} min: several runs mixed in one folder? The later "
                "file of an operator is compared."
            )
    return notes


def warn_of_aborted(side: str, tree: DumpTree) -> list[str]:
    """Warn if the last step of a graph holds a part of what the step before holds."""
    steps_of: dict[_Graph, list[StepKey]] = {}
    for key in tree.step_keys():
        steps_of.setdefault((key.rank, key.graph), []).append(key)
    notes = []
    for (rank, graph), steps in steps_of.items():
        if len(steps) < 2:
            continue
        before, last = (_op_names(tree, key) for key in steps[-2:])
        number = steps[-1].step
        if last < before:
            notes.append(
                f"{side}: {label_of(rank, graph)}: its last step, {number}, has {len(last)} of the "
                f"{len(before)} operators of the step before: was the run stopped while it wrote?"
            )
    return notes


def _op_names(tree: DumpTree, key: StepKey) -> set[str]:
    if tree.kind == "ge":
        return {file.op_name for file in tree.ge[key]}
    return {file.node for file in tree.fx[key]}


def _pause_between_runs(files: Sequence[GeFile]) -> int:
    """Length (microseconds) of the pause that parts two runs of the same operators, 0 if none."""
    if longest_pause_of(files) < _RUN_PAUSE_US:
        return 0
    timed = [file for file in files if file.timestamp >= 0]
    pauses = [
        (later.timestamp - earlier.timestamp, i)
        for i, (earlier, later) in enumerate(zip(timed, timed[1:]), 1)
    ]
    pause, cut = max(pauses)
    first = {file.op_name for file in timed[:cut]}
    second = {file.op_name for file in timed[cut:]}
    common = len(first & second) / len(first | second)
    return pause if common >= _SAME_RUN_OPERATORS else 0


def warn_of_missing_nodes(rank: int, graph: str, n_nodes: int, n_dumped: int) -> list[str]:
    """Warn if most operators of a my-side graph were not dumped.

    Args:
        rank: Rank, -1 without rank level.
        graph: Name of the graph.
        n_nodes: Operators that a full dump of the graph holds, a fused one counted once.
        n_dumped: Those that the dump holds.
    """
    if n_nodes - n_dumped <= _MOST * n_nodes:
        return []
    return [
        f"{label_of(rank, graph)}: {n_nodes - n_dumped} of {n_nodes} operators of the graph are "
        "missing on the my side: was the dump cut short, or limited to some operators?"
    ]


def label_of(rank: int, graph: str) -> str:
    """How a sentence calls a graph."""
    return f"rank {rank}, {graph}" if rank >= 0 else graph
