"""Compared steps -> the report: rows, their verdicts, own metrics, counts, and every sink."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ait_cmp.compare.own_metrics import fill_own_metrics
from ait_cmp.config import Limits
from ait_cmp.discover import StepKey
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report import sanity
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.custom import CustomAlgorithm
from ait_cmp.report.kept_rows import KeptRows
from ait_cmp.report.notes import Note
from ait_cmp.report.packed_texts import PackedTexts
from ait_cmp.report.proofs import Prover
from ait_cmp.report.row import rows_of
from ait_cmp.report.row_sanity import RowWarnings
from ait_cmp.report.sinks import Sinks, StepReport
from ait_cmp.report.verdict import NOTHING_BEFORE, UNDUMPED_TYPES, Before, Judge, LookAround
from ait_cmp.report.watch import overwritten


class Reporter:
    """Takes the steps in the order of the report.

    Args:
        limits: What counts as equal.
        algorithms: Metrics of the user's own.
        access: How files are read for them.
        sinks: The forms of the report.
        prover: Replays what is suspect; None replays nothing.
        look_around: Asked what else is to be said of the first divergences of every graph.
        before: Of a graph that is compared by itself, what comes before it in its rank.
        keep_rows: Whether the result is to have the rows.
    """

    def __init__(
        self,
        limits: Limits,
        algorithms: Sequence[CustomAlgorithm],
        access: str,
        sinks: Sinks,
        prover: Prover | None = None,
        look_around: LookAround | None = None,
        *,
        before: Before = NOTHING_BEFORE,
        keep_rows: bool = True,
    ) -> None:
        self._algorithms = algorithms
        self._access = access
        self._sinks = sinks
        self._rows = KeptRows() if keep_rows else None
        names = [algorithm.name for algorithm in algorithms]
        self._result = Comparison(() if self._rows is None else self._rows, custom_names=names)
        self._unused_golden = PackedTexts()
        self._result.unused_golden = self._unused_golden
        self._warnings = RowWarnings()
        self._judge = Judge(limits, prover, look_around, before)
        self._data_ids: dict[int, int] = {}
        # (rank, graph) -> ops of the graph, and those that its fullest step dumped.
        self._nodes: dict[tuple[int, str], tuple[int, int]] = {}
        # Ops that some step of the graph at hand dumped, and how many those before have.
        self._dumped: tuple[tuple[int, str] | None, set[str]] = None, set()
        self._n_dumped = 0

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
        self._sinks.write(StepReport(key, step))

    def add_unused_golden(self, tensors: Sequence[str]) -> None:
        """Count golden tensors that no row used."""
        self._unused_golden.extend(tensors)
        self._result.counts.golden["unused"] += len(tensors)

    def count_nodes(self, key: StepKey, step: StepPairs) -> None:
        """Remember the fullest step of every graph: its ops, and those that it dumped."""
        computing = {i for i, node in enumerate(step.nodes) if node.type not in UNDUMPED_TYPES}
        dumped = computing.intersection(step.node_of.values())
        n_dumped = len(dumped)
        graph, seen = self._dumped
        if graph != (key.rank, key.graph):
            self._n_dumped += len(seen)
            seen = set()
            self._dumped = (key.rank, key.graph), seen
        seen.update(step.nodes[i].name for i in dumped)
        _, most = self._nodes.get((key.rank, key.graph), (0, -1))
        if n_dumped > most:
            self._nodes[key.rank, key.graph] = (len(computing), n_dumped)

    def part(self, *, was_interrupted: bool) -> Comparison:
        """What the graphs say that were reported; what the run says as a whole is not in it.

        Args:
            was_interrupted: Whether steps are missing.
        """
        result = self._result
        result.was_interrupted = was_interrupted
        self._judge.report_to(result)
        result.n_ops = sum(n_nodes for n_nodes, _ in self._nodes.values())
        n_dumped = sum(n for _, n in self._nodes.values())
        result.n_ops_without_file = result.n_ops - n_dumped
        result.n_ops_in_other_steps = self._n_dumped + len(self._dumped[1]) - n_dumped
        result.tally.zeros = self._warnings.zeros
        result.tally.notes = [
            *self._warnings.notes(),
            *(
                Note("nodes", rank, graph, text)
                for (rank, graph), (n_nodes, n_dumped) in sorted(self._nodes.items())
                for text in sanity.warn_of_missing_nodes(rank, graph, n_nodes, n_dumped)
            ),
        ]
        return result

    @property
    def asked(self) -> set[int]:
        """See `Judge.asked`."""
        return self._judge.asked

    def written(self, rank: int) -> list[int]:
        """See `Judge.written`."""
        return self._judge.written(rank)
