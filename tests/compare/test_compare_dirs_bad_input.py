"""What a comparison says of folders and files that it cannot use: one clear sentence each."""

from __future__ import annotations

import io
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_compare_dirs import assert_adds_up

from ait_cmp import Comparison, ConfigError, compare_dirs
from ait_cmp.discover import scan
from make_dump import Dump
from small_model import (
    MUL,
    ROWS_PER_TOKEN,
    dumps_of,
    values_of,
    write_dumps,
    write_fx_token,
    write_ge_token,
    write_graph,
)
from trees import rank_name, restored


def compare(root: Path) -> Comparison:
    return compare_dirs(root / "ge", root / "fx")


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dumps of two tokens; what a test changes in them it restores."""
    root = tmp_path_factory.mktemp("dumps")
    write_dumps(root)
    return root


@pytest.fixture(scope="module")
def one_token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with one token."""
    root = tmp_path_factory.mktemp("one_token")
    write_dumps(root, tokens=1)
    return root


def no_graph_text(root: Path) -> None:
    write_ge_token(root / "ge", 0)
    write_fx_token(root / "fx", 0)


def empty_my_side(root: Path) -> None:
    write_dumps(root, tokens=1)
    shutil.rmtree(root / "ge")
    (root / "ge").mkdir()


def empty_golden_side(root: Path) -> None:
    write_dumps(root, tokens=1)
    shutil.rmtree(root / "fx")
    (root / "fx").mkdir()


def missing_my_side(root: Path) -> None:
    write_fx_token(root / "fx", 0)


def missing_golden_side(root: Path) -> None:
    write_ge_token(root / "ge", 0)


def graph_without_a_dump(root: Path) -> None:
    write_graph(root / "ge")
    write_fx_token(root / "fx", 0)


def sides_swapped(root: Path) -> None:
    write_fx_token(root / "ge", 0)
    write_ge_token(root / "fx", 0)


def ranks_apart(root: Path) -> None:
    write_graph(root / "ge")
    for rank in (0, 2):
        write_ge_token(root / "ge", 0, rank=rank_name(rank))
    write_fx_token(root / "fx", 0, rank=rank_name(1))


def my_side_is_a_file(root: Path) -> None:
    write_dumps(root, tokens=1)
    shutil.rmtree(root / "ge")
    (root / "ge").write_text("no folder")


BAD_FOLDERS = [
    (no_graph_text, "no graph text dynamo_original_graph"),
    (empty_my_side, "{root}/ge"),
    (empty_golden_side, "{root}/fx"),
    (missing_my_side, "{root}/ge"),
    (missing_golden_side, "{root}/fx"),
    (graph_without_a_dump, "{root}/ge"),
    (sides_swapped, "swapped"),
    (ranks_apart, "Ranks on the my side only, not compared: 0, 2"),
    (my_side_is_a_file, "{root}/ge"),
]


@pytest.mark.parametrize(("make", "words"), BAD_FOLDERS, ids=lambda v: getattr(v, "__name__", ""))
def test_folders_that_cannot_be_compared_are_refused(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    make(tmp_path)
    with pytest.raises(ConfigError) as error:
        compare(tmp_path)
    assert words.format(root=tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_graph_text_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1)
    path = write_graph(tmp_path / "ge")
    path.write_text(path.read_text() + "op { name: \n")
    with pytest.raises(ConfigError, match=rf"{path.name}.*\d+:\d+|{path.name}.*line \d+"):
        compare(tmp_path)


def test_a_graph_text_that_names_no_fx_tensor_is_told(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1)
    (text,) = (tmp_path / "ge").glob("dynamo_*.txt")
    text.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"named in .*dynamo_.*: is the graph text cut short"):
        compare(tmp_path)


