"""compare_dirs: plan -> pairs -> core -> reports, the steps one behind the other."""

from __future__ import annotations

import gc
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ait_cmp.compare.byte_count import ByteCount
from ait_cmp.compare.op_filter import OpFilter
from ait_cmp.compare.plan import Plan, make_plan
from ait_cmp.compare.prover import ReplayProver
from ait_cmp.compare.reduced_batch import open_batch
from ait_cmp.compare.renumbered import RenumberedNodes
from ait_cmp.compare.reporter import Reporter
from ait_cmp.compare.step_pairer import StepPairer
from ait_cmp.config import (
    ACCESS,
    Limits,
    PathText,
    expanded,
    one_or_several_numbers,
    one_or_several_texts,
    thread_count,
)
from ait_cmp.discover import StepKey
from ait_cmp.errors import ConfigError
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.comparison import Comparison, RunFacts
from ait_cmp.report.csv_sink import CsvSink
from ait_cmp.report.custom import load_algorithms
from ait_cmp.report.html_sink import HtmlSink
from ait_cmp.report.interrupts import interrupts_held
from ait_cmp.report.jsonl_sink import JsonlSink
from ait_cmp.report.notes import Note
from ait_cmp.report.report_files import ReportNames, output_folder
from ait_cmp.report.result.baseline import read_baseline
from ait_cmp.report.result_sink import ResultSink
from ait_cmp.report.sinks import Sink
from ait_cmp.terms import REPLAY_MODES, ByteProgress, ReplayMode

if TYPE_CHECKING:
    from ait_cmp.replay.references import Reference

# Called with (tensors done, tensors known so far); returns nothing.
Progress = Callable[[int, int], None]

_LOG = logging.getLogger("ait_cmp")


def compare_dirs(
    my_path: PathText,
    golden_path: PathText,
    *,
    output: PathText | None = None,
    threads: int | None = None,
    ranks: int | Sequence[int] | None = None,
    tokens: int | Sequence[int] | None = None,
    ops: str | Sequence[str] | None = None,
    pairs: str | Sequence[str] = (),
    golden_token_offset: int | None = None,
    padding: bool = True,
    custom_algorithms: str | Sequence[str] = (),
    limits: Limits | None = None,
    replay: ReplayMode = "suspects",
    references: str | Sequence[str] = (),
    jsonl: bool = False,
    html: bool | PathText = False,
    baseline: PathText | None = None,
    progress: Progress | None = None,
    access: str = ACCESS,
    command: Sequence[str] | None = None,
    keep_rows: bool = True,
) -> Comparison:
    """Compare a GE dump with an FX dump, or with another GE dump.

    Args:
        my_path: Folder of the dump under test, at any level of its tree.
        golden_path: Folder of the reference.
        output: Folder for the CSV reports, made if missing; None writes no file.
        threads: Worker threads; None takes all cores that the process may use.
        ranks: Only these ranks, or this one; None takes all that both sides have.
        tokens: Only these steps, counted from 0, or this one.
        ops: Only ops whose name, FX name, type or module fits one of these patterns, or this one
            (`MatMul_*`, `*.mlp.*`).
        pairs: MY=GOLDEN, folders of steps, graphs or ranks that meet whatever else they say.
        golden_token_offset: My step s meets golden step s + this (my 5, 6 against golden 0, 1: -5);
            None lets the values of the graphs' inputs tell, then the numbers.
        padding: Compare the leading rows where the my side is padded (8 rows against 5).
        custom_algorithms: Metrics of your own as FILE.py:FUNC, one or several, see the README.
        limits: What counts as equal; None takes the defaults.
        replay: Which ops are recomputed from their own dumped inputs: "suspects" (those that
            diverge or may), "all" or "none".
        references: Python files with references of your own for replay, one or several.
        jsonl: Write the rows as JSON lines, too, beside the CSV reports.
        html: Write the page: to this file, or (True) beside the CSV reports.
        baseline: The result.json of an earlier run: ops that diverged there do not count.
        progress: Called with (tensors done, tensors known so far).
        access: How files are read: "auto", "map" or "read" (pread: for network file systems).
        command: The words of a command line that result.json is to tell.
        keep_rows: Whether `Comparison.rows` is wanted; False saves the file that many rows take.

    Returns:
        Rows, counts and the first divergence of every rank and graph. Ctrl-C ends the run early
        with `was_interrupted` set and the rows that were done.

    Raises:
        ConfigError: A folder or an argument is wrong, or nothing of the two dumps can be compared.

    Example:
        >>> result = ait_cmp.compare_dirs("ait-cmp-demo/ge_wrong", "ait-cmp-demo/fx", tokens=0)
        >>> [(found.op_name, found.kind) for found in result.divergences]
        [('MatMul_3', 'growth')]
        >>> result.counts["compared"], result.counts.total
        (234, 282)
    """
    algorithms = load_algorithms(one_or_several_texts(custom_algorithms, "custom_algorithms"))
    how = _How(
        threads=thread_count(threads),
        access=access,
        ops=None if ops is None else one_or_several_texts(ops, "ops"),
        progress=progress,
        padding=padding,
    )
    known = _references(replay, one_or_several_texts(references, "references"))
    known_divergences = None if baseline is None else read_baseline(expanded(baseline))
    started = time.time()
    names = None if output is None else _names(output, started)
    sinks = _sinks(names, [algorithm.name for algorithm in algorithms], jsonl=jsonl, html=html)
    with _no_cycle_search():
        with how.phases.time("planning"):
            plan = make_plan(
                str(expanded(my_path)) if str(my_path) else "",
                str(expanded(golden_path)) if str(golden_path) else "",
                ranks=None if ranks is None else one_or_several_numbers(ranks, "ranks"),
                tokens=None if tokens is None else one_or_several_numbers(tokens, "tokens"),
                pairs=one_or_several_texts(pairs, "pairs"),
                golden_token_offset=golden_token_offset,
                threads=how.threads,
            )
        limits = limits or Limits()
        run = RunFacts(plan.my.root, plan.golden.root, limits, started, command)
        prover = None if replay == "none" else ReplayProver(plan, replay, limits, known)
        reporter = Reporter(
            limits,
            algorithms,
            access,
            sinks,
            prover,
            run,
            known_divergences,
            RenumberedNodes(plan),
            keep_rows=keep_rows or html is not False,  # the page is made of them at the end
        )
        return _Run(plan, how, reporter).compare()


