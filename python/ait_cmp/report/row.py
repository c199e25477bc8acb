"""One row of the report: its columns, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ait_cmp.report.column_docs import document
from ait_cmp.terms import Estimated, Io, Rule, Status, Verdict

if TYPE_CHECKING:
    from ait_cmp import _core


class Row(NamedTuple):
    """One tensor of the my side. None is an empty cell: not computed.

    The first 24 fields have the names and the order that scripts of the replaced tool read.

    Example:
        >>> result = ait_cmp.compare_dirs("ait-cmp-demo/ge_wrong", "ait-cmp-demo/fx", tokens=0)
        >>> worst = max(result.rows, key=lambda row: row.error_growth or 0)
        >>> worst.op_name, worst.io, worst.my_shape, worst.match, worst.verdict
        ('MatMul_3', 'outputs', '[8, 32]', 'dataflow', 'fail')
        >>> worst.cmp_fail_reason
        'error_growth 72.2 > 4, block_growth 56.3 > 3.2.'
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
    # metrics after_sides: written by tests/metric_fields.py
    cosine_similarity: float | None
    max_relative_error: float | None
    mean_relative_error: float | None
    max_absolute_error: float | None
    mean_absolute_error: float | None
    kl_divergence: float | None
    relative_euclidean_distance: float | None
    # end of metrics
    cmp_fail_reason: str
    rank: int
    graph: str
    op_name: str
    io: Io
    index: int
    status: Status
    match: Rule | Literal[""]
    verdict: Verdict | Literal[""]
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
    estimated: Estimated = ""
    # metrics before_block_growth: written by tests/metric_fields.py
    one_thousandth_err_ratio: float | None = None
    five_thousandths_err_ratio: float | None = None
    block_error: float | None = None
    # end of metrics
    block_growth: float | None = None
    # metrics after_block_growth: written by tests/metric_fields.py
    bias_z: float | None = None
    # end of metrics
    decision_flips: int | None = None
    own_error: float | None = None
    own_growth: float | None = None
    fx_node: str = ""
    module: str = ""
    source: str = ""
    custom: tuple[str, ...] = ()  # one cell per custom algorithm


# The header line; the names of custom algorithms follow.
COLUMNS: tuple[str, ...] = Row._fields[:-1]

document(Row, custom="One cell per custom algorithm.")


def rows_of(step: _core.StepRows) -> Iterator[Row]:
    """The rows of a step."""
    return (Row._make(step[number]) for number in range(len(step)))


def column(step: _core.StepRows, name: str) -> list[Any]:
    """One cell of every row of a step."""
    return step.column(Row._fields.index(name))
