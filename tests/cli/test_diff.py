"""`ait-cmp diff`: what it shows first, and what a report says of the pair."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import small_model
from ait_cmp.cli.main import main


def test_pairs_that_are_not_finite_stand_before_the_largest_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    my = np.array([[1.0, np.nan, 3.0], [np.inf, np.inf, np.nan]], np.float32)
    golden = np.array([[2.0, 2.0, 3.0], [-np.inf, np.inf, np.nan]], np.float32)
    for name, values in (("my", my), ("golden", golden)):
        np.save(tmp_path / f"{name}.npy", values)
    words = ["diff", str(tmp_path / "my.npy"), str(tmp_path / "golden.npy")]
    assert main(words) == 1
    said = capsys.readouterr().out
    assert said.index("not finite on one side") < said.index("largest errors")
    assert "  [0, 1]  nan  2.0" in said
    assert "  [1, 0]  inf  -inf" in said
    main([*words, "--json", "-k", "1"])
    assert json.loads(capsys.readouterr().out)["mismatches"] == [[[0, 1], "nan", "2.0"]]


def test_a_pair_within_the_limits_says_that_it_was_judged_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", np.ones(3, np.float32))
    assert main(["diff", str(tmp_path / "a.npy"), str(tmp_path / "a.npy")]) == 0
    assert "of these two alone; what the operator was given: --report" in capsys.readouterr().out


@pytest.fixture(scope="module")
def report(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read, never changed, by three tests."""
    folder = tmp_path_factory.mktemp("report")
    folders = ["-mp", str(sample / "ge_wrong"), "-gp", str(sample / "ge")]
    assert main([*folders, "-o", str(folder), "--replay", "none"]) == 1
    return folder


def test_the_summary_asks_diff_for_the_pair_with_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_model.write_dumps(tmp_path)
    for file in (tmp_path / "fx").rglob("mul-*OUTPUT*"):
        np.save(file, np.load(file) * 2)
    folders = ["-mp", str(tmp_path / "ge"), "-gp", str(tmp_path / "fx")]
    main([*folders, "-o", str(tmp_path / "out")])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "more: " in line)
    assert main(shlex.split(line)[2:]) == 1
    assert "outputs 0 of graph_1, step 0: fail" in capsys.readouterr().out


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_divergent_pair_within_the_limits_fails_with_the_reason_of_its_report(
    sample: Path, report: Path, is_folder: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (my,) = (sample / "ge_wrong").rglob("0/MatMul.MatMul_3.*")
    (golden,) = (sample / "ge").rglob("0/MatMul.MatMul_3.*")
    words = ["diff", f"{my},outputs,0", f"{golden},outputs,0"]
    assert main(words) == 0
    where = report if is_folder else next(report.glob("*.csv"))
    capsys.readouterr()
    assert main([*words, "--report", str(where)]) == 1
    said = capsys.readouterr().out
    assert "MatMul_3 (MatMul), outputs 0 of graph_1, step 0: fail" in said
    assert re.search(r"error_growth \d+\.\d > 4, block_growth", said)
    assert "--report REPORT" not in said
    assert main([*words, "--report", str(where), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["report"]["verdict"] == "fail"


def test_a_report_without_the_pair_is_told(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", np.ones(3, np.float32))
    words = ["diff", str(tmp_path / "a.npy"), str(tmp_path / "a.npy"), "--report"]
    assert main([*words, str(report)]) == 2
    assert "no row compares" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "none")]) == 2
    assert "no report" in capsys.readouterr().err
