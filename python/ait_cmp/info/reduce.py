"""A dump file -> its info file or minima and maxima, in one pass over its values."""

from __future__ import annotations

import io
import math
import tokenize
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.info.info_file import InfoFile, InfoTensor, group_by_io, pack_info, pack_npz
from ait_cmp.info.tensor import ReducedTensor, sketch_tensor
from ait_cmp.terms import INPUTS_OUTPUTS, STATES, Io, Writer

# What NumPy raises for an array that is damaged. Its header is read as Python text.
_NPY_ERRORS = (ValueError, EOFError, SyntaxError, tokenize.TokenError, MemoryError)
# Values beyond this are rounded as float64: their extrema are taken by NumPy.
_EXACT_INTEGER = 2.0**53


class OpenDump(NamedTuple):
    """A dump file whose header is read.

    Attributes:
        path: The file.
        dump: `_core.GeDump` or `_core.Tensor`.
        writer: Who wrote it: which of the two.
        file_bytes: Size of the file.
    """

    path: str
    dump: Any
    writer: Writer
    file_bytes: int

    def tensors(self) -> list[tuple[Io, Any]]:
        """(io, tensor) of inputs, then outputs."""
        if self.writer == "fx":
            return [("", self.dump)]
        return [(io, tensor) for io in INPUTS_OUTPUTS for tensor in getattr(self.dump, io)]

    @property
    def is_literal(self) -> bool:
        """Whether it is an `.npy` file of text or objects: an argument that is no tensor."""
        return self.writer == "fx" and self.dump.state == "unsupported"

    def problem(self) -> str:
        """Why the file cannot be reduced without loss; "" if it can."""
        for number, (name, tensor) in enumerate(self.tensors()):
            if tensor.state in ("truncated", "short"):
                shown = f"{name} {number}: " if name else ""
                return f"{self.path}: {shown}{tensor.note}"
        return ""

    def is_certainly_whole(self) -> bool:
        """Whether its size proves that its writer is done.

        It does not where tensors were left out, where bytes follow the last tensor, and in the old
        form without a header length.
        """
        tensors = [tensor for _, tensor in self.tensors()]
        if self.writer == "ge" and self.dump.header_bytes == 0:
            return False
        if any(tensor.state == "no_data" and tensor.size_bytes > 0 for tensor in tensors):
            return False
        ends = [tensor.offset_bytes + tensor.size_bytes for tensor in tensors if tensor.size_bytes]
        return bool(ends) and max(ends) == self.file_bytes


def open_dump_file(path: str, writer: Writer, *, file_bytes: int, access: str = "auto") -> OpenDump:
    """Read the header of a dump file.

    Raises:
        FormatError: It is none.
        OSError: It cannot be read.
    """
    dump = _core.read_ge(path, access) if writer == "ge" else _core.read_npy(path, access)
    return OpenDump(path, dump, writer, file_bytes)


def reduce_dump(dump: OpenDump, threads: int) -> InfoFile:
    """Sketch every tensor of a dump file.

    Raises:
        FormatError: The file changed meanwhile.
        OSError: It cannot be read.
    """
    kept = []
    for name, tensor in dump.tensors():
        original = tensor.original_op
        kept.append(
            InfoTensor(
                io=name,
                tensor=sketch_tensor(tensor, (), threads),
                original_op=None if original is None else original[0],
                original_index=-1 if original is None else original[1],
                storage_format=tensor.format_number,
                fortran_order=tensor.fortran_order,
            )
        )
    return InfoFile(
        op_name=dump.dump.op_name if dump.writer == "ge" else "",
        dump_time=dump.dump.dump_time if dump.writer == "ge" else 0,
        attrs=tuple(dump.dump.attrs) if dump.writer == "ge" else (),
        source_bytes=dump.file_bytes,
        by_io=group_by_io(kept),
    )


def unreadable_tensor(info: InfoFile) -> str:
    """Why a tensor's values could not be read although they are there; "" if all could."""
    for kept in info.tensors:
        tensor = kept.tensor
        if tensor.sums is None and tensor.content is None and tensor.state != "no_data":
            return f"{kept.io or 'tensor'}: {tensor.note}"
    return ""


def sketch_bytes(info: InfoFile) -> bytes:
    """Bytes of `*_info.npz`."""
    return pack_info(info)


def min_max_bytes(dump: OpenDump, info: InfoFile) -> bytes:
    """Bytes of `*_min_max.npz` (GE) or `*_min_max.npy` (FX), as a script of the user would write.

    GE: arrays `inputs` and `outputs` of shape (n, 2). FX: one array [min, max] of the data's dtype.
    NaN where there is a NaN or no value. Of GE, where a tensor has no values, also `inputs_states`
    and `outputs_states`: numbers of their states (0 ok, 1 no_data, 4 unsupported).

    Raises:
        FormatError: The file changed meanwhile.
        OSError: It cannot be read.
    """
    if dump.writer == "ge":
        members: dict[str, NDArray[Any]] = {io: _rows(info, io) for io in INPUTS_OUTPUTS}
        if any(tensor.tensor.state != "ok" for tensor in info.tensors):
            members |= {f"{io}_states": _states(info, io) for io in INPUTS_OUTPUTS}
        return pack_npz(members)
    packed = io.BytesIO()
    try:
        extrema = _npy_extrema(dump, info.tensors[0].tensor)
    except _NPY_ERRORS as error:  # of NumPy, which reads the file once more
        message = f"{dump.path}: changed while it was read"
        raise FormatError(message) from error
    np.save(packed, extrema, allow_pickle=False)
    return packed.getvalue()


def _rows(info: InfoFile, name: Io) -> NDArray[np.float64]:
    rows = [extrema_of(kept.tensor) for kept in info.of(name)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 2)


def _states(info: InfoFile, name: Io) -> NDArray[np.uint8]:
    """States by their numbers: a tensor without data is no tensor of NaN."""
    return np.array([STATES.index(tensor.tensor.state) for tensor in info.of(name)], np.uint8)


def extrema_of(tensor: ReducedTensor) -> tuple[float, float]:
    """(min, max) as NumPy has them: infinities count, one NaN makes both NaN."""
    if tensor.sums is None:
        return math.nan, math.nan
    sums = tensor.sums
    if sums.n_nan or sums.n == 0 or sums.max is None or sums.min is None:
        return math.nan, math.nan
    low = -math.inf if sums.n_negative_inf else sums.min
    return low, math.inf if sums.n_positive_inf else sums.max


def _npy_extrema(dump: OpenDump, tensor: ReducedTensor) -> NDArray[Any]:
    low, high = extrema_of(tensor)
    dtype = np.load(dump.path, mmap_mode="r", allow_pickle=False).dtype
    if dtype.kind in "iu" and not max(abs(low), abs(high)) <= _EXACT_INTEGER and low == low:
        values = np.load(dump.path, allow_pickle=False)
        return np.array([values.min(), values.max()], dtype=dtype)
    if dtype.kind != "f" and low != low:
        return np.array([low, high])
    return np.array([low, high]).astype(dtype)