def _references(mode: str, files: Sequence[str]) -> Mapping[str, Reference]:
    """References of the user's own; the room that replays is loaded only for them."""
    if mode not in REPLAY_MODES:
        message = f"replay: one of {', '.join(REPLAY_MODES)} expected, found {mode!r}"
        raise ConfigError(message)
    if not files:
        return {}
    from ait_cmp.replay.user_references import load_references

    return load_references(files)


def _names(output: PathText, started: float) -> ReportNames:
    return ReportNames(output_folder(expanded(output)), time.localtime(started))


def _sinks(
    names: ReportNames | None,
    custom_names: Sequence[str],
    *,
    jsonl: bool,
    html: bool | PathText,
) -> list[Sink]:
    """The forms of the report that are asked for."""
    sinks: list[Sink] = []
    if names is not None:
        sinks.append(CsvSink(names, custom_names))
        if jsonl:
            sinks.append(JsonlSink(names, custom_names))
        sinks.append(ResultSink(names))
    if html is not False:
        sinks.append(HtmlSink.of(names, html))
    return sinks


class _Phases:
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
class _How:
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
    phases: _Phases = field(default_factory=_Phases)


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


class _Run:
    """A plan at work: a step is paired and the one before reported while the pool compares."""

    def __init__(self, plan: Plan, how: _How, reporter: Reporter) -> None:
        self._plan = plan
        self._how = how
        self._reporter = reporter
        self._pairer = StepPairer(plan, how.threads, padding=how.padding)
        self._bytes = ByteCount(plan) if isinstance(how.progress, ByteProgress) else None
        self._filter = OpFilter(how.ops) if how.ops else None
        self._n_known = 0
        # Steps that the pool has or had in hand and that are not reported yet, in order.
        self._running: deque[_RunningStep] = deque()

    def compare(self) -> Comparison:
        """All steps of the plan; the reports are closed at the end."""
        try:
            was_interrupted = self._compare_or_stop()
            notes = [*self._plan.notes, *self._pairer.notes]
            if self._filter is not None and not was_interrupted:
                first = self._plan.first_rank
                notes += [Note("filter", first, "", text) for text in self._filter.notes]
            result = self._reporter.finish(
                self._plan, notes, self._how.ops, was_interrupted=was_interrupted
            )
        finally:
            self._reporter.close()
        _LOG.debug("phases: %s", self._how.phases)
        return result

    def _compare_or_stop(self) -> bool:
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
        for key, tensors in self._pairer.unmet_golden():
            self._reporter.add_unmet_golden(key, tensors)

    def _pair(self, my_key: StepKey, golden_key: StepKey | None) -> PairedStep:
        step = self._pairer.pair(my_key, golden_key)
        if not step.is_repeat:
            self._reporter.count_nodes(my_key, step.pairs)
        return step if self._filter is None else self._filter.apply(step)

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


@contextmanager
def _no_cycle_search() -> Iterator[None]:
    """Rows and pairs are tuples without cycles: looking for some costs a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
