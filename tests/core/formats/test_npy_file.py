"""`.npy` headers: what NumPy writes, what it would never write, and what is no tensor."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp import _core
from ait_cmp.errors import FormatError

TYPES = ["f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "c8", "c16"]


def npy_bytes(values: npt.NDArray[np.generic], version: tuple[int, int] = (1, 0)) -> bytes:
    """What NumPy writes for an array."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, values, version=version)
    return stream.getvalue()


def with_header(text: str, data: bytes = b"") -> bytes:
    """A version 1 file with any header text."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


@given(
    code=st.sampled_from(TYPES),
    shape=st.lists(st.integers(0, 4), max_size=5).map(tuple),
    version=st.sampled_from([(1, 0), (2, 0)]),
    fortran=st.booleans(),
)
def test_every_number_shape_order_and_version_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    code: str,
    shape: tuple[int, ...],
    version: tuple[int, int],
    fortran: bool,
) -> None:
    values = np.zeros(shape, code, order="F" if fortran else "C")
    path = tmp_path_factory.getbasetemp() / "any.npy"
    path.write_bytes(npy_bytes(values, version))
    tensor = _core.read_npy(path)
    assert (tensor.dtype, tensor.shape) == (f"torch.{values.dtype.name}", shape)
    assert (tensor.state, tensor.note, tensor.size_bytes) == ("ok", "", values.nbytes)
    assert tensor.offset_bytes + tensor.size_bytes == path.stat().st_size
    assert tensor.fortran_order == (fortran and not values.flags.c_contiguous)


def test_version_3_has_a_header_in_utf8(tmp_path: Path) -> None:
    header = "{'descr': [('é', '<f4')], 'fortran_order': False, 'shape': (2,), }".encode()
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x03\x00" + struct.pack("<I", len(header)) + header + bytes(8))
    assert _core.read_npy(path).note == "not a tensor: a record of several fields"


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (np.array(None), "not a tensor: pickled Python object (None, dtype, ...); never unpickled"),
        (np.array([1, None], object), "not a tensor: pickled Python object"),
        (np.array("text"), "not a tensor: text"),
        (np.array([b"bytes"]), "not a tensor: text"),
        (np.zeros(2, [("a", "<f4"), ("b", "<i8", (2, 3))]), "not a tensor: a record"),
        (np.zeros(2, ">f4"), "big-endian numbers ('>f4') are not read: save the array as '<f4'"),
        (np.zeros(2, ">c16"), "big-endian numbers ('>c16')"),
        (np.zeros(2, "V2"), "dtype '|V2' is not a number of the dtype table"),
        (np.zeros(2, "M8[s]"), "dtype '<M8[s]' is not a number of the dtype table"),
        (np.zeros(2, "longdouble"), "is not a number of the dtype table"),
    ],
)
def test_what_is_no_tensor_is_noted(
    tmp_path: Path, values: npt.NDArray[np.generic], note: str
) -> None:
    path = tmp_path / "a.npy"
    np.save(path, values, allow_pickle=True)
    tensor = _core.read_npy(path)
    assert (tensor.state, note in tensor.note) == ("unsupported", True)


def test_an_array_cut_short_says_how_much_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(npy_bytes(np.zeros((3, 4), np.float32))[:-5])
    tensor = _core.read_npy(path)
    assert tensor.state == "truncated"
    assert tensor.note == "48 bytes declared, 43 left at byte 128 (file cut short?)"


def test_bytes_behind_the_array_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(npy_bytes(np.zeros(3, np.float32)) + b"xy")
    tensor = _core.read_npy(path)
    assert (tensor.state, tensor.size_bytes) == ("ok", 12)
    assert tensor.note == "trailing bytes: 2 behind the array ignored"


def test_a_shape_whose_product_overflows_is_noted(tmp_path: Path) -> None:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**40}, {2**40}), }}"
    path = tmp_path / "a.npy"
    path.write_bytes(with_header(text, bytes(8)))
    tensor = _core.read_npy(path)
    assert (tensor.state, "overflows 64 bits" in tensor.note) == ("short", True)


def test_an_empty_array_of_a_shape_that_numpy_does_not_hold_is_refused(tmp_path: Path) -> None:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (0, {2**62}), }}"
    path = tmp_path / "a.npy"
    path.write_bytes(with_header(text))
    with pytest.raises(FormatError, match=rf"a.npy: NumPy holds no array of shape \(0, {2**62}\)"):
        _core.read_npy(path).numpy()


def test_a_header_of_python_2_is_read(tmp_path: Path) -> None:
    text = '{"shape": (2L,3L), "fortran_order":True,"descr":"<i2"}'
    path = tmp_path / "a.npy"
    path.write_bytes(with_header(text, bytes(12)))
    tensor = _core.read_npy(path)
    assert (tensor.shape, tensor.dtype, tensor.fortran_order) == ((2, 3), "torch.int16", True)


def literal(text: str) -> Callable[[bytes], bytes]:
    """Another header text."""
    return lambda _: with_header(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: b"", "the file is empty"),
        (lambda content: content[:3], "'.x93NUMPY' expected at byte 0"),
        (lambda content: b"PK" + content[2:], "'.x93NUMPY' expected at byte 0"),
        (lambda content: content[:9], "2 bytes expected, 1 left at byte 8"),
        (
            lambda content: content[:6] + b"\x04" + content[7:],
            "version 1, 2 or 3 expected, found 4",
        ),
        (lambda content: content[:50], "header of 118 bytes declared, 40 left at byte 10"),
        (
            lambda content: content[:6] + b"\2\0" + b"\1\0\x10\0" + bytes(2 << 20),
            r"header of at most 1048576 bytes expected, found one of 1048577$",
        ),
        (literal(""), "'{' expected at byte 10"),
        (literal("{}"), "'descr', 'fortran_order' and 'shape' expected, one is missing"),
        (literal("{'descr': '<f4'"), "',' expected"),
        (literal("{'descr': '<f4}"), "end of a string expected"),
        (literal("{'descr': os.system('x')}"), "',' expected"),
        (literal("{'desc': '<f4'}"), "'descr', 'fortran_order' or 'shape' expected"),
        (literal("{'fortran_order': 1}"), "True or False expected"),
        (literal("{'shape': 3}"), r"'\(' expected"),
        (literal("{'shape': (-1,)}"), "a dimension expected"),
        (literal("{'shape': (L,)}"), "a dimension expected"),
        (literal("{'shape': (9223372036854775808,)}"), r"a dimension below 2\^63 expected"),
        (literal("{'shape': (" + "1," * 65 + ")}"), "at most 64 dimensions expected"),
        (literal("{'descr': " + "[" * 60_000), "at most 32 nested brackets expected"),
        (
            literal("{'descr': '<f4', 'fortran_order': False, 'shape': ()} x"),
            "end of the header expected",
        ),
    ],
)
def test_a_broken_header_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(change(npy_bytes(np.zeros((3, 4), np.float32))))
    with pytest.raises(FormatError, match=message):
        _core.read_npy(path)


def test_a_scan_lists_arrays_in_order_and_errors_as_text(tmp_path: Path) -> None:
    good, none, bad = (tmp_path / name for name in ("good.npy", "none.npy", "bad.npy"))
    np.save(good, np.zeros((2, 3), np.float16))
    np.save(none, np.array(None), allow_pickle=True)
    bad.write_bytes(b"no")
    rows = _core.scan_npy([str(good), bad, none], 2)
    assert rows[0] == (None, "torch.float16", (2, 3), "ok", "")
    assert rows[1] == (f"{bad}: '\\x93NUMPY' expected at byte 0 (no .npy file?)", "", (), "", "")
    assert rows[2][3] == "unsupported"
