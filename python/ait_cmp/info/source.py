"""Any file of a dump, full or reduced -> headers for pairing and reduced tensors to compare."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.info.info_file import NPY_ERRORS, InfoFile, InfoTensor, load_members, read_info
from ait_cmp.info.stats_csv import read_stats
from ait_cmp.info.tensor import ReducedTensor, sketch_tensor, with_steps
from ait_cmp.tensor_ref import TensorRef

# Shape of a tensor whose file does not say it; -1 is no size that a tensor can have.
UNKNOWN_SHAPE = (-1,)
# Info files kept open by one comparison: neighbouring pairs ask for the same ones.
_KEPT_FILES = 256
# A tensor of this size is worth all threads.
_LARGE_BYTES = 32 << 20


def reduced_kind(path: str) -> str:
    """ "sketch", "min_max" or "stats" by the file's name, "" for a full dump."""
    if not path.endswith((".npz", ".npy", ".csv")):
        return ""
    if path.endswith("_info.npz"):
        return "sketch"
    if path.endswith(("_min_max.npz", "_min_max.npy")):
        return "min_max"
    return "stats" if path.endswith(".csv") else ""


def read_reduced(path: str) -> InfoFile:
    """Read a reduced file of any kind.

    Raises:
        FormatError: It is damaged.
        OSError: It cannot be read.
    """
    kind = reduced_kind(path)
    if kind == "sketch":
        return read_info(path)
    if kind == "stats":
        return _headless(path, read_stats(path))
    return _headless(path, _read_min_max(path))


def cached_reduced(path: str) -> InfoFile:
    """`read_reduced`, once for pairs that follow one another."""
    status = Path(path).stat()
    return _read_identity(path, status.st_ino, status.st_mtime_ns)


@lru_cache(maxsize=_KEPT_FILES)
def _read_identity(path: str, inode: int, changed_ns: int) -> InfoFile:
    del inode, changed_ns  # they tell files of one name apart
    return read_reduced(path)


def _headless(path: str, tensors: Sequence[InfoTensor]) -> InfoFile:
    return InfoFile("", 0, (), Path(path).stat().st_size, tuple(tensors))


def _read_min_max(path: str) -> list[InfoTensor]:
    if path.endswith(".npy"):
        try:
            pair = np.load(path, allow_pickle=False)
        except NPY_ERRORS as error:
            message = f"{path}: an array [min, max] expected: {error} (cut short?)"
            raise FormatError(message) from error
        return [_extrema(path, "", pair, str(pair.dtype))]
    members = load_members(path)
    if not {"inputs", "outputs"} & members.keys():
        message = f"{path}: arrays inputs and outputs expected, found {', '.join(members)}"
        raise FormatError(message)
    return [
        _extrema(path, name, pair, "")
        for name in ("inputs", "outputs")
        if name in members and members[name].size
        for pair in members[name]
    ]


def _extrema(path: str, name: str, pair: Any, dtype: str) -> InfoTensor:
    if np.shape(pair) != (2,) or np.asarray(pair).dtype.kind not in "biuf":
        message = f"{path}: two numbers min and max expected, found shape {np.shape(pair)}"
        raise FormatError(message)
    low, high = float(pair[0]), float(pair[1])
    sums = (None, None, None, None, high, low, None)
    shown = f"torch.{dtype}" if dtype else ""
    return InfoTensor(name, ReducedTensor("min_max", shown, None, sums=sums))


class Sources:
    """The files of one comparison; safe to use from several threads."""

    def __init__(self, threads: int, access: str = "auto") -> None:
        self._threads = threads
        self._access = access
        self._one_large = threading.Lock()

    def tensor(self, ref: TensorRef) -> ReducedTensor:
        """The tensor at an address; of a full dump it is reduced now.

        Raises:
            FormatError: The file is damaged, or has no such tensor.
            OSError: It cannot be read.
        """
        path, name, index, steps = ref
        if not reduced_kind(path):
            return self._sketch(path, name, index, steps)
        tensors = cached_reduced(path).of(name)
        if index >= len(tensors):
            message = f"{path}: {name} {index} expected, the file has {len(tensors)}"
            raise FormatError(message)
        stored = tensors[index].tensor
        try:
            return with_steps(stored, steps)
        except (ValueError, IndexError):
            note = f"the view {steps} does not fit shape {stored.shape}"
            return ReducedTensor("sketch", stored.dtype, stored.shape, "unsupported", note)

    def _sketch(
        self, path: str, name: str, index: int, steps: Sequence[tuple[str, tuple[int, ...]]]
    ) -> ReducedTensor:
        if not name:
            tensor = _core.read_npy(path, self._access)
        else:
            dump = _core.read_ge(path, self._access)
            tensors = dump.inputs if name == "inputs" else dump.outputs
            if index >= len(tensors):
                message = f"{path}: {name} {index} expected, the file has {len(tensors)}"
                raise FormatError(message)
            tensor = tensors[index]
        if tensor.size_bytes < _LARGE_BYTES:
            return sketch_tensor(tensor, steps, 1)
        with self._one_large:
            return sketch_tensor(tensor, steps, self._threads)


