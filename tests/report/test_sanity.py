"""A capture that is stale, mixed, shifted or compared with itself is told in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ait_cmp.align.steps import align
from ait_cmp.discover import discover
from ait_cmp.report.row import Row
from ait_cmp.report.row_sanity import warn_of_rows
from ait_cmp.report.sanity import (
    warn_of_missing_nodes,
    warn_of_mixed_runs,
    warn_of_same_folder,
    warn_of_trees,
)
from report_rows import EMPTY, steps_of
from trees import GE_NAMES, fx_step, ge_step, rank_name


def row(op_name: str, step: int = 0, **changes: Any) -> Row:
    """A compared output."""
    extrema = {"max_value": 1.0, "min_value": -1.0, "mean_value": 0.5, "shape": "[2, 8]"}
    cells = {
        **{f"my_{name}": value for name, value in extrema.items()},
        **{f"golden_{name}": value for name, value in extrema.items()},
        **{"op_name": op_name, "token_id": step, "rank": 0, "graph": "graph_1"},
        **{"io": "outputs", "index": 0, "status": "compared"},
        **changes,
    }
    return EMPTY._replace(**cells)


def rows_of(
    steps: range, my: Callable[[int, int], float], golden: Callable[[int, int], float]
) -> list[Row]:
    """Rows of 20 operators; `my` and `golden` give a tensor's maximum from (step, operator)."""
    return [
        row(
            f"Add_{op}",
            step,
            my_max_value=my(step, op),
            my_mean_value=my(step, op) / 3,
            golden_max_value=golden(step, op),
            golden_mean_value=golden(step, op) / 3,
        )
        for step in steps
        for op in range(20)
    ]


def own_value(step: int, op: int) -> float:
    """A value that differs between all steps and operators."""
    return 2.0 + math.sin(12.9898 * step + 78.233 * op)


def test_a_good_capture_gives_no_warning(tmp_path: Path) -> None:
    for step in (0, 1):
        ge_step(tmp_path / "ge", rank=rank_name(0), step=step)
        fx_step(tmp_path / "fx", rank=rank_name(0), step=step)
    my, golden = discover(tmp_path / "ge"), discover(tmp_path / "fx")
    assert warn_of_trees(my, golden, align(my, golden)) == []
    assert warn_of_rows(steps_of(rows_of(range(4), own_value, own_value))) == []


@pytest.mark.parametrize("other", ["link", "dump", f"dump/{rank_name(0)}"])
def test_a_dump_that_is_compared_with_itself_is_told(tmp_path: Path, other: str) -> None:
    ge_step(tmp_path / "dump", rank=rank_name(0))
    (tmp_path / "link").symlink_to(tmp_path / "dump")
    my, golden = discover(tmp_path / "dump"), discover(tmp_path / other)
    (warning,) = warn_of_same_folder(my, golden, align(my, golden))
    assert "it is compared with itself" in warning


def test_two_runs_in_one_ge_step_folder_are_told(tmp_path: Path) -> None:
    later = [name.replace("1706596911888", "1706597511888") for name in GE_NAMES]
    ge_step(tmp_path, rank=rank_name(0), names=[*GE_NAMES, *later])
    (warning,) = warn_of_mixed_runs(discover(tmp_path))
    assert warning.startswith("rank 0, graph_1, step 0: ")
    assert "after 10 min" in warning


def test_a_loop_inside_a_step_is_no_second_run(tmp_path: Path) -> None:
    again = [name.replace("1706596911888", "1706596912888") for name in GE_NAMES]
    ge_step(tmp_path, names=[*GE_NAMES, *again])
    assert warn_of_mixed_runs(discover(tmp_path)) == []


def equal_steps_of(rows: list[Row]) -> list[str]:
    return [told for told in warn_of_rows(steps_of(rows)) if "are equal in steps" in told]


def shifts_of(rows: list[Row]) -> list[str]:
    return [told for told in warn_of_rows(steps_of(rows)) if "is nearer to" in told]


