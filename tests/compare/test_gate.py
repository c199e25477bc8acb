"""Comparisons as gates: an assertion, and a baseline of known divergences."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import ait_cmp
import small_model
from ait_cmp.cli.main import main

#: A step: two inputs and an output of Mul_2, an input and an output of Abs_1, an input of Sqrt_3.
COMPARED_PER_STEP = 6


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A right dump, one in which Mul_2 computes something else, more so in step 1, and golden."""
    folder = tmp_path_factory.mktemp("dumps")
    small_model.write_dumps(folder, ranks=[0])
    shutil.copytree(folder / "ge", folder / "ge_wrong")
    for file in (folder / "ge_wrong").rglob(small_model.MUL):
        token = int(file.parent.name)
        values = small_model.values_of(token)
        values["mul"] = values["mul"] * np.linspace(1, 2 + token, 3, dtype=np.float32)[:, None]
        values["sqrt"] = np.sqrt(values["mul"])
        for name, dump in small_model.dumps_of(values).items():
            file.with_name(name).write_bytes(dump.file_bytes())
    return folder


@pytest.fixture(scope="module")
def reports(dumps: Path) -> Path:
    folder = dumps / "reports"
    ait_cmp.compare_dirs(dumps / "ge_wrong", dumps / "fx", output=folder / "known")
    ait_cmp.compare_dirs(dumps / "ge", dumps / "fx", output=folder / "clean")
    return folder


def result_of(folder: Path) -> Path:
    (path,) = folder.glob("ait_cmp_result_*.json")
    return path


def test_dumps_that_are_close_pass(dumps: Path) -> None:
    result = ait_cmp.assert_dumps_close(dumps / "ge", dumps / "fx")
    assert result.counts["compared"] == 2 * COMPARED_PER_STEP


def test_dumps_that_are_not_say_where_and_how_much(dumps: Path) -> None:
    with pytest.raises(AssertionError) as told:
        ait_cmp.assert_dumps_close(dumps / "ge_wrong", dumps / "fx")
    result = ait_cmp.compare_dirs(dumps / "ge_wrong", dumps / "fx")
    worst = max(result.rows, key=lambda row: row.relative_euclidean_distance or 0)
    assert worst.token_id == 1  # not the first that fails
    lines = str(told.value).splitlines()
    assert lines[0] == "Dumps are not close!"
    n_compared, n_fail = result.counts["compared"], result.counts.verdicts["fail"]
    assert (
        f"Mismatched tensors: {n_fail} / {n_compared} ({100 * n_fail / n_compared:.1f}%)" in lines
    )
    distance = f"Greatest relative distance: {worst.relative_euclidean_distance:.6g} at "
    assert f"{distance}{worst.op_name} {worst.io} {worst.index} " in str(told.value)
    assert str(told.value).endswith(result.summary())


def test_limits_and_options_of_a_comparison_are_taken(dumps: Path) -> None:
    wide = ait_cmp.Limits(growth_max=1e6, block_growth_max=1e6, red_max=1.0, cosine_min=-1.0)
    found = ait_cmp.assert_dumps_close(
        dumps / "ge_wrong", dumps / "fx", wide, tokens=0, replay="none"
    )
    assert {row.token_id for row in found.rows} == {0}


def test_nothing_compared_is_no_success(dumps: Path) -> None:
    with pytest.raises(AssertionError, match="^Nothing of the two dumps could be compared!"):
        ait_cmp.assert_dumps_close(dumps / "ge", dumps / "fx", ops="no_such_op")


def test_known_divergences_do_not_count(dumps: Path, reports: Path) -> None:
    known = result_of(reports / "known")
    result = ait_cmp.compare_dirs(dumps / "ge_wrong", dumps / "fx", baseline=known)
    assert [found.op_name for found in result.divergences] == ["Mul_2", "Mul_2"]
    assert result.new_divergences == []
    assert not result.has_differences
    assert "2 known divergences; no operator diverges that did not before" in result.summary()


def test_new_ones_do(dumps: Path, reports: Path) -> None:
    clean = result_of(reports / "clean")
    result = ait_cmp.compare_dirs(dumps / "ge_wrong", dumps / "fx", baseline=clean)
    assert result.new_divergences == result.divergences
    assert result.has_differences
    assert "0 known divergences; 1 new: Mul_2" in result.summary()


@pytest.mark.parametrize(("baseline", "status"), [("known", 0), ("clean", 1)])
def test_the_exit_status_says_so(
    dumps: Path, reports: Path, tmp_path: Path, baseline: str, status: int
) -> None:
    words = [str(dumps / "ge_wrong"), str(dumps / "fx"), "--output", str(tmp_path)]
    assert main([*words, "--baseline", str(result_of(reports / baseline))]) == status
    assert main(words) == 1


def test_an_older_result_has_its_first_divergences_alone(
    dumps: Path, reports: Path, tmp_path: Path
) -> None:
    told = json.loads(result_of(reports / "known").read_text())
    del told["diverging_ops"]
    (tmp_path / "old.json").write_text(json.dumps(told))
    result = ait_cmp.compare_dirs(dumps / "ge_wrong", dumps / "fx", baseline=tmp_path / "old.json")
    assert result.new_divergences == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "no JSON"),
        ("[1]", "a result.json of ait-cmp expected"),
        (
            '{"format": "ait-cmp result", "version": 1, "diverging_ops": [{"graph": "g"}]}',
            "a divergence with graph, op_name, op_type expected",
        ),
        ('{"format": "ait-cmp result", "version": 1, "diverging_ops": [3]}', "a divergence with"),
    ],
)
def test_a_damaged_baseline_is_told(
    dumps: Path,
    tmp_path: Path,
    content: str,
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "baseline.json").write_text(content)
    words = [str(dumps / "ge"), str(dumps / "fx"), "--output", str(tmp_path / "out")]
    assert main([*words, "--baseline", str(tmp_path / "baseline.json")]) == 2
    assert problem in capsys.readouterr().err
