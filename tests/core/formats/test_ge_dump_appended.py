"""Dumps that were appended to one path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ait_cmp import _core
from make_dump import Dump, DumpTensor, good_dump, tensor_of

A = np.arange(3, dtype=np.float32)
B = np.arange(5, dtype=np.int64)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "Cast.Cast_9.1.2.1706596912161941"
    path.write_bytes(content)
    return path


def stored(path: Path, tensor: _core.Tensor) -> bytes:
    """The bytes of a tensor as the file holds them."""
    content = path.read_bytes()
    return content[tensor.offset_bytes : tensor.offset_bytes + tensor.size_bytes]


def test_the_last_of_two_appended_dumps_is_used(tmp_path: Path) -> None:
    first, second = good_dump(), replace(good_dump(), op_name="second", inputs=(tensor_of(B),))
    path = write(tmp_path, first.file_bytes() + second.file_bytes())
    read = _core.read_ge(path)
    assert (read.op_name, read.notes) == (
        "second",
        ["2 dumps were appended to this path, the last is used"],
    )
    assert stored(path, read.inputs[0]) == B.tobytes()


@pytest.mark.parametrize("n_bytes", [8, 800])
def test_a_dump_appended_to_one_with_a_skipped_tensor_is_used(tmp_path: Path, n_bytes: int) -> None:
    skipped = DumpTensor(1, (n_bytes // 4,), b"", n_bytes, (n_bytes // 4,), address=0)
    first = Dump(inputs=(skipped, tensor_of(A)), outputs=(tensor_of(A),))
    second = Dump(op_name="second", inputs=(tensor_of(B),), outputs=(tensor_of(A),))
    path = write(tmp_path, first.file_bytes() + second.file_bytes())
    read = _core.read_ge(path)
    assert (read.op_name, read.notes) == (
        "second",
        ["2 dumps were appended to this path, the last is used"],
    )
    assert [stored(path, t) for t in read.inputs + read.outputs] == [B.tobytes(), A.tobytes()]


def test_an_appended_dump_that_is_cut_short_is_ignored(tmp_path: Path) -> None:
    content = good_dump().file_bytes()
    read = _core.read_ge(write(tmp_path, content + content[:-1]))
    assert [t.offset_bytes for t in read.inputs] == [72]
    assert read.notes == ["83 trailing bytes at byte 84 ignored"]


def test_an_appended_dump_of_another_version_is_ignored(tmp_path: Path) -> None:
    """One process writes one version: what looks like another one is data of a tensor."""
    first = good_dump().file_bytes()
    other = replace(good_dump(), op_name="second", version="3.1").file_bytes()
    read = _core.read_ge(write(tmp_path, first + other))
    assert read.op_name == good_dump().op_name
    assert read.notes == [f"{len(other)} trailing bytes at byte {len(first)} ignored"]
