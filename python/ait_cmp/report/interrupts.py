"""Ctrl-C and SIGTERM at a time when they do no harm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_held() -> Iterator[Callable[[], bool]]:
    """Holds them back until the end of the block; a second one comes through at once.

    A signal that nobody in Python handles does as it always does. The block gets a function that
    tells whether one waits.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    found = [(int(number), signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    handlers = {number: handler for number, handler in found if callable(handler)}
    held: list[tuple[int, FrameType | None]] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append((number, frame))
        if len(held) > 1:
            handlers[number](number, frame)

    try:
        for number in handlers:
            signal.signal(number, hold)
        yield lambda: bool(held)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if len(held) == 1:
            handlers[held[0][0]](*held[0])
