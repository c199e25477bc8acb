"""Builds valid GE dumps, .npy files and their parts byte by byte; broken ones are one named change.

The writer knows the wire format and nothing of the reader: field numbers come from
`dump_task.proto`. `dump_proto.py` builds the same messages with google.protobuf.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Union

import numpy as np
import numpy.typing as npt

#: Number in the dump header of each NumPy dtype.
DTYPE_NUMBERS = {
    "float32": 1,
    "float16": 2,
    "int8": 3,
    "uint8": 4,
    "int16": 5,
    "uint16": 6,
    "int32": 7,
    "int64": 8,
    "uint32": 9,
    "uint64": 10,
    "bool": 11,
    "float64": 12,
    "complex64": 16,
    "complex128": 17,
    "float8_e4m3fn": 35,
}

Payload = Union[int, bytes]


_SHORT = [bytes((value,)) for value in range(0x80)]


def varint(value: int) -> bytes:
    """A number of 64 bits in groups of seven; a negative one as its two's complement."""
    if 0 <= value <= 0x7F:
        return _SHORT[value]
    value &= 2**64 - 1
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def message_field(number: int, payload: Payload) -> bytes:
    """One field: an int as a varint, bytes with their length."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def shape_message(dims: tuple[int, ...]) -> bytes:
    """A Shape with packed dimensions."""
    return message_field(1, b"".join(map(varint, dims))) if dims else b""


@dataclass(frozen=True)
class DumpTensor:
    """One input or output: `data` is written, `size` is declared (None: the length of `data`)."""

    dtype: int
    shape: tuple[int, ...] | None
    data: bytes = b""
    size: int | None = None
    original_shape: tuple[int, ...] | None = ()
    format: int = 2
    sub_format: int = 0
    address: int = 4096
    original_op: tuple[str, int] | None = None

    def message(self, *, is_output: bool, inline: bool = False) -> bytes:
        """The OpInput or OpOutput; `inline` puts the bytes into it, as CANN once did."""
        size = len(self.data) if self.size is None else self.size
        before, after = _around_data(
            (self.dtype, self.format, self.sub_format, size, self.address),
            self.shape,
            self.original_shape,
            self.original_op,
            is_output=is_output,
        )
        return before + (message_field(5 if is_output else 4, self.data) if inline else b"") + after


@lru_cache(maxsize=4096)
def _around_data(
    numbers: tuple[int, int, int, int, int],
    shape: tuple[int, ...] | None,
    original_shape: tuple[int, ...] | None,
    original_op: tuple[str, int] | None,
    *,
    is_output: bool,
) -> tuple[bytes, bytes]:
    """The fields before the bytes of a tensor, and those behind them.

    Dumps are full of tensors that differ in nothing but their values.
    """
    dtype, format, sub_format, size, address = numbers
    shift = 1 if is_output else 0
    before = [message_field(1, dtype), message_field(2, format)]
    if shape is not None:
        before.append(message_field(3, shape_message(shape)))
    if is_output and original_op is not None:
        name, index = original_op
        original = message_field(1, name.encode()) + message_field(2, index & 0xFFFFFFFF)
        before.append(message_field(4, original))
    after = [message_field(5 + shift, size)] if size else []
    if original_shape is not None:
        after.append(message_field(6 + shift, shape_message(original_shape)))
    if sub_format:
        after.append(message_field(7 + shift, sub_format))
    if address:
        after.append(message_field(8 + shift, address))
    return b"".join(before), b"".join(after)


@lru_cache(maxsize=64)
def name_of(dtype: np.dtype[np.generic]) -> str:
    """Its NumPy name, which NumPy puts together anew whenever it is asked."""
    return dtype.name


def tensor_of(values: npt.NDArray[np.generic], **changes: object) -> DumpTensor:
    """The tensor that holds `values` as they are."""
    shape = tuple(values.shape)
    tensor = DumpTensor(DTYPE_NUMBERS[name_of(values.dtype)], shape, values.tobytes(), None, shape)
    return replace(tensor, **changes) if changes else tensor


@dataclass(frozen=True)
class Dump:
    """One dump file. `buffers` and `spaces` are (declared size, bytes written)."""

    inputs: tuple[DumpTensor, ...] = ()
    outputs: tuple[DumpTensor, ...] = ()
    op_name: str = "Cast_9"
    version: str = "2.0"
    dump_time: int = 1706596912161941
    attrs: tuple[tuple[str, str], ...] = ()
    buffers: tuple[tuple[int, bytes], ...] = ()
    spaces: tuple[tuple[int, bytes], ...] = ()
    extra_fields: bytes = b""

    def header(self, *, inline: bool = False) -> bytes:
        """The DumpData message, fields in the order of their numbers."""
        parts = [message_field(1, self.version.encode()), message_field(2, self.dump_time)]
        parts += [message_field(3, t.message(is_output=True, inline=inline)) for t in self.outputs]
        parts += [message_field(4, t.message(is_output=False, inline=inline)) for t in self.inputs]
        parts += [message_field(5, message_field(3, size)) for size, _ in self.buffers]
        parts.append(message_field(6, self.op_name.encode()))
        for name, value in self.attrs:
            pair = message_field(1, name.encode()) + message_field(2, value.encode())
            parts.append(message_field(7, pair))
        parts += [message_field(8, message_field(3, size)) for size, _ in self.spaces]
        return b"".join(parts) + self.extra_fields

    def data(self) -> bytes:
        """Tensor bytes: inputs, outputs, buffers, workspaces."""
        tensors = [t.data for t in self.inputs + self.outputs]
        return b"".join(tensors + [written for _, written in self.buffers + self.spaces])

    def file_bytes(self) -> bytes:
        """The file as CANN writes it now."""
        header = self.header()
        return struct.pack("<Q", len(header)) + header + self.data()

    def old_file_bytes(self) -> bytes:
        """The file as CANN once wrote it: one message with the bytes inside."""
        return self.header(inline=True)


def good_dump() -> Dump:
    """The worked example of the format: one float32 input, one float16 output, 84 bytes."""
    values = np.array([1.5, -2.0], np.float32)
    return Dump(
        inputs=(tensor_of(values),),
        outputs=(tensor_of(values.astype(np.float16), address=8192),),
    )
