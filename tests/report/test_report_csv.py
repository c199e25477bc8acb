"""The report file: its columns, its numbers, and what stands in the way of its name."""

from __future__ import annotations

import csv
import io
import math
import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp import _core
from ait_cmp.discover import StepKey
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.csv_sink import CsvSink
from ait_cmp.report.report_files import ReportNames
from ait_cmp.report.row import COLUMNS, Row
from ait_cmp.report.sinks import StepReport
from report_rows import EMPTY, paired_step

NOON = time.struct_time((2026, 11, 22, 12, 0, 0, 6, 326, 0))

TEXTS = {
    *("golden_data_path", "golden_op_type", "golden_dtype", "golden_shape", "my_data_path"),
    *("my_op_type", "my_dtype", "my_shape", "cmp_fail_reason", "graph", "op_name", "io", "status"),
    *("match", "verdict", "estimated", "fx_node", "module", "source"),
}
WHOLE_NUMBERS = {
    *("token_id", "data_id", "rank", "index", "my_nan_count", "my_inf_count", "golden_nan_count"),
    *("golden_inf_count", "nonfinite_mismatch_count", "worst_index", "decision_flips"),
}

#: The columns that scripts read, as the report promises them.
FIRST_COLUMNS = (
    "token_id, data_id, golden_data_path, golden_op_type, golden_dtype, golden_shape, "
    "golden_max_value, golden_min_value, golden_mean_value, my_data_path, my_op_type, my_dtype, "
    "my_shape, my_max_value, my_min_value, my_mean_value, cosine_similarity, max_relative_error, "
    "mean_relative_error, max_absolute_error, mean_absolute_error, kl_divergence, "
    "relative_euclidean_distance, cmp_fail_reason"
)
LATER_COLUMNS = (
    "rank, graph, op_name, io, index, status, match, verdict, upstream_error, error_growth, "
    "my_nan_count, my_inf_count, golden_nan_count, golden_inf_count, nonfinite_mismatch_count, "
    "worst_index, my_worst, golden_worst, estimated, one_thousandth_err_ratio, "
    "five_thousandths_err_ratio, block_error, block_growth, bias_z, decision_flips, own_error, "
    "own_growth, fx_node, module, source"
)


def cell_text(value: Any) -> str:
    """What a spreadsheet finds in the cell."""
    line = _core.csv_lines([(1, value)]).decode()
    ((_, text),) = csv.reader(io.StringIO(line, newline=""))
    return text


def step_report(*rows: Row, rank: int = -1) -> StepReport:
    return StepReport(StepKey(rank, "graph_1", 0), paired_step(rows))


def write(folder: Path, *rows: Row, names: tuple[str, ...] = ()) -> Path:
    sink = CsvSink(ReportNames(folder, NOON), names)
    sink.write(step_report(*rows))
    sink.close()
    result = Comparison()
    sink.finish(result)
    (path,) = result.csv_paths
    return path


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_header_has_the_promised_columns_and_then_the_custom_ones(tmp_path: Path) -> None:
    (header,) = read(write(tmp_path, names=("mine", "other")))
    assert ", ".join(header[:24]) == FIRST_COLUMNS
    assert ", ".join(header[24:-2]) == LATER_COLUMNS
    assert header[-2:] == ["mine", "other"]


def test_cells_stand_under_their_columns(tmp_path: Path) -> None:
    numbers = {name: k for k, name in enumerate(COLUMNS) if name not in TEXTS}
    texts = {name: f"text {name}" for name in TEXTS}
    row = Row(**numbers, **texts, custom=("7", ""))
    header, cells = read(write(tmp_path, row, names=("mine", "other")))
    found = dict(zip(header, cells))
    assert len(cells) == len(header)
    paths = {
        "my_data_path": "/dump/text op_name,text io,28",
        "golden_data_path": "text golden_data_path",
    }
    counts = {name: str(number) for name, number in numbers.items() if name in WHOLE_NUMBERS}
    values = {name: f"{number}.0" for name, number in numbers.items() if name not in counts}
    custom = {"mine": "7", "other": ""}
    assert found == {**texts, **paths, **counts, **values, **custom}


