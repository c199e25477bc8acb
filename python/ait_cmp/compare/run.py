"""compare_dirs: plan -> pairs -> core -> rows, step by step."""

from __future__ import annotations

import fnmatch
import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from ait_cmp import _core
from ait_cmp.compare.interrupts import interrupts_held
from ait_cmp.compare.plan import Plan, make_plan
from ait_cmp.compare.reduced_batch import open_batch
from ait_cmp.config import Limits, one_or_several_numbers, one_or_several_texts, thread_count
from ait_cmp.discover import StepKey
from ait_cmp.errors import ConfigError, FormatError
from ait_cmp.info.source import reduced_kind
from ait_cmp.pairing.pair import Pair, StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report import sanity
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.csv_report import CsvReport
from ait_cmp.report.custom import CustomAlgorithm, load_algorithms
from ait_cmp.report.row import Row, Rows
from ait_cmp.report.verdict import UNDUMPED_TYPES, GraphJudge

PathText = Union[str, Path]
# Called with (tensors done, tensors known so far); returns nothing.
Progress = Callable[[int, int], None]


@dataclass
class Phases:
    """Seconds of the main thread by what it did; the pool works beside it.

    Attributes:
        planning: Finding files, reading headers and graphs, pairing.
        waiting: Waiting for results of the pool.
        writing: Building, judging and writing rows.
    """

    planning: float = 0.0
    waiting: float = 0.0
    writing: float = 0.0


def compare_dirs(
    my_path: PathText,
    golden_path: PathText,
    *,
    output: PathText | None = None,
    threads: int | None = None,
    ranks: int | Sequence[int] | None = None,
    tokens: int | Sequence[int] | None = None,
    ops: str | Sequence[str] | None = None,
    custom_algorithms: str | Sequence[str] = (),
    limits: Limits | None = None,
    progress: Progress | None = None,
    access: str = "auto",
    phases: Phases | None = None,
) -> Comparison:
    """Compare a GE dump with an FX dump, or with another GE dump.

    Args:
        my_path: Folder of the dump under test, at any level of its tree.
        golden_path: Folder of the reference.
        output: Folder for the CSV reports, made if missing; None writes no file.
        threads: Worker threads; None takes all cores that the process may use.
        ranks: Only these ranks, or this one; None takes all that both sides have.
        tokens: Only these steps, counted from 0, or this one.
        ops: Only ops whose name fits one of these patterns, or this one (`MatMul_*`).
        custom_algorithms: Metrics of your own as FILE.py:FUNC, one or several, see the README.
        limits: What counts as equal; None takes the defaults.
        progress: Called with (tensors done, tensors known so far).
        access: How files are read: "auto", "map" or "read" (pread: for network file systems).
        phases: Filled with where the time went.

    Returns:
        Rows, counts and the first divergence of every rank and graph. Ctrl-C ends the run early
        with `was_interrupted` set and the rows that were done.

    Raises:
        ConfigError: A folder or an argument is wrong, or nothing of the two dumps can be compared.
    """
    n_threads = thread_count(threads)
    algorithms = load_algorithms(one_or_several_texts(custom_algorithms, "custom_algorithms"))
    run = _Run(
        folder=None if output is None else _output_folder(Path(output)),
        threads=n_threads,
        ops=None if ops is None else one_or_several_texts(ops, "ops"),
        algorithms=algorithms,
        limits=limits or Limits(),
        progress=progress,
        access=access,
        phases=phases or Phases(),
    )
    with _no_cycle_search():
        start = time.perf_counter()
        plan = make_plan(
            str(my_path),
            str(golden_path),
            ranks=None if ranks is None else one_or_several_numbers(ranks, "ranks"),
            tokens=None if tokens is None else one_or_several_numbers(tokens, "tokens"),
            threads=n_threads,
        )
        run.phases.planning += time.perf_counter() - start
        return run.compare(plan)


def _output_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"output folder {folder} cannot be made: {error.strerror}"
        raise ConfigError(message) from error
    return folder


