"""Which edge of the graph each tensor of a dump file is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import NamedTuple

from ait_cmp.pairing.graph.index import VIEW_TYPES, GraphIndex, GraphTensor
from ait_cmp.tensor_ref import check_fields

Shape = tuple[int, ...]
# Formats whose stored shape is the logical one: NCHW, NHWC, ND, NDHWC, NCDHW.
PLAIN_FORMATS = frozenset({0, 1, 2, 27, 30})


class TensorHead(NamedTuple):
    """What the header says about one tensor of a GE dump, as `_core.scan_ge` gives it.

    Attributes:
        dtype: Stored type, `torch.float16`.
        shape: Logical shape; (-1,) in a reduced file that does not tell it.
        state: "ok", "no_data", "truncated", "short" or "unsupported".
        note: Sentence on what is wrong or unusual, or "".
        original_op: Name of the op that made this output before fusion, None if unset.
        original_index: Its output index.
        storage_format: Device format number.
    """

    dtype: str
    shape: Shape
    state: str
    note: str
    original_op: str | None
    original_index: int
    storage_format: int

    @property
    def has_shape(self) -> bool:
        """Whether the shape is known."""
        return -1 not in self.shape


check_fields(TensorHead, "head")


class InputSlot(NamedTuple):
    """An edge that enters an op: input `slot` (position within `fed`) of op number `op`."""

    op: int
    slot: int
    source: GraphTensor | None


class Slots(NamedTuple):
    """The edges that enter and leave an op or a set of members.

    Attributes:
        inputs: In dump order as far as the graph tells: members in order, fed inputs in order.
        outputs: Output tensors; of several members those that something outside uses.
        is_plain: Whether they are those of one op, so that their order is certain.
    """

    inputs: tuple[InputSlot, ...]
    outputs: tuple[GraphTensor, ...]
    is_plain: bool


def find_slots(graph: GraphIndex, members: tuple[int, ...]) -> Slots:
    """The slots of an op (one member) or a fused op (several)."""
    if len(members) == 1:
        number = members[0]
        op = graph.ops[number]
        inputs = tuple(InputSlot(number, slot, fed.source) for slot, fed in enumerate(op.fed))
        return Slots(inputs, tuple((number, index) for index in range(len(op.output_names))), True)
    inside = set(members)
    entering = tuple(
        InputSlot(number, slot, fed.source)
        for number in members
        for slot, fed in enumerate(graph.ops[number].fed)
        if fed.source is None or not _comes_from(graph, fed.source, inside)
    )
    leaving = tuple(
        (number, index)
        for number in members
        for index in range(len(graph.ops[number].output_names))
        if _is_used_outside(graph, (number, index), inside)
    )
    return Slots(entering, leaving, False)


def _comes_from(graph: GraphIndex, tensor: GraphTensor, inside: set[int]) -> bool:
    """Whether a tensor is made by one of `inside`, perhaps through views that fusion removed."""
    at: GraphTensor | None = tensor
    while at is not None:
        if at[0] in inside:
            return True
        op = graph.ops[at[0]]
        at = op.fed[0].source if op.type in VIEW_TYPES and op.fed else None
    return False


def _is_used_outside(graph: GraphIndex, tensor: GraphTensor, inside: set[int]) -> bool:
    users = graph.consumers.get(tensor, ())
    return not users or any(number not in inside for number, _ in users)


def assign_inputs(
    heads: Sequence[TensorHead],
    slots: Slots,
    shape_of: Callable[[GraphTensor], Shape | None],
) -> list[InputSlot | None]:
    """The slot of every dumped input, None where only a guess by position is left.

    As many inputs as in the graph are those of the graph, unless shapes say otherwise. GE may drop
    some (constants that it folded, an input of a fused op that appears twice); then shapes decide.
    If they decide nothing for a plain op with all its inputs, its order stands: a wrong shape is
    then an error that the row shows.
    """
    if not heads:
        return []
    found = [head.shape for head in heads]
    for candidates in _readings(slots.inputs):
        shapes = [shape_of(slot.source) if slot.source else None for slot in candidates]
        if len(heads) == len(candidates) and not _contradicts(heads, shapes):
            return list(candidates)
        positions = assign_in_order(found, shapes) if slots.is_plain else [None] * len(found)
        if None in positions:
            by_shape = assign_by_shape(found, shapes)
            positions = by_shape if by_shape.count(None) < positions.count(None) else positions
        if slots.is_plain:
            break
    if slots.is_plain and len(heads) == len(slots.inputs) and None in positions:
        return list(slots.inputs)
    return [None if position is None else candidates[position] for position in positions]


def _readings(slots: Sequence[InputSlot]) -> Iterator[Sequence[InputSlot]]:
    yield slots
    yield _without_repeats(slots)


def _without_repeats(slots: Sequence[InputSlot]) -> Sequence[InputSlot]:
    seen: set[GraphTensor] = set()
    distinct = []
    for slot in slots:
        if slot.source is None or slot.source not in seen:
            distinct.append(slot)
        if slot.source is not None:
            seen.add(slot.source)
    return distinct


def assign_outputs(
    heads: Sequence[TensorHead],
    slots: Slots,
    graph: GraphIndex,
    shape_of: Callable[[GraphTensor], Shape | None],
) -> list[GraphTensor | None]:
    """The graph tensor of every dumped output; `original_op` of the header comes first."""
    allowed = set(slots.outputs)
    named: list[GraphTensor | None] = []
    for head in heads:
        number = graph.number.get(head.original_op) if head.original_op else None
        origin = None if number is None else (number, head.original_index)
        named.append(origin if origin in allowed else None)
    if heads and None not in named and len(set(named)) == len(named):
        return named
    shapes = [shape_of(tensor) for tensor in slots.outputs]
    as_many = len(heads) == len(slots.outputs)
    if as_many and (slots.is_plain or not _contradicts(heads, shapes)):
        return list(slots.outputs)
    found = [head.shape for head in heads]
    chosen = assign_in_order(found, shapes) if slots.is_plain else assign_by_shape(found, shapes)
    return [None if position is None else slots.outputs[position] for position in chosen]


def _contradicts(heads: Sequence[TensorHead], shapes: Sequence[Shape | None]) -> bool:
    return any(
        shape is not None and head.has_shape and prod(head.shape) != prod(shape)
        for head, shape in zip(heads, shapes)
    )


def assign_in_order(found: Sequence[Shape], expected: Sequence[Shape | None]) -> list[int | None]:
    """Position in `expected` of every found shape, if `found` is `expected` with some left out.

    A position counts if every way to leave some out gives it: then order and shapes together prove
    it. An unknown expected shape fits all.
    """
    first = _leftmost(found, expected)
    last = _leftmost(found[::-1], expected[::-1])
    if first is None or last is None:
        return [None] * len(found)
    mirrored = [len(expected) - 1 - position for position in reversed(last)]
    return [low if low == high else None for low, high in zip(first, mirrored)]


def _leftmost(found: Sequence[Shape], expected: Sequence[Shape | None]) -> list[int] | None:
    """The earliest positions in order, None if the shapes do not fit in order."""
    positions: list[int] = []
    at = 0
    for shape in found:
        while at < len(expected) and expected[at] not in (None, shape):
            at += 1
        if at == len(expected):
            return None
        positions.append(at)
        at += 1
    return positions


def assign_by_shape(found: Sequence[Shape], expected: Sequence[Shape | None]) -> list[int | None]:
    """Position in `expected` of every found shape, in order among equal shapes.

    A shape counts only if it stands equally often on both sides, and nothing at all is assigned
    while some expected shape is unknown: it could be any of them.
    """
    if any(shape is None for shape in expected):
        return [None] * len(found)
    positions: dict[Shape | None, list[int]] = {}
    for position, shape in enumerate(expected):
        positions.setdefault(shape, []).append(position)
    chosen: list[int | None] = []
    seen: dict[Shape, int] = {}
    for shape in found:
        options = positions.get(shape, [])
        nth = seen.get(shape, 0)
        seen[shape] = nth + 1
        chosen.append(options[nth] if len(options) == found.count(shape) else None)
    return chosen
