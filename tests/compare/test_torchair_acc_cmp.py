"""A script as users of the replaced tool have it, with its import changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ait_cmp import compare_dirs
from ait_cmp.compare import torchair_acc_cmp
from ait_cmp.discover import discover
from reduced_dump import bf16, ge_folder, random_values, write_fx, write_ge


def reduce_ge(folder: Path) -> None:
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        inputs, outputs = torchair_acc_cmp.parse_torchair_dump_data(str(path))
        np.savez(
            f"{path}_min_max.npz",
            inputs=[[array.min(), array.max()] for array in inputs],
            outputs=[[array.min(), array.max()] for array in outputs],
        )
        path.unlink()


def reduce_fx(folder: Path) -> None:
    for path in list(folder.rglob("*.npy")):
        data = np.load(path)
        np.save(path.with_name(f"{path.stem}_min_max.npy"), [data.min(), data.max()])
        path.unlink()


def test_the_tensors_of_a_dump_as_arrays(tmp_path: Path) -> None:
    values = (random_values(0, 4, 5).view(np.uint32) & 0xFFFF0000).view(np.float32)
    numbers = np.arange(6).reshape(2, 3)
    path = write_ge(ge_folder(tmp_path), "Add_1", (bf16(values), numbers), (values + 1,))
    inputs, outputs = torchair_acc_cmp.parse_torchair_dump_data(path)
    assert [array.shape for array in inputs + outputs] == [(4, 5), (2, 3), (4, 5)]
    assert np.array_equal(inputs[0], values)
    assert np.array_equal(inputs[1], numbers)
    assert np.array_equal(outputs[0], values + 1)


def test_a_script_that_keeps_minima_and_maxima_works_and_its_files_are_compared(
    tmp_path: Path,
) -> None:
    for name, offset in (("my", 0.0), ("golden", 0.5)):
        values = random_values(1, 40, 50) + np.float32(offset)
        write_ge(ge_folder(tmp_path / name), "Add_1", (values,), (values * 2,))
        reduce_ge(tmp_path / name)
    rows = compare_dirs(tmp_path / "my", tmp_path / "golden").rows
    assert [(row.io, row.status, row.estimated) for row in rows] == [
        ("inputs", "compared", "min_max"),
        ("outputs", "compared", "min_max"),
    ]
    assert rows[0].max_absolute_error == pytest.approx(0.5)
    assert rows[1].my_max_value == pytest.approx(2 * random_values(1, 40, 50).max())


def test_fx_files_of_such_a_script_are_found(tmp_path: Path) -> None:
    write_fx(tmp_path, "add", "OUTPUT", 0, random_values(2, 40))
    reduce_fx(tmp_path)
    (files,) = discover(tmp_path).fx.values()
    assert [(file.node, file.kind) for file in files] == [("add", "min_max")]


def test_its_own_files_are_read_back(tmp_path: Path) -> None:
    write_ge(ge_folder(tmp_path), "Add_1", (random_values(3, 4),), ())
    reduce_ge(tmp_path)
    (path,) = tmp_path.rglob("*_min_max.npz")
    inputs, outputs = torchair_acc_cmp.parse_torchair_dump_data(path)
    expected = random_values(3, 4)
    assert [pair.tolist() for pair in inputs] == [[expected.min(), expected.max()]]
    assert outputs == []
