"""Steps that are nearer to another golden step than to their own: are they counted differently?

The steps of a graph come in order, and are gone when the next one comes. Kept of them are the
figures of the first tensors that tell steps apart; where golden steps are all alike, so that there
are none, those of all tensors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ait_cmp.terms import Io

# (operator, inputs or outputs, index): the same tensor in every step of a graph
Tensor = tuple[str, Io, int]
# Of every tensor number of elements (-1: something is not known), max, min, mean.
Figures = NDArray[np.float64]

# Fewer tensors than this may be equal by chance.
MIN_TENSORS = 4
# Tensors at the start of a graph that tell steps apart, before errors pile up.
_FIRST_TENSORS = 16
# Of the golden side so many times as many are kept: neighbours may have theirs in another order.
_SPARE = 4
# A step is shifted if its own golden step is so far away, and another one so many times nearer.
_FAR = 0.05
_NEARER = 4.0
# How many steps before and after are looked at.
_REACH = 3

_Numbers = NDArray[np.intp]
_Known = Mapping[int, Sequence[float]]


class _Step(NamedTuple):
    """Tensors of a step in the order of its rows.

    Attributes:
        number: Its number.
        ids: Numbers of the tensors.
        my: Their figures on the my side.
        golden: On the golden side.
    """

    number: int
    ids: _Numbers
    my: Figures
    golden: Figures


class ShiftedSteps:
    """The steps of one graph."""

    def __init__(self) -> None:
        self._id_of: dict[Tensor, int] = {}
        self._before: tuple[list[Tensor], _Numbers] = [], np.empty(0, np.intp)
        # Of every tensor the figures of its first golden step as bits, and whether others differ.
        self._first: NDArray[np.int64] = np.empty((0, 4), np.int64)
        self._is_known: NDArray[np.bool_] = np.empty(0, bool)
        self._tells: NDArray[np.bool_] = np.empty(0, bool)
        self._steps: list[_Step] = []
        self._whole: list[int] = []  # of these, those that no cut was found for

    def add(self, number: int, tensors: list[Tensor], my: Figures, golden: Figures) -> None:
        """Take the next step: its tensors, each once, and their figures."""
        ids = self._ids(tensors)
        n_telling = np.count_nonzero(self._tells)
        self._learn(ids, golden)
        self._steps.append(_Step(number, ids, my, golden))
        if np.count_nonzero(self._tells) > n_telling:
            self._whole = [at for at in self._whole if not self._cut(at)]
        if not self._cut(len(self._steps) - 1):
            self._whole.append(len(self._steps) - 1)

    def _ids(self, tensors: list[Tensor]) -> _Numbers:
        before, ids = self._before
        if tensors != before:
            id_of = self._id_of
            ids = np.array([id_of.setdefault(at, len(id_of)) for at in tensors], np.intp)
            self._before = tensors, ids
            n_new = len(id_of) - len(self._tells)
            self._first = np.concatenate([self._first, np.zeros((n_new, 4), np.int64)])
            self._is_known = np.concatenate([self._is_known, np.zeros(n_new, bool)])
            self._tells = np.concatenate([self._tells, np.zeros(n_new, bool)])
        return ids

    def _learn(self, ids: _Numbers, golden: Figures) -> None:
        """See which tensors differ between golden steps: weights and constants tell no step."""
        has_figures = golden[:, 0] >= 0
        ids = ids[has_figures]
        figures = golden[has_figures]
        bits = np.where(np.isnan(figures), np.nan, figures).view(np.int64)
        is_known = self._is_known[ids]
        self._tells[ids[is_known & (bits != self._first[ids]).any(axis=1)]] = True
        self._first[ids[~is_known]] = bits[~is_known]
        self._is_known[ids] = True

    def _first_telling(self, step: _Step) -> _Numbers:
        """Places of the first tensors of a step that tell."""
        return np.flatnonzero(self._tells[step.ids] & (step.my[:, 0] >= 0))[:_FIRST_TENSORS]

    def _cut(self, at: int) -> bool:
        """Leave out what is behind the first telling tensors, if there are enough of them."""
        step = self._steps[at]
        telling = self._first_telling(step)
        if len(telling) < _FIRST_TENSORS:
            return False
        end = int(telling[-1] + 1)
        kept = slice(_SPARE * end)
        self._steps[at] = _Step(
            step.number, step.ids[kept].copy(), step.my[:end].copy(), step.golden[kept].copy()
        )
        return True

    def shifted(self) -> list[str]:
        """Which my steps are nearer to which golden steps."""
        steps = {step.number: step for step in self._steps}
        golden = {number: self._golden(step) for number, step in steps.items()}
        told = []
        for number, step in sorted(steps.items()):
            step = step._replace(ids=step.ids[: len(step.my)])
            places = self._first_telling(step)
            mine = dict(zip(step.ids[places].tolist(), step.my[places].tolist()))
            own = _distance(mine, golden[number])
            if not _FAR < own < math.inf:
                continue
            others = [
                (_distance(mine, golden[other]), other)
                for other in range(number - _REACH, number + _REACH + 1)
                if other != number and other in golden
            ]
            nearest, other = min(others, default=(math.inf, number))
            if nearest * _NEARER < own:
                told.append(f"my step {number} is nearer to golden step {other}")
        return told

    def _golden(self, step: _Step) -> _Known:
        known = self._tells[step.ids] & (step.golden[:, 0] >= 0)
        return dict(zip(step.ids[known].tolist(), step.golden[known].tolist()))


def _distance(mine: _Known, theirs: _Known) -> float:
    """Mean difference (0 to 1) of the figures of the tensors that both have; inf if too few do."""
    differences = [_difference(mine[at], theirs[at]) for at in mine if at in theirs]
    if len(differences) < MIN_TENSORS:
        return math.inf
    return math.fsum(differences) / len(differences)


def _difference(x: Sequence[float], y: Sequence[float]) -> float:
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
