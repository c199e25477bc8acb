"""Something of which there is only so much, for threads that need a part of it for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Shares:
    """A number of equal shares. Who waits for many is not overtaken by who asks for few."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = threading.Semaphore(total)
        self._asking = threading.Lock()

    def take(self, n: int) -> None:
        """Wait until `n` shares are free, `total` at most."""
        with self._asking:
            for _ in range(n):
                self._free.acquire()

    def give_back(self, n: int) -> None:
        """Return shares, all that were taken or some of them."""
        for _ in range(n):
            self._free.release()

    @contextmanager
    def taken(self, n: int) -> Iterator[None]:
        """Hold `n` shares for a while."""
        self.take(n)
        try:
            yield
        finally:
            self.give_back(n)
