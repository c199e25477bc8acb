"""Prepared files on their way from readers to writers, who take them a group at a time."""

from __future__ import annotations

import threading
import time

from ait_cmp.convert.one_file import Prepared

# Files that wait to be put in place: what SIGTERM has to wait for at most.
_MOST_FILES = 32
# So many are a group; fewer, when the first of them has waited so long. The steps for a group cost
# little more than those for one file.
_GROUP_FILES = 16
_PATIENCE_S = 0.05


class Groups:
    """Files that wait to be put in place.

    Args:
        most_files: How many can come before some of them are in place.
    """

    def __init__(self, most_files: int = _MOST_FILES) -> None:
        # Half of what can come: the others may be in the hands of readers.
        self._group_files = max(1, min(_GROUP_FILES, most_files // 2))
        self._waiting: list[Prepared] = []
        self._first_at = 0.0
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, prepared: Prepared) -> None:
        """Hand over one file; waits while too many wait."""
        with self._changed:
            while len(self._waiting) >= _MOST_FILES:
                self._changed.wait()
            if not self._waiting:
                self._first_at = time.monotonic()
            self._waiting.append(prepared)
            if len(self._waiting) in (1, self._group_files):
                self._changed.notify_all()

    def take(self) -> list[Prepared]:
        """All that wait, once they are a group; none after the end."""
        with self._changed:
            while not self._is_closed and len(self._waiting) < self._group_files:
                patience_s = None
                if self._waiting:
                    patience_s = self._first_at + _PATIENCE_S - time.monotonic()
                    if patience_s <= 0:
                        break
                self._changed.wait(patience_s)
            group, self._waiting = self._waiting, []
            self._changed.notify_all()
            return group

    def __bool__(self) -> bool:
        """Whether any file waits."""
        return bool(self._waiting)

    def close(self) -> None:
        """No file will come any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
