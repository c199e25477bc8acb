"""Any file of a dump, full or reduced -> headers for pairing and reduced tensors to compare."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, TypeVar

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.info.info_file import InfoFile, InfoTensor, group_by_io, read_info
from ait_cmp.info.members import load_members, load_npy
from ait_cmp.info.results import Sums
from ait_cmp.info.stats_csv import read_stats
from ait_cmp.info.tensor import ReducedTensor, sketch_tensor, with_steps
from ait_cmp.tensor_ref import FileRef, TensorRef, check_fields
from ait_cmp.terms import INPUTS_OUTPUTS, STATES, Io, State, Writer

# Info files of so many bytes are kept: neighbouring pairs ask for the same ones.
_KEPT_BYTES = 8 << 20
# The files of two pairs, whatever their size: all pairs of a large file ask for it.
_KEPT_ALWAYS = 4
# Arrays of a file of extrema; of an FX file it is two numbers.
_EXTREMA = frozenset({"inputs", "outputs", "inputs_states", "outputs_states"})
_MOST_EXTREMA_BYTES = 4096
# So many headers are worth a thread.
_FILES_PER_THREAD = 64
# A tensor of this size is worth all threads.
_LARGE_BYTES = 32 << 20


def read_reduced(file: FileRef, writer: Writer) -> InfoFile:
    """Read a reduced file of any kind.

    Raises:
        FormatError: It is damaged.
        OSError: It cannot be read.
    """
    if file.kind == "sketch":
        return read_info(file.path)
    if file.kind == "stats":
        return read_stats(file.path)
    read = _read_ge_extrema if writer == "ge" else _read_fx_extrema
    return _headless(file.path, read(file.path))


def cached_reduced(file: FileRef, writer: Writer) -> InfoFile:
    """`read_reduced`, once for pairs that follow one another."""
    status = Path(file.path).stat()
    key = file, writer, status.st_ino, status.st_mtime_ns, status.st_size
    found = _kept_files.get(key)
    if found is None:
        found = read_reduced(file, writer)
        _kept_files.keep(key, found, status.st_size)
    return found


class _KeptFiles:
    """The files that were read last, as many as fit; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[object, tuple[InfoFile, int]] = {}
        self._n_bytes = 0

    def get(self, key: object) -> InfoFile | None:
        with self._lock:
            found = self._files.pop(key, None)
            if found is None:
                return None
            self._files[key] = found
            return found[0]

    def keep(self, key: object, file: InfoFile, n_bytes: int) -> None:
        with self._lock:
            if key in self._files:
                return
            self._files[key] = file, n_bytes
            self._n_bytes += n_bytes
            while len(self._files) > _KEPT_ALWAYS and self._n_bytes > _KEPT_BYTES:
                _, left = self._files.pop(next(iter(self._files)))
                self._n_bytes -= left


_kept_files = _KeptFiles()


def _headless(path: str, tensors: Sequence[InfoTensor]) -> InfoFile:
    return InfoFile("", 0, (), Path(path).stat().st_size, group_by_io(tensors))


def _read_fx_extrema(path: str) -> list[InfoTensor]:
    pair = load_npy(path, _MOST_EXTREMA_BYTES)
    return [_extrema(path, "", pair, str(pair.dtype))]


def _read_ge_extrema(path: str) -> list[InfoTensor]:
    members = load_members(path, _EXTREMA)
    if not {"inputs", "outputs"} & members.keys():
        message = f"{path}: arrays inputs and outputs expected, found {', '.join(members)}"
        raise FormatError(message)
    return [
        _ge_extrema(path, name, pair, _state_of(path, members.get(f"{name}_states"), index))
        for name in INPUTS_OUTPUTS
        if name in members and members[name].size
        for index, pair in enumerate(members[name])
    ]


