"""What runs on stderr while a command works; only where a person looks at it."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from types import TracebackType

from ait_cmp.cli.terminal import shown
from ait_cmp.terms import clock_text, size_text

# A line on a terminal is renewed so often; a log gets one in so many seconds.
_TERMINAL_EVERY_S = 0.2
_LOG_EVERY_S = 60.0


class RunningLine:
    """The state of a command in one line, renewed in place.

    Args:
        enabled: False shows nothing.
        logs: Where nobody looks at a terminal, write a line to the log now and then.
    """

    def __init__(self, *, enabled: bool, logs: bool) -> None:
        self._is_terminal = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._logs = enabled and logs and not self._is_terminal
        self._next = time.monotonic() + (0.0 if self._is_terminal else _LOG_EVERY_S)

    def show(self, text: Callable[[], str]) -> None:
        """Show a line, if it is time for one."""
        now = time.monotonic()
        if now < self._next or not (self._is_terminal or self._logs):
            return
        if self._is_terminal:
            self._next = now + _TERMINAL_EVERY_S
            print(f"\r\033[K{shown(text())}", end="", file=sys.stderr, flush=True)
        else:
            self._next = now + _LOG_EVERY_S
            logging.info("%s", text())

    def close(self) -> None:
        """Clear the line."""
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


class ProgressLine:
    """Bytes read of all, their rate and the time left."""

    def __init__(self, *, enabled: bool) -> None:
        self._line = RunningLine(enabled=enabled, logs=False)
        self._start = time.monotonic()
        self._bytes = (0, 0)

    def tell_bytes(self, n_done: int, n_all: int) -> None:
        """Bytes of the files read so far, and of all."""
        self._bytes = (n_done, n_all)

    def __call__(self, n_done: int, n_known: int) -> None:
        """Tensors compared so far of those known."""
        del n_known
        seconds = time.monotonic() - self._start
        self._line.show(lambda: progress_text(*self._bytes, n_done, seconds))

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.close()


def progress_text(n_done: int, n_all: int, n_tensors: int, seconds: float) -> str:
    """ "1.2 GB of 4.5 GB, 820.0 MB/s, 0:04 left, 1234 tensors"."""
    rate = n_done / seconds if seconds > 0 else 0.0
    parts = [f"{size_text(n_done)} of {size_text(n_all)}"]
    if rate > 0:
        left = clock_text((n_all - n_done) / rate)
        parts += [f"{size_text(round(rate))}/s", f"{left} left"]
    return ", ".join([*parts, f"{n_tensors} tensors"])
