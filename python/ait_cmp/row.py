"""One row of the report: its columns, in their order."""

from __future__ import annotations

from typing import NamedTuple, Optional

__all__ = ["COLUMNS", "STATUSES", "Row", "side_cells"]

# What can become of a tensor of the my side, most welcome first.
STATUSES = ("compared", "shape_mismatch", "unreadable", "unsupported", "no_data", "unmatched")


class Row(NamedTuple):
    """One tensor of the my side. None is an empty cell: not computed.

    The first 24 fields have the names and the order that scripts of the replaced tool read.
    Shapes are logical. Extrema and means are those of the finite elements.
    """

    token_id: int
    data_id: int
    golden_data_path: str
    golden_op_type: str
    golden_dtype: str
    golden_shape: str
    golden_max_value: Optional[float]
    golden_min_value: Optional[float]
    golden_mean_value: Optional[float]
    my_data_path: str
    my_op_type: str
    my_dtype: str
    my_shape: str
    my_max_value: Optional[float]
    my_min_value: Optional[float]
    my_mean_value: Optional[float]
    cosine_similarity: Optional[float]
    max_relative_error: Optional[float]
    mean_relative_error: Optional[float]
    max_absolute_error: Optional[float]
    mean_absolute_error: Optional[float]
    kl_divergence: Optional[float]
    relative_euclidean_distance: Optional[float]
    cmp_fail_reason: str
    rank: int
    graph: str
    op_name: str
    io: str
    index: int
    status: str
    match: str
    verdict: str
    upstream_error: Optional[float]
    error_growth: Optional[float]
    my_nan_count: Optional[int]
    my_inf_count: Optional[int]
    golden_nan_count: Optional[int]
    golden_inf_count: Optional[int]
    nonfinite_mismatch_count: Optional[int]
    worst_index: Optional[int]
    my_worst: Optional[float]
    golden_worst: Optional[float]
    estimated: str = ""
    custom: tuple[str, ...] = ()  # one cell per custom algorithm


# The header line; the names of custom algorithms follow.
COLUMNS: tuple[str, ...] = Row._fields[:-1]
