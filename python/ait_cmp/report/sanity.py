"""Warnings about the capture itself: dumps that are stale, mixed, shifted or not what was meant.

Every function takes plain data and returns whole sentences, none if all is well. They say what was
seen and what it may mean; they never change a verdict.
"""

from __future__ import annotations

import itertools
import marshal
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ait_cmp.align.steps import Alignment
from ait_cmp.discover import DumpTree, FxFile, GeFile, StepKey
from ait_cmp.report.row import Row, column
from ait_cmp.terms import Io

if TYPE_CHECKING:
    from ait_cmp._core import StepRows

# A step runs without pauses; a longer one lies between two runs (microseconds).
_RUN_PAUSE_US = 60_000_000
# Two halves of a folder are two runs if so many of their operators are the same.
_SAME_RUN_OPERATORS = 0.9
# Fewer tensors than this may be equal by chance.
_MIN_TENSORS = 4
# Of steps that are equal, so many are named.
_STEPS_SHOWN = 6
# Tensors at the start of a graph that tell steps apart, before errors pile up.
_FIRST_TENSORS = 16
# A step is shifted if its own golden step is so far away, and another one so many times nearer.
_FAR = 0.05
_NEARER = 4.0
# How many steps before and after are looked at.
_SHIFT_REACH = 3
# Above this share "most" are missing.
_MOST = 0.5


# (rank, graph)
_Graph = tuple[int, str]
# (operator, inputs or outputs, index): the same tensor in every step of a graph
_Tensor = tuple[str, Io, int]
# number of elements, max, min, mean
_Figures = tuple[int, float, float, float]


def warn_of_trees(my: DumpTree, golden: DumpTree, found: Alignment) -> list[str]:
    """Warnings that names and times of files give: one folder twice, runs mixed in one step."""
    return [
        *warn_of_same_folder(my, golden, found),
        *warn_of_mixed_runs(my),
        *warn_of_mixed_runs(golden),
        *warn_of_aborted("my", my),
        *warn_of_aborted("golden", golden),
    ]


