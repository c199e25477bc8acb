"""Replay for a comparison: suspects and divergences of a step, on my inputs and on golden ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from ait_cmp import _core
from ait_cmp.config import Limits
from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.errors import FormatError
from ait_cmp.pairing.ge_step import GeOp, GeStep, read_ge_step
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.readers import core_readers
from ait_cmp.replay.evaluate import TypedArray
from ait_cmp.replay.load import Loaded
from ait_cmp.replay.op_texts import OpTexts
from ait_cmp.replay.references import REFERENCES, Reference, RefusedError
from ait_cmp.replay.result import WrongOp
from ait_cmp.replay.rows import rows_of
from ait_cmp.replay.step import OpReplay, StepReplay
from ait_cmp.replay.verdict import OutputVerdict, Status
from ait_cmp.tensor_ref import TensorRef

# Bytes that an element counts as, and multiply-adds that cost as much as reading a byte.
_BYTES, _MULTIPLY_ADDS = 4, 64
_PRODUCTS = ("MatMul", "Attention", "Conv")

# Whether the reference turns the golden inputs into the golden output.
GoldenState = Literal["agrees", "differs", "unknown"]

# My tensor -> the golden one that it is compared with, None without one.
GoldenOf = Callable[[TensorRef], "TensorRef | None"]


@dataclass(frozen=True)
class SuspectReplay:
    """What the replay of one op says.

    Attributes:
        op: The file.
        status: Of its outputs the worst: "wrong", "not_replayed", "right".
        outputs: Verdict on each of its outputs.
        golden: Whether the same reference turns the golden inputs into the golden output; asked
            of ops that are right and diverge.
        sentence: For the summary, as the table of decisions has it; of `golden` it says nothing.
    """

    op: GeOp
    status: Status
    outputs: Sequence[OutputVerdict]
    golden: GoldenState
    sentence: str


@dataclass
class Budget:
    """How much is replayed by itself: work, not time, so that every machine replays the same ops.

    Attributes:
        n_ops: Ops that are left.
        work: Bytes read plus multiply-adds, about, that are left for them.
    """

    n_ops: float = math.inf
    work: float = math.inf

    def takes(self, work: float) -> bool:
        """Whether it holds one op more, which is then taken from it."""
        if self.n_ops < 1 or work > self.work:
            return False
        self.n_ops -= 1
        self.work -= work
        return True


class Graphs(Protocol):
    """Graph texts as a comparison has read them (`align.graph_texts.GraphTexts`)."""

    def context(self, rank: int, graph: str, op_names: Iterable[str]) -> GraphContext | None: ...
    def source(self, rank: int, graph: str) -> tuple[str, _core.Graph] | None: ...


class SuspectReplays:
    """Replays ops of a comparison's my side; attributes of their types are read when asked.

    Args:
        tree: The my side.
        graphs: Its graph texts.
        limits: What honest rounding may do.
        references: Type -> reference, the user's among them.
        threads: Threads for reading headers.
    """

    def __init__(
        self,
        tree: DumpTree,
        graphs: Graphs,
        limits: Limits,
        references: Mapping[str, Reference] = REFERENCES,
        threads: int = 1,
    ) -> None:
        self._tree = tree
        self._graphs = graphs
        self._limits = limits
        self._references = references
        self._readers = core_readers(threads)
        self._texts: dict[tuple[int, str], OpTexts | None] = {}
        # The step that was asked for last.
        self._last: tuple[StepKey, StepReplay] | None = None

    def replay(
        self,
        key: StepKey,
        known: GeStep | None,
        budgets: Mapping[str, Budget] | None,
        golden_of: GoldenOf,
        asked: Collection[str],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> tuple[list[SuspectReplay], int]:
        """Replay ops of one step.

        Args:
            key: The step.
            known: Its headers where they were read before.
            budgets: Their files, most suspect first, and what they are taken from: an op that it
                does not hold is left out. None: all files.
            golden_of: My tensor -> golden tensor, None without one.
            asked: Files of which the golden side is asked, too, where they are right.
            should_stop: Asked before every op: whether to leave out the others.

        Returns:
            What the replays say, and how many ops were left out.
        """
        step = self._step(key, known)
        by_path = {op.file.path: op for op in step.ops}
        if budgets is None:
            budgets = dict.fromkeys(by_path, Budget())
        known_ops = [by_path[path] for path in budgets if path in by_path]
        taken = [op for op in known_ops if budgets[op.file.path].takes(_work_of(op))]
        step.read_texts(taken)
        found: list[SuspectReplay] = []
        for op in taken:
            if should_stop():
                break
            asks = golden_of if op.file.path in asked else None
            found.append(_replay_op(key, step, op, asks))
        return found, len(known_ops) - len(found)

    def _step(self, key: StepKey, known: GeStep | None) -> StepReplay:
        """A step; it knows the one before of its graph, for what that left behind."""
        last = self._last
        graph = (key.rank, key.graph)
        earlier = [other for other in self._tree.ge if (other.rank, other.graph) == graph]
        before_key = max((k for k in earlier if k.step < key.step), default=None, key=_number)
        before: StepReplay | None = None
        if before_key is not None and self._is_stateful(key):
            is_kept = last is not None and last[0] == before_key
            before = last[1] if is_kept and last else self._read(before_key, None)
        step = self._read(key, before, known)
        self._last = (key, step)
        return step

    def _is_stateful(self, key: StepKey) -> bool:
        """Whether an op of the graph writes into what it reads."""
        context = self._context(key)
        return context is not None and any(op.in_place for op in context.graph.ops)

    def _context(self, key: StepKey) -> GraphContext | None:
        names = (file.op_name for file in self._tree.ge[key])
        return self._graphs.context(key.rank, key.graph, names)

    def _read(
        self, key: StepKey, before: StepReplay | None, known: GeStep | None = None
    ) -> StepReplay:
        context = self._context(key)
        step = known or read_ge_step(self._tree.ge[key], context, self._readers)
        return StepReplay(step, self._op_texts(key, context), self._limits, before)

    def _op_texts(self, key: StepKey, context: GraphContext | None) -> OpTexts | None:
        graph = (key.rank, key.graph)
        if graph not in self._texts:
            source = self._graphs.source(*graph)
            self._texts[graph] = (
                None
                if source is None or context is None
                else OpTexts(*source, context.graph, self._references)
            )
        return self._texts[graph]


def _replay_op(
    key: StepKey, step: StepReplay, op: GeOp, golden_of: GoldenOf | None
) -> SuspectReplay:
    replay = step.replay(op)
    status = _worst(replay.outputs)
    golden: GoldenState = "unknown"
    if status == "right" and not replay.differences and golden_of is not None:
        golden = _golden_state(step, op, golden_of)
    return SuspectReplay(op, status, replay.outputs, golden, _sentence(key, step, replay, status))


def _number(key: StepKey) -> int:
    return key.step


def _worst(outputs: Sequence[OutputVerdict]) -> Status:
    statuses = {verdict.status for verdict in outputs}
    if "wrong" in statuses:
        return "wrong"
    return "right" if "right" in statuses else "not_replayed"


def _work_of(op: GeOp) -> float:
    """Bytes read, about, and multiply-adds of a product of its two largest inputs."""
    sizes = [math.prod(head.shape) for head in (*op.inputs, *op.outputs) if head.has_shape]
    n_bytes = _BYTES * sum(sizes)
    if not any(name in op.file.op_type for name in _PRODUCTS) or not op.inputs:
        return n_bytes
    columns = max((head.shape[-1] for head in op.outputs if head.shape), default=1)
    rows = max((math.prod(head.shape) for head in op.inputs if head.has_shape), default=0)
    return n_bytes + rows * columns / _MULTIPLY_ADDS


def _golden_state(step: StepReplay, op: GeOp, golden_of: GoldenOf) -> GoldenState:
    """Whether the op's reference turns the golden inputs into the golden output."""

    def golden_input(_: int, __: int, ref: TensorRef | None) -> TypedArray | None:
        if ref is None:
            return None
        return _golden_tensor(step, ref, golden_of)

    try:
        loaded = step.load(op, golden_input)
        outputs = []
        for index in range(len(op.outputs)):
            ref = TensorRef(op.file.path, "outputs", index, kind=op.file.kind)
            tensor = _golden_tensor(step, ref, golden_of)
            if tensor is None:
                return "unknown"
            outputs.append(tensor)
        verdicts = step.judge(Loaded(loaded.chain, loaded.inputs, outputs))
    except (RefusedError, FormatError, OSError, ValueError, TypeError, IndexError):
        return "unknown"
    status = _worst(verdicts)
    return {"right": "agrees", "wrong": "differs", "not_replayed": "unknown"}[status]  # type: ignore[return-value]


