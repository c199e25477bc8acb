"""A dump goes in; right, wrong and not replayed come out, for every output of every file."""

from __future__ import annotations

import csv
import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ait_cmp
import planted
from ait_cmp.cli.main import main
from ait_cmp.convert import convert_dir
from ait_cmp.errors import ConfigError
from ait_cmp.replay.result import Replay
from shared_files import change

#: Of the clean models that are replayed whole, and of those with a bug.
SEED = 3
NOISE = 0.5


@functools.cache
def files_of_clean(since: str) -> dict[str, bytes]:
    return planted.files_of(planted.transformer(planted.Model("float16", NOISE, 1)), since=since)


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """The dump of the half of a model that begins with a softmax: one that a test may change."""
    return planted.write_files(files_of_clean("SoftmaxV2"), tmp_path / "dump")


def planted_dump(
    folder: Path, bug: str, kind: str, *, dtype: str = "float16", fused: bool = False
) -> Path:
    """Unfused without the ops before the bug but for those that it reads.

    Their files are byte by byte those that `test_a_clean_model_is_right_at_every_noise` replays.
    """
    model = planted.transformer(planted.Model(dtype, NOISE, SEED, bug, planted.BUGS[kind]))
    return planted.write(model, folder, is_fused=fused, since="" if fused else bug)


Replayed = Callable[..., Replay]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """What is told of a planted bug."""

    @functools.cache
    def replayed(bug: str, kind: str, dtype: str = "float16") -> Replay:
        folder = tmp_path_factory.mktemp("planted") / "d"
        return ait_cmp.replay(planted_dump(folder, bug, kind, dtype=dtype))

    return replayed


def names(result: Replay) -> list[str]:
    return [one.row.op_name for one in result.wrong]


@pytest.mark.parametrize("name", ["sample", "bf16_sample"])
def test_every_output_of_a_clean_sample_is_replayed_and_right(
    request: pytest.FixtureRequest, name: str
) -> None:
    result = ait_cmp.replay(request.getfixturevalue(name) / "ge")
    assert result.counts["right"] == len(result.rows) > 100
    assert {row.edge for row in result.rows} == {"equal", "unknown"}
    assert not result.has_findings
    assert max(row.own_growth or 0 for row in result.rows) < 1.5


@pytest.mark.parametrize(
    ("name", "folder", "member"),
    [("sample", "ge_wrong", "MatMul_3"), ("bf16_sample", "ge_wrong_mul_9", "Mul_9")],
)
def test_the_wrong_op_of_a_sample_and_only_it_is_named(
    request: pytest.FixtureRequest, name: str, folder: str, member: str
) -> None:
    result = ait_cmp.replay(request.getfixturevalue(name) / folder)
    assert set(names(result)) == {member}
    assert result.counts["not_replayed"] == 0
    assert result.edges == []
    assert f"{member} (" in result.summary()
    assert "does not compute a" in result.summary()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("fused", [False, True])
def test_a_clean_model_is_right_at_every_noise(tmp_path: Path, dtype: str, fused: bool) -> None:
    for step, noise in enumerate((0.0, NOISE, 1.0, 2.0)):
        model = planted.transformer(planted.Model(dtype, noise, SEED))
        planted.write(model, tmp_path / "d", is_fused=fused, step=step)
    result = ait_cmp.replay(tmp_path / "d")
    assert names(result) == []
    assert {row.token_id for row in result.rows} == {0, 1, 2, 3}
    assert result.counts["right"] == len(result.rows)


@pytest.mark.parametrize("kind", planted.BUGS)
@pytest.mark.parametrize(
    ("bug", "dtype"),
    [
        ("MatMul", "float16"),
        ("SoftmaxV2", "bfloat16"),
        ("RmsNorm", "float16"),
        ("Mul_2", "float32"),
    ],
)
def test_the_planted_op_and_only_it_is_wrong(
    replayed: Replayed, bug: str, dtype: str, kind: str
) -> None:
    result = replayed(bug, kind, dtype)
    assert names(result) == [bug]