def test_steps_with_equal_tensors_are_told_for_each_side() -> None:
    rows = rows_of(range(4), lambda step, op: own_value(step // 2, op), own_value)
    first, second = equal_steps_of(rows)
    assert "on the my side" in first
    assert "all 20 tensors are equal in steps 0, 1" in first
    assert "in steps 2, 3" in second


def test_steps_that_share_only_their_weights_are_not_equal() -> None:
    def weights_but_one(step: int, op: int) -> float:
        return own_value(step if op == 0 else 0, op)

    assert equal_steps_of(rows_of(range(3), weights_but_one, weights_but_one)) == []


def test_steps_of_which_few_tensors_are_known_are_not_called_equal() -> None:
    rows = rows_of(range(3), lambda _, op: own_value(0, op), own_value)
    unknown = {"my_max_value": None, "my_min_value": None, "my_mean_value": None}
    known = {f"Add_{op}" for op in range(9)}
    few = [one if one.op_name in known else one._replace(**unknown) for one in rows]
    assert equal_steps_of(rows) != []
    assert equal_steps_of(few) == []


def test_equal_steps_with_nan_are_still_equal() -> None:
    rows = rows_of(range(2), lambda *_: math.nan, own_value)
    (warning,) = equal_steps_of(rows)
    assert "in steps 0, 1" in warning


@pytest.mark.parametrize("shift", [-1, 1, 2])
def test_steps_that_fit_another_golden_step_are_told(shift: int) -> None:
    rows = rows_of(range(5), lambda step, op: own_value(step + shift, op), own_value)
    (warning,) = shifts_of(rows)
    assert f"my step 2 is nearer to golden step {2 + shift}" in warning


def test_constant_tensors_do_not_hide_a_shift() -> None:
    def mostly_weights(step: int, op: int) -> float:
        return own_value(step, op) if op >= 14 else own_value(0, op)

    rows = rows_of(range(3), lambda step, op: mostly_weights(step + 1, op), mostly_weights)
    (warning,) = shifts_of(rows)
    assert "my step 0 is nearer to golden step 1; my step 1 is nearer to golden step 2" in warning


def test_a_wrong_operator_is_no_shift() -> None:
    rows = rows_of(range(4), lambda step, op: 30 * own_value(step + 40, op), own_value)
    assert shifts_of(rows) == []


def test_tensors_that_are_zero_on_one_side_only_are_told() -> None:
    zero = {"my_max_value": 0.0, "my_min_value": 0.0, "my_mean_value": 0.0}
    rows = [row("Add"), row("Mul", 3)._replace(**zero), row("Sub", 4)._replace(**zero)]
    both = zero | {key.replace("my", "golden"): 0.0 for key in zero}
    rows.append(row("Zeros")._replace(**both))
    rows.append(row("Lost", status="no_data")._replace(**zero))
    (warning,) = (told for told in warn_of_rows(steps_of(rows)) if "all zero" in told)
    assert "on the my side only: 2, the first is Mul outputs 0 (rank 0, graph_1, step 3)" in warning


def test_a_graph_of_which_most_tensors_have_no_counterpart_is_told() -> None:
    rows = [row(f"Add_{i}", status="unmatched" if i < 6 else "compared") for i in range(10)]
    rows += [row(f"Mul_{i}", graph="graph_2") for i in range(10)]
    (warning,) = (told for told in warn_of_rows(steps_of(rows)) if "no golden counterpart" in told)
    assert warning.startswith("rank 0, graph_1: 6 of 10 my tensors have no golden counterpart")


def test_a_graph_of_which_most_operators_were_not_dumped_is_told() -> None:
    assert warn_of_missing_nodes(-1, "graph_1", 100, 50) == []
    (warning,) = warn_of_missing_nodes(2, "graph_1", 100, 49)
    assert warning.startswith("rank 2, graph_1: 51 of 100 operators of the graph are missing on ")


def test_values_that_were_not_computed_tell_nothing() -> None:
    rows = [
        row("Add", step, index=i, rank=-1, my_max_value=None, golden_mean_value=None)
        for step in (0, 1)
        for i in range(9)
    ]
    assert warn_of_rows(steps_of(rows)) == []
