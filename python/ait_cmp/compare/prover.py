"""Which ops of a step are replayed, and what that proves: the verdict asks, `replay/` answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ait_cmp import _core
from ait_cmp.compare.plan import Plan
from ait_cmp.config import Limits
from ait_cmp.discover import StepKey
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.proofs import Proofs
from ait_cmp.report.row import Row, column
from ait_cmp.report.values import shape_of
from ait_cmp.tensor_ref import TensorRef
from ait_cmp.terms import ProofState, ReplayMode

if TYPE_CHECKING:
    from ait_cmp.replay.references import Reference
    from ait_cmp.replay.suspects import Budget, SuspectReplay, SuspectReplays

# Ops that a step replays by itself.
_MAX_OPS = 64
# Bytes read and multiply-adds that a graph may take for ops that diverge and those that they may
# have it from: about a minute. Suspects, which clean steps have, too, may take a part of what the
# step compares, so that a comparison takes at most a tenth longer.
_WORK_OF_DIVERGENCES = 2**34
_WORK_SHARE = 0.01
_LEAST_WORK = 2**22
# Bytes that a value counts as, of both sides together.
_BYTES = 4


class ReplayProver:
    """Replays what a comparison makes suspect; the room that replays is loaded by the first op.

    Args:
        plan: What is compared.
        mode: "suspects" or "all".
        limits: What honest rounding may do.
        references: References of the user's own, by type.
    """

    def __init__(
        self, plan: Plan, mode: ReplayMode, limits: Limits, references: Mapping[str, Reference]
    ) -> None:
        self._plan = plan
        self._takes_all = mode == "all"
        self._limits = limits
        self._references = references
        self._replays: SuspectReplays | None = None
        # (rank, graph) -> what is left for its divergences.
        self._budgets: dict[tuple[int, str], Budget] = {}

    def prove(
        self,
        key: StepKey,
        step: PairedStep,
        found: _core.StepFindings,
        edges: Mapping[int, bool],
        should_stop: Callable[[], bool],
    ) -> Proofs:
        """See `report.proofs.Prover`."""
        urgent = _files(step, _nodes_that_diverge(step, found, edges))
        suspects = _files(step, _suspects(step, found))
        if not self._takes_all and not urgent and not suspects:
            return Proofs()
        from ait_cmp.replay.suspects import Budget

        large = self._budgets.setdefault((key.rank, key.graph), Budget(work=_WORK_OF_DIVERGENCES))
        large.n_ops = _MAX_OPS
        small = Budget(_MAX_OPS, _work(step))
        budgets = {**dict.fromkeys(suspects, small), **dict.fromkeys(urgent, large)}
        budgets = {path: budgets[path] for path in [*urgent, *suspects]}
        diverging = [step.file_of(one.node) for one in found.divergences]
        found_replays, n_left_out = self._suspect_replays().replay(
            key,
            step.my_step(self._plan.my.ge[key]),
            None if self._takes_all else budgets,
            lambda ref: _golden_of(step, ref),
            {path for path in diverging if path is not None},
            should_stop,
        )
        proofs = _sorted(step, found_replays, self._golden_name)
        if n_left_out:
            proofs.counts["left_out"] = n_left_out
        for divergence in found.divergences:
            _settle(divergence, step, proofs, self._golden_name)
        return proofs

    @property
    def _golden_name(self) -> str:
        return "FX" if self._plan.golden.kind == "fx" else "the golden graph"

    def _suspect_replays(self) -> SuspectReplays:
        from ait_cmp.replay.references import REFERENCES
        from ait_cmp.replay.suspects import SuspectReplays

        if self._replays is None:
            known = {**REFERENCES, **self._references}
            self._replays = SuspectReplays(self._plan.my, self._plan.texts, self._limits, known)
        return self._replays


def prover_of(
    plan: Plan, mode: ReplayMode, limits: Limits, files: Sequence[str]
) -> ReplayProver | None:
    """The prover of a plan, None if nothing is to be replayed.

    Args:
        plan: What is compared.
        mode: Which ops are replayed.
        limits: What honest rounding may do.
        files: Python files with references of the user's own.
    """
    return None if mode == "none" else ReplayProver(plan, mode, limits, references_of(files))


def references_of(files: Sequence[str]) -> Mapping[str, Reference]:
    """References of the user's own; the room that replays is loaded only for them."""
    if not files:
        return {}
    from ait_cmp.replay.user_references import load_references

    return load_references(files)


def _files(step: PairedStep, nodes: Iterable[int]) -> list[str]:
    """Files of nodes, each once, in their order."""
    paths = (step.file_of(node) for node in dict.fromkeys(nodes))
    return [path for path in paths if path is not None]