@pytest.mark.parametrize("kind", ["noise", "scale", "row"])
def test_a_bug_in_a_fused_chain_is_found(tmp_path: Path, kind: str) -> None:
    result = ait_cmp.replay(planted_dump(tmp_path / "d", "Mul", kind, fused=True))
    (wrong,) = result.wrong
    assert "Mul" in wrong.row.op_name
    assert wrong.row.op_type == "AutomaticBufferFusionOp"
    assert wrong.row.kind == "fused"


@pytest.mark.parametrize("type_", ["ConcatV2", "Transpose"])
def test_one_wrong_element_of_a_move_is_wrong(replayed: Replayed, type_: str) -> None:
    (wrong,) = replayed(type_, "element").wrong
    assert wrong.row.op_name == type_
    assert (wrong.row.kind, wrong.row.n_wrong) == ("exact", 1)


def test_a_dump_of_outputs_alone_takes_inputs_from_producers(tmp_path: Path) -> None:
    model = planted.transformer(planted.Model("float16", 0.5, 1))
    result = ait_cmp.replay(planted.write(model, tmp_path / "d", outputs_only=True))
    left = {row.op_name: row.reason for row in result.rows if row.status == "not_replayed"}
    assert left.pop("MatMul") == (
        'its input x2 comes from arg1_1, which is not in the dump (dump_mode="all" dumps it)'
    )
    assert result.counts["right"] + len(left) + 1 == len(result.rows)
    assert {"Transpose", "SoftmaxV2", "ConcatV2", "BatchMatMul"}.isdisjoint(left)


def test_an_input_that_was_overwritten_is_an_edge_that_differs(clean: Path) -> None:
    (path,) = clean.rglob("SoftmaxV2.*")
    data = bytearray(path.read_bytes())
    at = len(data) - 2 * 24 * 24 * 2  # the input lies before the output: both 24 x 24 of float16
    data[at + 1] ^= 0x40
    change(path, bytes(data))
    result = ait_cmp.replay(clean)
    (edge,) = result.edges
    assert (edge.op_name, edge.producer, edge.n_different) == ("SoftmaxV2", "Muls", 1)
    assert "the buffer was overwritten in between" in result.summary()
    assert {row.edge for row in result.rows if row.op_name == "SoftmaxV2"} == {"differs"}


def test_a_file_that_cannot_be_read_is_one_row(clean: Path) -> None:
    (path,) = clean.rglob("Gelu.*")
    change(path, b"\x05")
    result = ait_cmp.replay(clean)
    (row,) = [row for row in result.rows if row.op_name == "Gelu"]
    assert row.status == "not_replayed"
    assert row.reason.startswith("unreadable: ")
    assert result.wrong == []


def test_without_a_graph_text_nothing_is_replayed_and_it_says_why(clean: Path) -> None:
    for text in clean.glob("dynamo_*"):
        text.unlink()
    result = ait_cmp.replay(clean)
    assert {row.reason for row in result.rows if row.op_type not in ("Cast",)} == {
        "no graph text says what it computes (dynamo_original_graph_*.txt)"
    }


def test_a_reduced_dump_is_replayed_where_values_are_kept_whole(clean: Path) -> None:
    convert_dir(clean)
    result = ait_cmp.replay(clean)
    assert names(result) == []
    assert result.counts["right"] > 0
    reason = "a reduced dump, which does not keep the values of a tensor of this size"
    assert set(result.not_replayed) <= {reason}


def test_an_fx_dump_is_refused(sample: Path) -> None:
    with pytest.raises(ConfigError, match="a GE dump expected"):
        ait_cmp.replay(sample / "fx")


# --- the user's references ----------------------------------------------------------------------


