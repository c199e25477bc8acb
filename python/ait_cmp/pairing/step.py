"""One step paired: a row for every tensor of every my-side file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol, Union

from ait_cmp.discover import GeFile, StepKey
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import GeOp, GeStep, PlacedOp, read_ge_step
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.index import GraphTensor
from ait_cmp.pairing.graph.padding import Padding
from ait_cmp.pairing.graph.slots import InputSlot, TensorHead
from ait_cmp.pairing.pair import Pair, StepPairs, Watched
from ait_cmp.pairing.readers import Readers
from ait_cmp.pairing.rules.fx_rules import FxRules
from ait_cmp.pairing.rules.ge_rules import GeRules
from ait_cmp.pairing.rules.inserted import is_inserted_copy, match_self
from ait_cmp.pairing.rules.match import Answer, Match, Miss
from ait_cmp.pairing.rules.slice_rules import SliceRules
from ait_cmp.pairing.step_flow import StepFlow
from ait_cmp.tensor_ref import Address, TensorRef, ViewStep
from ait_cmp.terms import INPUTS_OUTPUTS, Io, MissKind, PairStatus

Golden = Union[FxStep, GeStep]

# State of a tensor in its file -> status of its row.
_STATUS: dict[str, PairStatus] = {
    "ok": "",
    "no_data": "no_data",
    "truncated": "unreadable",
    "short": "unreadable",
    "unsupported": "unsupported",
}


class Rules(Protocol):
    """The rules of one flow."""

    def find_input(self, placed: PlacedOp, slot: InputSlot, head: TensorHead) -> Answer:
        """The counterpart of a dumped input."""

    def find_output(self, placed: PlacedOp, tensor: GraphTensor, head: TensorHead) -> Answer:
        """The counterpart of a dumped output."""


def pair_step(
    key: StepKey,
    my_files: Sequence[GeFile],
    golden: Golden,
    context: GraphContext | None,
    readers: Readers,
    padding: Padding | None = None,
) -> StepPairs:
    """Pairs one step.

    Args:
        key: Rank, graph and step of the my side.
        my_files: GE files of the step by time.
        golden: `FxStep(files)` or `read_ge_step(files, context, readers)` of the same step.
        context: The graph; None if there is no graph text, then only equal names pair.
        readers: Header readers of the core.
        padding: Rows that the my side is known to have more than golden.

    Returns:
        Rows in execution order, inputs before outputs, and what the verdict needs.
    """
    my = read_ge_step(my_files, context, readers)
    flow = StepFlow(my, context, is_by_name=isinstance(golden, GeStep))
    ge_rules = GeRules(golden) if isinstance(golden, GeStep) else None
    slice_rules = SliceRules(context, golden, ge_rules, readers)
    rules: Rules | None = ge_rules
    if isinstance(golden, FxStep) and context is not None:
        rules = FxRules(context, my, golden, readers, padding)
    pairs: list[Pair] = []
    misses: dict[int, MissKind] = {}
    for order, op in enumerate(my.ops):
        for pair, kind in _pair_op(key, order, op, my, rules, ge_rules, slice_rules):
            if kind is not None:
                misses[len(pairs)] = kind
            pairs.append(flow.with_node(pair))
    used = {pair.golden.address for pair in pairs if pair.golden is not None}
    unused = _unused(golden, used)
    watched = {} if context is None else _watched(my, context)
    nodes = (flow.nodes, flow.tensors, flow.node_of)
    return StepPairs(pairs, used, unused, *nodes, misses=misses, watched=watched, my=my)


def _watched(my: GeStep, context: GraphContext) -> dict[str, Watched]:
    """What the files of watch mode hold."""
    return {
        path: Watched(identity.after, context.graph.ops[identity.members[0]].name)
        for path, placed in my.placed_ops.items()
        if (identity := placed.op.identity) is not None and identity.after
    }


def _pair_op(
    key: StepKey,
    order: int,
    op: GeOp,
    my: GeStep,
    rules: Rules | None,
    ge_rules: GeRules | None,
    slice_rules: SliceRules,
) -> list[tuple[Pair, MissKind | None]]:
    """The rows of a file, and why those are unmatched that are."""
    if op.error is not None:
        return [(_row(key, order, op, "", 0, None, "unreadable", op.error), None)]
    placed = my.placed_ops.get(op.file.path)
    rows: list[tuple[Pair, MissKind | None]] = []
    for io, heads in zip(INPUTS_OUTPUTS, (op.inputs, op.outputs)):
        for index, head in enumerate(heads):
            answer: Answer
            view: tuple[ViewStep, ...] = ()
            if not op.is_last:
                answer = Miss(
                    "Earlier execution of the same op; the last one is compared.", "repeated"
                )
            elif op.cut is not None:
                ask = partial(_find_whole, op, placed, rules, ge_rules, io, index)
                answer, view = slice_rules.find(op, placed, io, index, ask)
            else:
                answer = _find_whole(op, placed, rules, ge_rules, io, index, head)
                view = _original_step(op, io, index, answer)
            pair = _answered(key, order, op, io, index, head, answer, view)
            kind = answer.kind if isinstance(answer, Miss) else None
            rows.append((pair, kind if pair.status == "unmatched" else None))
    return rows


def _original_step(op: GeOp, io: Io, index: int, answer: Answer) -> tuple[ViewStep, ...]:
    """The step that undoes the device format of a graph input whose header lacks its shape."""
    shape = dict(op.original).get(index) if io == "outputs" else None
    # In another GE dump it lies in the same format: bytes of one order.
    if shape is None or not isinstance(answer, Match) or answer.rule == "name":
        return ()
    return (ViewStep("original", shape),)


def _find_whole(
    op: GeOp,
    placed: PlacedOp | None,
    rules: Rules | None,
    ge_rules: GeRules | None,
    io: Io,
    index: int,
    head: TensorHead,
) -> Answer:
    same = ge_rules.same_name(op) if ge_rules is not None else None
    if same is not None:
        return Match(same.ref(io, index), same.file.op_type, "name", "")
    if is_inserted_copy(op):
        return _ask_itself(op, io, index, head)
    if placed is None or rules is None:
        return Miss(_why_unplaced(op, rules), "unknown_op")
    return _ask(rules, placed, io, index, head)


def _ask_itself(op: GeOp, io: Io, index: int, head: TensorHead) -> Answer:
    if io == "inputs":
        return Miss("Input of a copy that GE inserted: the measure for its output.", "inserted")
    return match_self(op, index, head) or Miss(
        "A copy that GE inserted; its input is no measure for its output.", "inserted"
    )


def _ask(rules: Rules, placed: PlacedOp, io: Io, index: int, head: TensorHead) -> Answer:
    if io == "inputs":
        slot = placed.inputs[index]
        if slot is not None:
            return rules.find_input(placed, slot, head)
    else:
        tensor = placed.outputs[index]
        if tensor is not None:
            return rules.find_output(placed, tensor, head)
    identity = placed.op.identity
    if identity is not None and not identity.is_complete:
        return Miss("The members of this fused op are known from its outputs only.", "part")
    return Miss(
        f"The dump and the graph disagree on the number of {io} of this op and shapes do not "
        "tell which is which.",
        "part",
    )


def _why_unplaced(op: GeOp, rules: Rules | None) -> str:
    if op.identity is None:
        if rules is None:
            return "There is no graph text (dynamo_original_graph_*.txt) that says what it is."
        return "The golden dump has no op of this name, and there is no graph text."
    if op.identity.hint:
        return f"The graph text has no op of this name: {op.identity.hint}."
    return "The graph text has no op of this name: GE inserted or renamed it."


def _answered(
    key: StepKey,
    order: int,
    op: GeOp,
    io: Io,
    index: int,
    head: TensorHead,
    answer: Answer,
    view: tuple[ViewStep, ...],
) -> Pair:
    status = _STATUS.get(head.state, "unreadable")
    if isinstance(answer, Miss):
        reason = answer.reason if not status else head.note or answer.reason
        missed: PairStatus = "unreadable" if answer.kind == "unreadable" else "unmatched"
        return _row(key, order, op, io, index, None, status or missed, reason, view)
    if status == "unsupported":  # the core compares what has no value coding as bytes
        status = ""
    reason = answer.note if not status else head.note or f"The file has no usable {io} {index}."
    return _row(key, order, op, io, index, answer, status, reason, view)


def _row(
    key: StepKey,
    order: int,
    op: GeOp,
    io: Io,
    index: int,
    match: Match | None,
    status: PairStatus,
    reason: str,
    view: tuple[ViewStep, ...] = (),
) -> Pair:
    return Pair(
        key.rank,
        key.graph,
        key.step,
        order,
        op.name,
        op.file.op_type,
        io,
        index,
        TensorRef(op.file.path, io, index, view, op.file.kind),
        None if match is None else match.golden,
        "" if match is None else match.golden_type,
        "" if match is None else match.rule,
        status,
        reason,
    )


def _unused(golden: Golden, used: set[Address]) -> list[Address]:
    if isinstance(golden, FxStep):
        refs = [Address(file.path, "", 0) for file in golden.files]
    else:
        refs = [
            Address(op.file.path, io, index)
            for op in golden.ops
            for io, heads in zip(INPUTS_OUTPUTS, (op.inputs, op.outputs))
            for index in range(len(heads))
        ]
    return [ref for ref in refs if ref not in used]