def _state_of(path: str, states: NDArray[Any] | None, index: int) -> State:
    """State of a tensor by its number; a file that has no numbers says nothing but extrema."""
    if states is None:
        return "ok"
    try:
        return STATES[int(states[index])]
    except (IndexError, ValueError, TypeError) as error:
        message = f"{path}: the number of a state expected for each tensor ({error})"
        raise FormatError(message) from error


def _ge_extrema(path: str, name: Io, pair: Any, state: State) -> InfoTensor:
    if state == "ok":
        return _extrema(path, name, pair, "")
    note = "no data" if state == "no_data" else "its values have no public coding"
    return InfoTensor(name, ReducedTensor("min_max", "", None, state, note))


def _extrema(path: str, name: Io, pair: Any, dtype: str) -> InfoTensor:
    if np.shape(pair) != (2,) or np.asarray(pair).dtype.kind not in "biuf":
        message = f"{path}: two numbers min and max expected, found shape {np.shape(pair)}"
        raise FormatError(message)
    low, high = map(float, pair)
    sums = Sums(None, None, None, None, high, low, None)
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
        if ref.kind == "dump":
            return self._sketch(ref)
        tensors = cached_reduced(ref.file, writer_of(ref)).of(ref.io)
        stored = _one_of(tensors, ref).tensor
        try:
            return with_steps(stored, ref.view)
        except (ValueError, IndexError):
            note = f"the view {ref.view} does not fit shape {stored.shape}"
            return ReducedTensor("sketch", stored.dtype, stored.shape, "unsupported", note)

    def _sketch(self, ref: TensorRef) -> ReducedTensor:
        if writer_of(ref) == "fx":
            tensor = _core.read_npy(ref.path, self._access)
        else:
            dump = _core.read_ge(ref.path, self._access)
            tensor = _one_of(dump.inputs if ref.io == "inputs" else dump.outputs, ref)
        if tensor.size_bytes < _LARGE_BYTES:
            return sketch_tensor(tensor, ref.view, 1)
        with self._one_large:
            return sketch_tensor(tensor, ref.view, self._threads)


_Item = TypeVar("_Item")


def _one_of(tensors: Sequence[_Item], ref: TensorRef) -> _Item:
    if ref.index >= len(tensors):
        message = f"{ref.path}: {ref.io} {ref.index} expected, the file has {len(tensors)}"
        raise FormatError(message)
    return tensors[ref.index]


def writer_of(ref: TensorRef) -> Writer:
    """Who wrote the file of a tensor: FX files hold one, which is neither input nor output."""
    return "ge" if ref.io else "fx"


class GeScan(NamedTuple):
    """What the header of a GE file says.

    Attributes:
        error: Why it cannot be read, None if it can.
        op_name: Name in the graph.
        inputs: Of each input dtype, shape, state, note, op before fusion, its output index, number
            of the device format.
        outputs: The same of each output.
        attrs: (name, value) of its attributes.
    """

    error: str | None
    op_name: str
    inputs: Sequence[Head]
    outputs: Sequence[Head]
    attrs: Sequence[tuple[str, str]]


class NpyScan(NamedTuple):
    """What the header of an `.npy` file says; after an error nothing but that.

    Attributes:
        error: Why it cannot be read, None if it can.
        dtype: As a report names it.
        shape: Its shape.
        state: State of the tensor.
        note: Sentence on what is wrong or unusual, or "".
    """

    error: str | None
    dtype: str
    shape: tuple[int, ...]
    state: str
    note: str


Head = tuple[str, tuple[int, ...], str, str, Optional[str], int, int]
check_fields(GeScan, "ge_scan")
check_fields(NpyScan, "npy_scan")


