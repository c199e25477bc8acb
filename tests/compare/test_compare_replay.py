"""Comparisons that replay: divergences confirmed, cleared, of the graph, or left as candidates.

Both sides are GE dumps that the tests' own evaluator wrote (`planted`): golden without noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ait_cmp
import planted
from shared_files import change, unchanged
from two_dumps import (
    ROUNDOFF,
    Array,
    cancelling,
    own,
    spoil,
    summary,
    told,
    two_dumps,
    with_an_unknown_op,
    write,
)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The golden side of every bug: not to be changed."""
    yield from unchanged(write(tmp_path_factory.mktemp("exact") / "golden", noise=0.0))


# --- what replay proves ------------------------------------------------------------------------


def test_a_clean_dump_stays_clean_and_only_suspects_are_replayed(tmp_path: Path) -> None:
    result = ait_cmp.compare_dirs(*two_dumps(tmp_path, noise=1.0))
    assert told(result) == []
    assert not result.has_differences
    assert len(own(result)) < 6
    assert all(growth < 3 for growth in own(result).values())


@pytest.mark.parametrize("kind", sorted(planted.BUGS))
@pytest.mark.parametrize("bug", ["MatMul", "SoftmaxV2", "RmsNorm", "Mul_2"])
def test_a_bug_that_the_rows_show_is_confirmed_and_nobody_else_is_accused(
    tmp_path: Path, exact: Path, bug: str, kind: str
) -> None:
    result = ait_cmp.compare_dirs(write(tmp_path / "my", bug=bug, how=spoil(kind)), exact)
    # What becomes infinite on one side only is told of whoever does it first.
    others = [one for one in result.divergences if one.op_name != bug]
    assert {one.kind for one in others} <= {"nonfinite"}
    if not result.divergences:  # one element or row that the rows do not show
        assert kind in ("element", "row", "tail", "tile")
        return
    found = result.divergences[0]
    assert found.op_name == bug
    assert found.replay is not None
    assert found.replay.startswith(f"{bug} ({found.op_type}) does not compute a")
    assert found.candidates == (bug,)
    assert found.replay in summary(result)


def test_an_error_below_the_limits_of_growth_is_proven(tmp_path: Path) -> None:
    def how(y: Array, rng: np.random.Generator) -> Array:
        return y * (1.0 + 3.6 * ROUNDOFF * rng.normal(size=y.shape))

    folders = two_dumps(tmp_path, noise=0.0, bug="MatMul", how=how)
    (found,) = ait_cmp.compare_dirs(*folders).divergences
    assert (found.op_name, found.kind, found.limit) == ("MatMul", "replay", 3.0)
    assert found.error_growth is not None
    assert 2 < found.error_growth < 4
    assert told(ait_cmp.compare_dirs(*folders, replay="none")) == []
    wider = ait_cmp.compare_dirs(*folders, limits=ait_cmp.Limits(own_growth_max=4.0))
    assert told(wider) == []


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("bug", ["RmsNorm", "LayerNormV4"])
def test_truncation_in_a_norm_is_named(tmp_path: Path, bug: str, dtype: str) -> None:
    """Values are cut off where they should be rounded: half a unit, all in one direction."""

    def cut_off(y: Array, _: np.random.Generator) -> Array:
        mantissa, exponent = np.frexp(y)
        bits = 11 if dtype == "float16" else 8
        return np.ldexp(np.trunc(np.ldexp(mantissa, bits)), exponent - bits)

    def build(model: planted.Model) -> planted.Model:
        return planted.transformer(model, n_tokens=64, width=64)

    planted.write(build(planted.Model(dtype, 0.0, 7)), tmp_path / "golden")
    planted.write(build(planted.Model(dtype, 0.0, 7, bug, cut_off)), tmp_path / "my")
    result = ait_cmp.compare_dirs(tmp_path / "my", tmp_path / "golden")
    assert told(result) == [(bug, "replay")]
    assert "its values are too small by" in (result.divergences[0].replay or "")


