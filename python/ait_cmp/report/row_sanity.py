"""Warnings that the rows of a report give: steps that are equal or shifted, zeros, missing tensors.

The steps come in the order of the report, those of a graph one behind the other, and are not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ait_cmp.report.notes import Note, ZeroTensors, texts_of, zero_sentences
from ait_cmp.report.row import Row, column
from ait_cmp.report.sanity import label_of
from ait_cmp.report.shifted_steps import MIN_TENSORS, Figures, ShiftedSteps, Tensor

if TYPE_CHECKING:
    from ait_cmp._core import StepRows

# Of steps that are equal, so many are named.
_STEPS_SHOWN = 6
# Above this share "most" are missing.
_MOST = 0.5

_SIDES = ("my", "golden")
# (rank, graph)
_Graph = tuple[int, str]


def warn_of_rows(steps: Iterable[StepRows]) -> list[str]:
    """The warnings that steps give; those of a graph stand one behind the other."""
    warnings = RowWarnings()
    for step in steps:
        warnings.add(step)
    return [*texts_of(warnings.notes()), *zero_sentences(warnings.zeros)]


class RowWarnings:
    """Looks at the rows of every step once.

    Attributes:
        zeros: Side -> tensors that are all zero on this side only.
    """

    def __init__(self) -> None:
        self._at: _Graph | None = None  # the graph whose steps come
        self._equal = {side: _EqualSteps() for side in _SIDES}
        self._shifted = ShiftedSteps()
        # What is to be said of the graphs before.
        self._told: list[Note] = []
        self.zeros: dict[str, ZeroTensors] = {}
        self._n_rows: Counter[_Graph] = Counter()
        self._n_unmatched: Counter[_Graph] = Counter()

    def add(self, step: StepRows) -> None:
        """Look at a step."""
        if not len(step):
            return
        first = Row._make(step[0])
        graph, number = (first.rank, first.graph), first.token_id
        if graph != self._at:
            self._end_graph()
            self._at = graph
        statuses = column(step, "status")
        self._n_rows[graph] += len(step)
        self._n_unmatched[graph] += statuses.count("unmatched")
        figures = {side: step.figures(side == "golden") for side in _SIDES}
        self._look_for_zeros(step, statuses, figures)
        tensors: list[Tensor] = list(
            zip(*(column(step, name) for name in ("op_name", "io", "index")))
        )
        last = {tensor: row for row, tensor in enumerate(tensors)}
        if len(last) < len(tensors):  # an op that ran twice: its last run counts
            tensors, rows = list(last), list(last.values())
            figures = {side: of_side[rows] for side, of_side in figures.items()}
        for side in _SIDES:
            n_known = int(np.count_nonzero(figures[side][:, 0] >= 0))
            if 2 * n_known < len(tensors):  # constants may be all that is known
                n_known = 0
            self._equal[side].add(number, n_known, step.figures_hash(side == "golden"))
        self._shifted.add(number, tensors, figures["my"], figures["golden"])

    def _look_for_zeros(
        self, step: StepRows, statuses: list[str], figures: dict[str, Figures]
    ) -> None:
        zero = {side: (of[:, 1] == 0) & (of[:, 2] == 0) for side, of in figures.items()}
        for row in np.flatnonzero(zero["my"] != zero["golden"]).tolist():
            if statuses[row] == "compared":
                side = "my" if zero["my"][row] else "golden"
                if side not in self.zeros:
                    first = Row._make(step[row])
                    self.zeros[side] = ZeroTensors(0, first.rank, first.graph, _tensor_text(first))
                self.zeros[side] = self.zeros[side]._replace(number=self.zeros[side].number + 1)

    def _end_graph(self) -> None:
        """Tell of the graph whose last step came."""
        if self._at is None:
            return
        label = label_of(*self._at)
        texts = [
            text for side, equal in self._equal.items() for text in equal.sentences(label, side)
        ]
        shifted = self._shifted.shifted()
        if shifted:
            texts.append(
                f"{label}: by the first tensors of the graph {'; '.join(shifted)}: do the "
                "two sides count their steps differently, or was a warm-up run dumped?"
            )
        self._told += [Note("steps", *self._at, text) for text in texts]
        self._equal = {side: _EqualSteps() for side in _SIDES}
        self._shifted = ShiftedSteps()

    def notes(self) -> list[Note]:
        """What is to be warned of but for zeros; no step follows."""
        self._end_graph()
        self._at = None
        return [*self._told, *self._missing_counterparts()]

    def _missing_counterparts(self) -> list[Note]:
        """Graphs of which most tensors have no golden counterpart."""
        return [
            Note(
                "steps",
                *graph,
                f"{label_of(*graph)}: {self._n_unmatched[graph]} of {n} my tensors have no golden "
                "counterpart: is the golden dump complete, and of this model?",
            )
            for graph, n in sorted(self._n_rows.items())
            if self._n_unmatched[graph] > _MOST * n
        ]


class _EqualSteps:
    """Steps of a graph whose tensors all have equal figures on a side."""

    def __init__(self) -> None:
        # What such steps share -> how many tensors they have, and their numbers.
        self._alike: dict[tuple[int, int], tuple[int, list[int]]] = {}

    def add(self, number: int, n_tensors: int, figures_hash: tuple[int, int]) -> None:
        """Take the next step."""
        if n_tensors >= MIN_TENSORS:
            self._alike.setdefault(figures_hash, (n_tensors, []))[1].append(number)

    def sentences(self, label: str, side: str) -> list[str]:
        """One for every group of equal steps."""
        notes = []
        for n_tensors, group in self._alike.values():
            if len(group) > 1:
                numbers = ", ".join(map(str, group[:_STEPS_SHOWN]))
                if len(group) > _STEPS_SHOWN:
                    numbers += f" and {len(group) - _STEPS_SHOWN} more"
                notes.append(
                    f"{label}: on the {side} side size, maximum, minimum and mean of all "
                    f"{n_tensors} tensors are equal in steps {numbers}: a step "
                    "dumped twice, or inputs that do not change?"
                )
        return notes


def _tensor_text(row: Row) -> str:
    step = f"step {row.token_id}"
    return f"{row.op_name} {row.io} {row.index} ({label_of(row.rank, row.graph)}, {step})"