def scan_ge(files: Sequence[FileRef], threads: int) -> Sequence[GeScan] | _core.GeHeaders:
    """`_core.scan_ge` for files of any kind: full dumps, info files, minima and maxima, statistics.

    Of full dumps alone they are as the core has them: `GeScan._make` names their fields. Tensors
    whose file does not tell their shape have UNKNOWN_SHAPE.
    """
    full = [file.path for file in files if file.kind == "dump"]
    headers = _core.scan_ge(full, min(threads, len(full) // _FILES_PER_THREAD + 1))
    if len(full) == len(files):
        return headers
    scans = iter(headers)
    return [
        GeScan._make(next(scans)) if file.kind == "dump" else _scan_reduced(file) for file in files
    ]


def _scan_reduced(file: FileRef) -> GeScan:
    try:
        info = cached_reduced(file, "ge")
        inputs, outputs = ([_head(kept) for kept in info.of(io)] for io in INPUTS_OUTPUTS)
    except (FormatError, OSError) as error:
        return GeScan(_reason(error, file), "", [], [], [])
    return GeScan(None, info.op_name, inputs, outputs, list(info.attrs))


def _head(kept: InfoTensor) -> Head:
    tensor = kept.tensor
    return (
        tensor.dtype,
        tensor.known_shape,
        tensor.state,
        tensor.note,
        kept.original_op,
        kept.original_index,
        kept.storage_format,
    )


def scan_npy(files: Sequence[FileRef], threads: int) -> list[NpyScan]:
    """`_core.scan_npy` for files of any kind."""
    full = [file.path for file in files if file.kind == "dump"]
    scans = iter(_core.scan_npy(full, min(threads, len(full) // _FILES_PER_THREAD + 1)))
    return [
        NpyScan._make(next(scans)) if file.kind == "dump" else _scan_reduced_npy(file)
        for file in files
    ]


def _scan_reduced_npy(file: FileRef) -> NpyScan:
    try:
        info = read_reduced(file, "fx")
    except (FormatError, OSError) as error:
        return NpyScan(_reason(error, file), "", (), "", "")
    if len(info.tensors) != 1:
        found = f"{file.path}: one tensor expected, found {len(info.tensors)}"
        return NpyScan(found, "", (), "", "")
    tensor = info.tensors[0].tensor
    return NpyScan(None, tensor.dtype, tensor.known_shape, tensor.state, tensor.note)


def _reason(error: FormatError | OSError, file: FileRef) -> str:
    return str(error) if isinstance(error, FormatError) else f"{file.path}: {error.strerror}"


# Dtypes whose kept values, stored as float32 or float64, are given back as what they were.
_NUMPY_NAMES = frozenset(
    {"bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"}
    | {"float16", "float32", "float64"}
)


def read_kept_values(ref: TensorRef, begin: int, end: int) -> NDArray[Any]:
    """Values `begin` to `end` of a tensor that its info file keeps whole, like `_core.read_values`.

    Raises:
        FormatError: The file is damaged or does not keep them.
        OSError: It cannot be read.
    """
    tensor = Sources(1).tensor(ref)
    if tensor.values is None:
        message = f"{ref.path}: an info file does not keep the values of a tensor of this size"
        raise FormatError(message)
    name = tensor.dtype.replace("torch.", "", 1)
    kept = tensor.values[begin:end]
    with np.errstate(invalid="ignore"):  # no integer is NaN, but in a damaged file
        return kept.astype(name) if name in _NUMPY_NAMES else kept


def have_equal_content(first: TensorRef, second: TensorRef) -> bool:
    """Whether the hashes of two tensors, or the values that are kept, are equal.

    Raises:
        FormatError: A file is damaged.
        OSError: A file cannot be read.
    """
    sources = Sources(1)
    x, y = (sources.tensor(ref) for ref in (first, second))
    if x.values is not None and y.values is not None:
        return bool(np.array_equal(x.values, y.values, equal_nan=True))
    return x.keeps_order and y.keeps_order and x.content is not None and x.content == y.content


def is_fortran(file: FileRef) -> bool:
    """Whether the first dimension of an `.npy` file, full or reduced, runs fastest."""
    if file.kind == "dump":
        return bool(_core.read_npy(file.path).fortran_order)
    return any(tensor.fortran_order for tensor in cached_reduced(file, "fx").tensors)
