"""Units on somebody else's workers: given out, put in order, and decided together.

Whether an input of a graph differs because the runs had other data, or because another graph of the
rank wrote it, is known when all of the rank is: a unit that decided otherwise is done once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue

from ait_cmp.compare.units import Unit, UnitFound
from ait_cmp.errors import AitCmpError

# So often (seconds) somebody looks whether the workers are still there.
_LOOK_EVERY_S = 1.0

Submit = Callable[[Unit], "Future[UnitFound]"]
# Called with a unit's findings and the number of rows of the graphs before it in its rank.
Take = Callable[[UnitFound, int], None]


class UnitRun:
    """The units of a run at work.

    Args:
        submit: Gives a unit to a worker.
        take: Called for every unit that is decided, graph by graph in each rank.
        tell: Called when a unit is done, with it and the number of its tensors.
        look: Called now and then with what is at work; gives units that are to be given out anew.
        lost: What a future raises when its worker ended.
    """

    def __init__(
        self,
        submit: Submit,
        take: Take,
        tell: Callable[[Unit, int], None],
        look: Callable[[Collection[Unit]], Iterable[Unit]],
        lost: tuple[type[Exception], ...],
    ) -> None:
        self._submit = submit
        self._take = take
        self._tell = tell
        self._look = look
        self._lost: tuple[type[Exception], ...] = (*lost, CancelledError)
        self._pending: dict[Future[UnitFound], Unit] = {}
        self._ended: SimpleQueue[Future[UnitFound]] = SimpleQueue()
        self._next_look = time.monotonic() + _LOOK_EVERY_S
        # Rank -> its units that are not taken yet, in order; what those before wrote; their rows.
        self._waiting: dict[int, list[Unit]] = {}
        self._done: dict[tuple[int, str], UnitFound] = {}
        self._told: set[tuple[int, str]] = set()
        self._written: dict[int, set[int]] = {}
        self._n_rows: dict[int, int] = {}

    def run(self, units: Sequence[Unit]) -> bool:
        """Whether Ctrl-C ended it: what was decided by then is taken.

        Raises:
            AitCmpError: A worker is gone, or says what is wrong.
        """
        for unit in units:
            self._waiting.setdefault(unit.rank, []).append(unit)
        try:
            for unit in units:
                self._give(unit)
            while self._pending:
                self._wait()
        except KeyboardInterrupt:
            return True
        finally:
            for future in self._pending:
                future.cancel()
        return False

    def _give(self, unit: Unit) -> None:
        try:
            future = self._submit(unit)
        except self._lost as error:
            raise _lost(unit) from error
        self._pending[future] = unit
        future.add_done_callback(self._ended.put)

    def _wait(self) -> None:
        """Take the next unit that ends, if one does soon; see now and then to the others."""
        with suppress(Empty):
            self._end(self._ended.get(timeout=_LOOK_EVERY_S))
        if time.monotonic() < self._next_look:
            return
        anew = set(map(id, self._look(list(self._pending.values()))))
        for future, unit in list(self._pending.items()):
            if id(unit) in anew:
                del self._pending[future]
                future.cancel()
                self._give(unit)
        self._next_look = time.monotonic() + _LOOK_EVERY_S

    def _end(self, future: Future[UnitFound]) -> None:
        unit = self._pending.pop(future, None)
        if unit is None:  # it was given out anew
            return
        try:
            found = future.result()
        except self._lost as error:
            raise _lost(unit) from error
        if found.comparison.was_interrupted:  # Ctrl-C reaches processes of ours, too
            raise KeyboardInterrupt
        self._done[unit.rank, unit.graph] = found
        self._decide(unit.rank)
        if (unit.rank, unit.graph) not in self._told:
            self._told.add((unit.rank, unit.graph))
            self._tell(unit, found.comparison.counts.total)

    def _decide(self, rank: int) -> None:
        """Take what can be taken of a rank."""
        waiting, written = self._waiting[rank], self._written.setdefault(rank, set())
        while waiting and (found := self._done.get((rank, waiting[0].graph))) is not None:
            unit = waiting[0]
            known = set(unit.before.written)
            missed = (found.asked & written) - known
            if missed:
                before = unit.before._replace(written=tuple(sorted(missed | known)))
                waiting[0] = replace(unit, before=before)
                del self._done[rank, unit.graph]
                self._give(waiting[0])
                return
            first_id = self._n_rows.get(rank, 0)
            self._n_rows[rank] = first_id + found.comparison.counts.total
            self._take(found, first_id)
            del waiting[0], self._done[rank, unit.graph]
            if waiting:
                written |= found.numbers_written()


def _lost(unit: Unit) -> AitCmpError:
    rank = f"rank {unit.rank}, " if unit.rank >= 0 else ""
    return AitCmpError(
        f"{rank}{unit.graph}: the worker that compared it ended: was it killed, or out of memory?"
    )
