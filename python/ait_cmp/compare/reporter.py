"""Compared steps -> the report: rows, their verdicts, own metrics, counts, and every sink."""

from __future__ import annotations

import errno
from collections.abc import Callable, Container, Iterable, Sequence

from ait_cmp.compare.own_metrics import fill_own_metrics
from ait_cmp.compare.plan import Plan
from ait_cmp.config import Limits
from ait_cmp.discover import StepKey
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report import sanity
from ait_cmp.report.comparison import Comparison, RunFacts, one_run
from ait_cmp.report.custom import CustomAlgorithm
from ait_cmp.report.findings import Divergence
from ait_cmp.report.kept_rows import KeptRows
from ait_cmp.report.notes import Note
from ait_cmp.report.proofs import Prover
from ait_cmp.report.row import rows_of
from ait_cmp.report.row_sanity import RowWarnings
from ait_cmp.report.sinks import Sink, StepReport
from ait_cmp.report.tally import UnmetStep
from ait_cmp.report.verdict import UNDUMPED_TYPES, Judge, LookAround
from ait_cmp.report.watch import overwritten


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
        look_around: Asked what else is to be said of the first divergences of every graph.
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
        look_around: LookAround | None = None,
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
        self._judge = Judge(limits, prover, look_around)
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
        if self._algorithms:
            fill_own_metrics(step, self._algorithms, self._access)
        self._data_ids[key.rank] = first_id + len(rows)
        self._result.counts.add(key.rank, rows, step.misses)
        self._result.tally.add(rows)
        if is_whole:
            self._result.counts.golden["used"] += step.n_used
            self.add_unused_golden(step.unused_golden)
        self._warnings.add(rows)
        if self._rows is not None:
            self._rows.add(rows)
        if step.watched:
            self._result.tally.overwritten += [
                Note("rows", key.rank, key.graph, sentence)
                for sentence in overwritten(list(rows_of(rows)), step.watched)
            ]
        report = StepReport(key, step)
        self._each_sink(lambda sink: sink.write(report))

    def add_unused_golden(self, tensors: Sequence[str]) -> None:
        """Count golden tensors that no row used."""
        self._result.unused_golden.extend(tensors)
        self._result.counts.golden["unused"] += len(tensors)

    def add_unmet_golden(self, key: StepKey, tensors: Sequence[str]) -> None:
        """Count the tensors of a golden step that no my-side step meets."""
        unmet = UnmetStep(key.rank, key.graph, key.step, len(tensors))
        self._result.tally.golden.unmet.append(unmet)
        self.add_unused_golden(tensors)

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
        notes: Iterable[Note],
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
        result.n_ops = sum(n_nodes for n_nodes, _ in self._nodes.values())
        n_dumped = sum(n for _, n in self._nodes.values())
        result.n_ops_without_file = result.n_ops - n_dumped
        result.n_ops_in_other_steps = sum(map(len, self._dumped.values())) - n_dumped
        tally = result.tally
        seen = plan.golden_seen
        tally.golden.ranks, tally.golden.alone = seen.ranks, seen.alone
        tally.unread = plan.unread
        tally.refused = [
            Note("rows", rank, graph, text) for (rank, graph), text in plan.refused.items()
        ]
        trees = sanity.warn_of_trees(plan.my, plan.golden, plan.alignment)
        tally.zeros = self._warnings.zeros
        tally.notes = [
            *notes,
            *self._notes_of_filter(plan, patterns),
            *(Note("capture", plan.first_rank, "", text) for text in trees),
            *self._notes_of_graphs(),
        ]
        if result.run is not None:
            tally.runs = [one_run(result.run, sorted(result.counts.ranks))]
        result.tell()
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

    def close(self) -> None:
        """Close the sinks."""
        for sink in self._sinks:
            sink.close()

    def _notes_of_filter(self, plan: Plan, patterns: Sequence[str] | None) -> list[Note]:
        if not patterns or self._result.was_interrupted or not self._result.divergences:
            return []
        names = " or ".join(patterns)
        text = (
            f"Only operators that fit {names} were compared: what feeds them is not known, and "
            "the first divergence may lie before."
        )
        return [Note("reach", plan.first_rank, "", text)]

    def _notes_of_graphs(self) -> list[Note]:
        """What the rows of a graph tell of its capture."""
        nodes = [
            Note("nodes", rank, graph, text)
            for (rank, graph), (n_nodes, n_dumped) in sorted(self._nodes.items())
            for text in sanity.warn_of_missing_nodes(rank, graph, n_nodes, n_dumped)
        ]
        return [*self._warnings.notes(), *nodes]


def _cannot_write(error: OSError) -> str:
    what = f"the report {error.filename} could not be written whole: {error.strerror}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what}; --output DIR names another folder"
    return f"{what}; it ends with the last whole row"
