"""One row of the report: its columns, in their order."""

from __future__ import annotations

from typing import NamedTuple

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
    golden_max_value: float | None
    golden_min_value: float | None
    golden_mean_value: float | None
    my_data_path: str
    my_op_type: str
    my_dtype: str
    my_shape: str
    my_max_value: float | None
    my_min_value: float | None
    my_mean_value: float | None
    cosine_similarity: float | None
    max_relative_error: float | None
    mean_relative_error: float | None
    max_absolute_error: float | None
    mean_absolute_error: float | None
    kl_divergence: float | None
    relative_euclidean_distance: float | None
    cmp_fail_reason: str
    rank: int
    graph: str
    op_name: str
    io: str
    index: int
    status: str
    match: str
    verdict: str
    upstream_error: float | None
    error_growth: float | None
    my_nan_count: int | None
    my_inf_count: int | None
    golden_nan_count: int | None
    golden_inf_count: int | None
    nonfinite_mismatch_count: int | None
    worst_index: int | None
    my_worst: float | None
    golden_worst: float | None
    estimated: str = ""
    custom: tuple[str, ...] = ()  # one cell per custom algorithm


# The header line; the names of custom algorithms follow.
COLUMNS: tuple[str, ...] = Row._fields[:-1]