def warn_of_rows(steps: Sequence[StepRows]) -> list[str]:
    """Warnings that the rows of a report give: equal steps, shifted steps, zeros, missing nodes."""
    mine, golden = _figures(steps, "my"), _figures(steps, "golden")
    return [
        *_warn_of_equal_steps(steps, mine, "my"),
        *_warn_of_equal_steps(steps, golden, "golden"),
        *_warn_of_shifted_steps(mine, golden),
        *warn_of_zeros(steps),
        *warn_of_missing_counterparts(steps),
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
    files: Sequence[GeFile | FxFile] = tree.ge[key] if tree.kind == "ge" else tree.fx[key]
    # pathlib raises for a link to itself, and so would end the run.
    return os.path.realpath(files[0].path) if files else ""


def warn_of_mixed_runs(tree: DumpTree) -> list[str]:
    """Warn if a GE step folder holds two runs: the same operators again after a long pause."""
    notes = []
    for key, files in tree.ge.items():
        pause = _pause_between_runs(files)
        if pause:
            notes.append(
                f"{_label(key.rank, key.graph)}, step {key.step}: the same operators were dumped "
                f"again after {pause / 60e6:.0f} min: several runs mixed in one folder? The later "
                "file of an operator is compared."
            )
    return notes


def warn_of_aborted(side: str, tree: DumpTree) -> list[str]:
    """Warn if the last step of a graph holds a part of what the step before holds."""
    ops: dict[_Graph, list[tuple[int, set[str]]]] = {}
    for key in tree.step_keys():
        files: Sequence[GeFile | FxFile] = tree.ge[key] if tree.kind == "ge" else tree.fx[key]
        names = {file.op_name if isinstance(file, GeFile) else file.node for file in files}
        ops.setdefault((key.rank, key.graph), []).append((key.step, names))
    notes = []
    for (rank, graph), steps in ops.items():
        if len(steps) < 2:
            continue
        (_, before), (number, last) = sorted(steps, key=lambda step: step[0])[-2:]
        if last < before:
            notes.append(
                f"{side}: {_label(rank, graph)}: its last step, {number}, has {len(last)} of the "
                f"{len(before)} operators of the step before: was the run stopped while it wrote?"
            )
    return notes


def _pause_between_runs(files: Sequence[GeFile]) -> int:
    """Length (microseconds) of the pause that parts two runs of the same operators, 0 if none."""
    timed = [file for file in files if file.timestamp >= 0]
    if len(timed) < 2:
        return 0
    pauses = [
        (later.timestamp - earlier.timestamp, i)
        for i, (earlier, later) in enumerate(zip(timed, timed[1:]), 1)
    ]
    pause, cut = max(pauses)
    first = {file.op_name for file in timed[:cut]}
    second = {file.op_name for file in timed[cut:]}
    common = len(first & second) / len(first | second)
    return pause if pause >= _RUN_PAUSE_US and common >= _SAME_RUN_OPERATORS else 0


def warn_of_zeros(steps: Sequence[StepRows]) -> list[str]:
    """Warn of tensors whose elements are all zero on one side only."""
    number = {"my": 0, "golden": 0}
    first: dict[str, str] = {}
    for step in steps:
        extrema = (f"{side}_{kind}_value" for side in ("my", "golden") for kind in ("max", "min"))
        columns = zip(column(step, "status"), *(column(step, name) for name in extrema))
        for row, (status, my_max, my_min, golden_max, golden_min) in enumerate(columns):
            my_zero = my_max == 0 and my_min == 0
            golden_zero = golden_max == 0 and golden_min == 0
            if my_zero != golden_zero and status == "compared":
                side = "my" if my_zero else "golden"
                number[side] += 1
                first.setdefault(side, _tensor_text(Row._make(step[row])))
    return [
        f"Tensors that are all zero on the {side} side only: {number[side]}, the first is "
        f"{first[side]}: an operator that did not write its result, or memory that was "
        "free when it was dumped?"
        for side in number
        if number[side]
    ]


def warn_of_missing_counterparts(steps: Sequence[StepRows]) -> list[str]:
    """Warn for every rank and graph of which most tensors have no golden counterpart."""
    total: Counter[_Graph] = Counter()
    unmatched: Counter[_Graph] = Counter()
    for step in steps:
        if len(step):
            graph, _ = _graph_and_step(step)
            total[graph] += len(step)
            unmatched[graph] += column(step, "status").count("unmatched")
    return [
        f"{_label(*graph)}: {unmatched[graph]} of {n} my tensors have no golden counterpart: is "
        "the golden dump complete, and of this model?"
        for graph, n in sorted(total.items())
        if unmatched[graph] > _MOST * n
    ]


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
        f"{_label(rank, graph)}: {n_nodes - n_dumped} of {n_nodes} operators of the graph are "
        "missing on the my side: was the dump cut short, or limited to some operators?"
    ]


_Steps = Mapping[_Graph, Mapping[int, Mapping[_Tensor, _Figures]]]


def _figures(steps: Sequence[StepRows], side: str) -> _Steps:
    """Graph -> step -> tensor -> its size and figures, tensors in the order of the rows."""
    graphs: dict[_Graph, dict[int, dict[_Tensor, _Figures]]] = {}
    for step in steps:
        if not len(step):
            continue
        tensors = zip(*(column(step, name) for name in ("op_name", "io", "index")))
        sizes = step.n_elements(side == "golden")
        values = [column(step, f"{side}_{kind}_value") for kind in ("max", "min", "mean")]
        figures = dict(zip(tensors, zip(sizes, *values)))
        if any(None in of_kind for of_kind in (sizes, *values)):
            figures = {tensor: found for tensor, found in figures.items() if None not in found}
        graph, number = _graph_and_step(step)
        graphs.setdefault(graph, {})[number] = figures
    return graphs


def _graph_and_step(step: StepRows) -> tuple[_Graph, int]:
    """Graph and number of a step that has rows."""
    first = Row._make(step[0])
    return (first.rank, first.graph), first.token_id


