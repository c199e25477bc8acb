"""What runs on stderr while a command works; only where a person looks at it."""

from __future__ import annotations

import importlib.util
import logging
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from ait_cmp.cli.terminal import shown

if TYPE_CHECKING:
    from tqdm import tqdm

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
    """Tensors done of those known so far: a bar where tqdm is installed, else a plain line."""

    def __init__(self, *, enabled: bool) -> None:
        self._bar: tqdm[None] | None = None
        is_seen = enabled and sys.stderr is not None and sys.stderr.isatty()
        if is_seen and importlib.util.find_spec("tqdm") is not None:
            from tqdm import tqdm

            self._bar = tqdm(
                unit=" tensors", unit_scale=True, file=sys.stderr, leave=False, dynamic_ncols=True
            )
        self._line = RunningLine(enabled=enabled and self._bar is None, logs=False)

    def __call__(self, n_done: int, n_known: int) -> None:
        if self._bar is None:
            self._line.show(lambda: f"{n_done} of {n_known} tensors")
        else:
            self._bar.total = n_known
            self._bar.update(n_done - self._bar.n)

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        self._line.close()
