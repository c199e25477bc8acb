"""What a report says of the pair that `ait-cmp diff` shows; two tensors do not tell growth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ait_cmp.errors import ConfigError
from ait_cmp.report.html.tables import CsvTable
from ait_cmp.report.result.reading import newest_run
from ait_cmp.tensor_ref import TensorRef

#: Columns of a report that diff repeats.
_SHOWN = (
    "rank",
    "graph",
    "token_id",
    "op_name",
    "my_op_type",
    "io",
    "index",
    "verdict",
    "upstream_error",
    "error_growth",
    "block_growth",
    "cmp_fail_reason",
)


def reported_pair(report: Path, my: TensorRef, golden: TensorRef) -> dict[str, str]:
    """The cells of the row that compared the two tensors.

    Args:
        report: A CSV of a comparison, or a folder with such: of several runs the newest counts.
        my: Tensor under test.
        golden: Reference.

    Raises:
        ConfigError: There is no such report, or it compared this pair nowhere.
        FormatError: A file is no report.
    """
    if not report.exists():
        message = f"{report}: no report (a CSV of ait-cmp, or a folder with such, expected)"
        raise ConfigError(message)
    paths = newest_run(report)[0] if report.is_dir() else [report]
    wanted = [_written(my), _written(golden)]
    table = CsvTable(paths)
    columns = list(table.columns)
    sides = [columns.index("my_data_path"), columns.index("golden_data_path")]
    for cells in table.rows():
        if [str(cells[side]) for side in sides] == wanted:
            row = dict(zip(columns, map(str, cells)))
            return {name: row[name] for name in _SHOWN}
    message = f"{report}: no row compares {wanted[0]} with {wanted[1]}"
    raise ConfigError(message)


def report_lines(row: dict[str, str]) -> Iterator[str]:
    """The row as `diff` shows it."""
    what = f"{row['op_name']} ({row['my_op_type']}), {row['io']} {row['index']}"
    yield f"report  {what} of {row['graph']}, step {row['token_id']}: {row['verdict']}"
    if row["cmp_fail_reason"]:
        yield f"        {row['cmp_fail_reason']}"
    for name in ("upstream_error", "error_growth", "block_growth"):
        if row[name]:
            yield f"        {name:<22}{row[name]}"


def _written(ref: TensorRef) -> str:
    """The tensor as a report names it."""
    path = str(Path(ref.path).absolute())
    return f"{path},{ref.io},{ref.index}" if ref.io else path
