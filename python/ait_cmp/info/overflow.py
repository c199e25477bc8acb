"""Overflow records of the device (`Opdebug.*`): which task overflowed on which core.

Two layouts: 2048 bytes with a block for each unit of old chips, and a list of records behind a
magic number. Source: the dump documentation of the vendor, section on overflow detection.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ait_cmp.errors import FormatError

_MAGIC = 0x5A5A5A5A
_OLD_BYTES = 2048
# Old layout: unit, offset of its block, offset of its status.
_OLD_BLOCKS = (("DHA atomic add", 0, 512), ("L2 atomic add", 128, 768), ("AI core", 256, 1040))
_BLOCK = struct.Struct("<4Q")  # model, stream, task, task type
_RECORD_HEAD = struct.Struct("<4I")  # valid, type of unit, reserved, bytes that follow
_UNITS = {0: "AI core", 1: "vector core", 2: "AI CPU", 3: "SDMA"}


class OverflowRecord(NamedTuple):
    """One overflow.

    Attributes:
        unit: What overflowed: "AI core", "vector core", "AI CPU", "SDMA" ...
        model_id: Model.
        stream_id: Stream of the task.
        task_id: Task, the number in the names of dump files.
        core: Number of the core, -1 where the record lacks it.
        status: Status words of the unit, at least one; nonzero bits say what happened.
    """

    unit: str
    model_id: int
    stream_id: int
    task_id: int
    core: int
    status: tuple[int, ...]

    def __str__(self) -> str:
        core = f" {self.core}" if self.core >= 0 else ""
        status = " ".join(f"{word:#x}" for word in self.status)
        return (
            f"{self.unit}{core}: task {self.task_id} of stream {self.stream_id}, model "
            f"{self.model_id}, status {status}"
        )


def read_overflow(data: bytes) -> list[OverflowRecord]:
    """The records in the bytes of an overflow file's output.

    Raises:
        FormatError: The bytes have neither layout, or end within a record.
    """
    if len(data) >= 8 and struct.unpack_from("<I", data)[0] == _MAGIC:
        return list(_new_records(data))
    if len(data) < _OLD_BYTES:
        message = f"an overflow record of {_OLD_BYTES} bytes expected, found {len(data)}"
        raise FormatError(message)
    return list(_old_records(data))


def _old_records(data: bytes) -> Iterator[OverflowRecord]:
    for unit, at, status_at in _OLD_BLOCKS:
        model, stream, task, _ = _BLOCK.unpack_from(data, at)
        (status,) = struct.unpack_from("<Q", data, status_at)
        core = struct.unpack_from("<Q", data, 1032)[0] if unit == "AI core" else -1
        if status or any((model, stream, task)):
            yield OverflowRecord(unit, model, stream, task, core, (status,))


def _new_records(data: bytes) -> Iterator[OverflowRecord]:
    at = 8
    while at + _RECORD_HEAD.size <= len(data):
        valid, kind, _, n_bytes = _RECORD_HEAD.unpack_from(data, at)
        at += _RECORD_HEAD.size
        if not valid:
            return
        if n_bytes > len(data) - at:
            message = (
                f"an overflow record at byte {at} declares {n_bytes} bytes, {len(data) - at} follow"
            )
            raise FormatError(message)
        words = struct.unpack_from(f"<{n_bytes // 8}Q", data, at)
        at += n_bytes
        if len(words) < 8:
            message = f"an overflow record of 8 or more words expected, found {len(words)}"
            raise FormatError(message)
        yield _new_record(kind, words)


def _new_record(kind: int, words: tuple[int, ...]) -> OverflowRecord:
    """Word 8 is the core (AI and vector core) or the channel, 5 the CPU; status stands last."""
    unit = _UNITS.get(kind, f"unit {kind}")
    core_at, status_at = {0: (8, 10), 1: (8, 10), 2: (5, 7), 3: (8, 9)}.get(kind, (-1, 7))
    core = words[core_at] if 0 <= core_at < len(words) else -1
    status = words[status_at:] or words[-1:]
    return OverflowRecord(unit, words[0], words[1], words[2], core, status)