def test_rows_of_a_proven_op_have_their_cells_and_fail(tmp_path: Path) -> None:
    result = ait_cmp.compare_dirs(*two_dumps(tmp_path, bug="MatMul", how=spoil("noise")))
    rows = {(row.op_name, row.io): row for row in result.rows}
    row = rows["MatMul", "outputs"]
    assert row.verdict == "fail"
    assert row.own_error is not None
    assert row.own_growth == pytest.approx(row.own_error / ROUNDOFF, rel=0.02)
    for value in (row.own_error, row.own_growth):
        assert value == float(f"{value:.6g}")
    assert rows["MatMul", "inputs"].own_error is None
    assert result.replayed["wrong"] == 1
    assert "replayed " in summary(result)


def test_what_only_passes_on_what_it_was_given_is_cleared(tmp_path: Path) -> None:
    folders = two_dumps(tmp_path, cancelling)
    accused = ait_cmp.compare_dirs(*folders, replay="none")
    assert ("Sub", "growth") in told(accused)
    result = ait_cmp.compare_dirs(*folders)
    assert told(result) == []
    assert not result.has_differences
    row = next(row for row in result.rows if (row.op_name, row.io) == ("Sub", "outputs"))
    assert row.verdict in ("pass", "inherited")
    assert row.own_growth is not None


def test_an_op_that_does_what_the_graph_says_while_golden_does_not(tmp_path: Path) -> None:
    golden = write(tmp_path / "golden", noise=0.0, bug="Muls", how=spoil("scale"))
    mine = write(tmp_path / "my", noise=0.0)
    result = ait_cmp.compare_dirs(mine, golden)
    assert ("Muls", "graph") in told(result)
    (found,) = [one for one in result.divergences if one.op_name == "Muls"]
    assert found.replay is not None
    assert "does what the graph says: the graph says something else" in found.replay
    assert found.replay in summary(result)
    assert result.has_differences


def test_an_op_behind_one_without_a_counterpart_is_cleared_when_that_one_is_wrong(
    tmp_path: Path,
) -> None:
    golden = write(tmp_path / "golden", noise=0.0, outputs_only=True)
    mine = write(tmp_path / "my", bug="Muls", how=spoil("scale"))
    for path in golden.rglob("Muls.*"):
        path.unlink()
    before = ait_cmp.compare_dirs(mine, golden, replay="none")
    assert "Muls" in before.divergences[0].candidates
    result = ait_cmp.compare_dirs(mine, golden)
    assert told(result) == [("Muls", "replay")]
    (found,) = result.divergences
    assert (found.error, found.golden) == (None, "")
    assert "It equals the result times 1.2" in (found.replay or "")


def test_candidates_that_are_right_are_no_candidates(tmp_path: Path) -> None:
    golden = write(tmp_path / "golden", with_an_unknown_op, noise=0.0, outputs_only=True)
    mine = write(tmp_path / "my", with_an_unknown_op, bug="MyFusedOp", how=spoil("scale"))
    for path in golden.rglob("MyFusedOp.*"):
        path.unlink()
    (found,) = ait_cmp.compare_dirs(mine, golden).divergences
    assert found.op_name == "Neg"
    assert found.candidates == ("Neg", "MyFusedOp")
    assert found.replay == "Neg is right on its own inputs."


def test_an_op_without_a_reference_stays_with_the_reason_until_there_is_one(
    tmp_path: Path,
) -> None:
    folders = two_dumps(tmp_path, with_an_unknown_op, bug="MyFusedOp", how=spoil("scale"))
    (found,) = ait_cmp.compare_dirs(*folders).divergences
    assert (found.op_name, found.kind) == ("MyFusedOp", "growth")
    assert found.replay == (
        "MyFusedOp could not be replayed: no reference for MyFusedOp (--reference adds one)."
    )
    file = tmp_path / "mine.py"
    file.write_text("def MyFusedOp(x):\n    return x * x + x\n")
    (found,) = ait_cmp.compare_dirs(*folders, references=str(file)).divergences
    assert (found.replay or "").startswith("MyFusedOp (MyFusedOp) does not compute a MyFusedOp")


