"""Values of small and sampled `.npy` files, where headers alone do not tell FX files apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ait_cmp.pairing.pair import ViewStep

# Elements up to which two arrays are compared as a whole; of larger ones a regular sample.
MAX_COMPARED = 1 << 16


def load_literal(path: str, dtype: str, size: int) -> np.ndarray[Any, Any] | None:
    """The values of a literal argument as a flat array; None if the file does not hold them.

    Args:
        path: An `.npy` file that the core has found whole and little endian.
        dtype: Its type, `torch.int64`.
        size: Its number of elements, few.
    """
    kind = _LITERAL_TYPES.get(dtype)
    if kind is None:
        return None
    header = _read_header(path, size * kind.itemsize)
    if header is None:
        return None
    stored, start = header
    values = stored[start : start + size * kind.itemsize]
    return np.frombuffer(values, kind) if len(values) == size * kind.itemsize else None


_LITERAL_TYPES = {
    "torch.bool": np.dtype("?"),
    "torch.int32": np.dtype("<i4"),
    "torch.int64": np.dtype("<i8"),
    "torch.float32": np.dtype("<f4"),
    "torch.float64": np.dtype("<f8"),
}

# Headers that NumPy writes for a few dimensions take 128 bytes, 192 at most.
_HEADER_BYTES = 4096


def _read_header(path: str, more: int) -> tuple[bytes, int] | None:
    """The first bytes of an `.npy` file, `more` beyond the header, and where its data begin."""
    try:
        with Path(path).open("rb", buffering=0) as file:
            stored = file.read(_HEADER_BYTES + more)
    except OSError:
        return None
    if len(stored) < 12 or not stored.startswith(b"\x93NUMPY"):
        return None
    if stored[6] == 1:
        return stored, 10 + int.from_bytes(stored[8:10], "little")
    return stored, 12 + int.from_bytes(stored[8:12], "little")


def load_values(path: str) -> np.ndarray[Any, Any] | None:
    """The array of a numeric `.npy` file, mapped; None if it cannot be read."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    return array if isinstance(array, np.ndarray) and array.dtype.kind in "biufc" else None


def apply_view(array: np.ndarray[Any, Any], view: Sequence[ViewStep]) -> np.ndarray[Any, Any]:
    """The array after the steps; ValueError if a step does not fit it."""
    for kind, numbers in view:
        if kind == "reshape":
            array = array.reshape(numbers)
        elif kind == "transpose":
            array = array.transpose(numbers)
        else:
            array = array[numbers[0]]
    return array


def are_equal(first: str, second: str, view: Sequence[ViewStep] = ()) -> bool:
    """Whether two FX files hold equal values, `view` applied to the second; sampled if large."""
    x, y = load_values(first), load_values(second)
    if x is None or y is None or x.dtype != y.dtype or x.size != y.size:
        return False
    try:
        y = apply_view(y, view)
    except (ValueError, IndexError):
        return False
    if x.shape != y.shape:
        return False
    return bool(np.array_equal(_sample(x), _sample(y), equal_nan=x.dtype.kind in "fc"))


def is_stored_transposed(path: str) -> bool:
    """Whether a file of two or more dimensions is in Fortran order.

    The FX dump saves an argument as it lies in memory: a transposed view of a weight, which is what
    `aten.t` makes, is in Fortran order, the weight itself is not.
    """
    header = _read_header(path, 0)
    return header is not None and b"'fortran_order': True" in header[0][: header[1]]


def _sample(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """At most about MAX_COMPARED elements at regular places, the same for equal shapes."""
    if array.size <= MAX_COMPARED:
        return array
    left = array.size // MAX_COMPARED + 1
    steps = []
    for size in array.shape:
        step = min(left, size)
        steps.append(slice(None, None, step))
        left = -(-left // step)
    return array[tuple(steps)]
