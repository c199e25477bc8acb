"""Which ops compute something else, which inputs differ, which rows pass: the verdict on a run.

The core judges a step (csrc/report/verdict.h); here the steps of a run are put together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ait_cmp import _core
from ait_cmp.config import Limits
from ait_cmp.discover import StepKey
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.answers import answer
from ait_cmp.report.closer_look import remarks_on
from ait_cmp.report.divergence_groups import model_op, with_places
from ait_cmp.report.exhibits import NewDivergence
from ait_cmp.report.findings import DifferingInput, Divergence, Suspect
from ait_cmp.report.graph_outputs import GraphOutput, look_at_outputs
from ait_cmp.report.proofs import Proofs, Prover, fill_own_cells, judge_edges
from ait_cmp.report.row import Row
from ait_cmp.report.tally import Op

if TYPE_CHECKING:
    from ait_cmp.compare.arrays import Metrics
    from ait_cmp.report.comparison import Comparison

# Ops that compute nothing: they hold what the user or the compiler put there.
SOURCE_TYPES = frozenset({"Data", "RefData", "Const", "Constant", "Variable"})
# Ops that no dump holds.
UNDUMPED_TYPES = SOURCE_TYPES | {"NetOutput"}

# Ops of a graph whose tensors are looked at once more, each in the first place where it diverges.
_CLOSER_LOOKS = 100
# Divergences of a graph that more is asked of: the first ones tell.
_LOOKS_AROUND = 10


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


# Rules that a measurement leaves out; empty in any other run.
_left_out: frozenset[str] = frozenset()


@contextmanager
def without_rules(names: Collection[str]) -> Iterator[None]:
    """For measurements of what a rule is for: within the block verdicts leave these rules out.

    Args:
        names: Of `_core.verdict_rules()`; ValueError at the first step for any other.
    """
    global _left_out
    before, _left_out = _left_out, frozenset(names)
    try:
        yield
    finally:
        _left_out = before


class LookAround(Protocol):
    """What else is to be said of a divergence: a sentence, or ""."""

    def __call__(self, key: StepKey, step: PairedStep, found: Divergence) -> str:
        """Of a step that is judged."""


class Before(NamedTuple):
    """What the graphs of a rank that are judged elsewhere, before one, leave for it.

    Attributes:
        n_steps: Steps that they have.
        written: What they wrote, as far as the graph asks for it (`Judge.asked`).
    """

    n_steps: int = 0
    written: tuple[int, ...] = ()


NOTHING_BEFORE = Before()


class Judge:
    """Judges the steps of a run, rank by rank, graph by graph, in order.

    What is said of a graph of a rank does not depend on other ranks.

    Args:
        limits: What counts as equal.
        prover: Replays what is suspect; None replays nothing.
        look_around: Asked about the first divergences of every graph.
        before: Of a graph that is judged by itself, what comes before it in its rank.

    Attributes:
        asked: What would make a differing input state of its rank, if a graph judged elsewhere
            wrote it.
        suspects: Ops whose replay could tell more, in order.
        inputs_differ: Inputs that differ because the runs were not given the same data, each once.
        states_differ: Inputs that differ and may, each once.
        outputs: What reached the ends of the graphs.
        unproven: Op -> its rows that fail though nothing says that it is wrong.
        replayed: "wrong", "right", "not_replayed" and "left_out" -> ops that replay was asked of.
    """

    def __init__(
        self,
        limits: Limits,
        prover: Prover | None = None,
        look_around: LookAround | None = None,
        before: Before = NOTHING_BEFORE,
    ) -> None:
        self._limits = limits
        self._before = before
        self.asked: set[int] = set()
        self._prover = prover
        self._look_around = look_around
        # (rank, graph) -> ops that were looked at closely; divergences that were asked about.
        self._looked_at: dict[tuple[int, str], set[tuple[str, str, str]]] = {}
        self._asked: Counter[tuple[int, str]] = Counter()
        self.replayed: Counter[str] = Counter()
        self._rank: int | None = None
        self._history = _core.VerdictHistory()  # of that rank
        self._found: list[_Found] = []
        # (rank, graph) -> rows outside the limits so far.
        self._n_outside: Counter[tuple[int, str]] = Counter()
        self.suspects: list[Suspect] = []
        self.inputs_differ: list[DifferingInput] = []
        self.states_differ: list[DifferingInput] = []
        self._inputs_seen: set[tuple[int, str, str]] = set()
        self.outputs: list[GraphOutput] = []
        self.unproven: Counter[Op] = Counter()
        self._has_graph_text = True

    def judge(
        self,
        key: StepKey,
        step: PairedStep,
        first_id: int,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[NewDivergence]:
        """Number the rows of the next step, fill in their verdicts and how errors grow.

        Args:
            key: Rank, graph and step.
            step: The step; its rows without a result are dropped.
            first_id: data_id of its first row.
            should_stop: Whether no further op is to be replayed.

        Returns:
            What diverges in this step.
        """
        step.rows.number(first_id)
        if step.nodes and step.nodes[0].reads is None:
            self._has_graph_text = False
        history = self._history_of(key.rank)
        verdict = _core.StepVerdict(
            step.rows,
            history,
            self._limits.cosine_min,
            self._limits.red_max,
            self._limits.growth_max,
            self._limits.block_growth_max,
            sorted(_left_out),
        )
        answers = {
            question.row: answer(question, step, self._limits) for question in verdict.questions()
        }
        known = {row: is_alike for row, is_alike in answers.items() if is_alike is not None}
        edges = judge_edges(verdict.open_edges(), step)
        proofs = Proofs()
        if self._prover is not None:
            asked = verdict.preview(known, edges)
            proofs = self._prover.prove(key, step, asked, edges, should_stop)
        found = verdict.finish(known, history, edges, dict(proofs.states))
        fill_own_cells(step, proofs.own)
        self.replayed += proofs.counts
        return self._add(key, step, found, proofs)

    def _history_of(self, rank: int) -> _core.VerdictHistory:
        if rank != self._rank:
            self._rank, self._history = rank, _core.VerdictHistory(*self._before)
        return self._history

    def written(self, rank: int) -> list[int]:
        """What the steps of a rank wrote, as numbers of 64 bits."""
        return self._history_of(rank).written()

    def _add(
        self, key: StepKey, step: PairedStep, found: _core.StepFindings, proofs: Proofs
    ) -> list[NewDivergence]:
        new: list[NewDivergence] = []
        for one in found.suspects:
            node = step.nodes[one.node]
            self.suspects.append(
                Suspect(key.rank, key.graph, key.step, node.name, node.type, one.why)
            )
        for source in found.sources:
            if source.figures:
                self.asked.add(source.figures)
            self._add_input(key, step, source)
        self._n_outside[key.rank, key.graph] += found.n_outside
        n_before = self._n_outside[key.rank, key.graph]
        for one_more in found.divergences:
            told = _describe(key, step, one_more)
            told = _with_proofs(told, one_more, step, proofs, self._limits)
            told = told._replace(remarks=self._remarks(key, step, one_more, told))
            self._found.append(_Found(told, one_more.n_outside_after, n_before))
            new.append(NewDivergence(told, one_more.row, one_more.node))
        for row, sentence in proofs.nodeless.items():
            told = _describe_nodeless(key, step, row, sentence)
            self._found.append(_Found(told, 0, n_before))
            new.append(NewDivergence(told, row, -1))
        for row in found.unproven:
            self.unproven[Op(key.rank, key.graph, step.pair_at(row).op_name)] += 1
        self.outputs += look_at_outputs(key, step)
        return new

    def _remarks(
        self, key: StepKey, step: PairedStep, found: _core.StepDivergence, told: Divergence
    ) -> tuple[str, ...]:
        """Its remarks, with what a look at its tensors and around it tells."""
        graph, op = (key.rank, key.graph), model_op(told)
        remarks = list(told.remarks)
        looked_at = self._looked_at.setdefault(graph, set())
        if op not in looked_at and len(looked_at) < _CLOSER_LOOKS:
            looked_at.add(op)
            row = Row._make(step.rows[found.row])
            remarks += remarks_on(row, step.pair_at(found.row), step, found.node)
        self._asked[graph] += 1
        if self._look_around is not None and self._asked[graph] <= _LOOKS_AROUND:
            around = self._look_around(key, step, told)
            remarks = [around, *remarks] if around else remarks
        return tuple(remarks)

    def _add_input(self, key: StepKey, step: PairedStep, source: _core.StepSource) -> None:
        name = step.nodes[source.node].name
        if (key.rank, key.graph, name) in self._inputs_seen:
            return
        self._inputs_seen.add((key.rank, key.graph, name))
        row = Row._make(step.rows[source.row])
        reader, slot = step.first_reader(source.node)
        found = DifferingInput(
            key.rank,
            key.graph,
            key.step,
            name,
            row.my_dtype,
            row.my_shape,
            reader,
            slot,
            source.why,
        )
        (self.states_differ if source.is_state else self.inputs_differ).append(found)

    def report_to(self, result: Comparison) -> None:
        """Put what was found into the result of a run."""
        result.divergences = self.divergences
        result.suspects = self.suspects
        result.inputs_differ = self.inputs_differ
        result.states_differ = self.states_differ
        result.outputs = self.outputs
        result.tally.unproven = self.unproven
        result.replayed = dict(self.replayed)
        result.has_graph_text = self._has_graph_text

    @property
    def divergences(self) -> list[Divergence]:
        """Every op that computes something else, in the order of the report."""
        return with_places(
            found.told._replace(
                later_failures=found.n_after_in_step
                + self._n_outside[found.told.rank, found.told.graph]
                - found.n_with_step,
            )
            for found in self._found
        )


class _Found(NamedTuple):
    """A divergence, before it is known what follows.

    Attributes:
        told: The divergence.
        n_after_in_step: Rows outside the limits after it in its step.
        n_with_step: Rows outside the limits of its rank and graph up to the end of its step.
    """

    told: Divergence
    n_after_in_step: int
    n_with_step: int


def _describe(key: StepKey, step: PairedStep, found: _core.StepDivergence) -> Divergence:
    row = Row._make(step.rows[found.row])
    pair = step.pair_at(found.row)
    node = step.nodes[found.node]
    remarks = [
        f"its input {step.nodes[source].name} could not be compared: the runs may have had other "
        "inputs"
        for source in found.unknown_inputs
    ]
    return Divergence(
        key.rank,
        key.graph,
        key.step,
        node.name,
        node.type,
        found.kind,
        found.given_red or 0.0,
        row.relative_euclidean_distance,
        row.error_growth,
        found.given_block,
        row.block_error,
        row.block_growth,
        found.limit,
        pair.my.path,
        row.golden_data_path,
        row.fx_node or "",
        row.module or "",
        row.source or "",
        tuple(step.nodes[number].name for number in found.candidates),
        remarks=tuple(remarks),
        my_tensor=row.my_data_path,
        writer=step.writer_of(pair) if found.kind == "edge" else "",
        role=step.role_of(found.node),
    )


def _with_proofs(
    told: Divergence,
    found: _core.StepDivergence,
    step: PairedStep,
    proofs: Proofs,
    limits: Limits,
) -> Divergence:
    """The divergence with what replay says of it, and without candidates that are right."""
    left = tuple(
        step.nodes[number].name
        for number in found.candidates
        if number == found.node or not proofs.is_right(number)
    )
    is_wrong = found.node in proofs.states and not proofs.is_right(found.node)
    return told._replace(
        replay=proofs.sentences.get(found.node),
        candidates=told.candidates[:1] if is_wrong else left,
        limit=limits.own_growth_max if found.kind == "replay" else told.limit,
    )


def _describe_nodeless(key: StepKey, step: PairedStep, place: int, sentence: str) -> Divergence:
    """An op that is wrong and that the graph text does not know: GE made it."""
    step.rows[place] = Row._make(step.rows[place])._replace(verdict="fail")
    row, pair = Row._make(step.rows[place]), step.pair_at(place)
    return Divergence(
        *(key.rank, key.graph, key.step, pair.op_name, pair.op_type, "replay", 0.0),
        *(row.relative_euclidean_distance, None, None, row.block_error, None, 0.0),
        *(pair.my.path, row.golden_data_path),
        candidates=(pair.op_name,),
        replay=sentence,
        my_tensor=row.my_data_path,
    )
