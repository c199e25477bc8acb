"""Damaged, packed and odd `.npz` and info files: numbers, or a FormatError that names the file."""

from __future__ import annotations

import io
import json
import os
import struct
import threading
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp import FormatError, compare_dirs
from ait_cmp.info import bounded
from ait_cmp.info.info_file import pack_npz, read_info
from ait_cmp.info.members import load_members, parse_npy
from ait_cmp.info.source import read_reduced
from ait_cmp.tensor_ref import FileRef
from reduced_dump import convert_all, ge_folder, random_values, write_fx, write_ge
from trees import restored

Arrays = dict[str, npt.NDArray[Any]]

NAMES = ("header", "sketches", "values32", "values64")


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An info file of a small and a large tensor."""
    root = tmp_path_factory.mktemp("info")
    write_ge(ge_folder(root), "Add_1", (random_values(1, 40),), (random_values(2, 3000),))
    convert_all(root)
    (info,) = root.rglob("*_info.npz")
    return info.read_bytes()


def members_of(content: bytes) -> Arrays:
    with np.load(io.BytesIO(content)) as stored:
        return {name: stored[name] for name in stored.files}


def header_of(members: Arrays) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(members["header"].tobytes())
    return header


def with_header(members: Arrays, header: dict[str, Any]) -> bytes:
    text = json.dumps(header).encode()
    return pack_npz({**members, "header": np.frombuffer(text, np.uint8)})


# --- what is read ---------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["<f4", ">f8", "<i8", "|u1", "|b1", "<u2", "<f2"]),
            st.lists(st.integers(0, 5), max_size=3),
            st.booleans(),
        ),
        max_size=4,
    ),
    st.sampled_from([np.savez, np.savez_compressed]),
)
def test_what_numpy_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    arrays: list[tuple[str, list[int], bool]],
    save: Callable[..., None],
) -> None:
    path = str(tmp_path_factory.getbasetemp() / "written.npz")
    wanted = {}
    for number, (dtype, shape, fortran) in enumerate(arrays):
        values = np.random.default_rng(number).integers(0, 2, shape).astype(dtype)
        wanted[f"a{number}"] = np.asfortranarray(values) if fortran else values
    save(path, **wanted)
    found = load_members(path, wanted)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)


def test_members_that_are_not_wanted_are_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, inputs=np.zeros((2, 2)), odd=np.array(["text", "more"]))
    assert load_members(str(path), ("inputs", "outputs")).keys() == {"inputs"}


# --- what is refused ------------------------------------------------------------------------------


def encrypted(content: bytes) -> bytes:
    """One flipped bit in the directory."""
    at = content.index(b"PK\1\2") + 8
    return content[:at] + bytes([content[at] | 1]) + content[at + 1 :]


def packed_otherwise(content: bytes, how: int = zipfile.ZIP_LZMA) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", how) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return made.getvalue()


def packed_by_bzip2(content: bytes) -> bytes:
    return packed_otherwise(content, zipfile.ZIP_BZIP2)


def packed_by_deflate(content: bytes) -> bytes:
    return packed_otherwise(content, zipfile.ZIP_DEFLATED)


def twice(content: bytes) -> bytes:
    made = io.BytesIO(content)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(made, "a") as archive:
        archive.writestr("header.npy", b"again")
    return made.getvalue()


def deep_json(content: bytes) -> bytes:
    text = b'{"format":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    return pack_npz({**members_of(content), "header": np.frombuffer(text, np.uint8)})


def long_number(content: bytes) -> bytes:
    text = b'{"format":' + b"1" * 3_000_000 + b"}"
    return pack_npz({**members_of(content), "header": np.frombuffer(text, np.uint8)})


def dates(content: bytes) -> bytes:
    found = members_of(content)
    odd = np.zeros(found["values32"].size, "M8[s]")
    return content_with(content, values32=odd)


def content_with(content: bytes, **changed: npt.NDArray[Any]) -> bytes:
    return pack_npz({**members_of(content), **changed})


def complex_values(content: bytes) -> bytes:
    return content_with(content, values32=np.zeros(40, np.complex64))


def wide_values(content: bytes) -> bytes:
    return content_with(content, values32=np.zeros(40, np.float64))


def values_of_two_dimensions(content: bytes) -> bytes:
    return content_with(content, values32=np.zeros((40, 1), np.float32))


def fewer_values(content: bytes) -> bytes:
    return content_with(content, values32=np.zeros(39, np.float32))


def flat_sketches(content: bytes) -> bytes:
    return content_with(content, sketches=members_of(content)["sketches"].reshape(-1))


def whole_sketches(content: bytes) -> bytes:
    return content_with(content, sketches=members_of(content)["sketches"].astype(np.int32))


def another_shape(content: bytes) -> bytes:
    members = members_of(content)
    header = header_of(members)
    header["tensors"][1]["shape"] = [2999]
    return with_header(members, header)


def no_statistics(content: bytes) -> bytes:
    members = members_of(content)
    header = header_of(members)
    for key in ("count", "values_at"):
        del header["tensors"][0][key]
    return with_header(members, header)


def another_state(content: bytes) -> bytes:
    members = members_of(content)
    header = header_of(members)
    header["tensors"][0]["state"] = "fine"
    return with_header(members, header)


DAMAGES = [
    *(encrypted, packed_otherwise, packed_by_bzip2, packed_by_deflate, twice),
    *(deep_json, long_number, dates, complex_values, wide_values, values_of_two_dimensions),
    *(fewer_values, flat_sketches, whole_sketches, another_shape, no_statistics, another_state),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two info files on either side; what a test changes in them it restores."""
    root = tmp_path_factory.mktemp("run")
    tensors = (random_values(1, 40),), (random_values(2, 3000),)
    for side in ("my", "golden"):
        for number in (1, 2):
            write_ge(ge_folder(root / side), f"Add_{number}", *tensors, number=number)
        convert_all(root / side)
    return root


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_info_file_is_one_unreadable_row(
    run: Path, damage: Callable[[bytes], bytes]
) -> None:
    (path,) = (run / "my").rglob("*Add_1*_info.npz")
    with restored(path) as info:
        info.write_bytes(damage(info.read_bytes()))
        with pytest.raises(FormatError, match="Add_1"):
            read_info(str(info))
        found = compare_dirs(run / "my", run / "golden")
    assert dict(found.counts) == {**dict.fromkeys(found.counts, 0), "unreadable": 1, "compared": 2}
    (row,) = [row for row in found.rows if row.status == "unreadable"]
    assert str(info) in row.cmp_fail_reason


