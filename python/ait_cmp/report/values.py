"""Values of the two tensors of a pair, for the few rows that need a closer look."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.pairing.pair import Pair
from ait_cmp.tensor_ref import TensorRef

Array = NDArray[Any]

# Larger tensors are not looked at: the report has their metrics.
MAX_VALUES = 1 << 24


def read_values(ref: TensorRef | None) -> Array | None:
    """All values in logical order as a flat float array; None if there are none or too many."""
    if ref is None or ref.kind != "dump":
        return None
    try:
        found: Array = _core.read_values(ref, begin=0, end=MAX_VALUES + 1)
    except (FormatError, OSError):  # no number, or the file has changed: the row says so
        return None
    with np.errstate(invalid="ignore"):  # a NaN that signals, as damaged files have them
        return None if found.size > MAX_VALUES else found.astype(np.float64)


def read_pair(pair: Pair) -> tuple[Array, Array] | None:
    """The values of both sides, None if they cannot be looked at."""
    mine, golden = read_values(pair.my), read_values(pair.golden)
    if mine is None or golden is None or mine.size != golden.size or not mine.size:
        return None
    return mine, golden


def shape_of(text: str) -> tuple[int, ...]:
    """The shape of a cell of the report: "[1, 16]" -> (1, 16)."""
    inner = text.strip("[]")
    return tuple(int(part) for part in inner.split(",")) if inner else ()