def _nodes_that_diverge(
    step: PairedStep, found: _core.StepFindings, edges: Mapping[int, bool]
) -> Iterator[int]:
    """Those of largest growth first, each with its candidates; then readers of other tensors."""
    for divergence in sorted(found.divergences, key=lambda one: -_growth(step, one.row)):
        yield divergence.node
        yield from divergence.candidates
    for row, is_equal in edges.items():
        if not is_equal:
            yield step.pair_at(row).node


def _suspects(step: PairedStep, found: _core.StepFindings) -> Iterator[int]:
    """Those of largest growth first."""
    for suspect in sorted(found.suspects, key=lambda one: -_growth(step, one.row)):
        yield suspect.node


def _growth(step: PairedStep, place: int) -> float:
    row = Row._make(step.rows[place])
    return max(row.error_growth or 0.0, row.block_growth or 0.0)


def _work(step: PairedStep) -> float:
    """What a step may take for the replay of suspects: a part of what it compares."""
    n_values = sum(map(_n_values, column(step.rows, "my_shape")))
    return max(_LEAST_WORK, _WORK_SHARE * _BYTES * n_values)


@lru_cache(maxsize=1 << 12)
def _n_values(shape: str) -> int:
    """Of a shape as rows have it, 0 without one."""
    return math.prod(shape_of(shape)) if shape else 0


def _golden_of(step: PairedStep, ref: TensorRef) -> TensorRef | None:
    """The golden tensor of one of my tensors: its row's, or that of another row of the tensor.

    Where a row compares a part of mine, golden has fewer values: the replay takes none of them.
    """
    row = step.row_at(ref.path, ref.io, ref.index)
    if row is None:
        return None
    pair = step.pair_at(row)
    if pair.golden is None and pair.tensor >= 0 and not pair.is_written:
        other = step.row_of_tensor(pair.tensor)
        if other is None:
            return None
        pair = step.pair_at(other)
    return pair.golden if pair.status == "" else None


def _sorted(step: PairedStep, replays: Sequence[SuspectReplay], golden_name: str) -> Proofs:
    """What replays prove, by nodes and rows of the step."""
    proofs = Proofs()
    for replay in replays:
        path, name = replay.op.file.path, replay.op.name
        rows = [step.row_at(path, "outputs", index) for index in range(len(replay.outputs))]
        known = [(row, told) for row, told in zip(rows, replay.outputs) if row is not None]
        for row, told in known:
            if told.own_error is not None and told.own_growth is not None:
                proofs.own[row] = (told.own_error, told.own_growth)
        wrong = [(row, told) for row, told in known if told.status == "wrong" and step.is_read(row)]
        status = replay.status if wrong or replay.status != "wrong" else "right"
        proofs.counts[status] += 1
        if not known:
            continue
        node = step.pair_at(known[0][0]).node
        if wrong:
            row = max(wrong, key=lambda one: one[1].own_growth or 0.0)[0]
            if node < 0:
                proofs.nodeless[row] = replay.sentence
            else:
                proofs.states[node] = ("wrong", row)
        elif status == "right" and node >= 0:
            proofs.states[node] = (_STATES[replay.golden], known[0][0])
        sentence = replay.sentence
        if status == "right" and replay.golden == "differs":
            sentence = _other_graph(name, step, known[0][0], golden_name)
        if node >= 0:
            proofs.sentences[node] = sentence
    return proofs


_STATES: Mapping[str, ProofState] = {
    "agrees": "inherits",
    "differs": "other_graph",
    "unknown": "right",
}


def _settle(
    divergence: _core.StepDivergence, step: PairedStep, proofs: Proofs, golden_name: str
) -> None:
    """What the replay of its candidates says of an op that is right on its own inputs."""
    node = divergence.node
    state, row = proofs.states.get(node, ("wrong", 0))
    if state != "right":
        return
    others = [number for number in divergence.candidates if number != node]
    if any(proofs.states.get(number, ("right", 0))[0] == "wrong" for number in others):
        proofs.states[node] = ("inherits", row)
    elif divergence.kind == "exact":
        proofs.states[node] = ("other_graph", row)
        proofs.sentences[node] = _other_graph(step.nodes[node].name, step, row, golden_name)


def _other_graph(name: str, step: PairedStep, place: int, golden_name: str) -> str:
    fx_node = Row._make(step.rows[place]).fx_node
    made = f", made for {fx_node}," if fx_node else ""
    return (
        f"{name}{made} does what the graph says: the graph says something else than {golden_name} "
        "(conversion, a constant, a graph pass), or the golden side computed something else."
    )
