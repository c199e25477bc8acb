"""Replay for a comparison: suspects and divergences of a step, on my inputs and on golden ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from ait_cmp import _core
from ait_cmp.config import Limits
from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.errors import FormatError
from ait_cmp.pairing.ge_step import GeOp, read_ge_step
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

# Ops of a graph that are replayed by themselves, and bytes read plus multiply-adds that they may
# take together: work, not time, so that every machine replays the same ops.
MAX_SUSPECTS = 64
MAX_WORK = 2**36

# Whether the reference turns the golden inputs into the golden output.
GoldenState = Literal["agrees", "differs", "unknown"]

# My tensor -> the golden one that it is compared with, None without one.
GoldenOf = Callable[[TensorRef], "TensorRef | None"]


@dataclass(frozen=True)
class SuspectReplay:
    """What the replay of one op says.

    Attributes:
        op_name: The op.
        status: Of its outputs the worst: "wrong", "not_replayed", "right".
        own: Number of a dumped output -> (own_error, own_growth), of those that were replayed.
        golden: Whether the same reference turns the golden inputs into the golden output; asked
            of ops that are right.
        sentence: For the summary, as the table of decisions has it.
        path: The op's file.
    """

    op_name: str
    status: Status
    own: Mapping[int, tuple[float, float]]
    golden: GoldenState
    sentence: str
    path: str

    @property
    def is_cleared(self) -> bool:
        """Whether the op only passes on what it was given."""
        return self.status == "right" and self.golden == "agrees"


class Graphs(Protocol):
    """Graph texts as a comparison has read them (`compare.graphs.GraphTexts`)."""

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

    def replay(
        self,
        key: StepKey,
        op_names: Sequence[str],
        golden_of: GoldenOf,
        max_work: int = MAX_WORK,
    ) -> tuple[dict[str, SuspectReplay], list[str]]:
        """Replay ops of one step.

        Args:
            key: The step.
            op_names: Names as the rows have them, most suspect first.
            golden_of: My tensor -> golden tensor, None without one.
            max_work: Bytes read and multiply-adds after which the rest is left out.

        Returns:
            Op name -> what its replay says, and the names that were left out.
        """
        step = self._step(key)
        by_name = {op.name: op for op in step.ops if op.is_last}
        found: dict[str, SuspectReplay] = {}
        left_out: list[str] = []
        work = 0
        for name in op_names:
            op = by_name.get(name)
            if op is None:
                continue
            work += _work_of(op)
            if len(found) >= MAX_SUSPECTS or work > max_work:
                left_out.append(name)
                continue
            found[name] = self._replay_op(key, step, op, golden_of)
        return found, left_out

    def _step(self, key: StepKey) -> StepReplay:
        files = self._tree.ge[key]
        context = self._graphs.context(key.rank, key.graph, (file.op_name for file in files))
        return StepReplay(
            read_ge_step(files, context, self._readers), self._op_texts(key, context), self._limits
        )

    def _op_texts(self, key: StepKey, context: GraphContext | None) -> OpTexts | None:
        graph = (key.rank, key.graph)
        if graph not in self._texts:
            source = self._graphs.source(*graph)
            is_known = source is not None and context is not None
            self._texts[graph] = (
                OpTexts(*source, context.graph, self._references)
                if is_known and source is not None and context is not None
                else None
            )
        return self._texts[graph]

    def _replay_op(
        self, key: StepKey, step: StepReplay, op: GeOp, golden_of: GoldenOf
    ) -> SuspectReplay:
        replay = step.replay(op)
        status = _worst(replay.outputs)
        golden: GoldenState = "unknown"
        if status == "right" and not replay.differences:
            golden = _golden_state(step, op, golden_of)
        own = {
            index: (verdict.own_error, verdict.own_growth)
            for index, verdict in enumerate(replay.outputs)
            if verdict.own_error is not None and verdict.own_growth is not None
        }
        sentence = _sentence(key, step, replay, status, golden)
        return SuspectReplay(op.name, status, own, golden, sentence, op.file.path)


def _worst(outputs: Sequence[OutputVerdict]) -> Status:
    statuses = {verdict.status for verdict in outputs}
    if "wrong" in statuses:
        return "wrong"
    return "right" if "right" in statuses else "not_replayed"


def _work_of(op: GeOp) -> int:
    """Bytes read, about, and multiply-adds of a product of its two largest inputs."""
    sizes = sorted(
        (int(np.prod(head.shape, dtype=np.int64)) for head in op.inputs if head.has_shape),
        reverse=True,
    )
    n_values = sum(sizes) + sum(int(np.prod(head.shape)) for head in op.outputs if head.has_shape)
    if "MatMul" not in op.file.op_type and "Attention" not in op.file.op_type:
        return 4 * n_values
    rows = max((head.shape[-2] for head in op.inputs if len(head.shape) > 1), default=1)
    return 4 * n_values + (sizes[0] * rows if sizes else 0)


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


def _sentence(
    key: StepKey,
    step: StepReplay,
    replay: OpReplay,
    status: Status,
    golden: GoldenState,
) -> str:
    """What the replay of an op means, in words."""
    name = replay.op.name
    if status == "wrong":
        row = next(row for row in rows_of(key, replay) if row.status == "wrong")
        return WrongOp(row, 0, step.cause(replay.op, row.index)).sentence
    if replay.differences:
        right = f"{name} is right, but " if status == "right" else f"{name}: "
        return f"{right}{replay.differences[0].sentence}."
    if status == "not_replayed":
        reason = replay.outputs[0].reason if replay.outputs else "it has no output"
        return f"{name} could not be replayed: {reason}."
    if golden == "agrees":
        return f"{name} only passes on what it was given: it is right on both sides."
    if golden == "differs":
        return (
            f"{name} does what the graph says: the graph says something else than the golden side "
            "(conversion, a constant, a graph pass)."
        )
    return f"{name} is right on its own inputs."