@given(st.data())
def test_any_flipped_bits_give_tensors_or_a_format_error(
    tmp_path_factory: pytest.TempPathFactory, intact: bytes, data: st.DataObject
) -> None:
    content = bytearray(intact)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.sampled_from([len(content), len(content), len(content) // 2]))
    path = tmp_path_factory.getbasetemp() / "flipped_info.npz"
    path.write_bytes(content[:cut])
    with suppress(FormatError):
        assert len(read_info(str(path)).tensors) == 2


@pytest.fixture(scope="module")
def members(intact: bytes) -> Arrays:
    return members_of(intact)


@given(st.binary(max_size=300))
def test_a_header_of_any_bytes_gives_a_format_error(
    tmp_path_factory: pytest.TempPathFactory, members: Arrays, header: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "header_info.npz"
    changed = {**members, "header": np.frombuffer(header, np.uint8)}
    path.write_bytes(pack_npz(changed))
    with pytest.raises(FormatError, match="header_info"):
        read_info(str(path))


def test_an_array_has_the_length_that_its_shape_says() -> None:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    for content in (file.getvalue() + bytes(8), file.getvalue()[:-8]):
        with pytest.raises(ValueError, match="shape"):
            parse_npy(memoryview(content), "it")


def test_a_file_that_shrinks_while_it_is_read_is_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shrinking"
    path.write_bytes(b"12345678")
    fstat = os.fstat

    def shrinking(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        path.write_bytes(b"1234")
        return found

    monkeypatch.setattr(bounded.os, "fstat", shrinking)
    with pytest.raises(FormatError, match="cut short"):
        bounded.read_bytes(str(path))


# --- bounded --------------------------------------------------------------------------------------


def test_a_bomb_of_a_few_kilobytes_takes_no_memory(tmp_path: Path) -> None:
    """Three members that say 1 GiB each."""
    path = tmp_path / "Add.Add_1.1.6.1706596911888001_min_max.npz"
    entry = struct.pack("<5H3I2H", 20, 0, 8, 0, 0x21, 0, 1000, 1 << 30, 10, 0)
    packed = zlib.compress(b"\0" * (1 << 20), 9)[2:-4][:1000].ljust(1000, b"\0")
    content, listed = b"", b""
    for name in (b"inputs.npy", b"output.npy", b"others.npy"):
        attributes = struct.pack("<3H2I", 0, 0, 0, 0, len(content))
        listed += b"PK\1\2" + struct.pack("<H", 20) + entry + attributes + name
        content += b"PK\3\4" + entry + name + packed
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 3, 3, len(listed), len(content), 0)
    path.write_bytes(content + listed + end)
    tracemalloc.start()
    with pytest.raises(FormatError, match="min_max"):
        load_members(str(path), ("inputs", "outputs"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("n_tensors", [3, 300])
def test_an_info_file_is_read_within_a_small_multiple_of_its_size(
    tmp_path: Path, n_tensors: int
) -> None:
    values = random_values(0, 1000)
    inputs = tuple(values + np.float32(number) for number in range(n_tensors))
    write_ge(ge_folder(tmp_path), "Add_1", inputs)
    convert_all(tmp_path)
    (info,) = tmp_path.rglob("*_info.npz")
    tracemalloc.start()
    read_info(str(info))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * info.stat().st_size + (1 << 20)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "Add.Add_1.1.6.1706596911888001_info.npz"
    os.mkfifo(path)
    done: list[str] = []

    def read() -> None:
        try:
            read_info(str(path))
        except FormatError as error:
            done.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(5)
    assert done == [f"{path}: this is no regular file"]


@pytest.mark.parametrize(
    "values",
    [np.zeros((3, 3)), np.array(["a", "b"]), np.zeros(2, "M8[s]"), np.zeros(100_000)],
    ids=["shape", "text", "dates", "large"],
)
def test_an_fx_file_of_extrema_holds_two_numbers(tmp_path: Path, values: npt.NDArray[Any]) -> None:
    path = write_fx(tmp_path, "add", "OUTPUT", 0, values)
    small = path.rename(path.with_name(path.name.replace(".npy", "_min_max.npy")))
    with pytest.raises(FormatError, match="_min_max"):
        read_reduced(FileRef(str(small), "min_max"), "fx")
