"""`.npz` and `.npy` files of numbers, read without surprise: what is packed or odd is refused.

NumPy and zipfile would do, but raise a dozen kinds of errors for damaged files, and make gigabytes
of a few packed kilobytes.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Collection
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ait_cmp.errors import FormatError
from ait_cmp.info.bounded import read_bytes

Array = NDArray[Any]

# Packed members are read of what scripts write (numpy.savez_compressed): extrema, never tensors.
MOST_UNPACKED_BYTES = 16 << 20
_END, _ENTRY, _LOCAL = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_END_BYTES, _ENTRY_BYTES, _LOCAL_BYTES = 22, 46, 30
_MOST_COMMENT_BYTES = 0xFFFF
# Flags that change nothing here: sizes behind the data, names in UTF-8, how hard it was packed.
_HARMLESS_FLAGS = 0x080E
_STORED, _DEFLATED = 0, 8
_MOST_HEADER_BYTES = 10_000
_NPY = re.compile(
    rb"\{ *'descr': *'([<>|=][biuf]\d{1,2})', *'fortran_order': *(True|False), *"
    rb"'shape': *\(([\d, ]*)\),? *\} *\n?"
)


class _Member(NamedTuple):
    """A member of an archive as its directory has it."""

    name: str
    method: int
    check: int
    packed_bytes: int
    n_bytes: int
    header_at: int


def load_members(path: str, wanted: Collection[str], *, unpacks: bool = True) -> dict[str, Array]:
    """Arrays of an `.npz`; nothing is unpickled.

    Args:
        path: The file.
        wanted: Names of the arrays that are read.
        unpacks: Whether packed members are read, too, if they are small.

    Raises:
        FormatError: It is no `.npz`, is damaged, or holds something else than numbers.
        OSError: It cannot be read.
    """
    content = read_bytes(path)
    arrays: dict[str, Array] = {}
    left = MOST_UNPACKED_BYTES if unpacks else 0
    try:
        for member in _directory(content):
            name = member.name.removesuffix(".npy")
            if name not in wanted:
                continue
            if name in arrays:
                message = f"{name} is there twice"
                raise ValueError(message)
            stored = _bytes_of(content, member, left)
            left -= 0 if member.method == _STORED else len(stored)
            arrays[name] = parse_npy(stored, name)
    except (ValueError, struct.error, zlib.error, MemoryError) as error:
        message = f"{path}: a complete .npz expected, {len(content)} bytes found that are none: "
        message += str(error)
        raise FormatError(message) from error
    return arrays


def load_npy(path: str, most: int) -> Array:
    """The array of a small `.npy` file.

    Raises:
        FormatError: It is none, damaged, or of more than `most` bytes.
        OSError: It cannot be read.
    """
    content = read_bytes(path, most)
    try:
        return parse_npy(memoryview(content), "it")
    except ValueError as error:
        message = f"{path}: an array of numbers expected: {error}"
        raise FormatError(message) from error


def _directory(content: bytes) -> list[_Member]:
    """The members in the order of the directory."""
    end = content.rfind(_END, max(0, len(content) - _END_BYTES - _MOST_COMMENT_BYTES))
    if end < 0 or end + _END_BYTES > len(content):
        message = "it has no end of a .npz (cut short?)"
        raise ValueError(message)
    n_members, n_bytes, at = struct.unpack_from("<10xH2I", content, end)
    if at + n_bytes > end:
        message = "its directory lies outside of it"
        raise ValueError(message)
    members = []
    stop = at + n_bytes
    for _ in range(n_members):
        if at + _ENTRY_BYTES > stop or content[at : at + 4] != _ENTRY:
            message = "its directory is damaged"
            raise ValueError(message)
        flags, method, check, packed_bytes, size, *lengths, header_at = struct.unpack_from(
            "<8x2H4x3I3H8xI", content, at
        )
        name = content[at + _ENTRY_BYTES : at + _ENTRY_BYTES + lengths[0]].decode(
            "utf-8", "replace"
        )
        if flags & ~_HARMLESS_FLAGS:
            message = f"its member {name} is encrypted or of an unknown kind (flags {flags:#x})"
            raise ValueError(message)
        members.append(_Member(name, method, check, packed_bytes, size, header_at))
        at += _ENTRY_BYTES + sum(lengths)
    return members


def _bytes_of(content: bytes, member: _Member, most_unpacked: int) -> memoryview:
    at = member.header_at
    if content[at : at + 4] != _LOCAL or at + _LOCAL_BYTES > len(content):
        message = f"its member {member.name} is not where the directory says"
        raise ValueError(message)
    at += _LOCAL_BYTES + sum(struct.unpack_from("<2H", content, at + 26))
    if at + member.packed_bytes > len(content):
        message = f"its member {member.name} says {member.packed_bytes} bytes (cut short?)"
        raise ValueError(message)
    stored = memoryview(content)[at : at + member.packed_bytes]
    if member.method == _DEFLATED and 0 < member.n_bytes <= most_unpacked:
        stored = memoryview(zlib.decompressobj(-15).decompress(stored, member.n_bytes))
    elif member.method != _STORED:
        message = f"its member {member.name} is packed (method {member.method}): one that is not "
        message += f"expected, or of at most {most_unpacked} bytes"
        raise ValueError(message)
    if len(stored) != member.n_bytes or zlib.crc32(stored) != member.check:
        message = f"the check sum of its member {member.name} is another one"
        raise ValueError(message)
    return stored


def parse_npy(content: memoryview, name: str) -> Array:
    """The numbers of an `.npy` file, not copied.

    Args:
        content: The bytes of the file.
        name: What a message calls it.

    Raises:
        ValueError: It is damaged, or holds no numbers.
    """
    start = bytes(content[:12])
    if start[:6] != b"\x93NUMPY" or len(start) < 12 or start[6] not in (1, 2, 3):
        message = f"{name} is no array"
        raise ValueError(message)
    at, size = (10, "<8xH") if start[6] == 1 else (12, "<8xI")
    (n_header,) = struct.unpack_from(size, start)
    header = bytes(content[at : at + n_header]) if n_header <= _MOST_HEADER_BYTES else b""
    found = _NPY.fullmatch(header)
    if found is None or len(header) != n_header:
        message = f"{name} has no header of an array of numbers"
        raise ValueError(message)
    try:
        dtype = np.dtype(found[1].decode())
    except TypeError as error:
        message = f"{name} has elements {found[1].decode()}: numbers expected"
        raise ValueError(message) from error
    shape = tuple(map(int, found[3].replace(b",", b" ").split()))
    data = content[at + n_header :]
    if prod(shape) * dtype.itemsize != len(data):
        message = f"{name} has shape {shape} of {dtype}, but {len(data)} bytes (cut short?)"
        raise ValueError(message)
    if not data:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if found[2] == b"True" else "C")
