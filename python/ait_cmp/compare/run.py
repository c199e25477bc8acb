"""compare_dirs: plan -> pairs -> core -> reports, the steps one behind the other."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager

from ait_cmp.compare.engine import (
    Engine,
    EngineFound,
    ExecutorEngine,
    PlanRequest,
    compare_units,
)
from ait_cmp.compare.pipeline import How, Pipeline, Progress
from ait_cmp.compare.prover import prover_of, references_of
from ait_cmp.compare.read_ahead import ReadAhead
from ait_cmp.compare.renumbered import RenumberedNodes
from ait_cmp.compare.reporter import Reporter
from ait_cmp.compare.units import UnitOptions
from ait_cmp.compare.whole import complete, facts_of
from ait_cmp.config import (
    ACCESS,
    Limits,
    PathText,
    expanded,
    one_or_several_numbers,
    one_or_several_texts,
    thread_count,
)
from ait_cmp.errors import ConfigError
from ait_cmp.report.comparison import Comparison, RunFacts
from ait_cmp.report.csv_sink import CsvSink
from ait_cmp.report.custom import CustomAlgorithm, load_algorithms
from ait_cmp.report.html_sink import HtmlSink
from ait_cmp.report.jsonl_sink import JsonlSink
from ait_cmp.report.report_files import ReportNames, output_folder
from ait_cmp.report.result.baseline import read_baseline
from ait_cmp.report.result_sink import ResultSink
from ait_cmp.report.sinks import Sink, Sinks
from ait_cmp.terms import REPLAY_MODES, ByteProgress, ReplayMode

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
    executor: Executor | Engine | None = None,
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
        executor: Whose workers compare the graphs of the ranks, any concurrent.futures.Executor;
            the report is the same. None: threads of this process. `threads` are those of a worker.
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
    if replay not in REPLAY_MODES:
        message = f"replay: one of {', '.join(REPLAY_MODES)} expected, found {replay!r}"
        raise ConfigError(message)
    specifications = one_or_several_texts(custom_algorithms, "custom_algorithms")
    reference_files = one_or_several_texts(references, "references")
    algorithms = load_algorithms(specifications)
    references_of(reference_files)  # what is wrong with them is told before anything is read
    patterns = None if ops is None else one_or_several_texts(ops, "ops")
    known_divergences = None if baseline is None else read_baseline(expanded(baseline))
    limits = limits or Limits()
    started = time.time()
    names = None if output is None else _names(output, started)
    custom_names = [algorithm.name for algorithm in algorithms]
    sinks = Sinks(_sinks(names, custom_names, jsonl=jsonl, html=html))
    request = PlanRequest(
        str(expanded(my_path)) if str(my_path) else "",
        str(expanded(golden_path)) if str(golden_path) else "",
        None if ranks is None else tuple(one_or_several_numbers(ranks, "ranks")),
        None if tokens is None else tuple(one_or_several_numbers(tokens, "tokens")),
        tuple(one_or_several_texts(pairs, "pairs")),
        golden_token_offset,
        threads,
        counts_bytes=isinstance(progress, ByteProgress),
    )
    engine = _engine(executor)
    options = UnitOptions(
        None if engine is not None and threads is None else thread_count(threads),
        1 if engine is None else engine.share(),
        access,
        None if patterns is None else tuple(patterns),
        padding,
        limits,
        replay,
        tuple(reference_files),
        tuple(specifications),
        jsonl,
        keep_rows or html is not False,  # the page is made of them at the end
    )
    try:
        with _no_cycle_search():
            if engine is None:
                found = _compare_here(request, options, algorithms, sinks, progress)
            else:
                found = compare_units(engine, request, options, sinks, progress)
            result, first = found.result, found.facts[0]
            result.run = RunFacts(first.my_root, first.golden_root, limits, started, command)
            result.baseline, result.custom_names = known_divergences, custom_names
            complete(result, found.facts, found.filter_notes, patterns)
            sinks.finish(result)
    finally:
        sinks.close()
    return result


def _engine(executor: Executor | Engine | None) -> Engine | None:
    if executor is None or isinstance(executor, Engine):
        return executor
    if isinstance(executor, Executor):
        return ExecutorEngine(executor)
    message = f"executor: a concurrent.futures.Executor expected, found {type(executor).__name__}"
    raise ConfigError(message)


def _compare_here(
    request: PlanRequest,
    options: UnitOptions,
    algorithms: Sequence[CustomAlgorithm],
    sinks: Sinks,
    progress: Progress | None,
) -> EngineFound:
    """All graphs one behind the other, on threads of this process."""
    assert options.threads is not None
    how = How(options.threads, options.access, options.ops, progress, options.padding)
    with ReadAhead() as ahead:
        with how.phases.time("planning"):
            plan = request.plan(options.threads, ahead)
        reporter = Reporter(
            options.limits,
            algorithms,
            options.access,
            sinks,
            prover_of(plan, options.replay, options.limits, options.references),
            RenumberedNodes(plan),
            keep_rows=options.keep_rows,
        )
        pipeline = Pipeline(plan, how, reporter, ahead)
        was_interrupted = pipeline.compare_or_stop()
    result = reporter.part(was_interrupted=was_interrupted)
    result.tally.notes += pipeline.notes
    of_filter = [] if pipeline.filter is None or was_interrupted else pipeline.filter.notes
    _LOG.debug("phases: %s", how.phases)
    return EngineFound(result, [facts_of(plan, pipeline.unmet_golden)], of_filter)


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
