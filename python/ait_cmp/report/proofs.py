"""What bytes and replay prove of a step; `compare/` asks the room that replays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core
from ait_cmp.discover import StepKey
from ait_cmp.errors import FormatError
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.row import Row
from ait_cmp.tensor_ref import TensorRef
from ait_cmp.terms import ProofState

# Digits of own_error and own_growth: references use BLAS, whose last bits are those of a machine.
_DIGITS = 6
# Bytes that are compared at once.
_PART = 1 << 20


@dataclass
class Proofs:
    """What the replay of ops of a step proves.

    Attributes:
        states: Node -> what is proven of it, and the row that shows it.
        sentences: Node -> what its replay says.
        nodeless: Row of an op that the graph text does not know, and that is wrong -> a sentence.
        own: Row of a replayed output -> (own_error, own_growth).
        counts: "wrong", "right", "not_replayed" and "left_out" -> ops.
    """

    states: dict[int, tuple[ProofState, int]] = field(default_factory=dict)
    sentences: dict[int, str] = field(default_factory=dict)
    nodeless: dict[int, str] = field(default_factory=dict)
    own: dict[int, tuple[float, float]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def is_right(self, node: int) -> bool:
        """Whether an op is proven to compute what its inputs say."""
        return self.states.get(node, ("wrong", 0))[0] != "wrong"


class Prover(Protocol):
    """Replays what a step makes suspect."""

    def prove(
        self,
        key: StepKey,
        step: PairedStep,
        found: _core.StepFindings,
        edges: Mapping[int, bool],
        should_stop: Callable[[], bool],
    ) -> Proofs:
        """Replay ops of a step.

        Args:
            key: The step.
            step: Its rows, which tell how errors grow.
            found: What diverges before replay has its say, and suspects.
            edges: Row of an input that was held against what was written -> whether it is equal.
            should_stop: Asked between two ops: whether to leave out the others.
        """
        ...


def judge_edges(edges: Sequence[tuple[int, int]], step: PairedStep) -> dict[int, bool]:
    """Hold the bytes of inputs against those of the outputs that they have to equal.

    Args:
        edges: Rows of input and output.
        step: Their step.

    Returns:
        Row of an input -> whether it is equal; inputs that cannot be judged are left out.
    """
    found = {}
    for read, written in edges:
        refs = step.pair_at(read).my, step.pair_at(written).my
        if any(ref.kind != "dump" or ref.view for ref in refs):
            continue
        if step.pair_at(written).op_name in step.repeated_ops:
            continue  # nobody knows which of its executions was read
        try:
            first, second = map(_tensor, refs)
            if _layout(first) == _layout(second):
                found[read] = _have_equal_bytes(first.numpy(), second.numpy())
        except (FormatError, OSError):  # its row says so
            continue
    return found


def _layout(tensor: _core.Tensor) -> tuple[object, ...]:
    return tensor.dtype_number, tensor.format_number, tensor.shape, tensor.storage_shape


def _have_equal_bytes(first: NDArray[Any], second: NDArray[Any]) -> bool:
    mine, other = (
        np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in (first, second)
    )
    parts = range(0, mine.size, _PART)
    return mine.size == other.size and all(
        np.array_equal(mine[at : at + _PART], other[at : at + _PART]) for at in parts
    )


def _tensor(ref: TensorRef) -> _core.Tensor:
    dump = _core.read_ge(ref.path)
    return (dump.inputs if ref.io == "inputs" else dump.outputs)[ref.index]


def fill_own_cells(step: PairedStep, own: Mapping[int, tuple[float, float]]) -> None:
    """Write how far replayed outputs are from their references into their rows."""
    for place, (error, growth) in own.items():
        row = Row._make(step.rows[place])
        step.rows[place] = row._replace(own_error=_short(error), own_growth=_short(growth))


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
