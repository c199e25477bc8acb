"""Compared steps -> the report: rows, their verdicts, own metrics, counts, and every sink."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from typing import TYPE_CHECKING

from ait_cmp.compare.own_metrics import fill_own_metrics
from ait_cmp.compare.plan import Plan
from ait_cmp.compare.renumbered import RenumberedNodes
from ait_cmp.config import Limits
from ait_cmp.discover import StepKey
from ait_cmp.discover.runs import number_ranges
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report import sanity
from ait_cmp.report.comparison import Comparison, RunFacts
from ait_cmp.report.custom import CustomAlgorithm
from ait_cmp.report.findings import Divergence
from ait_cmp.report.kept_rows import KeptRows
from ait_cmp.report.proofs import Prover
from ait_cmp.report.row import Row, column, rows_of
from ait_cmp.report.row_sanity import RowWarnings
from ait_cmp.report.shards import shard_sentence
from ait_cmp.report.sinks import Sink, StepReport
from ait_cmp.report.verdict import UNDUMPED_TYPES, Judge
from ait_cmp.report.watch import overwritten
from ait_cmp.terms import DIFFERENT_STATUSES

if TYPE_CHECKING:
    from ait_cmp._core import StepRows


class Reporter:
    """Takes the steps in the order of the report.

    Args:
        limits: What counts as equal.
        algorithms: Metrics of the user's own.
        access: How files are read for them.
        sinks: The forms of the report; closed with it.
        prover: Replays what is suspect; None replays nothing.
        run: What was asked for.
        baseline: Divergences that are known.
        keep_rows: Whether the result is to have the rows.
    """

    def __init__(
        self,
        limits: Limits,
        algorithms: Sequence[CustomAlgorithm],
        access: str,
        sinks: Sequence[Sink],
        prover: Prover | None = None,
        run: RunFacts | None = None,
        baseline: Container[Divergence] | None = None,
        *,
        keep_rows: bool = True,
    ) -> None:
        self._algorithms = algorithms
        self._access = access
        self._sinks = sinks
        self._failed: list[Sink] = []
        self._rows = KeptRows() if keep_rows else None
        names = [algorithm.name for algorithm in algorithms]
        self._result = Comparison(
            () if self._rows is None else self._rows,
            custom_names=names,
            run=run,
            baseline=baseline,
        )
        self._warnings = RowWarnings()
        self._renumbered = RenumberedNodes()
        # (my, golden) shapes of tensors that could not be compared for them -> how many.
        self._shapes: Counter[tuple[str, str]] = Counter()
        self._judge = Judge(limits, prover)
        self._data_ids: dict[int, int] = {}
        # (rank, graph) -> ops of the graph, and those that its fullest step dumped.
        self._nodes: dict[tuple[int, str], tuple[int, int]] = {}
        self._dumped: dict[tuple[int, str], set[str]] = {}

    @property
    def n_rows(self) -> int:
        """Rows reported so far."""
        return self._result.counts.total

    def report(
        self, key: StepKey, step: PairedStep, should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Judge a step, count it, and give it to every sink; rows without a result are dropped.

        Args:
            key: Rank, graph and step.
            step: The step.
            should_stop: Whether no further op is to be replayed.
        """
        rows = step.rows
        is_whole = rows.n_done == len(rows)
        first_id = self._data_ids.get(key.rank, 0)
        found = self._judge.judge(key, step, first_id, should_stop)
        self._result.exhibits.add(step, found)
        self._renumbered.add(rows, found)
        if self._algorithms:
            fill_own_metrics(step, self._algorithms, self._access)
        self._data_ids[key.rank] = first_id + len(rows)
        self._result.counts.add(key.rank, rows, step.misses)
        if is_whole:
            self._result.counts.golden["used"] += step.n_used
            self.add_unused_golden(step.unused_golden)
        self._look_at(rows)
        if self._rows is not None:
            self._rows.add(rows)
        if step.watched:
            self._result.overwritten += overwritten(list(rows_of(rows)), step.watched)
        report = StepReport(key, step)
        self._each_sink(lambda sink: sink.write(report))

    def _look_at(self, rows: StepRows) -> None:
        """Keep what the end of a run says of rows."""
        self._warnings.add(rows)
        statuses = column(rows, "status")
        if self._result.first_not_compared is None:
            first = next((i for i, it in enumerate(statuses) if it in DIFFERENT_STATUSES), None)
            if first is not None:
                self._result.first_not_compared = Row._make(rows[first])
        if "shape_mismatch" in statuses:
            shapes = zip(statuses, column(rows, "my_shape"), column(rows, "golden_shape"))
            self._shapes.update(
                (mine, golden) for status, mine, golden in shapes if status == "shape_mismatch"
            )

    def add_unused_golden(self, tensors: Sequence[str]) -> None:
        """Count golden tensors that no row used."""
        self._result.unused_golden.extend(tensors)
        self._result.counts.golden["unused"] += len(tensors)

    def count_nodes(self, key: StepKey, step: StepPairs) -> None:
        """Remember the fullest step of every graph: its ops, and those that it dumped."""
        computing = {i for i, node in enumerate(step.nodes) if node.type not in UNDUMPED_TYPES}
        dumped = computing.intersection(step.node_of.values())
        n_dumped = len(dumped)
        seen = self._dumped.setdefault((key.rank, key.graph), set())
        seen.update(step.nodes[i].name for i in dumped)
        _, most = self._nodes.get((key.rank, key.graph), (0, -1))
        if n_dumped > most:
            self._nodes[key.rank, key.graph] = (len(computing), n_dumped)

    def finish(
        self,
        plan: Plan,
        notes: Iterable[str],
        patterns: Sequence[str] | None,
        *,
        was_interrupted: bool,
    ) -> Comparison:
        """The result, when no step follows.

        Args:
            plan: What was compared.
            notes: What was noted on the way to the pairs.
            patterns: Names of the ops that were wanted, None: all.
            was_interrupted: Whether steps are missing.
        """
        result = self._result
        result.was_interrupted = was_interrupted
        self._judge.report_to(result)
        result.divergences = self._renumbered.told(result.divergences, plan)
        result.refused = list(plan.refused.values())
        result.unread = plan.unread
        result.left_out = self._left_out(plan)
        result.n_ops = sum(n_nodes for n_nodes, _ in self._nodes.values())
        n_dumped = sum(n for _, n in self._nodes.values())
        result.n_ops_without_file = result.n_ops - n_dumped
        result.n_ops_in_other_steps = sum(map(len, self._dumped.values())) - n_dumped
        result.notes = [
            *notes,
            *self._notes_of_filter(patterns),
            *sanity.warn_of_trees(plan.my, plan.golden, plan.alignment),
            *self._warnings.sentences(),
            *self._warn_of_missing_nodes(),
        ]
        self._each_sink(lambda sink: sink.finish(result), also_failed=True)
        return result

    def _each_sink(self, do: Callable[[Sink], None], *, also_failed: bool = False) -> None:
        """A sink that cannot write is left out from then on: the comparison goes on without it."""
        for sink in self._sinks:
            if sink in self._failed and not also_failed:
                continue
            try:
                do(sink)
            except OSError as error:
                self._failed.append(sink)
                self._result.unwritten.append(_cannot_write(error))

    def _left_out(self, plan: Plan) -> list[str]:
        """What no row tells: ranks that only golden has, shards that met wholes."""
        said = []
        if plan.alignment.golden_ranks_only:
            ranks = number_ranges(plan.alignment.golden_ranks_only)
            said.append(f"Ranks that only the golden dump has: {ranks}.")
        if self._shapes:
            said.append(shard_sentence(self._shapes))
        return [sentence for sentence in said if sentence]

    def close(self) -> None:
        """Close the sinks."""
        for sink in self._sinks:
            sink.close()

    def _notes_of_filter(self, patterns: Sequence[str] | None) -> list[str]:
        if not patterns or self._result.was_interrupted:
            return []
        names = " or ".join(patterns)
        if not self._result.divergences:
            return []
        return [
            f"Only operators that fit {names} were compared: what feeds them is not known, and "
            "the first divergence may lie before."
        ]

    def _warn_of_missing_nodes(self) -> list[str]:
        return [
            note
            for (rank, graph), (n_nodes, n_dumped) in sorted(self._nodes.items())
            for note in sanity.warn_of_missing_nodes(rank, graph, n_nodes, n_dumped)
        ]


def _cannot_write(error: OSError) -> str:
    what = f"the report {error.filename} could not be written whole: {error.strerror}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what}; --output DIR names another folder"
    return f"{what}; it ends with the last whole row"
