"""Any file of a dump, full or reduced -> headers for pairing and reduced tensors to compare."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ait_cmp import _core
from ait_cmp.discover.file_names import parse_ge_name
from ait_cmp.errors import FormatError
from ait_cmp.info.info_file import InfoFile, InfoTensor, load_members, read_info
from ait_cmp.info.stats_csv import read_stats
from ait_cmp.info.tensor import ReducedTensor, sketch_tensor, with_steps

# Shape of a tensor whose file does not say it; -1 is no size that a tensor can have.
UNKNOWN_SHAPE = (-1,)
# Info files kept open by one comparison: neighbouring pairs ask for the same ones.
_KEPT_FILES = 64
# A tensor of this size is worth all threads.
_LARGE_BYTES = 32 << 20


class TensorAddress(NamedTuple):
    """Where a tensor is: the fields of `pairing.pair.TensorRef`."""

    path: str
    io: str
    index: int
    view: tuple[tuple[str, tuple[int, ...]], ...] = ()


def reduced_kind(path: str) -> str:
    """ "sketch", "min_max" or "stats" by the file's name, "" for a full dump."""
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


def _headless(path: str, tensors: Sequence[InfoTensor]) -> InfoFile:
    return InfoFile("", 0, (), Path(path).stat().st_size, tuple(tensors))


def _read_min_max(path: str) -> list[InfoTensor]:
    if path.endswith(".npy"):
        try:
            pair = np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
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
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, InfoFile] = OrderedDict()
        self._one_large = threading.Lock()

    def tensor(self, ref: TensorAddress) -> ReducedTensor:
        """The tensor at an address; of a full dump it is reduced now.

        Raises:
            FormatError: The file is damaged, or has no such tensor.
            OSError: It cannot be read.
        """
        path, name, index, steps = ref
        if not reduced_kind(path):
            return self._sketch(path, name, index, steps)
        tensors = self._file(path).of(name)
        if index >= len(tensors):
            message = f"{path}: {name} {index} expected, the file has {len(tensors)}"
            raise FormatError(message)
        try:
            return with_steps(tensors[index].tensor, steps)
        except (ValueError, IndexError) as error:
            message = f"{path}: view {steps} does not fit shape {tensors[index].tensor.shape}"
            raise FormatError(message) from error

    def _file(self, path: str) -> InfoFile:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        info = read_reduced(path)
        with self._lock:
            self._kept[path] = info
            if len(self._kept) > _KEPT_FILES:
                self._kept.popitem(last=False)
        return info

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
NpyScan = tuple[Any, ...]


def scan_ge(paths: Sequence[str], threads: int) -> list[GeScan]:
    """`_core.scan_ge` for files of any kind: full dumps, info files, minima and maxima, statistics.

    Tensors whose file does not tell their shape have UNKNOWN_SHAPE.
    """
    full = [path for path in paths if not reduced_kind(path)]
    scans = dict(zip(full, _core.scan_ge(full, threads)))
    return [scans[path] if path in scans else _scan_reduced(path) for path in paths]


def _scan_reduced(path: str) -> GeScan:
    try:
        info = read_reduced(path)
    except (FormatError, OSError) as error:
        reason = str(error) if isinstance(error, FormatError) else f"{path}: {error.strerror}"
        return (reason, "", 0, [], [], [])
    name, time = info.op_name, info.dump_time
    if not time:
        parsed = parse_ge_name("", Path(path).name, {})
        time = parsed[1].timestamp if parsed else 0
    inputs, outputs = ([_head(place) for place in info.of(io)] for io in ("inputs", "outputs"))
    return (None, name, time, inputs, outputs, list(info.attrs))


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
