"""Statistics that GE writes instead of tensors (`dump_data="stats"`): one CSV file per task.

Source: hicann/runtime, dump_task.cpp (13 fixed columns) and adx_dump_record.cpp (columns chosen by
the configuration); column names of the MindStudio writer are accepted as well.
"""

from __future__ import annotations

import csv
from pathlib import Path

from ait_cmp.errors import FormatError
from ait_cmp.info.info_file import InfoTensor
from ait_cmp.info.results import DTYPES, Sums
from ait_cmp.info.tensor import ReducedTensor
from ait_cmp.terms import Io

# A line for each of a task's tensors; more is no file of GE.
_MAX_BYTES = 64 << 20
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


def read_stats(path: str) -> list[InfoTensor]:
    """Read a statistics file.

    Raises:
        FormatError: It is none.
        OSError: It cannot be read.
    """
    if Path(path).stat().st_size > _MAX_BYTES:
        message = f"{path}: statistics of at most {_MAX_BYTES} bytes expected"
        raise FormatError(message)
    with Path(path).open(encoding="utf-8", errors="backslashreplace", newline="") as file:
        try:
            lines = [line for line in csv.reader(file) if line]
        except csv.Error as error:
            message = f"{path}: lines of comma separated values expected ({error})"
            raise FormatError(message) from error
    names = [_column(name) for name in lines[0]] if lines else []
    if not {"input/output", "index"} <= set(names):
        found = ",".join(lines[0]) if lines else "an empty file"
        message = f"{path}: the header line Input/Output,Index,... expected, found {found[:80]}"
        raise FormatError(message)
    rows: dict[tuple[Io, int], InfoTensor] = {}
    for number, line in enumerate(lines[1:], start=2):
        fields = dict(zip(names, (cell.strip() for cell in line)))
        try:
            io_name = _IO[fields["input/output"].lower()]
            address = io_name, int(fields["index"])
            rows[address] = InfoTensor(io_name, _tensor(fields))
        except (KeyError, ValueError) as error:
            message = f"{path}: line {number}: numbers of one tensor expected, found "
            message += f"{','.join(line)[:80]} ({error})"
            raise FormatError(message) from error
    return [rows[address] for address in sorted(rows)]


def _column(name: str) -> str:
    lowered = name.strip().lstrip("\ufeff").lower()
    return _SYNONYMS.get(lowered, lowered)


def _tensor(fields: dict[str, str]) -> ReducedTensor:
    shape = _shape(fields)
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


def _shape(fields: dict[str, str]) -> tuple[int, ...] | None:
    text = fields.get("shape", "NA")
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
