"""Statistics that GE writes instead of tensors (`dump_data="stats"`): one CSV file per task.

Source: hicann/runtime, dump_task.cpp (13 fixed columns) and adx_dump_record.cpp (columns chosen by
the configuration); column names of the MindStudio writer are accepted as well.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

from ait_cmp.errors import FormatError
from ait_cmp.info.bounded import read_bytes
from ait_cmp.info.info_file import InfoFile, InfoTensor
from ait_cmp.info.results import DTYPES, Sums
from ait_cmp.info.tensor import ReducedTensor
from ait_cmp.terms import Io

# A line for each of a task's tensors; more is no file of GE.
_MOST_BYTES = 64 << 20
_MOST_LINES = 1 << 20
_MISSING = frozenset({"", "-", "NA", "UNKNOW"})
_IO: dict[str, Io] = {"input": "inputs", "output": "outputs"}
_SYNONYMS = {
    "max": "max value",
    "min": "min value",
    "mean value": "avg value",
    "l2norm value": "l2norm",
    "l2 norm": "l2norm",
    "nan": "nan count",
}
# Name in the dump's dtype enum -> name in a report.
_DTYPES = {dtype.name: dtype.report for dtype in DTYPES}


def read_stats(path: str) -> InfoFile:
    """Read a statistics file; of several lines of one tensor the last counts.

    Raises:
        FormatError: It is none.
        OSError: It cannot be read.
    """
    lines = _Text(read_bytes(path, _MOST_BYTES))
    if len(lines) > _MOST_LINES:
        message = f"{path}: statistics of at most {_MOST_LINES} lines expected, found {len(lines)}"
        raise FormatError(message)
    try:
        head = _cells(lines[0]) if lines else []
    except ValueError as error:
        message = f"{path}: {error}"
        raise FormatError(message) from error
    names = [_column(name) for name in head]
    if not {"input/output", "index"} <= set(names):
        found = ",".join(head) if lines else "an empty file"
        message = f"{path}: the header line Input/Output,Index,... expected, found {found[:80]}"
        raise FormatError(message)
    table = _Table(path, names, lines)
    last: dict[Io, dict[int, int]] = {"inputs": {}, "outputs": {}}
    for number in range(1, len(lines)):
        if lines[number]:
            io_name, index = table.address(number)
            last[io_name][index] = number
    tensors = {io: _Lines(table, [of_io[i] for i in sorted(of_io)]) for io, of_io in last.items()}
    return InfoFile("", 0, (), lines.n_bytes, tensors)


class _Text:
    """The lines of a text: one piece, and where they begin. A list of them takes twice as much."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._begins = array("I", [0])
        for line in content.splitlines(keepends=True):
            self._begins.append(self._begins[-1] + len(line))

    @property
    def n_bytes(self) -> int:
        return len(self._content)

    def __len__(self) -> int:
        return len(self._begins) - 1

    def __getitem__(self, number: int) -> bytes:
        """A line without its end."""
        return self._content[self._begins[number] : self._begins[number + 1]].rstrip(b"\r\n")


def _cells(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8", "backslashreplace")]), [])
    except csv.Error as error:
        message = f"comma separated values expected: {error}"
        raise ValueError(message) from error


@dataclass(frozen=True)
class _Table:
    """The lines of a file as they are: each is read when somebody asks for its tensor."""

    path: str
    names: Sequence[str]
    lines: _Text

    def address(self, number: int) -> tuple[Io, int]:
        """Whose statistics a line has."""
        try:
            return _address(self._fields(number))
        except (KeyError, ValueError) as error:
            raise self._error(number, error) from error

    def tensor(self, number: int) -> InfoTensor:
        """The tensor of a line."""
        try:
            fields = self._fields(number)
            return InfoTensor(_address(fields)[0], _tensor(fields))
        except (KeyError, ValueError) as error:
            raise self._error(number, error) from error

    def _fields(self, number: int) -> dict[str, str]:
        return dict(zip(self.names, (cell.strip() for cell in _cells(self.lines[number]))))

    def _error(self, number: int, error: Exception) -> FormatError:
        line = self.lines[number].decode("utf-8", "backslashreplace")
        message = f"{self.path}: line {number + 1}: numbers of one tensor expected, found "
        return FormatError(f"{message}{line[:80]} ({error})")


class _Lines(Sequence[InfoTensor]):
    """The tensors of some lines of a table."""

    def __init__(self, table: _Table, numbers: Sequence[int]) -> None:
        self._table = table
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> InfoTensor: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[InfoTensor]: ...

    def __getitem__(self, at: int | slice) -> InfoTensor | Sequence[InfoTensor]:
        if isinstance(at, slice):
            return _Lines(self._table, self._numbers[at])
        return self._table.tensor(self._numbers[at])


def _address(fields: Mapping[str, str]) -> tuple[Io, int]:
    return _IO[fields["input/output"].lower()], int(fields["index"])


def _column(name: str) -> str:
    lowered = name.strip().lstrip("\ufeff").lower()
    return _SYNONYMS.get(lowered, lowered)


def _tensor(fields: dict[str, str]) -> ReducedTensor:
    shape = _shape(fields.get("shape", "NA"))
    sums = Sums(
        _integer(fields, "count"),
        _integer(fields, "nan count"),
        _integer(fields, "positive inf count"),
        _integer(fields, "negative inf count"),
        _number(fields, "max value"),
        _number(fields, "min value"),
        _number(fields, "avg value"),
    )
    norm = _number(fields, "l2norm")
    has_any = any(value is not None for value in (sums.max, sums.min, sums.mean))
    return ReducedTensor(
        "stats",
        _dtype(fields.get("data type", "")),
        shape,
        state="ok" if has_any else "no_data",
        note="" if has_any else "GE wrote no statistics of it (dtype not supported, or no address)",
        sums=sums if has_any else None,
        sum_squares=None if norm is None else norm * norm,
    )


def _dtype(text: str) -> str:
    if text in _MISSING:
        return ""
    name = text.upper().removeprefix("DT_")
    return _DTYPES.get(f"DT_{name}", name.lower())


@lru_cache(maxsize=1024)
def _shape(text: str) -> tuple[int, ...] | None:
    """The tensors of a task have few shapes: each is one tuple."""
    if text in ("-", ""):
        return ()
    if text in _MISSING:
        return None
    return tuple(_count(dim) for dim in text.split("x"))


def _integer(fields: dict[str, str], name: str) -> int | None:
    text = fields.get(name, "")
    return None if text in _MISSING else _count(text)


def _count(text: str) -> int:
    """A number that the core can hold."""
    value = int(text)
    if not 0 <= value < 2**63:
        message = f"a count below 2^63 expected, found {text[:40]}"
        raise ValueError(message)
    return value


def _number(fields: dict[str, str], name: str) -> float | None:
    text = fields.get(name, "")
    return None if text in _MISSING else float(text)
