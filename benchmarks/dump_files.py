"""Writes single dump files, GE and `.npy`, fast: headers by hand, data as it lies in memory."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DT_FLOAT, DT_BF16 = 1, 27
FORMAT_ND, FORMAT_FRACTAL_NZ = 2, 29


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number_field(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes_field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a GE file.

    Args:
        dtype: Number of the dtype in dumps.
        shape: Shape as stored.
        size_bytes: Bytes of its data.
        format: Number of the storage format.
        original_shape: Logical shape; None: as stored.
    """

    dtype: int
    shape: tuple[int, ...]
    size_bytes: int
    format: int = FORMAT_ND
    original_shape: tuple[int, ...] | None = None


def _shape_message(shape: tuple[int, ...]) -> bytes:
    return _bytes_field(1, b"".join(map(_varint, shape))) if shape else b""


@lru_cache(maxsize=4096)
def _tensor_message(tensor: StoredTensor, *, is_output: bool) -> bytes:
    """OpOutput or OpInput of the header, as a field of DumpData."""
    size, original_shape, address = (6, 7, 9) if is_output else (5, 6, 8)
    original = tensor.shape if tensor.original_shape is None else tensor.original_shape
    message = b"".join(
        [
            _number_field(1, tensor.dtype),
            _number_field(2, tensor.format),
            _bytes_field(3, _shape_message(tensor.shape)),
            _number_field(size, tensor.size_bytes),
            _bytes_field(original_shape, _shape_message(original)),
            _number_field(address, 4096),
        ]
    )
    return _bytes_field(3 if is_output else 4, message)


def ge_file_start(
    op_name: str,
    time_us: int,
    inputs: Sequence[StoredTensor],
    outputs: Sequence[StoredTensor],
) -> bytes:
    """What stands before the data of a GE file."""
    header = b"".join(
        [
            _bytes_field(1, b"2.0"),
            _number_field(2, time_us),
            *(_tensor_message(tensor, is_output=True) for tensor in outputs),
            *(_tensor_message(tensor, is_output=False) for tensor in inputs),
            _bytes_field(6, op_name.encode()),
        ]
    )
    return struct.pack("<Q", len(header)) + header


@lru_cache(maxsize=4096)
def npy_file_start(dtype: str, shape: tuple[int, ...]) -> bytes:
    """What stands before the data of a `.npy` file, version 1.0."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1")


def write(path: str, *parts: bytes | memoryview) -> int:
    """Write a new file of these parts; returns its bytes."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        for part in parts:
            view = memoryview(part).cast("B")
            while view:
                view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
    return sum(memoryview(part).nbytes for part in parts)
