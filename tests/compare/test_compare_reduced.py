"""Reduced dumps compared with full ones and with one another, from folders to rows."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

import make_dump
from ait_cmp import compare_dirs
from ait_cmp.compare.reduced_pair import compare_pair
from ait_cmp.errors import FormatError
from ait_cmp.info.source import Sources, have_equal_content, read_kept_values, scan_ge
from ait_cmp.info.stats_csv import read_stats
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.summary import summary_lines
from ait_cmp.sentences import text_of
from ait_cmp.tensor_ref import FileRef, TensorRef
from reduced_dump import bf16, convert_all, ge_folder, random_values, write_ge

Values = npt.NDArray[np.float32]
Shape = tuple[int, ...]
HEADER = (
    "Input/Output,Index,Data Size,Data Type,Format,Shape,Max Value,Min Value,Avg Value,Count,"
    "Nan Count,Negative Inf Count,Positive Inf Count"
)


def full(folder: Path) -> None:
    """A dump as it is."""


def sketch(folder: Path) -> None:
    convert_all(folder)


def min_max(folder: Path) -> None:
    convert_all(folder, info="min_max")


def stats(folder: Path) -> None:
    """What GE writes with `dump_data="stats"` in place of the tensors that `two_dumps` makes."""
    for path in list(folder.rglob("Add.*")):
        values = np.frombuffer(path.read_bytes()[-4 * 60 * 50 :], np.float32)
        line = (
            f"Output,0,{values.nbytes},DT_FLOAT,ND,60x50,{values.max():.6g},{values.min():.6g},"
            f"{values.mean():.6g},{values.size},0,0,0"
        )
        path.with_name(f"{path.name}.csv").write_text(f"{HEADER}\n{line}\n")
        path.unlink()


KINDS: dict[str, Callable[[Path], None]] = {
    "": full,
    "sketch": sketch,
    "min_max": min_max,
    "stats": stats,
}
# What an estimate says that it is made from: what tells less decides.
ORDER = ["", "sketch", "min_max", "stats"]


def two_dumps(root: Path, my: Values, golden: Values) -> tuple[Path, Path]:
    for name, values in (("my", my), ("golden", golden)):
        write_ge(ge_folder(root / name), "Add_1", (), (values,))
    return root / "my", root / "golden"


def compared(root: Path, my: Values, golden: Values, my_kind: str, golden_kind: str) -> Comparison:
    folders = two_dumps(root, my, golden)
    KINDS[my_kind](folders[0])
    KINDS[golden_kind](folders[1])
    return compare_dirs(*folders)


class Sides(NamedTuple):
    """Two tensors that differ, and where they lie in every kind: (side, kind) -> folder."""

    my: Values
    golden: Values
    folders: dict[tuple[str, str], Path]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    root = tmp_path_factory.mktemp("sides")
    golden = random_values(0, 60, 50)
    my = np.float32(1.2) * golden + np.float32(0.3) * random_values(1, 60, 50)
    folders = {}
    for kind, change in KINDS.items():
        for name, folder in zip(("my", "golden"), two_dumps(root / f"of_{kind}", my, golden)):
            change(folder)
            folders[name, kind] = folder
    return Sides(my, golden, folders)


@pytest.mark.parametrize("my_kind", ORDER)
@pytest.mark.parametrize("golden_kind", ORDER)
def test_any_mixture_is_compared_and_says_what_it_is_estimated_from(
    sides: Sides, my_kind: str, golden_kind: str
) -> None:
    my, golden, folders = sides
    (row,) = compare_dirs(folders["my", my_kind], folders["golden", golden_kind]).rows
    least = max(my_kind, golden_kind, key=ORDER.index)
    assert (row.status, row.match, row.op_name) == ("compared", "name", "Add_1")
    assert row.estimated == least
    assert row.verdict == "fail"
    assert row.my_max_value == pytest.approx(my.max(), rel=1e-5)
    assert row.golden_min_value == pytest.approx(golden.min(), rel=1e-5)
    assert row.kl_divergence is None or least == ""
    red = np.linalg.norm(my - golden) / np.linalg.norm(golden)
    if least in ("", "sketch"):
        assert row.relative_euclidean_distance == pytest.approx(red, rel=0.15)
        assert row.my_shape == "[60, 50]"
        assert (row.my_nan_count, row.golden_inf_count) == (0, 0)
    else:
        pairs = np.array([[x.min(), x.max()] for x in (my, golden)])
        red = np.linalg.norm(pairs[0] - pairs[1]) / np.linalg.norm(pairs[1])
        assert row.relative_euclidean_distance == pytest.approx(red, rel=1e-4)
        assert row.max_relative_error is None


@pytest.mark.parametrize("kind", ["min_max", "stats"])
def test_extrema_that_agree_are_not_said_to_show_that_nothing_diverges(
    tmp_path: Path, kind: str
) -> None:
    golden = random_values(0, 60, 50)
    my = golden.copy()
    inside = (golden > golden.min()) & (golden < golden.max())
    my[inside] = golden[inside][::-1]
    lines = list(summary_lines(compared(tmp_path, my, golden, kind, kind)))
    assert f"estimated       1 {kind}" in lines
    assert "1 row compares minima and maxima alone: errors between them do not show." in lines
    assert not any("nothing diverges" in line for line in lines)


@pytest.mark.parametrize("my_kind", ["", "sketch"])
def test_equal_hashes_make_the_metrics_exact(tmp_path: Path, my_kind: str) -> None:
    values = random_values(2, 60, 50)
    (row,) = compared(tmp_path, values, values, my_kind, "sketch").rows
    assert (row.estimated, row.verdict) == ("", "pass")
    assert (row.cosine_similarity, row.max_absolute_error, row.kl_divergence) == (1, 0, 0)


def test_a_bfloat16_tensor_equals_the_float32_tensor_of_its_values(tmp_path: Path) -> None:
    values = (random_values(3, 60, 50).view(np.uint32) & 0xFFFF0000).view(np.float32)
    write_ge(ge_folder(tmp_path / "my"), "Add_1", (), (bf16(values),))
    write_ge(ge_folder(tmp_path / "golden"), "Add_1", (), (values,))
    convert_all(tmp_path)
    (row,) = compare_dirs(tmp_path / "my", tmp_path / "golden").rows
    assert (row.estimated, row.max_absolute_error) == ("", 0)
    assert (row.my_dtype, row.golden_dtype) == ("torch.bfloat16", "torch.float32")


def test_small_tensors_have_the_same_row_reduced_and_full(tmp_path: Path) -> None:
    golden = random_values(4, 30, 30)
    my = golden + random_values(5, 30, 30)
    my[3, 4] = np.nan
    folders = two_dumps(tmp_path, my, golden)
    (expected,) = compare_dirs(*folders).rows
    convert_all(tmp_path)
    (row,) = compare_dirs(*folders).rows
    paths = {"my_data_path": expected.my_data_path, "golden_data_path": expected.golden_data_path}
    assert row._replace(**paths) == expected


def test_different_element_counts_are_a_row(tmp_path: Path) -> None:
    result = compared(tmp_path, random_values(6, 60, 50), random_values(7, 60, 51), "sketch", "")
    (row,) = result.rows
    assert row.status == "shape_mismatch"
    assert "data shape doesn't match. (my (60, 50), golden (60, 51))" in row.cmp_fail_reason


def test_values_without_a_coding_are_compared_by_their_hash(tmp_path: Path) -> None:
    raw = make_dump.DumpTensor(13, (7,), b"strings", None, (7,))
    paths = [write_ge(ge_folder(tmp_path / name), "Add_1", (), (raw,)) for name in "ab"]
    convert_all(tmp_path / "a")
    refs = [
        TensorRef(f"{paths[0]}_info.npz", "outputs", 0, kind="sketch"),
        TensorRef(str(paths[1]), "outputs", 0),
    ]
    result = compare_pair(*refs, sources=Sources(1))
    assert result.status == "compared"
    assert "Compared as bytes: equal." in text_of(result.sentences)
    write_ge(paths[1].parent, "Add_1", (), (replace(raw, data=b"Strings"),))
    result = compare_pair(*refs, sources=Sources(1))
    assert result.status == "unsupported"
    assert "as bytes they differ" in text_of(result.sentences)


def test_a_damaged_info_file_is_an_unreadable_row(tmp_path: Path) -> None:
    my, golden = two_dumps(tmp_path, random_values(8, 60, 50), random_values(8, 60, 50))
    convert_all(tmp_path)
    (info,) = golden.rglob("*_info.npz")
    intact = tmp_path / "intact"
    shutil.copytree(golden, intact)
    info.write_bytes(info.read_bytes()[:-30])
    ref, other = (
        TensorRef(str(next(folder.rglob("*_info.npz"))), "outputs", 0, kind="sketch")
        for folder in (my, golden)
    )
    result = compare_pair(ref, other, sources=Sources(1))
    assert result.status == "unreadable"
    assert str(info) in text_of(result.sentences)


def cut_end(content: bytes) -> bytes:
    return content[:-30]


def no_array(content: bytes) -> bytes:
    """A member that does not begin like an array; its check sum is right."""
    return packed(content, lambda member: b"x" + member[1:])


def broken_header(content: bytes) -> bytes:
    """The header of an array is Python text that does not end."""
    return packed(content, lambda member: member.replace(b"(", b"[", 1))


def packed(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """An `.npz` whose every member was changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)))
    return made.getvalue()


