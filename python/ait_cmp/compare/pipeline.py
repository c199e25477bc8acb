"""The steps of a plan in order: one is paired while the pool compares the one before."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ait_cmp.compare.byte_count import ByteCount
from ait_cmp.compare.op_filter import OpFilter
from ait_cmp.compare.plan import Plan
from ait_cmp.compare.read_ahead import ReadAhead
from ait_cmp.compare.reduced_batch import open_batch
from ait_cmp.compare.reporter import Reporter
from ait_cmp.compare.step_pairer import StepPairer
from ait_cmp.discover import StepKey
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.interrupts import interrupts_held
from ait_cmp.report.notes import Note
from ait_cmp.terms import ByteProgress

# Called with (tensors done, tensors known so far); returns nothing.
Progress = Callable[[int, int], None]


class Phases:
    """Seconds of the main thread by what it did; the pool works beside it.

    planning: finding files, reading headers and graphs, pairing; waiting: for results of the pool;
    writing: judging and writing rows.
    """

    def __init__(self) -> None:
        self._seconds = {"planning": 0.0, "waiting": 0.0, "writing": 0.0}

    @contextmanager
    def time(self, phase: str) -> Iterator[None]:
        """The block belongs to this phase."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[phase] += time.perf_counter() - start

    def __str__(self) -> str:
        return " ".join(f"{phase}={seconds:.3f}" for phase, seconds in self._seconds.items())


@dataclass(frozen=True)
class How:
    """How a plan is carried out.

    Attributes:
        threads: Worker threads.
        access: How files are read.
        ops: Patterns of the ops that are wanted, None: all.
        progress: Called as `compare_dirs` says.
        padding: Whether leading rows are compared where the my side is padded.
        phases: Where the time goes.
    """

    threads: int
    access: str
    ops: Sequence[str] | None
    progress: Progress | None
    padding: bool
    phases: Phases = field(default_factory=Phases)


@dataclass
class _RunningStep:
    """A step whose pairs the pool works on.

    Attributes:
        key: The my-side step.
        step: Its pairs.
        batch: The pool at work.
    """

    key: StepKey
    step: PairedStep
    batch: Any


class Pipeline:
    """A plan at work: a step is paired and the one before reported while the pool compares.

    Attributes:
        filter: Which ops are wanted, None: all.
        unmet_golden: At the end the golden steps that nothing met, with their tensors.
    """

    def __init__(
        self, plan: Plan, how: How, reporter: Reporter, ahead: ReadAhead | None = None
    ) -> None:
        self._plan = plan
        self._ahead = ahead
        self._how = how
        self._reporter = reporter
        self._pairer = StepPairer(plan, how.threads, padding=how.padding)
        self._bytes = ByteCount(plan) if isinstance(how.progress, ByteProgress) else None
        self.filter = OpFilter(how.ops) if how.ops else None
        self.unmet_golden: list[tuple[StepKey, list[str]]] = []
        self._n_known = 0
        # Steps that the pool has or had in hand and that are not reported yet, in order.
        self._running: deque[_RunningStep] = deque()

    @property
    def notes(self) -> list[Note]:
        """What was noted on the way to the pairs."""
        return self._pairer.notes

    def compare_or_stop(self) -> bool:
        """Whether Ctrl-C ended it; what was compared by then is reported, also after an error."""
        try:
            self._compare_steps()
        except KeyboardInterrupt:
            for running in self._running:
                running.batch.stop()
            while self._running:
                self._running[0].batch.take_ready()
                self._report_first()
            return True
        except BaseException:  # the callback for progress, or no memory
            for running in self._running:
                for _ in running.batch:
                    pass
            while self._running:
                self._report_first()
            raise
        return False

    def _compare_steps(self) -> None:
        for my_key, golden_key in self._plan.steps:
            with self._how.phases.time("planning"):
                step = self._pair(my_key, golden_key)
            self._wait()
            self._start(my_key, golden_key, step)
            if len(self._running) > 1:
                self._report_first()
        self._wait()
        while self._running:
            self._report_first()
        self.unmet_golden = list(self._pairer.unmet_golden())

    def _pair(self, my_key: StepKey, golden_key: StepKey | None) -> PairedStep:
        if self._ahead is not None:
            self._ahead.reach(my_key)
        step = self._pairer.pair(my_key, golden_key)
        if not step.is_repeat:
            self._reporter.count_nodes(my_key, step.pairs)
        return step if self.filter is None else self.filter.apply(step)

    def _start(self, my_key: StepKey, golden_key: StepKey | None, step: PairedStep) -> None:
        with interrupts_held():  # so that nothing runs that nobody knows of
            batch = open_batch(
                step,
                threads=self._how.threads,
                access=self._how.access,
                # The tensors of a step that nothing is compared with are listed, not read.
                single_sums=golden_key is not None,
            )
            self._running.append(_RunningStep(my_key, step, batch))
        self._n_known += len(step.rows)

    def _wait(self) -> None:
        """Waits for the step that the pool works on."""
        if not self._running:
            return
        with self._how.phases.time("waiting"):
            running = self._running[-1]
            for n_done in running.batch:
                self._tell(running, n_done)
            if self._bytes is not None:
                self._bytes.finish(running.key)

    def _tell(self, running: _RunningStep, n_done: int) -> None:
        """Call back with what is done, `n_done` tensors of the step at work among it."""
        progress = self._how.progress
        if progress is None:
            return
        if self._bytes is not None and isinstance(progress, ByteProgress):
            share = n_done / max(1, len(running.step.rows))
            progress.tell_bytes(self._bytes.within(running.key, share), self._bytes.n_all)
        progress(self._reporter.n_rows + n_done, self._n_known)

    def _report_first(self) -> None:
        """Rows of the first step in hand: all, or up to the first missing result.

        Rows, counts and the files tell the same also after Ctrl-C: it waits.
        """
        with self._how.phases.time("writing"), interrupts_held() as is_interrupted:
            done = self._running.popleft()
            done.batch.close()
            self._reporter.report(done.key, done.step, is_interrupted)
