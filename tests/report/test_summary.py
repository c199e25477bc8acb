"""What the end of a comparison says, for results made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.report.comparison import Comparison
from ait_cmp.report.findings import Divergence
from ait_cmp.report.summary import summary_lines
from report_rows import EMPTY


def lines_of(n_candidates: int, folder: Path) -> list[str]:
    """The summary of one divergence in `folder`."""
    file = str(folder / "MatMul.MatMul_3.1.2.3")
    row = EMPTY._replace(
        rank=0,
        graph="graph_1",
        token_id=0,
        op_name="MatMul_3",
        io="outputs",
        index=0,
        status="compared",
        my_data_path=f"{file},outputs,0",
        golden_data_path=str(folder / "mm.npy"),
        error_growth=9.0,
    )
    names = tuple(f"Op_{number}" for number in range(n_candidates))
    where = (0, "graph_1", 0, "MatMul_3", "MatMul", "growth")
    how = (0.0, 0.1, 9.0, 0.0, 0.1, 9.0, 4.0)
    found = Divergence(
        *where, *how, file, str(folder / "mm.npy"), candidates=names, my_tensor=f"{file},outputs,0"
    )
    result = Comparison([row])
    result.divergences = [found]
    return list(summary_lines(result))


def test_twelve_candidates_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    (few,) = (line for line in lines_of(12, tmp_path) if "culprit" in line)
    (many,) = (line for line in lines_of(49, tmp_path) if "culprit" in line)
    assert few.endswith(", Op_10, Op_11.")
    assert many.endswith(", Op_10, Op_11 and 37 before them.")


def test_paths_below_the_current_folder_are_told_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here, elsewhere) = (tmp_path / "here", tmp_path / "elsewhere")
    here.mkdir()
    monkeypatch.chdir(here)
    (near,) = (line for line in lines_of(1, here) if "more:" in line)
    (far,) = (line for line in lines_of(1, elsewhere) if "more:" in line)
    assert near == "  more: ait-cmp diff MatMul.MatMul_3.1.2.3,outputs,0 mm.npy"
    assert far.endswith(f" {elsewhere}/mm.npy")
