"""What a conversion did, as plain data that grows while it runs."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ait_cmp.convert.one_file import Outcome
from ait_cmp.terms import clock_text, size_text


@dataclass
class Conversion:
    """The files of a folder by what became of them.

    Attributes:
        converted: Number of dump files replaced (with `keep`: joined) by info files.
        already: Number of files that had been converted before.
        literals: Number of FX files that hold text or objects, no tensor; they stay as they are.
        larger: Files whose info files would be larger; they stay as they are.
        busy: Files that another converter had in hand.
        left: Path -> sentence, of dump files that could not be reduced and stay as they are.
        source_bytes: Size of the converted dump files.
        info_bytes: Size of their info files.
        waiting_bytes: Size of the files that are known and not looked at yet.
        read_s: Time since the start, without the waiting of a watch.
        was_stopped: Whether Ctrl-C or SIGTERM ended it.
        folder_is_gone: Whether the folder vanished while it was watched.
    """

    converted: int = 0
    already: int = 0
    literals: int = 0
    larger: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    left: dict[str, str] = field(default_factory=dict)
    source_bytes: int = 0
    info_bytes: int = 0
    waiting_bytes: int = 0
    read_s: float = 0.0
    was_stopped: bool = False
    folder_is_gone: bool = False

    def add(self, outcome: Outcome) -> None:
        """Count one file."""
        self.left.pop(outcome.path, None)
        self.busy.discard(outcome.path)
        self.larger.discard(outcome.path)
        if outcome.status == "converted":
            self.converted += 1
            self.source_bytes += outcome.source_bytes
            self.info_bytes += outcome.info_bytes
        elif outcome.status == "done":
            self.already += 1
        elif outcome.status == "literal":
            self.literals += 1
        elif outcome.status == "larger":
            self.larger.add(outcome.path)
        elif outcome.status == "busy":
            self.busy.add(outcome.path)
        elif outcome.status in ("left", "unfinished"):
            self.left[outcome.path] = outcome.reason

    def line(self, folder: str) -> str:
        """ "1024 files, 3.1 GB -> 21.0 MB, 812 MB/s, 0:12 left, 45.2 GB free"."""
        rate = self.source_bytes / self.read_s if self.read_s > 0 else 0.0
        parts = [
            f"{self.converted} files",
            f"{size_text(self.source_bytes)} -> {size_text(self.info_bytes)}",
            f"{size_text(rate)}/s",
        ]
        if rate > 0 and self.waiting_bytes > 0:
            parts.append(f"{clock_text(self.waiting_bytes / rate)} left")
        with contextlib.suppress(OSError):
            parts.append(f"{size_text(shutil.disk_usage(folder).free)} free")
        return ", ".join(parts)

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "converted": self.converted,
            "already": self.already,
            "literals": self.literals,
            "larger": sorted(self.larger),
            "busy": sorted(self.busy),
            "left": [{"path": path, "reason": reason} for path, reason in self.left.items()],
            "source_bytes": self.source_bytes,
            "info_bytes": self.info_bytes,
            "seconds": round(self.read_s, 3),
            "was_stopped": self.was_stopped,
            "folder_is_gone": self.folder_is_gone,
        }


# So many files of a folder with one reason are told one by one.
_TOLD_ALONE = 5
_NAMES = 3


def left_lines(left: dict[str, str]) -> Iterator[str]:
    """Every file with its reason; many files of a folder with the same one in one line."""
    together: dict[tuple[str, str], list[str]] = {}
    for path, reason in sorted(left.items()):
        told = reason[len(path) + 2 :] if reason.startswith(f"{path}: ") else reason
        together.setdefault((str(Path(path).parent), told), []).append(path)
    for (folder, told), paths in together.items():
        if len(paths) <= _TOLD_ALONE:
            yield from (left[path] for path in paths)
        else:
            names = ", ".join(Path(path).name for path in paths[:_NAMES])
            more = len(paths) - _NAMES
            yield f"{folder}: {told} ({len(paths)} files: {names} and {more} more; --json: all)"


class Pace:
    """Keeps reading below a rate by pausing between files."""

    def __init__(self, bytes_per_s: float | None) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at = time.monotonic()

    def pause_s(self, size_bytes: int) -> float:
        """Seconds to wait before a file of this size is read."""
        if self._bytes_per_s is None:
            return 0.0
        now = time.monotonic()
        start = max(now, self._free_at)
        self._free_at = start + size_bytes / self._bytes_per_s
        return start - now
