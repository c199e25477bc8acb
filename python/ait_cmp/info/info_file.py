"""`*_info.npz`: the reduced tensors of one dump file. Format: docs/en/info-format.md."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ait_cmp.errors import FormatError
from ait_cmp.info.members import load_members
from ait_cmp.info.results import Sums
from ait_cmp.info.tensor import SKETCH_BUCKETS, ReducedTensor
from ait_cmp.terms import STATES, Io, io_of

_FORMAT = "ait-cmp info"
_VERSION = 2
# Members -> their type and number of dimensions.
_MEMBERS = {
    "header": ("uint8", 1),
    "sketches": ("float32", 2),
    "values32": ("float32", 1),
    "values64": ("float64", 1),
}
# The header has four; texts may hold brackets.
_MOST_LEVELS = 64
_MOST_DIGITS = 20
# What reading a damaged header raises.
_DAMAGES = (
    *(ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError),
    *(RecursionError, MemoryError),
)
_JSON = json.JSONEncoder(allow_nan=False, ensure_ascii=True, separators=(",", ":"))


@dataclass(frozen=True)
class InfoTensor:
    """A reduced tensor and where it was in the dump.

    Attributes:
        io: "inputs" or "outputs" of a GE dump, "" of an `.npy` file.
        tensor: What is known of it.
        original_op: Framework op that made this output, None if unset.
        original_index: Its output index.
        storage_format: Device format number.
        fortran_order: Whether the `.npy` file was in Fortran order.
    """

    io: Io
    tensor: ReducedTensor
    original_op: str | None = None
    original_index: int = -1
    storage_format: int = 2
    fortran_order: bool = False


@dataclass(frozen=True)
class InfoFile:
    """One dump file, reduced.

    Attributes:
        op_name: Name in the header of a GE dump, "" of an `.npy` file.
        dump_time: Microseconds since the epoch, 0 of an `.npy` file.
        attrs: Attributes of the GE header.
        source_bytes: Size of the file that it stands for.
        by_io: "inputs", "outputs" or "" (of an `.npy` file) -> tensors.
    """

    op_name: str
    dump_time: int
    attrs: tuple[tuple[str, str], ...]
    source_bytes: int
    by_io: Mapping[Io, Sequence[InfoTensor]]

    @property
    def tensors(self) -> list[InfoTensor]:
        """Inputs, then outputs."""
        return [tensor for tensors in self.by_io.values() for tensor in tensors]

    def of(self, io_name: Io) -> Sequence[InfoTensor]:
        """Its inputs, its outputs, or ("") the one tensor of an `.npy` file."""
        return self.by_io.get(io_name, ())


def group_by_io(tensors: Iterable[InfoTensor]) -> dict[Io, list[InfoTensor]]:
    """Inputs, then outputs, or the array of an `.npy` file."""
    found: dict[Io, list[InfoTensor]] = {"inputs": [], "outputs": [], "": []}
    for tensor in tensors:
        found[tensor.io].append(tensor)
    return found


def pack_info(info: InfoFile) -> bytes:
    """The bytes of an info file: an `.npz` without pickled objects."""
    sketches: list[NDArray[np.float32]] = []
    values = {"values32": _Kept([]), "values64": _Kept([])}
    rows = [_pack_tensor(tensor, sketches, values) for tensor in info.tensors]
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "op_name": info.op_name,
        "dump_time": info.dump_time,
        "attrs": info.attrs,
        "source_bytes": info.source_bytes,
        "tensors": rows,
    }
    text = _JSON.encode(header)
    members: dict[str, NDArray[Any]] = {"header": np.frombuffer(text.encode("ascii"), np.uint8)}
    if sketches:
        members["sketches"] = np.concatenate(sketches).reshape(-1, SKETCH_BUCKETS)
    for name, whole in values.items():
        if whole.parts:
            members[name] = np.concatenate(whole.parts)
    return pack_npz(members)


def pack_npz(members: dict[str, NDArray[Any]]) -> bytes:
    """What numpy.savez writes, in a tenth of its time, and the same bytes at any time."""
    content: list[bytes] = []
    directory: list[bytes] = []
    at = 0
    for name, array in members.items():
        file_name = f"{name}.npy".encode("ascii")
        stored = _npy_bytes(array)
        size, check = len(stored), zlib.crc32(stored)
        # Version 2.0, as it is (sums with random signs do not shrink), of 1980-01-01.
        entry = struct.pack("<5H3I2H", 20, 0, 0, 0, 0x21, check, size, size, len(file_name), 0)
        attributes = struct.pack("<3H2I", 0, 0, 0, 0, at)
        directory.append(b"PK\1\2" + struct.pack("<H", 20) + entry + attributes + file_name)
        content += [b"PK\3\4", entry, file_name, stored]
        at += 4 + len(entry) + len(file_name) + size
    listed = b"".join(directory)
    n = len(members)
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, n, n, len(listed), at, 0)
    return b"".join([*content, listed, end])


def _npy_bytes(array: NDArray[Any]) -> bytes:
    """Version 1.0 of the format: its header ends at a multiple of 64 bytes."""
    text = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"".join(
        [b"\x93NUMPY\1\0", struct.pack("<H", len(text)), text.encode("ascii"), array.tobytes()]
    )


@dataclass
class _Kept:
    """Values of tensors that are kept whole, one after the other."""

    parts: list[NDArray[Any]]
    n_values: int = 0

    def add(self, values: NDArray[Any]) -> int:
        """Append values; returns where they begin."""
        self.parts.append(values)
        self.n_values += len(values)
        return self.n_values - len(values)


def _pack_tensor(
    kept: InfoTensor, sketches: list[NDArray[np.float32]], values: Mapping[str, _Kept]
) -> dict[str, Any]:
    tensor = kept.tensor
    assert tensor.shape is not None
    row: dict[str, Any] = {
        "io": kept.io,
        "dtype": tensor.dtype,
        "shape": tensor.shape,
        "storage_format": kept.storage_format,
        "state": tensor.state,
        "note": tensor.note,
        "original_op": kept.original_op,
        "original_index": kept.original_index,
        "fortran_order": kept.fortran_order,
        "wide": tensor.is_wide,
    }
    if tensor.content is not None:
        row["hash"] = f"{tensor.content:016x}"
    if tensor.sums is not None:
        names = ("count", "nan", "positive_inf", "negative_inf", "max", "min", "mean")
        row.update(zip(names, tensor.sums))
        row["sum_squares"] = tensor.sum_squares
        for name in (*names[4:], "sum_squares"):
            # JSON has no word for what is not finite: null, and `count` tells which one is meant.
            row[name] = row[name] if row[name] is not None and math.isfinite(row[name]) else None
    if tensor.values is not None:
        whole = values["values64" if tensor.is_wide else "values32"]
        row["values_at"] = whole.add(tensor.values)
    if tensor.buckets is not None:
        row["sketch_at"] = len(sketches)
        row["sketch_exponent"] = exponent = _exponent_of(tensor.buckets)
        scaled = np.ldexp(tensor.buckets, -exponent) if exponent else tensor.buckets
        sketches.append(scaled.astype(np.float32))
    return row


def _exponent_of(buckets: NDArray[np.float64]) -> int:
    """0, or the power of two that brings buckets far from 1 into the range of float32."""
    largest = max(float(buckets.max()), -float(buckets.min()))
    if not math.isfinite(largest):
        largest = float(
            np.abs(buckets, where=np.isfinite(buckets), out=np.zeros_like(buckets)).max()
        )
    if largest == 0 or 2.0**-60 < largest < 2.0**100:
        return 0
    return math.frexp(largest)[1]


def read_info(path: str) -> InfoFile:
    """Read an info file.

    Raises:
        FormatError: It is damaged or no info file; the message names the path.
        OSError: It cannot be read.
    """
    members = load_members(path, _MEMBERS, unpacks=False)
    try:
        _check_members(members)
        return _unpack(members)
    except _DAMAGES as error:
        message = f"{path}: not a readable info file of ait-cmp ({error}); written by another tool?"
        raise FormatError(message) from error


def _check_members(members: Mapping[str, NDArray[Any]]) -> None:
    """Every member has the type and the number of dimensions that the format says."""
    for name, member in members.items():
        dtype, n_dims = _MEMBERS[name]
        if member.dtype != dtype or member.ndim != n_dims:
            message = f"{name} of {dtype} with {n_dims} dimensions expected, found {member.dtype} "
            message += f"of shape {member.shape}"
            raise ValueError(message)


def _unpack(members: Mapping[str, NDArray[Any]]) -> InfoFile:
    header = _parse_json(members["header"])
    if header["format"] != _FORMAT or header["version"] != _VERSION:
        message = f"{_FORMAT} version {_VERSION} expected, found {header['format']!s} version "
        message += f"{header['version']!s}"
        raise ValueError(message)
    return InfoFile(
        op_name=str(header["op_name"]),
        dump_time=int(header["dump_time"]),
        attrs=tuple((str(name), str(value)) for name, value in header["attrs"]),
        source_bytes=int(header["source_bytes"]),
        by_io=group_by_io(_unpack_tensor(row, members) for row in header["tensors"]),
    )


def _parse_json(text: NDArray[np.uint8]) -> Any:
    """JSON of a few levels with numbers of few digits: what is deeper would end in the stack."""
    steps = (text == ord("[")) | (text == ord("{"))
    depth = np.cumsum(steps.astype(np.int8) - ((text == ord("]")) | (text == ord("}"))), dtype=int)
    if text.size and depth.max() > _MOST_LEVELS:
        message = f"JSON of at most {_MOST_LEVELS} levels expected"
        raise ValueError(message)
    header = json.loads(text.tobytes(), parse_int=_bounded_int)
    json.dumps(header, ensure_ascii=False).encode()  # ValueError: half a character somewhere
    return header


def _bounded_int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        message = f"a number of at most {_MOST_DIGITS} digits expected"
        raise ValueError(message)
    return int(digits)


def _unpack_tensor(row: dict[str, Any], members: Mapping[str, NDArray[Any]]) -> InfoTensor:
    original = row["original_op"]
    tensor = ReducedTensor(
        source="sketch",
        dtype=str(row["dtype"]),
        shape=tuple(map(_integer, row["shape"])),
        state=str(row["state"]),
        note=str(row["note"]),
        is_wide=bool(row["wide"]),
        sums=_sums(row) if "count" in row else None,
        sum_squares=_number(row.get("sum_squares"), math.inf),
        content=int(row["hash"], 16) if "hash" in row else None,
        values=_values(row, members) if "values_at" in row else None,
        buckets=_buckets(row, members) if "sketch_at" in row else None,
    )
    _check_counts(tensor)
    return InfoTensor(
        io=io_of(row["io"]),
        tensor=tensor,
        original_op=None if original is None else str(original),
        original_index=_integer(row["original_index"], -1),
        storage_format=_integer(row["storage_format"]),
        fortran_order=bool(row["fortran_order"]),
    )


def _check_counts(tensor: ReducedTensor) -> None:
    """A tensor that has statistics has as many values as its shape says, kept or sketched."""
    assert tensor.shape is not None
    sums = tensor.sums
    if tensor.state not in STATES:
        message = f"state {tensor.state[:20]!r} of a tensor"
        raise ValueError(message)
    if sums is None:
        if tensor.state == "ok":
            message = f"no statistics of a tensor of shape {tensor.shape}"
            raise ValueError(message)
        return
    n_elements = math.prod(tensor.shape)
    if sums.n not in (n_elements, 2 * n_elements):
        message = f"{sums.n} values of a tensor of shape {tensor.shape}"
        raise ValueError(message)
    if tensor.values is None and tensor.buckets is None:
        message = f"neither values nor a sketch of a tensor of shape {tensor.shape}"
        raise ValueError(message)


def _sums(row: dict[str, Any]) -> Sums:
    return Sums(
        _integer(row["count"]),
        _integer(row["nan"]),
        _integer(row["positive_inf"]),
        _integer(row["negative_inf"]),
        _number(row["max"], -math.inf),
        _number(row["min"], math.inf),
        _number(row["mean"], math.nan),
    )


def _integer(stored: Any, least: int = 0) -> int:
    value = int(stored)
    if not least <= value < 2**63:
        message = f"a number from {least} to 2^63 expected, found {value}"
        raise ValueError(message)
    return value


def _number(stored: float | None, missing: float) -> float:
    return missing if stored is None else float(stored)


def _values(row: dict[str, Any], members: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    kept = members["values64" if row["wide"] else "values32"]
    start, count = int(row["values_at"]), int(row["count"])
    values = kept[start : start + count]
    if start < 0 or len(values) != count:
        message = f"{count} values expected at {start}, {len(values)} found"
        raise ValueError(message)
    return values


def _buckets(row: dict[str, Any], members: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    stored = members["sketches"][int(row["sketch_at"])]
    if stored.shape != (SKETCH_BUCKETS,):
        message = f"sketches of {SKETCH_BUCKETS} buckets expected, found {stored.shape}"
        raise ValueError(message)
    buckets: NDArray[np.float64] = np.ldexp(stored.astype(np.float64), int(row["sketch_exponent"]))
    return buckets