GeScan = tuple[Any, ...]
GeScans = Union[_core.GeHeaders, list[GeScan]]
NpyScan = tuple[Any, ...]


def scan_ge(paths: Sequence[str], threads: int) -> GeScans:
    """`_core.scan_ge` for files of any kind: full dumps, info files, minima and maxima, statistics.

    Tensors whose file does not tell their shape have UNKNOWN_SHAPE.
    """
    full = [path for path in paths if not reduced_kind(path)]
    headers = _core.scan_ge(full, threads)
    if len(full) == len(paths):
        return headers
    scans = dict(zip(full, headers))
    return [scans[path] if path in scans else _scan_reduced(path) for path in paths]


def _scan_reduced(path: str) -> GeScan:
    try:
        info = cached_reduced(path)
    except (FormatError, OSError) as error:
        reason = str(error) if isinstance(error, FormatError) else f"{path}: {error.strerror}"
        return (reason, "", [], [], [])
    inputs, outputs = ([_head(place) for place in info.of(io)] for io in ("inputs", "outputs"))
    return (None, info.op_name, inputs, outputs, list(info.attrs))


def _head(place: InfoTensor) -> tuple[Any, ...]:
    tensor = place.tensor
    return (
        tensor.dtype,
        UNKNOWN_SHAPE if tensor.shape is None else tensor.shape,
        tensor.state,
        tensor.note,
        place.original_op,
        place.original_index,
        place.storage_format,
    )


def scan_npy(paths: Sequence[str], threads: int) -> list[NpyScan]:
    """`_core.scan_npy` for files of any kind."""
    full = [path for path in paths if not reduced_kind(path)]
    scans = dict(zip(full, _core.scan_npy(full, threads)))
    return [scans[path] if path in scans else _scan_reduced_npy(path) for path in paths]


def _scan_reduced_npy(path: str) -> NpyScan:
    try:
        info = read_reduced(path)
    except (FormatError, OSError) as error:
        reason = str(error) if isinstance(error, FormatError) else f"{path}: {error.strerror}"
        return (reason, "", (), "", "")
    if len(info.tensors) != 1:
        return (f"{path}: one tensor expected, found {len(info.tensors)}", "", (), "", "")
    head = _head(info.tensors[0])
    return (None, *head[:4])


# Dtypes whose kept values, stored as float32 or float64, are given back as what they were.
_NUMPY_NAMES = frozenset(
    {"bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"}
    | {"float16", "float32", "float64"}
)


def read_kept_values(ref: Sequence[Any], begin: int, end: int) -> NDArray[Any]:
    """Values `begin` to `end` of a tensor that its info file keeps whole, like `_core.read_values`.

    Raises:
        FormatError: The file is damaged or does not keep them.
        OSError: It cannot be read.
    """
    address = TensorRef(*ref)
    tensor = Sources(1).tensor(address)
    if tensor.values is None:
        message = f"{address.path}: an info file does not keep the values of a tensor of this size"
        raise FormatError(message)
    name = tensor.dtype.replace("torch.", "", 1)
    kept = tensor.values[begin:end]
    with np.errstate(invalid="ignore"):  # no integer is NaN, but in a damaged file
        return kept.astype(name) if name in _NUMPY_NAMES else kept


def have_equal_content(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether the hashes of two tensors, or the values that are kept, are equal.

    Raises:
        FormatError: A file is damaged.
        OSError: A file cannot be read.
    """
    sources = Sources(1)
    x, y = (sources.tensor(TensorRef(*ref)) for ref in (first, second))
    if x.values is not None and y.values is not None:
        return bool(np.array_equal(x.values, y.values, equal_nan=True))
    return x.keeps_order and y.keeps_order and x.content is not None and x.content == y.content


def is_fortran(path: str) -> bool:
    """Whether the first dimension of an `.npy` file, full or reduced, runs fastest."""
    if not reduced_kind(path):
        return bool(_core.read_npy(path).fortran_order)
    return any(place.fortran_order for place in cached_reduced(path).tensors)
