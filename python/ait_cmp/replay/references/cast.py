"""Casts: rounded to float types, truncated to integers; what lies beyond saturates or not."""

from __future__ import annotations

import numpy as np

from ait_cmp.replay.references.dtypes import FLOAT_TYPES, RUN_TIME_DTYPES, integer_range
from ait_cmp.replay.references.result import Array, Given, RefusedError, Value, references


def _cast(x: Array, *, dst_type: int, given: Given) -> Array | Value:
    # GE may have changed the type that it writes after the graph was made: the file tells.
    dtype = given.out_dtypes[0] if given.out_dtypes else RUN_TIME_DTYPES.get(dst_type, "")
    if dtype == "torch.bool":
        return np.asarray(x != 0)
    if dtype in FLOAT_TYPES:
        value = x.astype(np.float64)
        return Value(value, slack=np.where(np.abs(value) > FLOAT_TYPES[dtype].largest, np.inf, 0.0))
    bounds = integer_range(dtype)
    if bounds is None:
        message = f"a cast to {dtype or dst_type} is not known"
        raise RefusedError(message)
    if x.dtype.kind in "iub":
        is_inside = (x >= bounds[0]) & (x <= bounds[1])
        return Value(x, slack=np.where(is_inside, 0.0, np.inf))
    whole = np.trunc(x)
    is_inside = (whole >= bounds[0]) & (whole <= bounds[1])
    return Value(np.where(is_inside, whole, 0.0), slack=np.where(is_inside, 0.0, np.inf))


CASTS = references("cast", {"Cast": _cast}, unused={"Cast": "truncate_mode"})
