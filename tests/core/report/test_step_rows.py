"""The rows of a step in the core: results go in, cells and lines of the report come out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ait_cmp import _core
from ait_cmp.info.results import ReducedResult, SideResult, Sums, Worst
from ait_cmp.pairing.pair import Pair
from ait_cmp.report.row import Row, column, rows_of
from ait_cmp.sentences import say
from ait_cmp.tensor_ref import TensorRef
from make_dump import Dump, tensor_of
from report_rows import EMPTY, judge, step_rows

#: Results that may wait to be handed out: jobs behind them are not begun.
WINDOW = 8192

RESULT = ReducedResult(
    "compared",
    [say("text", text="Found.")],
    SideResult("torch.float16", (2, 3), Sums(6, 1, 2, 0, 5.0, -1.0, 0.5)),
    SideResult("torch.float32", (), None),
    {"cosine_similarity": 0.5, "max_relative_error": float("nan")},
    8,
    Worst(9, 10.0, 11.0),
    {"n_pairs": 7, "saturated": [(1, 2)]},
)


def pair(**changes: Any) -> Pair:
    my, golden = TensorRef("/my", "outputs", 1), TensorRef("/golden.npy", "", 0)
    key, op = (0, "graph_1", 3), (0, "Add_1", "Add", my.io, my.index)
    made = Pair(*key, *op, my, golden, "aten.add", "dataflow", "", "")
    return made._replace(**changes)


def row_of(made: Pair, *results: Any) -> Row:
    rows = _core.StepRows([made], [], [])
    rows.take(results)
    judge(rows, 70)
    (row,) = rows_of(rows)
    return row


def pair_of_files(folder: Path, error: float) -> Pair:
    """A GE file and an array that differ by `error` in one element."""
    golden = np.array([1.0, 2.0, 3.0], np.float32)
    my = golden + np.array([0.0, 0.0, error], np.float32)
    (folder / "my").write_bytes(Dump(outputs=(tensor_of(my),)).file_bytes())
    np.save(folder / "golden.npy", golden)
    refs = (str(folder / "my"), "outputs", 0), (str(folder / "golden.npy"), "", 0)
    return pair(my=TensorRef(*refs[0]), golden=TensorRef(*refs[1]))


def test_a_row_has_what_pairing_and_the_comparison_found() -> None:
    row = row_of(pair(reason="Paired."), RESULT)
    assert (row.token_id, row.data_id, row.index, row.verdict) == (3, 70, 1, "fail")
    assert (row.my_data_path, row.golden_data_path) == ("/my,outputs,1", "/golden.npy")
    assert (row.my_dtype, row.my_shape, row.golden_shape) == ("torch.float16", "[2, 3]", "[]")
    assert (row.my_max_value, row.my_nan_count, row.my_inf_count) == (5.0, 1, 2)
    assert (row.golden_max_value, row.golden_nan_count) == (None, None)
    assert (row.cosine_similarity, row.max_relative_error) == (0.5, None)
    assert (row.nonfinite_mismatch_count, row.worst_index, row.golden_worst) == (8, 9, 11.0)
    assert row.cmp_fail_reason == "Paired. Found. cosine_similarity 0.5 < 0.99."


@pytest.mark.parametrize(
    ("paired", "found", "status", "reason"),
    [
        (("", ""), ("compared", ""), "compared", "cosine_similarity 0.5 < 0.99."),
        (("", ""), ("unreadable", "Cut."), "unreadable", "Cut."),
        (("unmatched", "No name."), ("compared", "A note."), "unmatched", "No name. A note."),
        (("unmatched", "No name."), ("no_data", "Empty."), "no_data", "No name. Empty."),
        (("no_data", "Empty."), ("unreadable", "Cut."), "no_data", "Cut."),
        (("no_data", "Empty."), ("compared", ""), "no_data", "Empty."),
    ],
)
def test_status_and_reason(
    paired: tuple[str, str], found: tuple[str, str], status: str, reason: str
) -> None:
    sentences = [say("text", text=found[1])] if found[1] else []
    result = RESULT._replace(status=found[0], sentences=sentences)
    row = row_of(pair(status=paired[0], reason=paired[1]), result)
    assert (row.status, row.cmp_fail_reason) == (status, reason)
    assert (row.cosine_similarity is None) == (status != "compared")


def test_a_side_without_a_finite_value_has_no_extrema() -> None:
    side = SideResult("torch.float16", (3,), Sums(3, 2, 0, 1, 0.0, 0.0, 0.0))
    row = row_of(pair(), ReducedResult("compared", [], side, side))
    assert (row.my_max_value, row.my_nan_count, row.golden_inf_count) == (None, 2, 1)


def test_a_reduced_side_may_not_know_its_counts() -> None:
    side = SideResult("", None, Sums(None, None, None, None, 2.0, float("nan"), None))
    row = row_of(pair(), ReducedResult("compared", [], side, estimated="min_max"))
    assert (row.my_shape, row.my_max_value, row.my_nan_count) == ("", 2.0, None)
    assert row.my_min_value != row.my_min_value
    assert row.estimated == "min_max"


def test_rows_of_unreadable_files_wait_for_no_result() -> None:
    lost = pair(my=TensorRef("/lost", "", 0), golden=None, io="", status="unreadable")
    rows = _core.StepRows([lost, pair(), lost], [], [])
    assert rows.n_done == 1
    rows.take([RESULT])
    assert rows.n_done == 3


def test_rows_that_are_not_done_are_dropped() -> None:
    rows = _core.StepRows([pair(), pair(), pair()], [], [])
    rows.take([RESULT, RESULT])
    judge(rows, 0)
    assert [row.data_id for row in rows_of(rows)] == [0, 1]
    assert rows.csv().count(b"\n") == 2


def test_another_step_has_the_same_pairs_and_its_own_paths_and_results() -> None:
    first = _core.StepRows([pair()], [], [])
    first.take([RESULT])
    rows = first.like(8, ["/other", "/new.npy"])
    assert (first.paths, rows.paths) == (["/my", "/golden.npy"], ["/other", "/new.npy"])
    assert (rows.n_done, first.n_done) == (0, 1)
    (row,) = rows_of(rows)
    assert (row.token_id, row.my_data_path, row.status) == (8, "/other,outputs,1", "")
    with pytest.raises(ValueError, match="2 paths expected, found 1"):
        first.like(8, ["/other"])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_fills_the_rows(tmp_path: Path, threads: int) -> None:
    rows = _core.StepRows([pair_of_files(tmp_path, 0.25)] * 3000, [], [])
    assert list(rows.batch(threads, "auto", True, []))[-1] == 3000
    assert set(column(rows, "max_absolute_error")) == {0.25}


def test_after_stop_the_rows_have_what_was_done(tmp_path: Path) -> None:
    rows = _core.StepRows([pair_of_files(tmp_path, 0.25)] * (3 * WINDOW), [], [])
    batch = rows.batch(2, "auto", True, [])
    assert 0 < next(batch) <= rows.n_done
    batch.stop()
    batch.take_ready()
    batch.close()
    n_done = rows.n_done
    assert n_done < len(rows)
    judge(rows, 0)
    assert len(rows) == n_done
    assert set(column(rows, "status")) == {"compared"}


def test_a_path_that_is_no_utf8_is_kept() -> None:
    path = os.fsdecode(b"/dump/\xff")
    row = row_of(pair(my=TensorRef(path, "outputs", 1)), RESULT)
    assert row.my_data_path == path + ",outputs,1"


def test_cells_can_be_set_but_for_addresses() -> None:
    rows = step_rows([EMPTY._replace(op_name="Add")])
    (before,) = rows_of(rows)
    changed = before._replace(cmp_fail_reason="x", custom=("1",), my_data_path="/y", index=4)
    rows[0] = changed
    assert list(rows_of(rows)) == [changed._replace(my_data_path=before.my_data_path)]
    with pytest.raises(IndexError, match="row 1 of 1"):
        rows[1]