def test_a_reference_of_the_user_overrides_ours(clean: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import numpy as np\ndef Gelu(x):\n    return np.zeros_like(x)\n")
    result = ait_cmp.replay(clean, references=str(file))
    assert names(result) == ["Gelu"]


def test_an_error_of_the_users_reference_is_the_reason(clean: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def Gelu(x):\n    return x[99999]\n")
    result = ait_cmp.replay(clean, references=[str(file)])
    (row,) = [row for row in result.rows if row.op_name == "Gelu"]
    assert row.reason.startswith("the reference Gelu fails: IndexError: ")


@pytest.mark.parametrize("text", ["x = 1\n", "def broken(:\n"])
def test_a_file_without_a_reference_is_refused(clean: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.py"):
        ait_cmp.replay(clean, references=str(file))


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_rows_and_ends_with_its_status(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(clean), "--output", str(tmp_path / "out")]) == 0
    assert "outputs: " in capsys.readouterr().out
    (path,) = (tmp_path / "out").glob("ait_cmp_replay_*.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"right"}
    wanted = "rank graph token_id op_name op_type index dtype shape status own_error own_growth "
    wanted += "worst_units n_wrong bias nonfinite_count kind edge reason my_data_path"
    assert list(rows[0]) == wanted.split()


def test_json_on_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = planted_dump(tmp_path / "d", "SoftmaxV2", "scale")
    assert main(["replay", str(folder), "--json", "--output", str(tmp_path)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= {"version", "command", "counts", "wrong", "edges", "not_replayed", "notes"}
    assert [one["op_name"] for one in found["wrong"]] == ["SoftmaxV2"]
    assert sum(found["counts"].values()) == found["counts"]["right"] + found["counts"]["wrong"]


def test_nothing_replayed_is_status_2(clean: Path, tmp_path: Path) -> None:
    assert main(["replay", str(clean), "--op", "Nope_*", "--output", str(tmp_path)]) == 2


def test_only_the_ops_that_fit_are_replayed(clean: Path) -> None:
    result = ait_cmp.replay(clean, ops=["*Norm*", "Mul_*", "SoftmaxV2"])
    assert {row.op_name for row in result.rows} == {"RmsNorm", "LayerNormV4", "Mul_2", "SoftmaxV2"}


def test_ctrl_c_ends_with_the_rows_that_were_done(clean: Path) -> None:
    def stop(n_done: int, _: int) -> None:
        if n_done >= 3:
            raise KeyboardInterrupt

    result = ait_cmp.replay(clean, progress=stop)
    assert result.was_interrupted
    assert len(result.rows) == 3
    assert "Interrupted" in result.summary()


def test_an_export_computes_the_op_again_with_numpy_alone(tmp_path: Path) -> None:
    folder = planted_dump(tmp_path / "d", "MatMul", "scale")
    result = ait_cmp.replay(folder, export=tmp_path / "export")
    (home,) = (tmp_path / "export").iterdir()
    assert {path.name for path in home.iterdir()} >= {
        "input_x1.npy", "input_x2.npy", "output_0.npy", "reference_0.npy", "compute.py",
        "graph_part.txt", "sentence.txt",
    }  # fmt: skip
    assert (home / "sentence.txt").read_text().strip() == result.wrong[0].sentence
    assert 'type: "MatMul"' in (home / "graph_part.txt").read_text()
    script = [sys.executable, "-S", "-c", _ISOLATED.format(path=home / "compute.py")]
    printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    error = float(printed.split("relative error ")[1].split(";")[0])
    assert error == pytest.approx(result.wrong[0].row.own_error, rel=1e-3)
    assert len((home / "compute.py").read_text().splitlines()) <= 22


#: Runs a script with numpy in reach and this package out of it.
_ISOLATED = f"""
import sys
sys.path.append({str(Path(np.__file__).parents[1])!r})
sys.modules["ait_cmp"] = None
import runpy
runpy.run_path({{path!r}}, run_name="__main__")
""".replace("{path!r}", "'{path}'")


@pytest.mark.parametrize(
    ("bug", "kind", "words"),
    [
        ("MatMul", "scale", "It equals the result times 1.2."),
        ("MatMul", "row", "is off"),
        ("MatMul", "tile", "Only one tile of 16 x 16 is off"),
        ("MatMul", "tail", "elements are off"),
        ("MatMul", "element", "Only element"),
    ],
)
def test_what_went_wrong_is_told(replayed: Replayed, bug: str, kind: str, words: str) -> None:
    (wrong,) = replayed(bug, kind).wrong
    assert words in wrong.sentence
