"""A pair and what the core found of it -> one row of the report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Optional

from ait_cmp.config import Limits
from ait_cmp.pairing.pair import Pair, TensorRef
from ait_cmp.row import Row
from ait_cmp.verdict import verdict_of

# A result of the core (csrc/bind/bind_compare.cpp, result_tuple): status, reason, my side, golden
# side, metrics, mismatches, worst element. With reduced files (info/compare.py) what the metrics
# were estimated from follows. None: the pair was not handed to the core.
CoreResult = Optional[tuple[Any, ...]]

_NO_SIDE: tuple[Any, ...] = ("", "", None, None, None, None, None)
_NO_METRICS = (None,) * 7
_VERDICT = Row._fields.index("verdict")


def data_path(ref: TensorRef) -> str:
    """`{file},inputs,{i}` for a tensor of a GE dump, else the file."""
    return f"{ref.path},{ref.io},{ref.index}" if ref.io else ref.path


def build_row(pair: Pair, result: CoreResult, limits: Limits, data_id: int) -> Row:
    """The row of a pair, complete but for what the graph says of it."""
    my = golden = _NO_SIDE
    metrics: Sequence[float | None] = _NO_METRICS
    status, reason = pair.status, pair.reason
    mismatches = worst = None
    estimated = ""
    if result is not None:
        found_status, found_reason, my_side, golden_side, values, count, worst = result[:7]
        estimated = result[7] if len(result) > 7 else ""
        my, golden = _side_cells(my_side), _side_cells(golden_side)
        if status in ("", "unmatched"):
            status = found_status if found_status != "compared" else status or found_status
            reason = f"{reason} {found_reason}".strip() if reason else found_reason
        else:
            reason = found_reason or reason
        if values is not None and status == "compared":
            metrics = tuple(None if value != value else value for value in values)
            mismatches = count
    cells: list[Any] = [
        pair.token,
        data_id,
        "" if pair.golden is None else data_path(pair.golden),
        pair.golden_op_type,
        golden[0],
        golden[1],
        golden[2],
        golden[3],
        golden[4],
        data_path(pair.my),
        pair.op_type,
        my[0],
        my[1],
        my[2],
        my[3],
        my[4],
        *metrics,
        reason,
        pair.rank,
        pair.graph,
        pair.op_name,
        pair.io,
        pair.index,
        status,
        pair.match,
        "",
        None,
        None,
        my[5],
        my[6],
        golden[5],
        golden[6],
        mismatches,
        *(worst or (None, None, None)),
        estimated,
        (),
    ]
    row = Row._make(cells)
    verdict = verdict_of(row, limits)
    if not verdict:
        return row
    cells[_VERDICT] = verdict
    return Row._make(cells)


def _side_cells(side: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """dtype, shape, max, min, mean, NaN count, inf count."""
    if side is None:
        return _NO_SIDE
    dtype, shape, sums = side
    if sums is None:
        return (dtype, _shape_text(shape), None, None, None, None, None)
    n, n_nan, n_positive_inf, n_negative_inf, largest, smallest, mean = sums
    if n_positive_inf is None or n_negative_inf is None:  # a reduced file that does not say
        return (dtype, _shape_text(shape), largest, smallest, mean, n_nan, None)
    inf_count = n_positive_inf + n_negative_inf
    if n_nan is not None and n == n_nan + inf_count:
        largest = smallest = mean = None
    return (dtype, _shape_text(shape), largest, smallest, mean, n_nan, inf_count)


@lru_cache(maxsize=4096)
def _shape_text(shape: tuple[int, ...] | None) -> str:
    return "" if shape is None else str(list(shape))
