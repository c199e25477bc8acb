"""The errors of a pair of tensors, small enough to keep: histogram, worst elements, heat map."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Bins of the histogram, four a decade below the largest error.
N_BINS = 40
_BINS_A_DECADE = 4
N_WORST = 10
# Cells of the heat map along each of the last two axes.
MOST_CELLS = 64

Array = NDArray[np.float64]


class _Elements(NamedTuple):
    """Of every element the values of its largest error, and that; -inf where one is not finite."""

    my: Array
    golden: Array
    error: Array


def errors_of(my: Array, golden: Array, shape: tuple[int, ...]) -> dict[str, Any]:
    """What docs/en/result-format.md calls `errors`.

    Args:
        my: Values under test in logical order; a complex number is two of them.
        golden: Values of the reference.
        shape: Logical shape of the my side.
    """
    elements = _elements(my, golden, math.prod(shape))
    return {
        "histogram": _histogram(elements.error),
        "worst": _worst(elements, shape),
        "heat_map": _heat_map(elements.error, shape),
    }


def _elements(my: Array, golden: Array, n_elements: int) -> _Elements:
    finite = np.isfinite(my) & np.isfinite(golden)
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.where(finite, np.abs(my - golden), -np.inf)
    np.minimum(error, np.finfo(np.float64).max, out=error)
    if my.size == n_elements or not n_elements:
        return _Elements(my, golden, error)
    parts = error.reshape(n_elements, -1)  # of a complex number
    chosen = np.arange(n_elements), np.argmax(parts, axis=1)
    return _Elements(
        my.reshape(parts.shape)[chosen], golden.reshape(parts.shape)[chosen], parts[chosen]
    )


def _histogram(error: Array) -> dict[str, Any]:
    wrong = error[error > 0]
    largest = float(wrong.max()) if wrong.size else 0.0
    # Upper ends of all bins but the last.
    ends = largest * 10.0 ** ((np.arange(1, N_BINS) - N_BINS) / _BINS_A_DECADE)
    bins = np.bincount(np.searchsorted(ends, wrong, side="left"), minlength=N_BINS)
    return {
        "largest": largest,
        "bins": bins.tolist(),
        "equal": int((error == 0).sum()),
        "not_finite": int((error < 0).sum()),
    }


def _worst(elements: _Elements, shape: tuple[int, ...]) -> list[dict[str, Any]]:
    error = elements.error
    n = min(N_WORST, error.size)
    if not n:
        return []
    largest = np.argpartition(error, error.size - n)[error.size - n :]
    ordered = sorted(largest.tolist(), key=lambda at: (-error[at], at))
    return [
        {
            "index": [int(i) for i in np.unravel_index(at, shape)] if shape else [],
            "my": float(elements.my[at]),
            "golden": float(elements.golden[at]),
            "error": float(error[at]),
        }
        for at in ordered
        if error[at] > 0
    ]


def _heat_map(error: Array, shape: tuple[int, ...]) -> dict[str, Any]:
    """The largest error in equal parts of the last two axes, over all others."""
    rows, columns = (1, 1, *shape)[-2:]
    if not error.size:
        return {"rows": rows, "columns": columns, "cells": []}
    largest = error.reshape(-1, rows, columns).max(axis=0)
    for axis, size in enumerate((rows, columns)):
        n = min(size, MOST_CELLS)
        largest = np.maximum.reduceat(largest, np.arange(n) * size // n, axis=axis)
    cells = [[value if value >= 0 else None for value in row] for row in largest.tolist()]
    return {"rows": rows, "columns": columns, "cells": cells}
