"""A graph of a rank, compared by itself: what a worker is given, and what it gives back.

What it gives back is what a small report holds: compressed lines, counts, divergences and notes.
"""

from __future__ import annotations

import gzip
import io
import socket
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ait_cmp import _core
from ait_cmp.align.graph_choice import ge_graph_files, graph_files_of
from ait_cmp.align.graph_texts import GraphTexts
from ait_cmp.align.steps import Alignment
from ait_cmp.compare.pipeline import How, Pipeline
from ait_cmp.compare.plan import Plan
from ait_cmp.compare.prover import prover_of
from ait_cmp.compare.renumbered import RenumberedNodes
from ait_cmp.compare.reporter import Reporter
from ait_cmp.config import Limits, thread_count
from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.errors import ConfigError
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.custom import load_algorithms
from ait_cmp.report.jsonl_sink import JsonlSink
from ait_cmp.report.kept_rows import KeptRows
from ait_cmp.report.notes import Note
from ait_cmp.report.sinks import GraphLines, Sink, Sinks, StepReport
from ait_cmp.report.verdict import Before
from ait_cmp.terms import ReplayMode

# Lines shrink to a tenth with the quickest level, and to little less with others.
_LEVEL = 1


@dataclass(frozen=True)
class UnitOptions:
    """How units are compared, the same for all of a run.

    Attributes:
        threads: Threads of the core for each, None: those that the process may use, parted.
        share: Units at work at a time on a host.
        access: How files are read.
        ops: Patterns of the ops that are wanted, None: all.
        padding: Whether leading rows are compared where the my side is padded.
        limits: What counts as equal.
        replay: Which ops are replayed.
        references: Files with references of the user's own.
        algorithms: The user's own metrics, FILE.py:FUNC.
        jsonl: Whether lines of JSON are wanted, too.
        keep_rows: Whether rows are wanted beside their lines.
        program: Version of the ait-cmp that asks.
    """

    threads: int | None
    share: int
    access: str
    ops: tuple[str, ...] | None
    padding: bool
    limits: Limits
    replay: ReplayMode
    references: tuple[str, ...]
    algorithms: tuple[str, ...]
    jsonl: bool
    keep_rows: bool
    program: str = _core.__version__


@dataclass(frozen=True)
class Unit:
    """A graph of a rank: all that a worker needs but for the files.

    Attributes:
        rank: Rank, -1 without rank level.
        graph: Name of the graph.
        my: What the my side holds of it.
        golden: What the golden side holds of the steps that it meets.
        steps: Its steps with those that they meet.
        alignment: Why steps meet none.
        refused: The sentence on its graph text, if that is of another model.
        first_rank: The first rank of the whole run.
        before: What the graphs before it in its rank leave.
        options: How it is compared.
    """

    rank: int
    graph: str
    my: DumpTree
    golden: DumpTree
    steps: tuple[tuple[StepKey, StepKey | None], ...]
    alignment: Alignment
    refused: Mapping[tuple[int, str], str]
    first_rank: int
    before: Before
    options: UnitOptions


@dataclass
class UnitFound:
    """What a unit found.

    Attributes:
        rank: Its rank.
        graph: Its graph.
        comparison: All but the rows; data_id counts from 0.
        lines: Its lines, compressed.
        packed: Rows for whoever asks afterwards: how many, and their bytes, compressed.
        written: What its steps wrote, for the graphs after it; 64 bits each.
        asked: What of other graphs would make a difference: an input that differs is state of the
            rank if one of these numbers was written before.
        unmet: Patterns of `ops` that nothing fits here.
        names: What they were tried on, if one is unmet.
    """

    rank: int
    graph: str
    comparison: Comparison
    lines: GraphLines
    packed: list[tuple[int, bytes]]
    written: bytes
    asked: frozenset[int]
    unmet: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def numbers_written(self) -> set[int]:
        """What was written, as numbers."""
        return set(array("Q", self.written))


def units_of(plan: Plan, options: UnitOptions) -> list[Unit]:
    """The units of a plan, in the order of the report."""
    steps: dict[tuple[int, str], list[tuple[StepKey, StepKey | None]]] = {}
    for my_key, golden_key in plan.steps:
        steps.setdefault((my_key.rank, my_key.graph), []).append((my_key, golden_key))
    units, n_before = [], dict.fromkeys((rank for rank, _ in steps), 0)
    for (rank, graph), of_graph in steps.items():
        golden_keys = [golden for _, golden in of_graph if golden is not None]
        units.append(
            Unit(
                rank,
                graph,
                _part(plan.my, [my for my, _ in of_graph], rank, graph),
                _part(plan.golden, golden_keys, rank, graph),
                tuple(of_graph),
                _alignment(plan.alignment, rank, graph),
                {key: text for key, text in plan.refused.items() if key == (rank, graph)},
                plan.first_rank,
                Before(n_before[rank]),
                options,
            )
        )
        n_before[rank] += len(of_graph)
    return units


