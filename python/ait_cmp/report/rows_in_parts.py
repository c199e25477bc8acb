"""Rows that lie in parts one behind the other, as one sequence."""

from __future__ import annotations

import bisect
from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from ait_cmp.report.row import Row


class RowsInParts(Sequence[Row]):
    """A `Row` is made when it is asked for; pickled, it is the list of them.

    Attributes:
        _ends: Of every part the number of rows up to its end.
    """

    def __init__(self) -> None:
        self._ends: list[int] = []

    @abstractmethod
    def _row_of(self, part: int, number: int) -> Row:
        """Row `number` of a part."""

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, number: int) -> Row: ...
    @overload
    def __getitem__(self, number: slice) -> list[Row]: ...
    def __getitem__(self, number: int | slice) -> Row | list[Row]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        number = range(len(self))[number]
        part = bisect.bisect_right(self._ends, number)
        return self._row_of(part, number - (self._ends[part - 1] if part else 0))

    def __reduce__(self) -> tuple[type[list[Row]], tuple[list[Row]]]:
        return list, (list(self),)
