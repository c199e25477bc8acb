"""Many texts that are seldom asked for, paths above all: packed as they come."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

# Texts that are packed, and unpacked, together.
_TEXTS_A_PART = 1024
# Fast; paths of one folder become a tenth.
_LEVEL = 1


class PackedTexts(Sequence[str]):
    """Texts without NUL, as paths are; more may be appended."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._parts: list[bytes] = []
        self._open: list[str] = []
        self._last: tuple[int, list[str]] = -1, []
        self.extend(texts)

    def extend(self, texts: Iterable[str]) -> None:
        """Append texts."""
        self._open.extend(texts)
        while len(self._open) >= _TEXTS_A_PART:
            part, self._open = self._open[:_TEXTS_A_PART], self._open[_TEXTS_A_PART:]
            self._parts.append(zlib.compress(os.fsencode("\0".join(part)), _LEVEL))

    def _part(self, number: int) -> list[str]:
        if number == len(self._parts):
            return self._open
        known, texts = self._last
        if known != number:
            texts = os.fsdecode(zlib.decompress(self._parts[number])).split("\0")
            self._last = number, texts
        return texts

    def __len__(self) -> int:
        return len(self._parts) * _TEXTS_A_PART + len(self._open)

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        part, at = divmod(range(len(self))[number], _TEXTS_A_PART)
        return self._part(part)[at]

    def __iter__(self) -> Iterator[str]:
        for number in range(len(self._parts) + 1):
            yield from self._part(number)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (PackedTexts, list)) and list(self) == list(other)

    def __repr__(self) -> str:
        return repr(list(self))