def test_an_output_folder_that_is_a_file_is_refused(one_token: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(ConfigError, match="output folder .*out cannot be made"):
        compare_dirs(one_token / "ge", one_token / "fx", output=tmp_path / "out")


def mul_dump() -> Dump:
    return dumps_of(values_of(0))[MUL]


def with_output(**changes: object) -> bytes:
    dump = mul_dump()
    return replace(dump, outputs=(replace(dump.outputs[0], **changes),)).file_bytes()


def header_past_the_end() -> bytes:
    content = mul_dump().file_bytes()
    return struct.pack("<Q", len(content)) + content[8:]


#: A change to the file of Mul, the status of its output, and words of the sentence. A file whose
#: header cannot be read has one row; otherwise its two inputs are compared as ever.
BAD_FILES = {
    "empty file": (b"", "unreadable", "empty"),
    "noise": (b"\xff" * 100, "unreadable", "header"),
    "header past the end": (header_past_the_end(), "unreadable", "header"),
    "cut short": (mul_dump().file_bytes()[:-1], "unreadable", "left"),
    "too few bytes": (with_output(shape=(3, 212), original_shape=()), "unreadable", "expected"),
    "overflow": (with_output(shape=(2**40, 2**40), original_shape=()), "unreadable", "overflows"),
    "unknown dtype": (with_output(dtype=99), "unsupported", "unknown dtype number 99"),
    "no data": (with_output(data=b""), "no_data", "no data"),
    "other shape": (
        with_output(shape=(211,), original_shape=(211,), data=bytes(4 * 211)),
        "shape_mismatch",
        "data shape doesn't match. (my (211,), golden (3, 211))",
    ),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_dump_file_is_a_row_and_the_rest_is_compared(
    dumps: Path, name: str, threads: int
) -> None:
    content, status, words = BAD_FILES[name]
    with restored(next((dumps / "ge").rglob("0")) / "graph_1/1/0" / MUL) as file:
        file.write_bytes(content)
        found = compare_dirs(dumps / "ge", dumps / "fx", threads=threads)
    (bad,) = (
        row
        for row in found.rows
        if MUL in row.my_data_path and row.token_id == 0 and row.io != "inputs"
    )
    assert bad.status == status
    assert words in bad.cmp_fail_reason
    assert (bad.verdict, bad.cosine_similarity) == ("", None)
    others = [row for row in found.rows if row != bad and row.op_name != "Sqrt_3"]
    assert {row.status for row in others} == {"compared"}
    n_lost = 0 if bad.io else 2
    assert len(found.rows) == 2 * ROWS_PER_TOKEN - n_lost
    assert_adds_up(found)


def test_a_transposed_tensor_of_as_many_elements_is_compared_and_noted(one_token: Path) -> None:
    content = with_output(shape=(211, 3), original_shape=(211, 3))
    with restored(next((one_token / "ge").rglob(MUL))) as file:
        file.write_bytes(content)
        found = compare(one_token)
    row = next(r for r in found.rows if (r.op_name, r.io) == ("Mul_2", "outputs"))
    assert row.status == "compared"
    assert "Shapes differ, element counts agree" in row.cmp_fail_reason


def npy_bytes(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


GOOD_NPY = npy_bytes(values_of(0)["mul"])
BAD_NPYS = {
    "empty file": (b"", "unreadable"),
    "noise": (b"\x00" * 200, "unreadable"),
    "cut short": (GOOD_NPY[:-1], "unreadable"),
    "objects": (npy_bytes(np.array([{}, None], object)), "unsupported"),
    "text": (npy_bytes(np.array(["a", "b"])), "unsupported"),
}


@pytest.mark.parametrize("name", BAD_NPYS)
def test_a_bad_golden_file_is_a_row(one_token: Path, name: str) -> None:
    content, status = BAD_NPYS[name]
    (path,) = (one_token / "fx").rglob("mul-*.OUTPUT.0.*.npy")
    with restored(path) as golden:
        golden.write_bytes(content)
        found = compare(one_token)
    row = next(r for r in found.rows if (r.op_name, r.io) == ("Mul_2", "outputs"))
    assert row.status in (status, "unmatched")
    assert row.cmp_fail_reason
    assert row.cosine_similarity is None
    good = [r for r in found.rows if r.op_name == "Abs_1"]
    assert {r.status for r in good} == {"compared"}
    assert_adds_up(found)


def test_files_that_cannot_be_opened_are_rows(one_token: Path) -> None:
    with restored(next((one_token / "ge").rglob(MUL))) as path:
        path.unlink()
        path.symlink_to("nowhere")
        found = compare(one_token)
    assert_adds_up(found)
    assert {row.status for row in found.rows if row.op_name == "Abs_1"} == {"compared"}


@pytest.mark.parametrize("sides", [("", "fx"), ("ge", "")])
def test_an_empty_path_is_not_the_current_folder(
    dumps: Path, monkeypatch: pytest.MonkeyPatch, sides: tuple[str, str]
) -> None:
    monkeypatch.chdir(dumps)
    with pytest.raises(ConfigError, match="found an empty text"):
        compare_dirs(*sides)


def test_one_pattern_may_be_given_as_a_text(dumps: Path) -> None:
    result = compare_dirs(dumps / "ge", dumps / "fx", ops="Mul*", tokens=0)
    assert {(row.op_name, row.token_id) for row in result.rows} == {("Mul_2", 0)}


def test_a_divergence_among_chosen_ops_says_that_it_may_lie_before(tmp_path: Path) -> None:
    write_dumps(tmp_path)
    values = values_of(0)
    values["mul"] = values["mul"] * np.float32(1.5)
    for path in (tmp_path / "ge").rglob(MUL):
        path.write_bytes(dumps_of(values)[MUL].file_bytes())
    whole = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    chosen = compare_dirs(tmp_path / "ge", tmp_path / "fx", ops=["Mul_2"])
    assert whole.first_divergence
    assert chosen.first_divergence
    assert not any("may lie before" in note for note in whole.notes)
    assert any("fit Mul_2 were compared" in note for note in chosen.notes)


def test_a_folder_that_cannot_be_listed_is_not_called_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ge" / "closed").mkdir(parents=True)
    list_folder = scan.os.scandir

    def scandir(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return list_folder(path)

    monkeypatch.setattr(scan.os, "scandir", scandir)
    with pytest.raises(
        ConfigError,
        match=r"no dump found.*closed: this folder could not be read \(Permission denied\)",
    ):
        compare(tmp_path)


def test_a_golden_ge_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1)
    write_dumps(tmp_path / "golden", tokens=1)
    (broken,) = (tmp_path / "golden").rglob(MUL)
    broken.write_bytes(b"")
    result = compare_dirs(tmp_path / "ge", tmp_path / "golden" / "ge")
    (told,) = (note for note in result.notes if "of a file that cannot be read" in note)
    assert str(broken) in told
    assert_adds_up(result)
    assert len(result.rows) == ROWS_PER_TOKEN


@pytest.mark.parametrize("name", ["mul-aten.mul.Tensor.INPUT.1", "abs-aten.abs.Tensor.INPUT.0"])
@pytest.mark.parametrize("n_bytes", [0, 7, 60, 130])
def test_a_damaged_golden_input_is_an_unreadable_row(
    one_token: Path, name: str, n_bytes: int
) -> None:
    (found_path,) = (one_token / "fx").rglob(f"{name}.*")
    with restored(found_path) as path:
        path.write_bytes(path.read_bytes()[:n_bytes])
        found = compare(one_token)
    (damaged,) = [row for row in found.rows if row.status == "unreadable"]
    assert path.name in damaged.cmp_fail_reason
    assert found.counts["unreadable"] == 1
    assert found.has_differences