def test_a_nonfinite_divergence_is_never_cleared(tmp_path: Path) -> None:
    golden = write(tmp_path / "golden", noise=0.0, bug="MatMul", how=spoil("infinite"))
    result = ait_cmp.compare_dirs(write(tmp_path / "my", noise=0.0), golden)
    assert ("MatMul", "nonfinite") in told(result)


# --- edges -------------------------------------------------------------------------------------


def flip_a_bit_of_the_input(folder: Path, op: str, n_bytes: int, bit: int) -> None:
    """In the input that lies before the output, both of `n_bytes`."""
    (path,) = folder.rglob(f"{op}.*")
    data = bytearray(path.read_bytes())
    data[len(data) - 2 * n_bytes + 1] ^= bit
    change(path, bytes(data))


def test_one_bit_of_an_input_that_is_not_what_was_written_is_told(tmp_path: Path) -> None:
    mine, golden = two_dumps(tmp_path, noise=0.0)
    assert told(ait_cmp.compare_dirs(mine, golden)) == []
    flip_a_bit_of_the_input(mine, "Swish", 24 * 32 * 2, 1)
    result = ait_cmp.compare_dirs(mine, golden)
    assert [kind for _, kind in told(result)] == ["edge"]
    (found,) = result.divergences
    assert (found.op_name, found.writer) == ("Swish", "RmsNorm")
    assert "the buffer was overwritten in between" in summary(result)
    assert result.has_differences


def test_the_reader_of_an_overwritten_buffer_is_not_accused_of_computing_wrong(
    tmp_path: Path,
) -> None:
    model = planted.transformer(planted.Model("float16", 0.5, 7))
    mine, golden = tmp_path / "my", write(tmp_path / "golden", noise=0.0)
    scores = next(op for op in model.ops if op.name == "BatchMatMul_1")
    wrong = np.asarray(scores.values[0], np.float64) * 1.5  # what the reader reads
    planted.write(model, mine)
    reread = next(op for op in model.ops if op.name == "Add_1")
    x = np.asarray(model.value(reread.inputs[0][1]), np.float64)
    reread.values[0] = (x + wrong.astype(np.float16)).astype(np.float16)
    scores.values[0] = wrong.astype(np.float16)
    (new,) = planted.write(model, tmp_path / "other").rglob("Add.Add_1.*")
    (old,) = mine.rglob("Add.Add_1.*")
    change(old, new.read_bytes())
    without = ait_cmp.compare_dirs(mine, golden, replay="none").divergences[0]
    assert (without.op_name, without.kind, without.replay) == ("Add_1", "edge", None)
    found = ait_cmp.compare_dirs(mine, golden).divergences[0]
    assert (found.op_name, found.kind, found.writer) == ("Add_1", "edge", "BatchMatMul_1")
    assert (found.replay or "").startswith(
        "Add_1 is right, but input 1 is not what BatchMatMul_1 wrote"
    )


def test_an_op_that_ran_twice_may_have_been_read_before(tmp_path: Path) -> None:
    """Its last file need not be what its reader found."""
    mine, golden = two_dumps(tmp_path, noise=0.0)
    for folder in (mine, golden):
        flip_a_bit_of_the_input(folder, "Swish", 24 * 32 * 2, 1)
        (path,) = folder.rglob("RmsNorm.*")
        first, _, time = path.name.rpartition(".")
        path.with_name(f"{first}.{int(time) - 1}").write_bytes(path.read_bytes())
    assert told(ait_cmp.compare_dirs(mine, golden)) == []
    assert ait_cmp.replay(mine).edges == []