class _Run:
    """One comparison in progress."""

    def __init__(
        self,
        *,
        folder: Path | None,
        threads: int,
        ops: Sequence[str] | None,
        algorithms: Sequence[CustomAlgorithm],
        limits: Limits,
        progress: Progress | None,
        access: str,
        phases: Phases,
    ) -> None:
        self._folder = folder
        self._threads = threads
        self._ops = ops
        self._algorithms = algorithms
        self._limits = limits
        self._progress = progress
        self._access = access
        self.phases = phases
        self._rows = Rows()
        names = [algorithm.name for algorithm in algorithms]
        self._result = Comparison(self._rows, custom_names=names)
        self._judges: dict[tuple[int, str], GraphJudge] = {}
        self._reports: dict[int, CsvReport] = {}
        self._data_ids: dict[int, int] = {}
        self._nodes: dict[tuple[int, str], tuple[int, int]] = {}
        self._now = time.localtime()
        self._n_known = 0
        # Steps that the pool has or had in hand and that are not reported yet, in order.
        self._running: deque[_RunningStep] = deque()

    def compare(self, plan: Plan) -> Comparison:
        with ExitStack() as open_reports:
            try:
                self._compare_steps(plan, open_reports)
            except KeyboardInterrupt:
                for running in self._running:
                    running.batch.stop()
                while self._running:
                    self._running[0].batch.take_ready()
                    self._report_first(open_reports)
                self._result.was_interrupted = True
            except BaseException:  # the callback for progress, or no memory
                for running in self._running:
                    for _ in running.batch:
                        pass
                while self._running:
                    self._report_first(open_reports)
                raise
        result = self._result
        result.first_divergence = [
            judge.first_divergence
            for _, judge in sorted(self._judges.items())
            if judge.first_divergence is not None
        ]
        result.notes = [
            *plan.notes,
            *self._notes_of_filter(),
            *sanity.warn_of_trees(plan.my, plan.golden, plan.alignment),
            *sanity.warn_of_rows(self._rows.steps),
            *self._warn_of_missing_nodes(),
        ]
        return result

    def _warn_of_missing_nodes(self) -> list[str]:
        return [
            note
            for (rank, graph), (n_nodes, n_dumped) in sorted(self._nodes.items())
            for note in sanity.warn_of_missing_nodes(rank, graph, n_nodes, n_dumped)
        ]

    def _count_nodes(self, key: StepKey, step: StepPairs) -> None:
        """Remember the fullest step of every graph: its ops, and those that it dumped."""
        computing = {i for i, node in enumerate(step.nodes) if node.type not in UNDUMPED_TYPES}
        n_dumped = len(computing.intersection(step.node_of.values()))
        _, most = self._nodes.get((key.rank, key.graph), (0, -1))
        if n_dumped > most:
            self._nodes[key.rank, key.graph] = (len(computing), n_dumped)

    def _notes_of_filter(self) -> list[str]:
        if not self._ops or self._result.was_interrupted:
            return []
        patterns = " or ".join(self._ops)
        if not self._rows:
            return [f"No operator of the my side has a name that fits {patterns}."]
        if not self._result.first_divergence:
            return []
        return [
            f"Only operators that fit {patterns} were compared: what feeds them is not known, and "
            "the first divergence may lie before."
        ]

    def _compare_steps(self, plan: Plan, open_reports: ExitStack) -> None:
        """Pairs a step and reports the one before while the pool works on the one in hand."""
        for my_key, golden_key in plan.steps:
            start = time.perf_counter()
            step = plan.pair(my_key, golden_key)
            if not step.is_repeat:
                self._count_nodes(my_key, step.pairs)
            step = self._only_wanted(step)
            self.phases.planning += time.perf_counter() - start
            self._wait()
            self._start(my_key, golden_key, step)
            if len(self._running) > 1:
                self._report_first(open_reports)
        self._wait()
        while self._running:
            self._report_first(open_reports)
        for leftover in plan.unmet_golden():
            self._result.unused_golden.extend(leftover)
            self._result.counts.golden["unused"] += len(leftover)

    def _only_wanted(self, step: PairedStep) -> PairedStep:
        if not self._ops:
            return step
        whole = step.pairs
        wanted = {
            name
            for name in {pair.op_name for pair in whole.pairs}
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in self._ops)
        }
        pairs = [pair for pair in whole.pairs if pair.op_name in wanted]
        used = {pair.golden[:3] for pair in pairs if pair.golden is not None}
        unused = [*whole.unused_golden, *sorted(whole.used_golden - used)]
        wanted_pairs = StepPairs(pairs, used, unused, whole.nodes, whole.node_of)
        return PairedStep(wanted_pairs, step.headers)

    def _start(self, my_key: StepKey, golden_key: StepKey | None, step: PairedStep) -> None:
        with interrupts_held():  # so that nothing runs that nobody knows of
            batch = open_batch(
                step,
                threads=self._threads,
                access=self._access,
                # The tensors of a step that nothing is compared with are listed, not read.
                single_sums=golden_key is not None,
            )
            self._running.append(_RunningStep(my_key, step, batch))
        self._n_known += len(step.rows)

    def _wait(self) -> None:
        """Waits for the step that the pool works on."""
        if not self._running:
            return
        start = time.perf_counter()
        running = self._running[-1]
        for n_done in running.batch:
            if self._progress is not None:
                self._progress(len(self._rows) + n_done, self._n_known)
        self.phases.waiting += time.perf_counter() - start

    def _report_first(self, open_reports: ExitStack) -> None:
        """Rows of the first step in hand: all, or up to the first missing result.

        Rows, counts and the CSV tell the same also after Ctrl-C: it waits.
        """
        start = time.perf_counter()
        with interrupts_held():
            done = self._running.popleft()
            done.batch.close()
            self._report_step(done.key, done.step, open_reports)
        self.phases.writing += time.perf_counter() - start

    def _report_step(self, key: StepKey, step: PairedStep, open_reports: ExitStack) -> None:
        rows = step.rows
        is_whole = rows.n_done == len(rows)
        first_id = self._data_ids.get(key.rank, 0)
        judge = self._judges.setdefault((key.rank, key.graph), GraphJudge(self._limits))
        judge.judge(step, first_id)
        if self._algorithms:
            for place, pair in enumerate(step.pairs.pairs[: len(rows)]):
                rows[place] = self._with_custom(pair, Row._make(rows[place]))
        self._data_ids[key.rank] = first_id + len(rows)
        self._result.counts.add(rows)
        if is_whole:
            unused = step.unused_golden
            self._result.counts.golden["used"] += step.n_used
            self._result.counts.golden["unused"] += len(unused)
            self._result.unused_golden.extend(unused)
        self._rows.add(rows)
        if self._folder is not None:
            self._report_of(key.rank, open_reports).write(rows)

    def _with_custom(self, pair: Pair, row: Row) -> Row:
        if row.status != "compared" or pair.golden is None or _is_reduced(pair):
            return row._replace(custom=("",) * len(self._algorithms))
        try:
            my = _core.read_values(pair.my, self._access).astype("float32")
            golden = _core.read_values(pair.golden, self._access).astype("float32")
        except (FormatError, OSError) as error:  # no number, or the file has changed
            return row._replace(
                custom=("",) * len(self._algorithms),
                cmp_fail_reason=f"{row.cmp_fail_reason} Custom algorithms: {error}.".lstrip(),
            )
        cells = [algorithm(golden, my) for algorithm in self._algorithms]
        messages = [row.cmp_fail_reason, *(message for _, message in cells)]
        return row._replace(
            custom=tuple(value for value, _ in cells),
            cmp_fail_reason=" ".join(message for message in messages if message),
        )

    def _report_of(self, rank: int, open_reports: ExitStack) -> CsvReport:
        if rank not in self._reports:
            assert self._folder is not None
            shown_rank = None if rank < 0 else rank
            report = CsvReport(self._folder, shown_rank, self._result.custom_names, self._now)
            self._reports[rank] = open_reports.enter_context(report)
            self._result.csv_paths.append(report.path)
        return self._reports[rank]


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


def _is_reduced(pair: Pair) -> bool:
    sides = (pair.my, pair.golden)
    return any(side is not None and reduced_kind(side.path) != "" for side in sides)


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
