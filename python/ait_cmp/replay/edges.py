"""Is what an op read what its producer wrote? If not, the buffer was overwritten in between."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ait_cmp.errors import FormatError
from ait_cmp.pairing.ge_step import PlacedOp
from ait_cmp.replay.references import RefusedError
from ait_cmp.replay.values import StepValues, count_different
from ait_cmp.tensor_ref import TensorRef

EdgeState = Literal["equal", "differs", "unknown"]


class EdgeDifference(NamedTuple):
    """An input that is not what its producer wrote.

    Attributes:
        op_name: The reader.
        input: Number of its dumped input.
        producer: Name of the op that wrote the tensor.
        output: Number of its dumped output.
        n_different: Elements that differ.
        n_elements: Elements of the tensor.
        file: The reader's file.
        producer_file: The producer's file.
    """

    op_name: str
    input: int
    producer: str
    output: int
    n_different: int
    n_elements: int
    file: str
    producer_file: str

    @property
    def sentence(self) -> str:
        """What it means."""
        return (
            f"input {self.input} is not what {self.producer} wrote ({self.n_different} of "
            f"{self.n_elements} elements): the buffer was overwritten in between"
        )


def judge_edges(
    placed: PlacedOp, order: int, values: StepValues
) -> tuple[EdgeState, list[EdgeDifference]]:
    """The edges into an op: all that could be judged are equal, some differ, or none could be."""
    n_equal = 0
    differences: list[EdgeDifference] = []
    for index in range(len(placed.inputs)):
        producer = _producer(placed, index, order, values)
        if producer is None:
            continue
        difference = _compare(placed, index, producer, values)
        if difference is None:
            n_equal += 1
        else:
            differences.append(difference)
    state: EdgeState = "differs" if differences else "equal" if n_equal else "unknown"
    return state, differences


def _producer(placed: PlacedOp, index: int, order: int, values: StepValues) -> TensorRef | None:
    """The output that an input has to equal; None where that is not known."""
    slot = placed.inputs[index]
    head = placed.op.inputs[index]
    if slot is None or slot.source is None or head.state != "ok":
        return None
    if slot.slot in values.texts.graph.ops[slot.op].in_place:
        return None
    written = values.writer_before(slot.source, order)
    ref = values.produced.get(slot.source if written is None else written)
    if ref is None or values.op_names[ref.path] in values.repeated:
        return None
    other = values.heads[ref]
    same = (head.dtype, head.storage_format, head.shape) == (
        other.dtype,
        other.storage_format,
        other.shape,
    )
    return ref if same else None


def _compare(
    placed: PlacedOp, index: int, producer: TensorRef, values: StepValues
) -> EdgeDifference | None:
    mine = TensorRef(placed.op.file.path, "inputs", index, kind=placed.op.file.kind)
    try:
        if values.files.have_equal_bytes(mine, producer):
            return None
        first, second = values.files.tensor(mine), values.files.tensor(producer)
    except (FormatError, OSError, RefusedError):
        return None  # unreadable: its row says so
    n_different = count_different(first.array, second.array)
    if not n_different:
        return None
    return EdgeDifference(
        placed.op.name,
        index,
        values.op_names[producer.path],
        producer.index,
        n_different,
        first.array.size,
        mine.path,
        producer.path,
    )