def _golden_tensor(step: StepReplay, ref: TensorRef, golden_of: GoldenOf) -> TypedArray | None:
    """The golden values of one of my tensors, in its shape and dtype; None without any."""
    golden = golden_of(ref)
    if golden is None:
        return None
    mine = step.tensor(ref)
    values = _core.read_values(golden)
    if values.size != mine.array.size:
        return None
    shaped = np.asarray(values).reshape(mine.array.shape)
    if mine.array.dtype.kind in "iub":
        shaped = shaped.astype(mine.array.dtype)
    return TypedArray(mine.dtype, shaped)


def _sentence(key: StepKey, step: StepReplay, replay: OpReplay, status: Status) -> str:
    """What the replay of an op means, in words."""
    name = replay.op.name
    edge = f"{replay.differences[0].sentence}." if replay.differences else ""
    if status == "wrong":
        row = next(row for row in rows_of(key, replay) if row.status == "wrong")
        wrong = WrongOp(row, 0, step.cause(replay.op, row.index)).sentence
        return f"{wrong} And its {edge}" if edge else wrong
    if edge:
        return f"{name} is right, but {edge}" if status == "right" else f"{name}: {edge}"
    if status == "not_replayed":
        reason = replay.outputs[0].reason if replay.outputs else "it has no output"
        return f"{name} could not be replayed: {reason}."
    return f"{name} is right on its own inputs."
