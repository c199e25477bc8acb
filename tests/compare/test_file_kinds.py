"""The kind of a file goes with its path: the same tree under other names gives the same rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ait_cmp import compare_dirs
from ait_cmp.file_kinds import FILE_KINDS, FileKind, kind_of_named, reduced_path, split_ge_name
from ait_cmp.info.source import Sources, is_fortran, scan_npy
from ait_cmp.report.row import Row
from ait_cmp.tensor_ref import FileRef, TensorRef
from reduced_dump import convert_all, ge_folder, random_values, write_fx, write_ge

STATS = (
    "Input/Output,Index,Data Size,Data Type,Format,Shape,Max Value,Min Value,Avg Value,Count,"
    "Nan Count,Negative Inf Count,Positive Inf Count\n"
    "Output,0,12000,DT_FLOAT,ND,60x50,{0:.6g},{1:.6g},{2:.6g},3000,0,0,0\n"
)


def as_statistics(folder: Path) -> None:
    for path in list(folder.rglob("Add.*")):
        values = np.frombuffer(path.read_bytes()[-4 * 60 * 50 :], np.float32)
        text = STATS.format(values.max(), values.min(), values.mean())
        path.with_name(f"{path.name}.csv").write_text(text)
        path.unlink()


MAKE: dict[FileKind, Callable[[Path], object]] = {
    "dump": lambda _: None,
    "sketch": convert_all,
    "min_max": lambda folder: convert_all(folder, info="min_max"),
    "stats": as_statistics,
}


def dump_of(root: Path, seed: int, kind: FileKind) -> Path:
    for number in (1, 2):
        values = random_values(seed + number, 60, 50)
        write_ge(ge_folder(root), f"Add_{number}", (), (values,), number=number)
    MAKE[kind](root)
    return root


def give_hashes(root: Path, *, keep_endings: bool) -> None:
    """Call every file by a number; `mapping.csv` tells the names that they had."""
    folder = ge_folder(root)
    lines = []
    for number, path in enumerate(sorted(folder.iterdir())):
        base, kind = split_ge_name(path.name)
        ending = path.name[len(base) :] if keep_endings else ""
        hashed = f"1140071481932319848{number}"
        lines.append(f"{hashed},{base if keep_endings else path.name}\n")
        path.rename(folder / f"{hashed}{ending}")
        assert kind in FILE_KINDS
    (folder / "mapping.csv").write_text("".join(lines))


def rows_of(my: Path, golden: Path) -> list[Row]:
    rows = compare_dirs(my, golden).rows
    return [row._replace(my_data_path="", golden_data_path="", cmp_fail_reason="") for row in rows]


class Trees:
    """Either side of every kind, under its own names and under mapped ones; each made once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.plain = cache(self._plain)
        self.mapped = cache(self._mapped)
        self.rows_of_plain = cache(self._rows_of_plain)

    def _plain(self, side: str, kind: FileKind) -> Path:
        seed = {"my": 0, "golden": 7}[side]
        return dump_of(self._root / f"{side}_{kind}", seed, kind)

    def _mapped(self, side: str, kind: FileKind, *, keep_endings: bool) -> Path:
        root = self._root / f"{side}_{kind}_{keep_endings}"
        shutil.copytree(self.plain(side, kind), root)
        give_hashes(root, keep_endings=keep_endings)
        return root

    def _rows_of_plain(self, my_kind: FileKind, golden_kind: FileKind) -> list[Row]:
        return rows_of(self.plain("my", my_kind), self.plain("golden", golden_kind))


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    return Trees(tmp_path_factory.mktemp("kinds"))


@pytest.mark.parametrize("keep_endings", [True, False])
@pytest.mark.parametrize("golden_kind", FILE_KINDS)
@pytest.mark.parametrize("my_kind", FILE_KINDS)
def test_a_tree_under_mapped_names_has_the_rows_of_the_plain_one(
    trees: Trees, my_kind: FileKind, golden_kind: FileKind, keep_endings: bool
) -> None:
    mapped = rows_of(
        trees.mapped("my", my_kind, keep_endings=keep_endings),
        trees.mapped("golden", golden_kind, keep_endings=keep_endings),
    )
    assert repr(mapped) == repr(trees.rows_of_plain(my_kind, golden_kind))
    assert [row.status for row in mapped] == ["compared", "compared"]


@pytest.mark.parametrize("kind", ["dump", "sketch", "min_max"])
def test_an_fx_file_is_read_by_its_kind_whatever_it_is_called(
    tmp_path: Path, kind: FileKind
) -> None:
    path = write_fx(tmp_path, "mul", "OUTPUT", 0, random_values(3, 60, 50))
    MAKE[kind](tmp_path)
    if kind != "dump":
        path = Path(reduced_path(str(path), "fx", kind))
    plain = FileRef(str(path), kind)
    renamed = FileRef(str(tmp_path / "1140071481932319848"), kind)
    expected = (scan_npy([plain], 1), is_fortran(plain), tensor_text(plain))
    path.rename(renamed.path)
    assert (scan_npy([renamed], 1), is_fortran(renamed), tensor_text(renamed)) == expected


def tensor_text(file: FileRef) -> str:
    return repr(Sources(1).tensor(TensorRef(file.path, "", 0, kind=file.kind)))


def test_names_that_a_person_gives_tell_kinds() -> None:
    names = [
        "Add.a.1.2.3",
        "Add.a.1.2.3.csv",
        "a_info.npz",
        "a_min_max.npz",
        "a_min_max.npy",
        "a.npy",
    ]
    kinds = [kind_of_named(name) for name in names]
    assert kinds == ["dump", "stats", "sketch", "min_max", "min_max", "dump"]