@pytest.mark.parametrize("change", [cut_end, no_array, broken_header])
def test_a_damaged_info_file_is_one_row_of_a_whole_comparison(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    two_dumps(tmp_path, random_values(8, 60, 50), random_values(8, 60, 50))
    convert_all(tmp_path)
    (info,) = (tmp_path / "my").rglob("*_info.npz")
    info.write_bytes(change(info.read_bytes()))
    (row,) = compare_dirs(tmp_path / "my", tmp_path / "golden").rows
    assert row.status == "unreadable"
    assert str(info) in str(row.cmp_fail_reason)


def ref_of(folder: Path, values: Values, *steps: tuple[str, Shape], reduce: bool) -> TensorRef:
    path = write_ge(ge_folder(folder), "Add_1", (), (values,))
    if reduce:
        convert_all(folder)
    if reduce:
        return TensorRef(f"{path}_info.npz", "outputs", 0, steps, "sketch")
    return TensorRef(str(path), "outputs", 0, steps)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("reduced_side", ["my", "golden", "both"])
def test_views_are_followed_where_an_order_is_known(
    tmp_path: Path, small: bool, reduced_side: str
) -> None:
    shape = (5, 6, 7) if small else (50, 60, 7)
    values = random_values(9, *shape)
    golden = ref_of(
        tmp_path / "golden",
        values,
        ("transpose", (2, 0, 1)),
        reduce=reduced_side in ("golden", "both"),
    )
    turned = np.ascontiguousarray(values.transpose(2, 0, 1)) + np.float32(0.01)
    my = ref_of(tmp_path / "my", turned, reduce=reduced_side in ("my", "both"))
    result = compare_pair(my, golden, sources=Sources(1))
    red = np.linalg.norm(np.full(shape, 0.01)) / np.linalg.norm(values)
    assert result.status == "compared"
    if reduced_side == "both" and not small:
        assert result.estimated == "min_max"
        assert "orders differ" in text_of(result.sentences)
    else:
        assert result.estimated == ("" if small else "sketch")
        assert result.metrics["relative_euclidean_distance"] == pytest.approx(red, rel=0.15)


def test_pairing_reads_literals_and_content_from_info_files(tmp_path: Path) -> None:
    numbers = np.array([3, -1, 2**40])
    kept = ref_of(tmp_path / "numbers", numbers, reduce=True)
    read = read_kept_values(kept, 0, 2)
    assert read.dtype == np.int64
    assert read.tolist() == [3, -1]
    large = random_values(10, 50, 60)
    first = ref_of(tmp_path / "first", large, reduce=True)
    second = ref_of(tmp_path / "second", large, reduce=False)
    third = ref_of(tmp_path / "third", large + 1, reduce=True)
    assert have_equal_content(first, second)
    assert not have_equal_content(first, third)
    with pytest.raises(FormatError, match="does not keep the values"):
        read_kept_values(first, 0, 1)


def test_heads_of_reduced_files_are_those_of_the_dump(tmp_path: Path) -> None:
    path = write_ge(ge_folder(tmp_path), "Add_1", (random_values(11, 4),), (random_values(12, 5),))
    (expected,) = scan_ge([FileRef(str(path))], 1)
    convert_all(tmp_path)
    (found,) = scan_ge([FileRef(f"{path}_info.npz", "sketch")], 1)
    assert found == expected


def test_statistics_columns_are_found_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "Add.Add_1.1.6.1706596911888001.csv"
    path.write_text(
        "Input/Output,Index,Data Size,Data Type,Format,Shape,"
        "Count,Max Value,NaN Count,L2Norm Value\n"
        "Output,0,8,DT_FLOAT16,ND,2x2,4,1e-05,1,2\n"
        "Input,0,8,-,ND,-,1,NA,NA,NA\n"
    )
    given, made = read_stats(str(path)).tensors
    assert (given.io, given.tensor.shape, given.tensor.state) == ("inputs", (), "no_data")
    assert (made.io, made.tensor.shape, made.tensor.dtype) == ("outputs", (2, 2), "torch.float16")
    assert made.tensor.sums == (4, 1, None, None, 1e-05, None, None)
    assert made.tensor.sum_squares == 4


@pytest.mark.parametrize(
    ("written", "dtype"),
    [
        ("DT_FLOAT", "torch.float32"),
        ("DOUBLE", "torch.float64"),
        ("DT_BF16", "torch.bfloat16"),
        ("DT_HIFLOAT8", "hifloat8"),
        ("DT_FLOAT8_E8M0", "torch.float8_e8m0fnu"),
        ("DT_NEWEST", "newest"),
        ("-", ""),
    ],
)
def test_dtypes_of_statistics_have_the_names_of_the_report(
    tmp_path: Path, written: str, dtype: str
) -> None:
    path = tmp_path / "Add.Add_1.1.6.1706596911888001.csv"
    path.write_text(f"{HEADER}\nOutput,0,4,{written},ND,2,1,1,1,2,0,0,0\n")
    (made,) = read_stats(str(path)).tensors
    assert made.tensor.dtype == dtype


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        f"{HEADER}\nOutput,zero,8,DT_FLOAT,ND,2,1,1,1,2,0,0,0\n",
        f"{HEADER}\nOutput,0,8,DT_FLOAT,ND,{2**63},1,1,1,2,0,0,0\n",
        f"{HEADER}\nOutput,0,8,DT_FLOAT,ND,2,1,1,1,-2,0,0,0\n",
        f'{HEADER}\nOutput,0,8,DT_FLOAT,ND,2,"' + 200_000 * "1",
    ],
)
def test_a_file_that_holds_no_statistics_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Add.Add_1.1.6.1706596911888001.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match="Add_1"):
        _ = read_stats(str(path)).tensors
