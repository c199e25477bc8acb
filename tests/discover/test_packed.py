"""Files of a folder are packed where their names tell all, and come back as they were."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ait_cmp.discover.contents import sort_files
from ait_cmp.discover.packed import PackedFiles, Unpacked, first_path, folder_of, paths_of
from ait_cmp.discover.scan import Folder

FOLDER = "/dump/\udcff/0"
GE = [
    "Add.Add_2.7.6.1706596911000009",
    "Add.Add_1.3.6.1706596911000002",
    "Cast.\u4e2d\u6587.4.6.1706596911000002",
    "MatMul.MatMul_3.5.6.1706596911000100",
]
FX = [
    "mm_1-aten.mm.default.OUTPUT.0.20261122121605497700.npy",
    "add-aten.add.Tensor.OUTPUT.10.20261122121605497600.npy",
    "add-aten.add.Tensor.OUTPUT.9.20261122121605497600.npy",
    "cat-aten.cat.default.INPUT.0.1.20261122121605497600.npy",
]


@pytest.mark.parametrize("names", [GE, FX, GE + FX], ids=["ge", "fx", "both"])
def test_packed_files_are_those_of_the_folder_in_order(names: list[str]) -> None:
    folder = Folder(FOLDER, names, has_folders=False)
    packed, plain = sort_files(folder, Unpacked()), sort_files(folder)
    ge = sorted(plain.ge, key=lambda file: (file.timestamp, file.path))
    fx = sorted(
        plain.fx, key=lambda file: (file.timestamp, file.node, file.io, file.index, file.sub_index)
    )
    for found, expected in ((packed.ge, ge), (packed.fx, fx)):
        assert list(found) == expected
        assert len(found) == len(expected)
        assert paths_of(found) == [file.path for file in expected]
        if not expected:
            continue
        assert isinstance(found, PackedFiles)
        assert [type(file) for file in found] == [type(file) for file in expected]
        assert (found[0], found[-1], found[1:3]) == (expected[0], expected[-1], expected[1:3])
        assert (first_path(found), folder_of(found)) == (expected[0].path, FOLDER)
        assert found.newest == max(file.timestamp for file in expected)


def test_the_longest_pause_is_that_between_neighbours() -> None:
    found = sort_files(Folder(FOLDER, GE, has_folders=False), Unpacked()).ge
    assert isinstance(found, PackedFiles)
    assert found.longest_pause == 91


@pytest.mark.parametrize(
    "name",
    [
        "Add.Add_3.7.6.1706596911000009_min_max.npz",
        "mm_1-aten.mm.default.OUTPUT.0.20261122121605497701.npy",
        "Add.Add.x.7.6.1706596911000009",
        "Add.Add_\udcfe.7.6.1706596911000009",
    ],
    ids=["reduced", "called twice", "a dot", "not utf-8"],
)
def test_where_names_alone_do_not_tell_files_are_not_packed(tmp_path: Path, name: str) -> None:
    names = [*GE[:2], *FX, name]
    found = sort_files(Folder(str(tmp_path), names, has_folders=False), Unpacked())
    assert isinstance(found.ge, list)
    assert isinstance(found.fx, list)


def test_packed_files_travel_without_what_was_made_of_them() -> None:
    found = sort_files(Folder(FOLDER, GE * 20, has_folders=False), Unpacked()).ge
    fresh = pickle.dumps(found)
    assert list(found) == list(pickle.loads(fresh))
    assert len(pickle.dumps(found)) == len(fresh)


def test_files_that_were_asked_for_long_ago_are_made_anew() -> None:
    unpacked = Unpacked()
    found = [sort_files(Folder(f"/{i}", GE, has_folders=False), unpacked).ge for i in range(9)]
    first = found[0][0]
    assert found[0][0] is first
    assert [files[0].path.split("/")[1] for files in found[1:]] == list("12345678")
    assert found[0][0] is not first
    assert found[0][0] == first
