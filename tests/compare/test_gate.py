"""Comparisons as gates: an assertion, and a baseline of known divergences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ait_cmp
from ait_cmp.cli.main import main


@pytest.fixture(scope="module")
def reports(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    ait_cmp.compare_dirs(sample / "ge_wrong", sample / "fx", output=folder / "known")
    ait_cmp.compare_dirs(sample / "ge", sample / "fx", output=folder / "clean")
    return folder


def result_of(folder: Path) -> Path:
    (path,) = folder.glob("ait_cmp_result_*.json")
    return path


def test_dumps_that_are_close_pass(sample: Path) -> None:
    result = ait_cmp.assert_dumps_close(sample / "ge", sample / "fx")
    assert result.counts["compared"] > 400


def test_dumps_that_are_not_say_where_and_how_much(sample: Path) -> None:
    with pytest.raises(AssertionError) as told:
        ait_cmp.assert_dumps_close(sample / "ge_wrong", sample / "fx")
    result = ait_cmp.compare_dirs(sample / "ge_wrong", sample / "fx")
    worst = max(result.rows, key=lambda row: row.relative_euclidean_distance or 0)
    lines = str(told.value).splitlines()
    assert lines[0] == "Dumps are not close!"
    n_compared, n_fail = result.counts["compared"], result.counts.verdicts["fail"]
    assert (
        f"Mismatched tensors: {n_fail} / {n_compared} ({100 * n_fail / n_compared:.1f}%)" in lines
    )
    distance = f"Greatest relative distance: {worst.relative_euclidean_distance:.6g} at "
    assert f"{distance}{worst.op_name} {worst.io} {worst.index} " in str(told.value)
    assert str(told.value).endswith(result.summary())


def test_limits_and_options_of_a_comparison_are_taken(sample: Path) -> None:
    wide = ait_cmp.Limits(growth_max=1e6, block_growth_max=1e6, red_max=1.0, cosine_min=-1.0)
    found = ait_cmp.assert_dumps_close(
        sample / "ge_wrong", sample / "fx", wide, tokens=0, replay="none"
    )
    assert {row.token_id for row in found.rows} == {0}


def test_nothing_compared_is_no_success(sample: Path) -> None:
    with pytest.raises(AssertionError, match="^Nothing of the two dumps could be compared!"):
        ait_cmp.assert_dumps_close(sample / "ge", sample / "fx", ops="no_such_op")


def test_known_divergences_do_not_count(sample: Path, reports: Path) -> None:
    known = result_of(reports / "known")
    result = ait_cmp.compare_dirs(sample / "ge_wrong", sample / "fx", baseline=known)
    assert [found.op_name for found in result.divergences] == ["MatMul_3", "MatMul_3"]
    assert result.new_divergences == []
    assert not result.has_differences
    assert "2 known divergences; no operator diverges that did not before" in result.summary()


def test_new_ones_do(sample: Path, reports: Path) -> None:
    clean = result_of(reports / "clean")
    result = ait_cmp.compare_dirs(sample / "ge_wrong", sample / "fx", baseline=clean)
    assert result.new_divergences == result.divergences
    assert result.has_differences
    assert "0 known divergences; 1 new: MatMul_3" in result.summary()


@pytest.mark.parametrize(("baseline", "status"), [("known", 0), ("clean", 1)])
def test_the_exit_status_says_so(
    sample: Path, reports: Path, tmp_path: Path, baseline: str, status: int
) -> None:
    words = [str(sample / "ge_wrong"), str(sample / "fx"), "--output", str(tmp_path)]
    assert main([*words, "--baseline", str(result_of(reports / baseline))]) == status
    assert main(words) == 1


def test_an_older_result_has_its_first_divergences_alone(
    sample: Path, reports: Path, tmp_path: Path
) -> None:
    told = json.loads(result_of(reports / "known").read_text())
    del told["diverging_ops"]
    (tmp_path / "old.json").write_text(json.dumps(told))
    result = ait_cmp.compare_dirs(
        sample / "ge_wrong", sample / "fx", baseline=tmp_path / "old.json"
    )
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
    sample: Path,
    tmp_path: Path,
    content: str,
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "baseline.json").write_text(content)
    words = [str(sample / "ge"), str(sample / "fx"), "--output", str(tmp_path / "out")]
    assert main([*words, "--baseline", str(tmp_path / "baseline.json")]) == 2
    assert problem in capsys.readouterr().err