def _part(tree: DumpTree, keys: Sequence[StepKey], rank: int, graph: str) -> DumpTree:
    """Of a dump what a graph of the my side needs."""
    texts = graph_files_of(tree, rank, graph) + ge_graph_files(tree)
    return replace(
        tree,
        ge={key: tree.ge[key] for key in keys if key in tree.ge},
        fx={key: tree.fx[key] for key in keys if key in tree.fx},
        graph_files=[file for file in tree.graph_files if file in texts],
        overflow_files=[],
        notes=[],
        empty_steps=frozenset(),
        unread=(),
    )


def _alignment(found: Alignment, rank: int, graph: str) -> Alignment:
    """Of an alignment what says why a step of a graph meets none."""
    return Alignment(
        steps=[],
        graphs=[],
        my_ranks_only=[one for one in found.my_ranks_only if one == rank],
        golden_ranks_only=[],
        my_graphs_only=[one for one in found.my_graphs_only if one == (rank, graph)],
        golden_graphs_only=[],
        my_steps_only=[],
        golden_steps_only=[],
        notes=[],
    )


class _Lines:
    """A sink: the lines of a graph, compressed as they come."""

    def __init__(self, custom_names: Sequence[str], *, jsonl: bool) -> None:
        self._csv = io.BytesIO()
        self._jsonl = io.BytesIO() if jsonl else None
        self._files = [_compressed(self._csv)]
        self._form = JsonlSink(None, custom_names) if jsonl else None
        if self._jsonl is not None:
            self._files.append(_compressed(self._jsonl))

    def write(self, report: StepReport) -> None:
        """Compress the lines of a step."""
        self._files[0].write(report.rows.csv())
        if self._form is not None:
            self._files[1].writelines(self._form.lines(report))

    def write_lines(self, lines: GraphLines) -> None:
        """Nothing: a unit is one graph."""

    def finish(self, result: Comparison) -> None:
        """Nothing: `lines` gives them."""

    def lines(self, rank: int) -> GraphLines:
        """All of them."""
        self.close()
        jsonl = b"" if self._jsonl is None else self._jsonl.getvalue()
        return GraphLines(rank, 0, self._csv.getvalue(), jsonl)

    def close(self) -> None:
        """No line follows."""
        for file in self._files:
            file.close()


def _compressed(into: io.BytesIO) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=into, mode="wb", compresslevel=_LEVEL, mtime=0)


def compare_unit(unit: Unit) -> UnitFound:
    """Compare a graph of a rank; runs wherever its files are.

    Raises:
        ConfigError: This ait-cmp is of another version, or a file of the user's own is not here.
    """
    options = unit.options
    if options.program != _core.__version__:
        message = f"{socket.gethostname()} has ait-cmp {_core.__version__}, here it is "
        message += f"{options.program}: workers need the same version"
        raise ConfigError(message)
    plan = Plan(
        unit.my,
        unit.golden,
        unit.alignment,
        GraphTexts([unit.my, unit.golden]),
        unit.steps,
        unit.refused,
    )
    algorithms = load_algorithms(options.algorithms)
    sink = _Lines([algorithm.name for algorithm in algorithms], jsonl=options.jsonl)
    sinks: list[Sink] = [sink]
    threads = options.threads or max(1, thread_count(None) // options.share)
    how = How(threads, options.access, options.ops, None, options.padding)
    reporter = Reporter(
        options.limits,
        algorithms,
        options.access,
        Sinks(sinks),
        prover_of(plan, options.replay, options.limits, options.references),
        RenumberedNodes(plan),
        before=unit.before,
        keep_rows=options.keep_rows,
    )
    pipeline = Pipeline(plan, how, reporter)
    was_interrupted = pipeline.compare_or_stop()
    comparison = reporter.part(was_interrupted=was_interrupted)
    comparison.tally.notes += pipeline.notes
    texts = [Note("graph_text", unit.first_rank, "", text) for text in plan.texts.notes]
    comparison.tally.notes += texts
    comparison.tally.unread += texts
    packed = comparison.rows.packed() if isinstance(comparison.rows, KeptRows) else iter(())
    found = UnitFound(
        unit.rank,
        unit.graph,
        comparison,
        sink.lines(unit.rank),
        [(number, zlib.compress(content, _LEVEL)) for number, content in packed],
        array("Q", reporter.written(unit.rank)).tobytes(),
        frozenset(reporter.asked),
    )
    if pipeline.filter is not None and pipeline.filter.unmet:
        found.unmet, found.names = pipeline.filter.unmet, pipeline.filter.names
    comparison.rows = ()
    comparison.draw()
    return found
