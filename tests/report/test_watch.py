"""After which op a watched output changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ait_cmp import compare_dirs
from ait_cmp.pairing.pair import Watched
from ait_cmp.report.row import Row
from ait_cmp.report.summary import summary_lines
from ait_cmp.report.watch import overwritten
from graph_text import op
from make_dump import Dump, tensor_of
from report_rows import EMPTY
from trees import fx_names, fx_step, ge_step, graph_name

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


def test_the_summary_of_a_watch_dump_says_where_memory_was_overwritten(tmp_path: Path) -> None:
    x = np.random.default_rng(4).standard_normal((8, 32)).astype(np.float32)
    ge = tmp_path / "ge"
    ge.mkdir()
    (ge / graph_name()).write_text(
        'name: "graph_1"\n'
        + op("Norm", "RmsNorm", fx=["norm-aten.op.default.OUTPUT.0"])
        + op("MatMul", "MatMul", ["Norm:0"], fx=["mm-aten.op.default.OUTPUT.0"])
        + op("Swish", "Swish", ["MatMul:0"], fx=["silu-aten.op.default.OUTPUT.0"])
    )
    folder = ge_step(ge, names=())
    for task, (name, values) in enumerate(
        [("Norm", x), ("MatMul_To_Norm", x), ("Swish_To_Norm", x[::-1].copy())]
    ):
        dump = Dump((), (tensor_of(values),), name)
        path = folder / f"RmsNorm.{name}.{task}.6.{1706596912000000 + task}"
        path.write_bytes(dump.file_bytes())
    golden = fx_step(tmp_path / "fx", names=())
    np.save(golden / fx_names("norm", "aten.op.default", inputs=0)[0], x)
    found = compare_dirs(ge, tmp_path / "fx")
    said = "Norm is intact after MatMul and different from Swish on: its memory was overwritten"
    assert any(said in line for line in summary_lines(found))
    assert found.has_differences