@given(st.floats())
def test_a_number_reads_back_to_the_same_float64(value: float) -> None:
    back = float(cell_text(value))
    assert struct.pack("<d", back) == struct.pack("<d", value) or math.isnan(back)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_no_longer_than_need_be(value: float) -> None:
    """Python writes the shortest digits, too."""
    assert len(cell_text(value).removesuffix(".0")) <= len(repr(value))


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_whole_number_is_written_in_full(value: int) -> None:
    assert cell_text(value) == str(value)


@given(st.text(max_size=20).filter(lambda text: "\0" not in text))
def test_any_text_is_one_cell(text: str) -> None:
    is_dangerous = text.startswith(tuple("=+-@\t\r"))
    assert cell_text(text) in ((text, "'" + text) if is_dangerous else (text,))


@pytest.mark.parametrize(
    ("value", "text"),
    [(math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan"), (None, ""), (0, "0"), ("", "")],
)
def test_what_is_no_finite_number_has_its_text(value: Any, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-a", "@sum", "\tx", "\rx", "-", "+1-2", "=", "-1e"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert cell_text(text) == "'" + text


@pytest.mark.parametrize("text", ["-1", "+2.5e-3", "-inf", "a=b", "/x", "[1, -2]", "x-y", "1"])
def test_a_number_or_a_plain_text_stays_as_it_is(text: str) -> None:
    assert cell_text(text) == text


def test_a_cell_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="str, int, float or None, found list"):
        _core.csv_lines([([],)])


@pytest.mark.parametrize("text", ["a,b", 'say "x"', "two\nlines", "\x00", "  ", "µ张量"])
def test_a_text_with_separators_reads_back(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, EMPTY._replace(cmp_fail_reason=text), EMPTY)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line.replace("\0", "␀") for line in file))
    assert len(rows) == 2
    assert rows[0]["cmp_fail_reason"] == text.replace("\0", "␀")


def test_a_path_that_is_no_utf8_shows_its_odd_bytes_and_the_report_stays_utf8(
    tmp_path: Path,
) -> None:
    name = os.fsdecode(b"/dump/\xff\xe4.npy")
    path = write(tmp_path, EMPTY._replace(golden_data_path=name))
    assert ",/dump/\\xff\\xe4.npy," in path.read_text(encoding="utf-8")


def test_a_report_is_named_by_rank_and_time() -> None:
    names = ReportNames(Path(), NOON)
    assert names.of_rank(-1) == "ait_cmp_report_20261122120000"
    assert names.of_rank(11) == "ait_cmp_report_rank11_20261122120000"


def test_a_report_never_overwrites_another(tmp_path: Path) -> None:
    paths = [write(tmp_path, EMPTY._replace(op_name=f"op{k}")) for k in range(3)]
    assert [path.name for path in paths] == [
        "ait_cmp_report_20261122120000.csv",
        "ait_cmp_report_20261122120000_1.csv",
        "ait_cmp_report_20261122120000_2.csv",
    ]
    assert [f"op{k}" in path.read_text() for k, path in enumerate(paths)] == [True] * 3


def test_rows_are_in_the_file_as_soon_as_they_are_written(tmp_path: Path) -> None:
    sink = CsvSink(ReportNames(tmp_path, NOON), ())
    for k in range(1, 4):
        sink.write(step_report(EMPTY))
        (path,) = tmp_path.iterdir()
        assert len(read(path)) == 1 + k
        assert path.read_bytes().endswith(b"\n")
    sink.close()


def test_a_thousand_ranks_need_one_open_file(tmp_path: Path) -> None:
    sink = CsvSink(ReportNames(tmp_path, NOON), ())
    n_open = set()
    for rank in (0, 1, 2, 3, 1, 3, 0):
        sink.write(step_report(EMPTY._replace(op_name=f"of_{rank}"), rank=rank))
        n_open.add(len([link for link in Path("/proc/self/fd").iterdir() if is_in(tmp_path, link)]))
    sink.close()
    assert n_open == {1}
    for rank, n_rows in enumerate((2, 2, 1, 2)):
        (path,) = tmp_path.glob(f"*_rank{rank}_*.csv")
        head, *rows = read(path)
        assert [row[head.index("op_name")] for row in rows] == [f"of_{rank}"] * n_rows


def is_in(folder: Path, link: Path) -> bool:
    return os.path.lexists(link) and link.readlink().parent == folder
