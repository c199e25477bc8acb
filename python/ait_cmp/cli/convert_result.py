"""What `ait-cmp convert` prints and returns."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Callable

from ait_cmp.convert.folder import convert_dir
from ait_cmp.convert.result import Conversion, left_lines
from ait_cmp.convert.watch import watch_dir

_EXIT_LEFT = 1
_EXIT_SIGNAL = 128
# Where nobody looks at a terminal, a line for the log in so many seconds.
_LOG_EVERY_S = 60.0


class RunningLine:
    """The state of a conversion in one line on stderr."""

    def __init__(self, folder: str, *, enabled: bool) -> None:
        self._folder = folder
        self._enabled = enabled
        self._is_terminal = sys.stderr.isatty()
        self._next = time.monotonic() + (0.0 if self._is_terminal else _LOG_EVERY_S)

    def __call__(self, result: Conversion) -> None:
        now = time.monotonic()
        if not self._enabled or now < self._next:
            return
        if self._is_terminal:
            self._next = now + 0.2
            print(f"\r\033[K{result.line(self._folder)}", end="", file=sys.stderr, flush=True)
        else:
            self._next = now + _LOG_EVERY_S
            logging.info("%s", result.line(self._folder))

    def close(self) -> None:
        """Clear the line."""
        if self._enabled and self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


@contextmanager
def stopping_signals(stop: threading.Event) -> Iterator[list[int]]:
    """SIGINT and SIGTERM set `stop`; yields the list of those that came."""
    came: list[int] = []

    def note(number: int, _: object) -> None:
        came.append(number)
        stop.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_convert(options: argparse.Namespace) -> int:
    """Convert or watch; returns the exit status."""
    convert: Callable[..., Conversion] = convert_dir
    if options.watch:
        convert = partial(watch_dir, interval=options.interval)
    stop = threading.Event()
    line = RunningLine(options.folder, enabled=not options.no_progress)
    with stopping_signals(stop) as came:
        try:
            result = convert(
                options.folder,
                info=options.info,
                keep=options.keep,
                settle=options.settle,
                threads=options.threads,
                max_rate=options.max_rate,
                stop=stop,
                progress=line,
            )
        finally:
            line.close()
    _report(result, options)
    if came and not options.watch:
        return _EXIT_SIGNAL + came[0]
    return _EXIT_LEFT if result.left else 0


def _report(result: Conversion, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(result.as_json()))
    else:
        print(f"{options.folder}: {_headline(result, options.folder)}")
        if result.literals:
            print(f"{result.literals} files hold text or objects, no tensor: left as they are.")
        if result.busy:
            print(f"{len(result.busy)} files are in the hands of another converter.")
    if result.folder_is_gone:
        print(f"ait-cmp: {options.folder} is gone; the watch has ended.", file=sys.stderr)
    if result.left:
        print(f"ait-cmp: {len(result.left)} files were left as they are:", file=sys.stderr)
        for line in left_lines(result.left):
            print(f"  {line}", file=sys.stderr)


def _headline(result: Conversion, folder: str) -> str:
    """What was done, or why there was nothing to do."""
    if result.converted or result.left or result.literals or result.busy:
        before = f"; {result.already} had been converted before" if result.already else ""
        return result.line(folder) + before
    if result.already:
        return f"nothing to do: all {result.already} files have been converted before"
    return "no dump files found"
