"""Files of the steps to come are read before they are asked for, where a disk or network is slow.

A comparison asks for one file after the other; a disk answers many at a time. Beginnings of files
are read on threads of their own into the memory of the kernel, a few steps ahead. Where files come
at the speed of memory this only looks at a few of them now and then.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Union

from ait_cmp import _core
from ait_cmp.discover import DumpTree, FxFile, GeFile, StepKey
from ait_cmp.discover.packed import paths_of

# So many files are read before they are asked for, or two steps.
_FILES_AHEAD = 8192
_STEPS_AHEAD = 2
# Files that are read by one call: closing waits for one.
_FILES_AT_ONCE = 512
# Of files that come fast so many steps are not looked at, at most.
_MOST_SKIPPED = 8

_Files = Union[Sequence[GeFile], Sequence[FxFile]]


class ReadAhead:
    """Reads ahead of one comparison, within which it is entered."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._is_closed = False
        self._number_of: dict[StepKey, int] = {}
        self._reached = 0
        self._thread: threading.Thread | None = None

    def start(self, my: DumpTree, golden: DumpTree) -> None:
        """Begin with the first steps; what meets what is not known yet, so names tell."""
        keys, others = my.step_keys(), golden.step_keys()
        if not set(others).intersection(keys):  # then the order does
            golden_of = dict(zip(keys, others))
        else:
            golden_of = {key: key for key in others}
        self._number_of = {key: number for number, key in enumerate(keys)}
        theirs = golden.ge if golden.kind == "ge" else golden.fx
        steps = [
            [my.ge[key], *([theirs[golden_of[key]]] if key in golden_of else [])] for key in keys
        ]
        thread = threading.Thread(target=self._run, args=(steps,), daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives none: files are read when they are asked for
            return
        self._thread = thread

    def reach(self, my_key: StepKey) -> None:
        """A step is asked for."""
        with self._turn:
            self._reached = max(self._reached, self._number_of.get(my_key, 0))
            self._turn.notify()

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it; what is being read is waited for, but not for ever."""
        with self._turn:
            self._is_closed = True
            self._turn.notify()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _run(self, steps: Sequence[Sequence[_Files]]) -> None:
        begins = [0]  # files before each step
        for files in steps:
            begins.append(begins[-1] + sum(map(len, files)))
        skip = n_left = 0
        for number, files in enumerate(steps):
            if not self._may_read(number, begins):
                return
            if number < self._reached:  # too late
                continue
            if n_left:
                n_left -= 1
                continue
            if self._read([path for of_side in files for path in paths_of(of_side)]):
                skip = 0
            else:
                skip = min(2 * skip + 1, _MOST_SKIPPED)
            n_left = skip

    def _may_read(self, number: int, begins: Sequence[int]) -> bool:
        """Wait until a step is near; False at the end."""
        with self._turn:
            while not self._is_closed:
                ahead = begins[number] - begins[self._reached]
                if ahead < _FILES_AHEAD or number - self._reached <= _STEPS_AHEAD:
                    return True
                self._turn.wait()
        return False

    def _read(self, paths: Sequence[str]) -> bool:
        """Whether any of them was not in memory."""
        is_slow = False
        for begin in range(0, len(paths), _FILES_AT_ONCE):
            if self._is_closed:
                break
            if not _core.read_ahead(paths[begin : begin + _FILES_AT_ONCE]):
                break
            is_slow = True
        return is_slow
