"""The ops of one step, each replayed on its own inputs: a verdict on every output of every file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from ait_cmp.config import Limits
from ait_cmp.errors import FormatError, reason_of
from ait_cmp.pairing.ge_step import GeOp, GeStep, PlacedOp
from ait_cmp.replay.causes import Case, find_cause
from ait_cmp.replay.chain import evaluate_chain, has_smaller_inner
from ait_cmp.replay.edges import EdgeDifference, EdgeState, judge_edges
from ait_cmp.replay.evaluate import Found, Sums, TypedArray, evaluate
from ait_cmp.replay.export import export_op
from ait_cmp.replay.load import INSERTED_TYPES, Loaded, OpLoader
from ait_cmp.replay.op_texts import OpTexts
from ait_cmp.replay.references import RefusedError
from ait_cmp.replay.values import KEPT_KINDS, Files, StepValues
from ait_cmp.replay.verdict import OutputVerdict, judge, not_replayed
from ait_cmp.tensor_ref import TensorRef


@dataclass(frozen=True)
class OpReplay:
    """What is known of one file.

    Attributes:
        op: The file.
        op_type: GE type: of the graph text, of the file for fused and inserted ops.
        outputs: Verdict on each of its outputs.
        edge: Whether its inputs are what their producers wrote.
        differences: Those that are not.
    """

    op: GeOp
    op_type: str
    outputs: Sequence[OutputVerdict]
    edge: EdgeState = "unknown"
    differences: Sequence[EdgeDifference] = field(default_factory=tuple)


class StepReplay:
    """The ops of a step.

    Args:
        step: The step.
        texts: Its graph; None without a graph text.
        limits: What honest rounding may do.
        before: The same graph's step before, None without one.
    """

    def __init__(
        self,
        step: GeStep,
        texts: OpTexts | None,
        limits: Limits,
        before: StepReplay | None = None,
    ) -> None:
        self._step = step
        self._texts = texts
        self._limits = limits
        self._files: Files = Files() if before is None else before._files
        if before is not None:
            before.forget_before()
        self._before = before
        earlier = None if before is None else before.values
        self.values: StepValues | None = (
            None if texts is None else StepValues(step, texts, self._files, earlier)
        )
        self._loader = OpLoader(step, texts, self.values, self._files)
        self.load = self._loader.load

    def read_texts(self, ops: Iterable[GeOp]) -> None:
        """Read the attributes of some ops, in one pass over the graph text."""
        if self._texts is None:
            return
        members = {number for op in ops if op.identity for number in op.identity.members}
        try:
            self._texts.read(members)
        except (FormatError, OSError):  # each op says so
            return

    def forget_before(self) -> None:
        """Let the step before this one go: one step back is enough, and memory stays bounded."""
        self._before = None
        if self.values is not None:
            self.values.forget_before()

    def cause(self, op: GeOp, index: int) -> str:
        """What a wrong output equals instead, or where it is off; a sentence or ""."""
        try:
            loaded = self.load(op)
            if loaded.binding is None:
                return ""
            output = loaded.chain.outputs[index][1]
            outputs = list(loaded.outputs)
            older = self._older_inputs(op, loaded)
            return find_cause(
                Case(loaded.binding, loaded.inputs, outputs, output, self._limits, older)
            )
        except (RefusedError, FormatError, OSError):
            return ""

    def export(self, op: GeOp, folder: Path, name: str, sentence: str) -> Path | None:
        """Write an op for somebody else, see `export_op`; None if it cannot be computed."""
        try:
            loaded = self.load(op)
        except (RefusedError, FormatError, OSError):
            return None
        if loaded.binding is None or self._texts is None:
            return None
        part = self._texts.part(loaded.chain.members[0].number)
        return export_op(
            folder, name, loaded.binding, loaded.inputs, list(loaded.outputs), sentence, part
        )

    def _older_inputs(self, op: GeOp, loaded: Loaded) -> Mapping[int, TypedArray]:
        """What the op was given in the step before, where it is another value of one shape."""
        if self._before is None:
            return {}
        same = [other for other in self._before.ops if other.name == op.name and other.is_last]
        if not same:
            return {}
        try:
            older = self._before.load(same[0]).inputs
        except (RefusedError, FormatError, OSError):
            return {}
        return {
            position: tensor
            for position, tensor in older.items()
            if position in loaded.inputs
            and tensor.array.shape == loaded.inputs[position].array.shape
            and not np.array_equal(tensor.array, loaded.inputs[position].array, equal_nan=True)
        }

    def tensor(self, ref: TensorRef) -> TypedArray:
        """One tensor of a file.

        Raises:
            FormatError, OSError: It cannot be read.
        """
        return self._files.tensor(ref)

    @property
    def ops(self) -> Sequence[GeOp]:
        """The files, in order of time."""
        return self._step.ops

    def replay(self, op: GeOp) -> OpReplay:
        """Replay one file: never raises for what is wrong with it."""
        type_ = self._type(op)
        placed = self._step.placed_ops.get(op.file.path)
        edge: EdgeState = "unknown"
        differences: list[EdgeDifference] = []
        if placed is not None and self.values is not None and _is_whole(op):
            edge, differences = judge_edges(placed, self._loader.order(op), self.values)
        return OpReplay(op, type_, self._verdicts(op, placed), edge, differences)

    def _type(self, op: GeOp) -> str:
        members = op.identity.members if op.identity else ()
        is_plain = op.identity is not None and not op.identity.is_fused and len(members) == 1
        return self._texts.type(members[0]) if self._texts and is_plain else op.file.op_type

    def _verdicts(self, op: GeOp, placed: PlacedOp | None) -> list[OutputVerdict]:
        reason = self._why_not(op, placed)
        if reason:
            return [not_replayed(reason)] * max(len(op.outputs), 1 if op.error else 0)
        states = [
            head.note or f"its state is {head.state}" if head.state != "ok" else ""
            for head in op.outputs
        ]
        if not op.outputs:
            return []
        if all(states):
            return [not_replayed(state) for state in states]
        try:
            loaded = self.load(op)
            return self.judge(loaded)
        except RefusedError as refused:
            return [not_replayed(str(refused))] * len(op.outputs)
        except (FormatError, OSError) as error:
            return [not_replayed(f"unreadable: {reason_of(error)}")] * len(op.outputs)
        except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
            # Shapes that do not go together: the graph text and the dump tell of two ops.
            message = f"its reference cannot take these inputs: {error}"
            return [not_replayed(message)] * len(op.outputs)

    def _why_not(self, op: GeOp, placed: PlacedOp | None) -> str:
        """Why a file is not replayed, whatever it holds; "" if nothing is in the way."""
        if op.error is not None:
            return f"unreadable: {op.error}"
        if op.file.kind not in KEPT_KINDS:
            return "a reduced dump"
        if op.cut is not None:
            return "FFTS+ cut the op into slices"
        if not op.is_last:
            return "the op ran again in this step: its last file stands for it"
        if self._texts is None:
            if op.file.op_type in INSERTED_TYPES:
                return ""
            return "no graph text says what it computes (dynamo_original_graph_*.txt)"
        if placed is None and op.file.op_type not in INSERTED_TYPES:
            hint = op.identity.hint if op.identity else ""
            more = f"; {hint}" if hint else ""
            return (
                "the graph text has no op of this name: GE made it "
                f"(ge_proto_*_Build.txt beside the dump tells){more}"
            )
        return ""

    def judge(self, loaded: Loaded) -> list[OutputVerdict]:
        """The best of the accepted evaluations for every output."""
        candidates = [found for found, _ in self.candidates(loaded)]
        verdicts = []
        has_bias = loaded.binding is not None or not has_smaller_inner(loaded.chain, loaded.outputs)
        for output in range(len(loaded.outputs)):
            n_elements = loaded.outputs[output].array.size
            judged = [
                _verdict(found[output], self._limits, n_elements, has_bias) for found in candidates
            ]
            verdicts.append(min(judged, key=_distance))
        if loaded.binding is None:
            return verdicts
        # A reference gives outputs in the order of the graph, the file may have another one.
        return [verdicts[index] for _, index in loaded.chain.outputs]

    def candidates(self, loaded: Loaded) -> list[tuple[list[Found], int]]:
        """What each accepted evaluation finds, with the number of its formula; the first that
        makes every output right is the last one tried."""
        tried: list[tuple[list[Found], int]] = []
        for evaluation in _evaluations(loaded, self._limits.element_max):
            try:
                found = evaluation()
            except RefusedError:
                if not tried:
                    raise
                continue
            tried.append((found, len(tried)))
            if not any(_is_wrong(one, self._limits) for one in found):
                break
        return tried


def _evaluations(loaded: Loaded, element_max: float) -> Sequence[Callable[[], list[Found]]]:
    chain, outputs, binding = loaded.chain, loaded.outputs, loaded.binding
    forms = range(max(len(member.binding.reference.formulas) for member in chain.members))
    if binding is None:
        return [
            partial(
                evaluate_chain, chain, outputs, element_max=element_max, form=form, is_rounded=flag
            )
            for form in forms
            for flag in (False, True)
        ]
    is_wide = binding.reference.kind == "product" and outputs[0].dtype == "torch.float32"
    # Convolutions of float32 run in HF32 by default, products where the user asks for it.
    flags = [True] if binding.reference.type == "Conv2D" and is_wide else [False]
    flags += [True] if is_wide and flags == [False] else []
    return [
        partial(
            evaluate,
            binding,
            loaded.inputs,
            outputs,
            element_max=element_max,
            form=form,
            is_hf32=flag,
        )
        for form in forms
        for flag in flags
    ]


def _verdict(found: Found, limits: Limits, n_elements: int, has_bias: bool) -> OutputVerdict:
    if isinstance(found, str):
        return not_replayed(found)
    return judge(found, limits, n_elements, has_bias=has_bias)


def _is_wrong(found: Found, limits: Limits) -> bool:
    return isinstance(found, Sums) and judge(found, limits, 0).status == "wrong"


def _distance(verdict: OutputVerdict) -> tuple[int, float, float]:
    order = {"right": 0, "not_replayed": 1, "wrong": 2}[verdict.status]
    return order, float(verdict.nonfinite_count or 0), verdict.own_growth or 0.0


def _is_whole(op: GeOp) -> bool:
    return op.file.kind in KEPT_KINDS and op.cut is None and op.is_last and op.error is None
