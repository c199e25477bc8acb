"""Which rows pass, how errors grow from op to op, and where a step first parts from its golden."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ait_cmp import _core
from ait_cmp.config import Limits
from ait_cmp.pairing.graph.op_graph import OpNode
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.row import Row, column, rows_of

if TYPE_CHECKING:
    from ait_cmp.compare.arrays import Metrics

# Ops that compute nothing: they hold what the user or the compiler put there.
SOURCE_TYPES = frozenset({"Data", "RefData", "Const", "Constant", "Variable"})
# Ops that no dump holds.
UNDUMPED_TYPES = SOURCE_TYPES | {"NetOutput"}


class FirstDivergence(NamedTuple):
    """The first op of a rank and graph that computes something else.

    Attributes:
        rank: Rank, -1 without rank level.
        graph: Name of the graph.
        token: Step, from 0.
        op_name: Name of the op (of a fused op: of its file).
        op_type: GE type.
        upstream_error: Largest relative Euclidean distance among the outputs of its ancestors.
        error: Relative Euclidean distance of its output; None where it has no finite pair.
        error_growth: error / max(upstream_error, unit roundoff).
        file: Path of its GE dump.
        candidates: The op itself and its ancestors that were not compared, back to compared ones.
        later_failures: Rows of the rank and graph after this op that fail.
        reason: "growth" or "nonfinite".
    """

    rank: int
    graph: str
    token: int
    op_name: str
    op_type: str
    upstream_error: float
    error: float | None
    error_growth: float | None
    file: str
    candidates: tuple[str, ...]
    later_failures: int
    reason: str


def is_within(found: Metrics, limits: Limits) -> bool:
    """Whether a compared pair is within the limits; a metric that is None decides nothing."""
    return _core.is_within(
        found.nonfinite_mismatch_count,
        found.max_absolute_error,
        found.cosine_similarity,
        found.relative_euclidean_distance,
        limits.cosine_min,
        limits.red_max,
    )


class GraphJudge:
    """Judges the steps of one rank and graph in token order and remembers the first divergence."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._first: FirstDivergence | None = None
        self._later_failures = 0

    @property
    def first_divergence(self) -> FirstDivergence | None:
        """The first divergence so far, with the failures seen after it."""
        if self._first is None:
            return None
        return self._first._replace(later_failures=self._later_failures)

    def judge(self, step: PairedStep, first_id: int) -> None:
        """Number the rows of the next step, fill in their verdicts and how errors grow.

        Compared outputs of ops that the graph knows get upstream_error and error_growth.

        Args:
            step: The step; its rows without a result are dropped.
            first_id: data_id of its first row.
        """
        rows = step.rows
        rows.judge(first_id, self._limits.cosine_min, self._limits.red_max)
        if self._first is not None:
            self._later_failures += column(rows, "verdict").count("fail")
            return
        found = rows.first_divergence(self._limits.growth_max)
        if found is not None:
            self._describe_first(list(rows_of(rows)), step.pairs, *found)

    def _describe_first(
        self, rows: Sequence[Row], step: StepPairs, begin: int, end: int, reason: str
    ) -> None:
        """Remember the op of rows `begin` to `end`, and what fails after it in its step."""
        files = [pair.my.path for pair in step.pairs]
        diverged = step.node_of[files[begin]]
        compared = {
            step.node_of[file]
            for row, file in zip(rows, files)
            if file in step.node_of and _is_compared_output(row)
        }
        candidates = _candidates(diverged, compared, step.nodes)
        first = _describe(rows[begin:end], reason, files[begin], candidates)
        for file, op_rows in _group(rows[end:], files[end:]):
            if step.node_of.get(file) == diverged:
                first = _worse(first, op_rows, file)
            else:
                self._later_failures += sum(row.verdict == "fail" for row in op_rows)
        self._first = first


def _is_compared_output(row: Row) -> bool:
    return row.io == "outputs" and row.status == "compared"


def _group(rows: Sequence[Row], files: Sequence[str]) -> list[tuple[str, list[Row]]]:
    """Neighbouring rows of one file together."""
    return [
        (file, [row for row, _ in group])
        for file, group in itertools.groupby(zip(rows, files), key=lambda place: place[1])
    ]


def _candidates(node: int, compared: set[int], nodes: Sequence[OpNode]) -> tuple[str, ...]:
    """The op and, back to the nearest compared ones, its ancestors that were not compared."""
    found, waiting, seen = [node], list(nodes[node].inputs), {node}
    while waiting:
        source = waiting.pop()
        if source in seen or source in compared:
            continue
        seen.add(source)
        if nodes[source].type not in SOURCE_TYPES:
            found.append(source)
        waiting.extend(nodes[source].inputs)
    return tuple(nodes[number].name for number in sorted(found, reverse=True))


def _worse(first: FirstDivergence, rows: Sequence[Row], file: str) -> FirstDivergence:
    """The divergence as this further slice of the op shows it, if the slice is worse."""
    outputs = filter(_is_compared_output, rows)
    grown = [row.error_growth for row in outputs if row.error_growth is not None]
    if first.reason != "growth" or max(grown, default=0.0) <= (first.error_growth or 0.0):
        return first
    return _describe(rows, first.reason, file, first.candidates)


def _describe(
    rows: Sequence[Row], reason: str, file: str, candidates: tuple[str, ...]
) -> FirstDivergence:
    outputs = filter(_is_compared_output, rows)
    worst = max(outputs, key=lambda row: row.error_growth or 0.0)
    return FirstDivergence(
        rank=worst.rank,
        graph=worst.graph,
        token=worst.token_id,
        op_name=worst.op_name,
        op_type=worst.my_op_type,
        upstream_error=worst.upstream_error or 0.0,
        error=worst.relative_euclidean_distance,
        error_growth=worst.error_growth,
        file=file,
        candidates=candidates,
        later_failures=0,
        reason=reason,
    )