def _warn_of_equal_steps(steps: Sequence[StepRows], figures: _Steps, side: str) -> list[str]:
    hashes = {
        _graph_and_step(step): step.figures_hash(side == "golden") for step in steps if len(step)
    }
    n_steps = Counter((graph, of_step) for (graph, _), of_step in hashes.items())
    notes = []
    for graph, of_graph in sorted(figures.items()):
        alike: dict[bytes, list[int]] = {}
        for step, tensors in sorted(of_graph.items()):
            is_like_another = n_steps[graph, hashes[graph, step]] > 1
            if is_like_another and len(tensors) >= _MIN_TENSORS:
                # As bytes, where NaN equals NaN; version 2 has no back references to objects.
                key = marshal.dumps(sorted(tensors.items()), 2)
                alike.setdefault(key, []).append(step)
        for group in alike.values():
            if len(group) > 1:
                numbers = ", ".join(map(str, group[:_STEPS_SHOWN]))
                if len(group) > _STEPS_SHOWN:
                    numbers += f" and {len(group) - _STEPS_SHOWN} more"
                notes.append(
                    f"{_label(*graph)}: on the {side} side size, maximum, minimum and mean of all "
                    f"{len(of_graph[group[0]])} tensors are equal in steps {numbers}: a step "
                    "dumped twice, or inputs that do not change?"
                )
    return notes


def _warn_of_shifted_steps(mine: _Steps, golden: _Steps) -> list[str]:
    notes = []
    for graph, my_steps in sorted(mine.items()):
        golden_steps = golden.get(graph, {})
        telling = _Telling(golden_steps)
        shifted = []
        for step, tensors in sorted(my_steps.items()):
            first = list(itertools.islice(filter(telling.tells, tensors), _FIRST_TENSORS))
            own = _distance(first, tensors, golden_steps.get(step, {}))
            if not _FAR < own < math.inf:
                continue
            others = [
                (_distance(first, tensors, golden_steps[number]), number)
                for number in range(step - _SHIFT_REACH, step + _SHIFT_REACH + 1)
                if number != step and number in golden_steps
            ]
            nearest, number = min(others, default=(math.inf, step))
            if nearest * _NEARER < own:
                shifted.append(f"my step {step} is nearer to golden step {number}")
        if shifted:
            notes.append(
                f"{_label(*graph)}: by the first tensors of the graph {'; '.join(shifted)}: do the "
                "two sides count their steps differently, or was a warm-up run dumped?"
            )
    return notes


class _Telling:
    """Which tensors are not the same in all steps: weights and constants tell no step."""

    def __init__(self, steps: Mapping[int, Mapping[_Tensor, _Figures]]) -> None:
        self._steps = steps
        self._known: dict[_Tensor, bool] = {}

    def tells(self, tensor: _Tensor) -> bool:
        """Whether a tensor has different figures in two steps."""
        if tensor not in self._known:
            of_steps = {repr(step[tensor]) for step in self._steps.values() if tensor in step}
            self._known[tensor] = len(of_steps) > 1
        return self._known[tensor]


def _distance(
    tensors: Sequence[_Tensor],
    mine: Mapping[_Tensor, _Figures],
    theirs: Mapping[_Tensor, _Figures],
) -> float:
    """Mean difference (0 to 1) of the figures of the tensors that both have; inf if too few do."""
    differences = [_difference(mine[at], theirs[at]) for at in tensors if at in theirs]
    if len(differences) < _MIN_TENSORS:
        return math.inf
    return math.fsum(differences) / len(differences)


def _difference(x: _Figures, y: _Figures) -> float:
    """Largest difference of maxima, minima and means as a share of the largest value, 1 at most.

    Relative to the tensor's own scale, as a mean near 0 has no digits to compare.
    """
    if repr(x) == repr(y):
        return 0.0
    (my_size, my_max, my_min, my_mean), (size, high, low, mean) = x, y
    scale = max(abs(my_max), abs(my_min), abs(high), abs(low))
    largest = max(abs(my_max - high), abs(my_min - low), abs(my_mean - mean))
    if my_size != size or not math.isfinite(scale) or not math.isfinite(largest):
        return 1.0
    return min(largest / scale, 1.0) if scale else 0.0


def _label(rank: int, graph: str) -> str:
    return f"rank {rank}, {graph}" if rank >= 0 else graph


def _tensor_text(row: Row) -> str:
    step = f"step {row.token_id}"
    return f"{row.op_name} {row.io} {row.index} ({_label(row.rank, row.graph)}, {step})"
