"""What pairing reads of files, through the core: headers of many files, values of a few."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Callable, NamedTuple, Union

import numpy as np

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.info import source
from ait_cmp.tensor_ref import FileRef, TensorRef

Values = np.ndarray[Any, Any]
# Steps whose headers are remembered where graphs are held against each other.
_N_REMEMBERED = 4
GeScans = Union[_core.GeHeaders, Sequence[source.GeScan]]


class Readers(NamedTuple):
    """Readers of the core, and of reduced files.

    Attributes:
        scan_ge: (files, threads) -> what the header of each says.
        scan_npy: (files, threads) -> what the header of each says.
        read_values: (tensor, begin, end) -> its values begin to end in logical order; FormatError
            if it has none in that order, OSError if the file cannot be read.
        are_equal: (tensor, tensor, number of values) -> whether they hold equal values in their
            orders; of large ones eight windows are compared.
        is_fortran: An `.npy` file -> whether its first dimension runs fastest.
        threads: Threads for scanning.
    """

    scan_ge: Callable[[Sequence[FileRef], int], GeScans]
    scan_npy: Callable[[Sequence[FileRef], int], Sequence[source.NpyScan]]
    read_values: Callable[[TensorRef, int, int], Values]
    are_equal: Callable[[TensorRef, TensorRef, int], bool]
    is_fortran: Callable[[FileRef], bool]
    threads: int


def core_readers(threads: int) -> Readers:
    """Readers of dumps, full or reduced, with `threads` threads."""
    reader = _core.ValueReader()

    def read_values(ref: TensorRef, begin: int, end: int) -> Values:
        if ref.kind != "dump":
            return source.read_kept_values(ref, begin, end)
        values: Values = reader.read(ref, begin, end)
        return values

    are_equal = partial(_are_equal, read_values)
    return Readers(
        source.scan_ge, source.scan_npy, read_values, are_equal, source.is_fortran, threads
    )


# Values per window, and windows per tensor, by which large arrays are compared.
_WINDOW = 4096
_N_WINDOWS = 8


def _are_equal(
    read_values: Callable[[TensorRef, int, int], Values],
    first: TensorRef,
    second: TensorRef,
    count: int,
) -> bool:
    """Whether a tensor of `count` values equals another one, of any number of values."""
    last = max(count - _WINDOW, 0)
    begins = sorted({last * window // (_N_WINDOWS - 1) for window in range(_N_WINDOWS)})
    try:
        if first.kind != "dump" or second.kind != "dump":
            return source.have_equal_content(first, second)
        if read_values(second, count, count + 1).size:
            return False
        return all(
            np.array_equal(
                read_values(first, begin, begin + _WINDOW),
                read_values(second, begin, begin + _WINDOW),
                equal_nan=True,
            )
            for begin in begins
        )
    except (FormatError, OSError):
        return False


def remembering(readers: Readers) -> Readers:
    """The readers; of headers of files that were scanned just before they know the answer.

    Where every graph of one side is held against every graph of the other, each is asked often.
    """
    known: dict[tuple[FileRef, ...], GeScans] = {}

    def scan_ge(files: Sequence[FileRef], threads: int) -> GeScans:
        question = tuple(files)
        if question not in known:
            if len(known) == _N_REMEMBERED:
                del known[next(iter(known))]
            known[question] = readers.scan_ge(files, threads)
        return known[question]

    return readers._replace(scan_ge=scan_ge)


def is_stored_transposed(readers: Readers, file: FileRef) -> bool:
    """Whether a file is in Fortran order.

    The FX dump saves an argument as it lies in memory: a transposed view of a weight, which is what
    `aten.t` makes, is in Fortran order, the weight itself is not.
    """
    try:
        return readers.is_fortran(file)
    except (FormatError, OSError):
        return False


def are_equal_rounded(
    readers: Readers, mine: TensorRef, golden: TensorRef, dtype: str, count: int
) -> bool:
    """Whether the first values of a golden tensor, rounded to my dtype, are mine.

    Args:
        readers: What reads them.
        mine: A tensor of float16, bfloat16 or float32.
        golden: One of float32 or float64.
        dtype: My dtype.
        count: Number of values of each.
    """
    end = min(count, _WINDOW)
    try:
        x, y = readers.read_values(mine, 0, end), readers.read_values(golden, 0, end)
    except (FormatError, OSError):
        return False
    return bool(np.array_equal(x.astype(np.float32), rounded(dtype, y).astype(np.float32), True))


def _as_bfloat16(values: Values) -> Values:
    """Values rounded to bfloat16, ties to even, as float32."""
    bits = values.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(values), np.float32(np.nan), rounded.view(np.float32))


class _Wider(NamedTuple):
    """More exact dtypes that a control run may have for one of mine, and how they are rounded."""

    dtypes: tuple[str, ...]
    rounded: Callable[[Values], Values]


_WIDER = {
    "torch.float16": _Wider(("torch.float32", "torch.float64"), lambda x: x.astype(np.float16)),
    "torch.bfloat16": _Wider(("torch.float32", "torch.float64"), _as_bfloat16),
    "torch.float32": _Wider(("torch.float64",), lambda x: x.astype(np.float32)),
}


def is_wider(my: str, fx: str) -> bool:
    """Whether an FX file of this type may hold the values before they were rounded to mine."""
    return my in _WIDER and fx in _WIDER[my].dtypes


def rounded(my: str, values: Values) -> Values:
    """Values of a more exact type as mine would hold them; others as they are."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _WIDER[my].rounded(values) if my in _WIDER else values
