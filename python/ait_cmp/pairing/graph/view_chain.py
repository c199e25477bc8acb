"""Views in the graph: the Reshape and Transpose ops between a tensor and what it looks at.

torchair makes no op for `view`, `reshape`, `permute`, `transpose` and `t`; it inserts Reshape and
Transpose before the consumer that needs the result. They keep all values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple

from ait_cmp.pairing.graph.index import RESHAPE_TYPES, TRANSPOSE_TYPES, GraphIndex, GraphTensor
from ait_cmp.tensor_ref import ViewStep

# Real chains have up to four views; a longer one than this is cut.
MAX_VIEWS = 64


class Move(NamedTuple):
    """One view, from tensor `source` to tensor `result`; perm is None for a reshape."""

    source: GraphTensor
    result: GraphTensor
    perm: tuple[int, ...] | None


class ViewChain(NamedTuple):
    """A tensor and its views upward.

    Attributes:
        tensors: The tensor itself, what it is a view of, and so on.
        perms: Of the view between tensors[i + 1] and tensors[i]; None for a reshape.
        broken: Sentence if a further view could not be followed, else "".
    """

    tensors: tuple[GraphTensor, ...]
    perms: tuple[tuple[int, ...] | None, ...]
    broken: str

    @property
    def base(self) -> GraphTensor:
        """The tensor at the upper end."""
        return self.tensors[-1]

    def moves(self, start: int, end: int) -> list[Move]:
        """The views that lead from tensors[start] to tensors[end], in either direction."""
        if start >= end:
            return [
                Move(self.tensors[level], self.tensors[level - 1], self.perms[level - 1])
                for level in range(start, end, -1)
            ]
        return [
            Move(self.tensors[level], self.tensors[level + 1], _inverse(self.perms[level]))
            for level in range(start, end)
        ]


def trace_views(graph: GraphIndex, tensor: GraphTensor) -> ViewChain:
    """Follows a tensor upward through views, named or not."""
    tensors = [tensor]
    perms: list[tuple[int, ...] | None] = []
    broken = ""
    while len(tensors) <= MAX_VIEWS:
        op = graph.ops[tensors[-1][0]]
        if not op.fed or op.fed[0].source is None or tensors[-1][1] != 0:
            break
        if op.type in TRANSPOSE_TYPES:
            perm = _permutation(graph, op.fed[1].source if len(op.fed) > 1 else None)
            if perm is None:
                broken = f"The permutation of {op.name} is no constant in the graph text."
                break
            perms.append(perm)
        elif op.type in RESHAPE_TYPES:
            perms.append(None)
        else:
            break
        tensors.append(op.fed[0].source)
    return ViewChain(tuple(tensors), tuple(perms), broken)


def _permutation(graph: GraphIndex, source: GraphTensor | None) -> tuple[int, ...] | None:
    value = graph.const_value(source)
    if value is None or value.ndim != 1 or value.dtype.kind not in "iu":
        return None
    perm = tuple(int(axis) % max(value.size, 1) for axis in value)
    return perm if sorted(perm) == list(range(len(perm))) else None


def _inverse(perm: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if perm is None:
        return None
    inverse = [0] * len(perm)
    for position, axis in enumerate(perm):
        inverse[axis] = position
    return tuple(inverse)


def view_steps(
    moves: Sequence[Move],
    final_shape: tuple[int, ...],
    shape_of: Callable[[GraphTensor], tuple[int, ...] | None],
) -> tuple[ViewStep, ...] | None:
    """The steps that take an array from the start of `moves` to their end.

    A reshape is written out only where a transposition or the end needs its shape.

    Args:
        moves: Views in order.
        final_shape: Shape at the end.
        shape_of: Shape of a tensor of the graph in this step, None if it is not known.

    Returns:
        The steps; None if a shape that is needed is not known.
    """
    steps: list[ViewStep] = []
    is_reshaped = False
    for move in moves:
        if move.perm is None:
            is_reshaped = True
            continue
        shape = shape_of(move.source)
        if shape is not None and (len(shape) != len(move.perm) or prod(shape) != prod(final_shape)):
            return None
        if is_reshaped:
            if shape is None:
                return None
            steps.append(ViewStep("reshape", shape))
        if move.perm != tuple(range(len(move.perm))):
            steps.append(ViewStep("transpose", move.perm))
        is_reshaped = False
    if is_reshaped:
        steps.append(ViewStep("reshape", final_shape))
    return tuple(steps)
