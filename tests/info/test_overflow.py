"""Overflow records of the device: both layouts, and bytes that are neither."""

from __future__ import annotations

import struct

import pytest

from ait_cmp.errors import FormatError
from ait_cmp.info.overflow import OverflowRecord, read_overflow


def old_record(offset: int, status_offset: int, *ids: int, status: int = 1) -> bytes:
    data = bytearray(2048)
    struct.pack_into("<3Q", data, offset, *ids)
    struct.pack_into("<Q", data, status_offset, status)
    return bytes(data)


def new_record(kind: int, words: list[int], *, valid: int = 1, size: int | None = None) -> bytes:
    n_bytes = 8 * len(words) if size is None else size
    return struct.pack("<4I", valid, kind, 0, n_bytes) + struct.pack(f"<{len(words)}Q", *words)


HEAD = struct.pack("<2I", 0x5A5A5A5A, 1)


@pytest.mark.parametrize(
    ("offset", "status_offset", "unit", "core"),
    [(0, 512, "DHA atomic add", -1), (128, 768, "L2 atomic add", -1), (256, 1040, "AI core", 0)],
)
def test_old_records_are_blocks_of_a_unit(
    offset: int, status_offset: int, unit: str, core: int
) -> None:
    data = old_record(offset, status_offset, 1, 6, 5, status=0x20)
    assert read_overflow(data) == [OverflowRecord(unit, 1, 6, 5, core, (0x20,))]


@pytest.mark.parametrize(
    ("kind", "n_words", "unit"),
    [
        (0, 11, "AI core"),
        (1, 11, "vector core"),
        (2, 8, "AI CPU"),
        (2, 11, "AI CPU"),
        (3, 10, "SDMA"),
    ],
)
def test_new_records_follow_one_another(kind: int, n_words: int, unit: str) -> None:
    words = [1, 6, 5, *range(40, 40 + n_words - 3)]
    found = read_overflow(HEAD + new_record(kind, words) * 2 + new_record(kind, words, valid=0))
    assert len(found) == 2
    assert (found[0].unit, found[0].stream_id, found[0].task_id) == (unit, 6, 5)
    assert found[0].status[-1] == words[-1]
    assert f"task 5 of stream 6, model 1, status {words[-1]:#x}"[:20] in str(found[0])


def test_no_overflow_is_no_record() -> None:
    assert read_overflow(bytes(2048)) == []


@pytest.mark.parametrize(
    "data",
    [b"", bytes(2047), HEAD + new_record(0, [1] * 11, size=8192), HEAD + new_record(0, [1] * 4)],
    ids=["empty", "short", "cut", "few words"],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="overflow record"):
        read_overflow(data)
