"""Ctrl-C and SIGTERM while there is something to save."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class SignalInterrupt(KeyboardInterrupt):
    """Ctrl-C or SIGTERM; its argument is the number of the signal."""


@contextmanager
def signals_call(react: Callable[[int], None]) -> Iterator[list[int]]:
    """Within the block SIGINT and SIGTERM call `react`; yields the list of those that came.

    A signal that is ignored, as in background jobs of a shell, stays so.
    """
    came: list[int] = []

    def note(number: int, _: object) -> None:
        came.append(number)
        react(number)

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, note)
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupt(number: int) -> None:
    """Reaction: raise where the main thread is."""
    raise SignalInterrupt(number)
