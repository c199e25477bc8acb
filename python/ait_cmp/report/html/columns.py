"""Columns of a table packed for the page: as few bytes as their values allow, gzip, base64."""

from __future__ import annotations

import base64
import gzip
import json
import math
import struct
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ait_cmp.report.columns import COMPARE_COLUMNS
from ait_cmp.report.row import COLUMNS

# A cell as a CSV has it (text) or as a `Row` has it; "" and None are empty.
Cell = Union[str, int, float, None]

# What the page calls the arrays that it reads, smallest first.
_CODES = {"u8": "<u1", "u16": "<u2", "u32": "<u4"}
_INTEGERS = {"u8": "<u1", "u16": "<u2", "i32": "<i4"}
_LARGEST_F32 = float(np.finfo(np.float32).max)
_SMALLEST_F32 = float(np.finfo(np.float32).tiny)


# Columns of the report that are texts, also where every cell is a number (a graph called 1).
TEXT_COLUMNS = frozenset(column.name for column in COMPARE_COLUMNS if column.kind == "text")
NUMBER_COLUMNS = frozenset(COLUMNS) - TEXT_COLUMNS


class ColumnPacker:
    """One column as the page reads it; the cells come in portions and are not kept as they are.

    A column that the report does not name is numbers if all its cells are.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._values = array("d")  # of a column of numbers; NaN where a cell is empty
        self._empty = bytearray()
        self._words: dict[str, int] = {}  # of any other: cell -> code
        self._codes = array("I")

    def __len__(self) -> int:
        return len(self._values) + len(self._codes)

    @property
    def words(self) -> Iterable[str]:
        """The different cells of a column of texts, in the order in which they came."""
        return self._words.keys()

    def add(self, cells: Sequence[Cell]) -> None:
        """Append cells."""
        if self.name in NUMBER_COLUMNS:
            self._values.extend(map(_number, cells))
            self._empty.extend(cell is None or cell == "" for cell in cells)
            return
        words = self._words
        for cell in cells:
            text = "" if cell is None else str(cell)
            self._codes.append(words.setdefault(text, len(words)))

    def packed(self) -> tuple[dict[str, Any], bytes]:
        """Its description (name, kind, type, has_nan or empty), and its bytes: gzip, base64.

        Floats keep 7 digits where float32 can hold them.
        """
        described, content = self._content()
        packed = base64.b64encode(gzip.compress(content, compresslevel=6, mtime=0))
        return {"name": self.name, **described}, packed

    def _content(self) -> tuple[dict[str, Any], bytes]:
        if self.name in NUMBER_COLUMNS:
            return _packed_numbers(np.array(self._values), np.array(self._empty, bool))
        codes = np.array(self._codes)
        if self.name in TEXT_COLUMNS or not _are_numbers(self._words):
            return _packed_texts(list(self._words), codes)
        values = np.array([_number(word) for word in self._words])
        empty = np.array([word == "" for word in self._words])
        return _packed_numbers(values[codes], empty[codes])


def _number(cell: Cell) -> float:
    """NaN where the cell is empty, or damaged."""
    try:
        return math.nan if cell is None else float(cell)
    except ValueError:
        return math.nan


def _are_numbers(words: Iterable[str]) -> bool:
    filled = [word for word in words if word]
    return bool(filled) and not any(
        math.isnan(_number(word)) and word.lower() != "nan" for word in filled
    )


def _packed_texts(words: list[str], codes: NDArray[np.uint32]) -> tuple[dict[str, Any], bytes]:
    text = json.dumps(words).encode()  # ASCII
    kind = next(kind for kind, dtype in _CODES.items() if len(words) <= np.iinfo(dtype).max + 1)
    content = struct.pack("<I", len(text)) + text + _shuffled(codes.astype(_CODES[kind]))
    return {"kind": "text", "type": kind}, content


def _packed_numbers(
    values: NDArray[np.float64], empty: NDArray[np.bool_]
) -> tuple[dict[str, Any], bytes]:
    integers = _integer_type(values[~empty])
    if integers is not None:
        kind, dtype = integers
        spare = int(np.iinfo(dtype).max)  # no value has it: it stands for an empty cell
        stored = np.where(empty, spare, values).astype(dtype)
        return {"kind": "number", "type": kind, "empty": spare}, _shuffled(stored)
    kind = "f32" if _fits_float32(values) else "f64"
    content = _shuffled(values.astype("<f4" if kind == "f32" else "<f8"))
    nan = np.isnan(values) & ~empty
    if nan.any():
        content += nan.astype(np.uint8).tobytes()
    return {"kind": "number", "type": kind, "has_nan": bool(nan.any())}, content


def _integer_type(values: NDArray[np.float64]) -> tuple[str, str] | None:
    """The smallest type that holds whole numbers and one number more."""
    if not values.size or not np.isfinite(values).all() or (values != np.floor(values)).any():
        return None
    for kind, dtype in _INTEGERS.items():
        limits = np.iinfo(dtype)
        if limits.min <= values.min() and values.max() < limits.max:
            return kind, dtype
    return None


def _fits_float32(values: NDArray[np.float64]) -> bool:
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    return bool(((sizes <= _LARGEST_F32) & (sizes >= _SMALLEST_F32)).all())


def _shuffled(values: NDArray[Any]) -> bytes:
    """All first bytes, then all second bytes and so on: they compress better that way."""
    planes: NDArray[np.uint8] = values.view(np.uint8).reshape(len(values), values.itemsize).T
    return planes.tobytes()
