"""Which rows pass, how errors grow from op to op, and where a step first parts from its golden."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ait_cmp import _core
from ait_cmp.config import Limits
from ait_cmp.pairing.pair import OpNode, StepPairs
from ait_cmp.row import Row

if TYPE_CHECKING:
    from ait_cmp.arrays import Metrics

# Spacing of float32 at 1: absolute errors up to it pass whatever the other metrics say.
TINY_ERROR = 2.0**-23
# Matrix units round float32 operands: no dtype is taken to be finer.
FINEST_ROUNDOFF = 2.0**-11
# Ops that compute nothing: they hold what the user or the compiler put there.
SOURCE_TYPES = frozenset({"Data", "RefData", "Const", "Constant", "Variable"})
# Ops that no dump holds.
UNDUMPED_TYPES = SOURCE_TYPES | {"NetOutput"}

# Sources of estimates that know extrema alone.
_FEW_NUMBERS = frozenset({"min_max", "stats"})
_ROUNDOFFS: dict[str, float] = {
    name: max(roundoff, FINEST_ROUNDOFF) for name, roundoff in _core.unit_roundoffs().items()
}


def roundoff_of(dtype: str) -> float:
    """Unit roundoff of a dtype as a report names it, never finer than FINEST_ROUNDOFF."""
    return _ROUNDOFFS.get(dtype, FINEST_ROUNDOFF)


# Twice as fast as Row._replace.
_UPSTREAM_ERROR, _ERROR_GROWTH = map(Row._fields.index, ("upstream_error", "error_growth"))


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


def is_within(found: Row | Metrics, limits: Limits) -> bool:
    """Whether a compared pair is within the limits; a metric that is None decides nothing."""
    if found.nonfinite_mismatch_count:
        return False
    if found.max_absolute_error is not None and found.max_absolute_error <= TINY_ERROR:
        return True
    near = found.cosine_similarity is not None and found.cosine_similarity >= limits.cosine_min
    red = found.relative_euclidean_distance
    return near and red is not None and red <= limits.red_max


def verdict_of(row: Row, limits: Limits) -> str:
    """ "pass" or "fail" for a compared row, "" for any other."""
    if row.status != "compared":
        return ""
    is_estimated, agrees = bool(row.estimated), not row.nonfinite_mismatch_count
    if agrees and row.max_absolute_error is None and not is_estimated:
        return "pass"  # no finite pair, and every other pair agrees
    if is_within(row, limits):
        return "pass"
    if agrees and is_estimated and row.cosine_similarity is None:
        return ""  # a reduced dump that tells nothing
    return "fail"


class _Error(NamedTuple):
    """What the compared outputs of an op, or of all its ancestors, amount to.

    Attributes:
        red: Largest relative Euclidean distance.
        roundoff: Coarsest unit roundoff of the dtypes seen.
        mismatch: Whether NaN or inf stands on one side only.
        is_compared: Whether any output was compared.
    """

    red: float = 0.0
    roundoff: float = FINEST_ROUNDOFF
    mismatch: bool = False
    is_compared: bool = False


_NOTHING = _Error()


def _join(a: _Error, b: _Error) -> _Error:
    return _Error(
        a.red if a.red > b.red else b.red,
        a.roundoff if a.roundoff > b.roundoff else b.roundoff,
        a.mismatch or b.mismatch,
        a.is_compared or b.is_compared,
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

    def judge(self, rows: Sequence[Row], files: Sequence[str], step: StepPairs) -> list[Row]:
        """Fill in the error growth of one step's rows.

        Args:
            rows: Rows of the step in execution order, with their verdicts.
            files: For every row the path of its dump file; the rows of a file are one op, and so
                are those of several files with one node: slices of it.
            step: The step's ops in topological order; none without a graph text.

        Returns:
            The rows; compared outputs of ops that the graph knows have upstream_error and
            error_growth.
        """
        ops = _group(rows, files)
        own: dict[int, _Error] = {}
        for file, op_rows in ops:
            node = step.node_of.get(file)
            if node is not None:
                own[node] = _join(own.get(node, _NOTHING), _own_error(op_rows))
        upstream = _upstream_errors(own, step.nodes)
        judged: list[Row] = []
        diverged: int | None = None
        for file, op_rows in ops:
            node = step.node_of.get(file)
            if node is not None:
                roundoff = max(upstream[node].roundoff, own[node].roundoff)
                op_rows = [_with_growth(row, upstream[node].red, roundoff) for row in op_rows]
                if self._first is None:
                    reason = self._divergence(op_rows, upstream[node])
                    if reason:
                        candidates = _candidates(node, own, step.nodes)
                        self._first = _describe(op_rows, reason, upstream[node], file, candidates)
                        diverged = node
                elif node == diverged:
                    self._first = _worse(self._first, op_rows, upstream[node], file)
            if self._first is not None and (node is None or node != diverged):
                self._later_failures += sum(row.verdict == "fail" for row in op_rows)
            judged.extend(op_rows)
        return judged

    def _divergence(self, rows: Sequence[Row], upstream: _Error) -> str:
        """ "nonfinite" or "growth" if the op computes something else, "" if not."""
        inputs = [row for row in rows if row.io == "inputs" and row.status == "compared"]
        clean_before = not upstream.mismatch and not any(
            row.nonfinite_mismatch_count for row in inputs
        )
        outputs = _compared_outputs(rows)
        if clean_before and any(row.nonfinite_mismatch_count for row in outputs):
            return "nonfinite"
        limit = self._limits.growth_max
        grown = any(
            row.error_growth is not None
            and row.error_growth > limit
            # Of two numbers a tensor, small distances are chance: only those that fail count.
            and (row.estimated not in _FEW_NUMBERS or row.verdict == "fail")
            for row in outputs
        )
        return "growth" if grown else ""


def _compared_outputs(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.io == "outputs" and row.status == "compared"]


def _group(rows: Sequence[Row], files: Sequence[str]) -> list[tuple[str, list[Row]]]:
    """Neighbouring rows of one file together."""
    groups: list[tuple[str, list[Row]]] = []
    for row, file in zip(rows, files):
        if not groups or groups[-1][0] != file:
            groups.append((file, []))
        groups[-1][1].append(row)
    return groups


def _own_error(rows: Sequence[Row]) -> _Error:
    red, roundoff, mismatch, is_compared = _NOTHING
    for row in rows:
        if row.status != "compared":
            continue
        roundoff = max(roundoff, roundoff_of(row.my_dtype), roundoff_of(row.golden_dtype))
        if row.io == "outputs":
            is_compared = True
            mismatch = mismatch or bool(row.nonfinite_mismatch_count)
            red = max(red, row.relative_euclidean_distance or 0.0)
    return _Error(red, roundoff, mismatch, is_compared)


def _upstream_errors(own: dict[int, _Error], nodes: Sequence[OpNode]) -> list[_Error]:
    """For every op the error of all its ancestors: one pass, since inputs come first."""
    upstream: list[_Error] = []
    through: list[_Error] = []  # what an op hands on: its ancestors' error and its own
    for number, node in enumerate(nodes):
        error = _NOTHING
        for source in node.inputs:
            error = through[source] if error is _NOTHING else _join(error, through[source])
        upstream.append(error)
        mine = own.get(number)
        through.append(error if mine is None else _join(error, mine))
    return upstream


def _with_growth(row: Row, upstream_error: float, roundoff: float) -> Row:
    if row.io != "outputs" or row.status != "compared":
        return row
    red = row.relative_euclidean_distance
    cells = list(row)
    cells[_UPSTREAM_ERROR] = upstream_error
    if red is not None:
        floor = max(upstream_error, roundoff)
        # Infinite on infinite (golden all zero twice) is nothing new.
        growth = 1.0 if math.isinf(red) and math.isinf(floor) else red / floor
        cells[_ERROR_GROWTH] = growth
    return Row._make(cells)


def _candidates(node: int, own: dict[int, _Error], nodes: Sequence[OpNode]) -> tuple[str, ...]:
    """The op and, back to the nearest compared ones, its ancestors that were not compared."""
    found, waiting, seen = [node], list(nodes[node].inputs), {node}
    while waiting:
        source = waiting.pop()
        if source in seen or own.get(source, _NOTHING).is_compared:
            continue
        seen.add(source)
        if nodes[source].type not in SOURCE_TYPES:
            found.append(source)
        waiting.extend(nodes[source].inputs)
    return tuple(nodes[number].name for number in sorted(found, reverse=True))


def _worse(
    first: FirstDivergence, rows: Sequence[Row], upstream: _Error, file: str
) -> FirstDivergence:
    """The divergence as this further slice of the op shows it, if the slice is worse."""
    grown = [row.error_growth for row in _compared_outputs(rows) if row.error_growth is not None]
    if first.reason != "growth" or max(grown, default=0.0) <= (first.error_growth or 0.0):
        return first
    return _describe(rows, first.reason, upstream, file, first.candidates)


def _describe(
    rows: Sequence[Row], reason: str, upstream: _Error, file: str, candidates: tuple[str, ...]
) -> FirstDivergence:
    outputs = _compared_outputs(rows)
    worst = max(outputs, key=lambda row: row.error_growth or 0.0)
    return FirstDivergence(
        rank=worst.rank,
        graph=worst.graph,
        token=worst.token_id,
        op_name=worst.op_name,
        op_type=worst.my_op_type,
        upstream_error=upstream.red,
        error=worst.relative_euclidean_distance,
        error_growth=worst.error_growth,
        file=file,
        candidates=candidates,
        later_failures=0,
        reason=reason,
    )
