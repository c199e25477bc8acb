"""After which op a watched output changed."""

from __future__ import annotations

import pytest

from ait_cmp.report.row import Row
from ait_cmp.report.watch import Watched, overwritten
from report_rows import EMPTY

FILES = {f"/ge/{after}": Watched(after, "Norm") for after in ("A", "B", "C")}


def row(path: str, mean: float, name: str = "x") -> Row:
    return EMPTY._replace(
        my_data_path=f"{path},outputs,0",
        op_name=name,
        io="outputs",
        index=0,
        status="compared",
        my_mean_value=mean,
    )


@pytest.mark.parametrize(
    ("means", "sentence"),
    [
        ((1, 1, 2, 2), "Norm is intact after A and different from B on: its memory was"),
        ((1, 1, 1, 2), "Norm is intact after B and different from C on: its memory was"),
        ((1, 2, 2, 2), "Norm is different from A on: its memory was"),
    ],
)
def test_the_op_after_which_the_output_changed_is_named(
    means: tuple[float, ...], sentence: str
) -> None:
    rows = [row("/ge/Norm", means[0], "Norm")]
    rows += [row(path, mean) for path, mean in zip(FILES, means[1:])]
    (found,) = overwritten(rows, FILES)
    assert found.startswith(sentence)


def test_an_output_that_stays_is_not_told() -> None:
    rows = [row("/ge/Norm", 1, "Norm"), *(row(path, 1) for path in FILES)]
    assert overwritten(rows, FILES) == []


def test_without_the_op_itself_the_first_moment_is_the_measure() -> None:
    rows = [row(path, mean) for path, mean in zip(FILES, (1, 1, 3))]
    (found,) = overwritten(rows, FILES)
    assert found.startswith("Norm is intact after B and different from C on")
