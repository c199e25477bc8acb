"""The rows of a run for whoever asks afterwards: packed, many of them in a file without a name."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ait_cmp import _core
from ait_cmp.report.row import Row
from ait_cmp.report.rows_in_parts import RowsInParts

if TYPE_CHECKING:
    from ait_cmp._core import StepRows

# Packed rows up to this size stay in memory: those of some ten thousand tensors.
_BYTES_IN_MEMORY = 8 << 20
# Rows that are packed, and unpacked, together.
_ROWS_A_PART = 1024


class _Part(NamedTuple):
    """Rows that are packed together: their bytes, or where in the file they are.

    Attributes:
        begin: Byte in the file, -1 where `content` has them.
        n_bytes: How many.
        content: The bytes, or nothing.
        first_id: What is added to their data_id: of rows that were packed elsewhere.
    """

    begin: int
    n_bytes: int
    content: bytes
    first_id: int = 0


class KeptRows(RowsInParts):
    """Rows of many steps; a `Row` is made when it is asked for.

    The file has no name: it ends with this object, or with the process, however that ends. Where
    nothing can be written the rows stay in memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[_Part] = []
        self._descriptor: int | None = None
        self._n_bytes_in_memory = 0
        self._n_bytes_in_file = 0
        self._last: tuple[int, _core.PackedRows] | None = None

    def add(self, step: StepRows) -> None:
        """Append the rows of a step as they are now."""
        for begin in range(0, len(step), _ROWS_A_PART):
            end = min(begin + _ROWS_A_PART, len(step))
            self.add_packed(end - begin, step.packed(begin, end))

    def add_packed(self, n_rows: int, content: bytes, first_id: int = 0) -> None:
        """Append packed rows; `first_id` is added to their data_id."""
        self._parts.append(self._kept(content)._replace(first_id=first_id))
        self._ends.append(len(self) + n_rows)

    def packed(self) -> Iterator[tuple[int, bytes]]:
        """All rows as they are packed: how many, and their bytes."""
        begin = 0
        for part, end in zip(self._parts, self._ends):
            yield end - begin, self._content(part)
            begin = end

    def _kept(self, content: bytes) -> _Part:
        if self._n_bytes_in_memory + len(content) > _BYTES_IN_MEMORY:
            part = self._written(content)
            if part is not None:
                return part
        self._n_bytes_in_memory += len(content)
        return _Part(-1, len(content), content)

    def _written(self, content: bytes) -> _Part | None:
        """The part in the file; None if there is no room for it."""
        try:
            if self._descriptor is None:
                with tempfile.TemporaryFile(prefix="ait-cmp-rows-") as file:
                    self._descriptor = os.dup(file.fileno())
                weakref.finalize(self, os.close, self._descriptor)
            begin, n_written = self._n_bytes_in_file, 0
            while n_written < len(content):
                rest = memoryview(content)[n_written:]
                n_written += os.pwrite(self._descriptor, rest, begin + n_written)
        except OSError:
            return None
        self._n_bytes_in_file += len(content)
        return _Part(begin, len(content), b"")

    def _unpacked(self, number: int) -> _core.PackedRows:
        if self._last is not None and self._last[0] == number:
            return self._last[1]
        rows = _core.PackedRows(self._content(self._parts[number]))
        self._last = number, rows
        return rows

    def _content(self, part: _Part) -> bytes:
        if part.begin < 0:
            return part.content
        assert self._descriptor is not None
        return os.pread(self._descriptor, part.n_bytes, part.begin)

    def _row_of(self, part: int, number: int) -> Row:
        return self._row(part, self._unpacked(part), number)

    def _row(self, part: int, rows: _core.PackedRows, number: int) -> Row:
        row, first_id = Row._make(rows[number]), self._parts[part].first_id
        return row._replace(data_id=row.data_id + first_id) if first_id else row

    def __iter__(self) -> Iterator[Row]:
        for part in range(len(self._parts)):
            rows = self._unpacked(part)
            for number in range(len(rows)):
                yield self._row(part, rows, number)
