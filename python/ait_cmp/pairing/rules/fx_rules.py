"""Flow 1: the rules by which a GE tensor finds its FX counterpart, most certain first."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from math import prod

from ait_cmp.errors import FormatError, reason_of
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import GeStep, PlacedOp
from ait_cmp.pairing.graph.context import GraphContext, Use
from ait_cmp.pairing.graph.index import FxName, GraphIndex, GraphTensor
from ait_cmp.pairing.graph.padding import Padding
from ait_cmp.pairing.graph.slots import InputSlot, Shape, TensorHead
from ait_cmp.pairing.graph.view_chain import Move, view_steps
from ait_cmp.pairing.readers import Readers
from ait_cmp.pairing.rules.argument import Arguments
from ait_cmp.pairing.rules.dataflow import match_dataflow, names_of_input, names_of_tensor
from ait_cmp.pairing.rules.keeping_cast import match_keeping_cast
from ait_cmp.pairing.rules.match import Answer, Match, Miss
from ait_cmp.tensor_ref import TensorRef
from ait_cmp.terms import Rule

# FX operators that show a tensor in another order of its dimensions.
_TRANSPOSING = frozenset({"t", "transpose", "permute"})
_IN_PLACE = "The op writes this input in place and GE dumps it afterwards:"


class FxRules:
    """Finds counterparts of one step in an FX dump."""

    def __init__(
        self,
        context: GraphContext,
        my: GeStep,
        fx: FxStep,
        readers: Readers,
        padding: Padding | None = None,
    ) -> None:
        self._context = context
        self._graph: GraphIndex = context.graph
        self._my = my
        self._fx = fx
        self._readers = readers
        own = weakref.WeakMethod(self._named)  # no circle: those of a run are never looked for

        def named(tensor: GraphTensor) -> Match | None:
            method = own()
            return None if method is None else method(tensor)

        self._arguments = Arguments(context, my, fx, readers, named, padding)

    def find_input(self, placed: PlacedOp, slot: InputSlot, head: TensorHead) -> Answer:
        """The counterpart of the dumped input that is edge `slot`."""
        names = names_of_input(self._graph, slot)
        shape = head.shape if placed.op.shows_shapes else None
        written = self._graph.ops[slot.op].in_place.get(slot.slot)
        if written is not None:
            answer = self._find_written((slot.op, written), shape)
        elif slot.source is None:
            answer = match_dataflow(names, self._fx) or _no_name(names)
        elif self._context.is_inserted_view(slot.op):
            if slot.slot:
                return self._constant_of_view(placed, slot, slot.source, head)
            uses = self._context.uses((slot.op, 0))
            answer = self._find(names, slot.source, uses, shape)
        else:
            use = Use(slot.op, slot.slot, slot.source)
            answer = self._find(names, slot.source, (use,), shape)
        return _labelled(placed, answer)

    def find_output(self, placed: PlacedOp, tensor: GraphTensor, head: TensorHead) -> Answer:
        """The counterpart of the dumped output that is graph tensor `tensor`."""
        names = names_of_tensor(self._graph, tensor)
        shape = head.shape if placed.op.shows_shapes else None
        answer = self._find(names, tensor, self._context.uses(tensor), shape)
        return _labelled(placed, answer)

    def _constant_of_view(
        self, placed: PlacedOp, slot: InputSlot, source: GraphTensor, head: TensorHead
    ) -> Miss:
        """A shape or permutation that torchair made up: held against the graph text."""
        value = self._graph.const_value(source)
        if value is None or head.state != "ok":
            why = "A constant of an inserted view; the graph text does not give its value."
            return Miss(why, "constant")
        ref = placed.op.ref("inputs", placed.inputs.index(slot))
        try:
            mine = self._readers.read_values(ref, 0, value.size + 1)
        except (FormatError, OSError) as error:
            why = f"A constant of an inserted view that cannot be read: {reason_of(error)}."
            return Miss(why, "constant")
        if mine.size == value.size and (mine.ravel() == value.ravel()).all():
            why = "A constant of an inserted view: it has the value that the graph text gives."
        else:
            here = mine.ravel()[:8].astype(value.dtype).tolist()
            why = (
                f"A constant of an inserted view: it is {here}, the graph text gives "
                f"{value.ravel()[:8].tolist()}."
            )
        return Miss(why, "constant")

    def _find_written(self, output: GraphTensor, shape: Shape | None) -> Answer:
        """What an input holds that the op has written to: its output; FX keeps the old values."""
        names = names_of_tensor(self._graph, output)
        answer = self._find(names, output, self._context.uses(output), shape)
        if isinstance(answer, Miss):
            return Miss(f"{_IN_PLACE} FX has only the values before.", "in_place")
        return answer._replace(note=f"{answer.note} {_IN_PLACE} it is the output.".lstrip())

    def _find(
        self, names: Sequence[FxName], tensor: GraphTensor, uses: Sequence[Use], shape: Shape | None
    ) -> Answer:
        match = match_dataflow(names, self._fx)
        if match is not None:
            return match
        viewed = self._find_view(tensor, shape)
        if viewed is not None:
            return viewed
        cast = None if names else match_keeping_cast(self._context, self._my, self._fx, tensor)
        if cast is not None:
            return cast
        base = self._context.chain(tensor).base
        if self._graph.is_data(base) or self._graph.is_const(base):
            return self._find_argument(tensor, uses, shape)
        if names and not any(self._fx.has(name.node) for name in names):
            # A node that torchair made of others: what reads it has its result as an INPUT.
            answer = self._find_argument(tensor, uses, shape)
            return answer if isinstance(answer, Match) else _no_name(names)
        broken = self._context.chain(tensor).broken
        return Miss(broken, "part") if broken and not names else _no_name(names)

    def _find_view(self, tensor: GraphTensor, shape: Shape | None) -> Answer | None:
        """Rule `view`: the nearest named tensor above, or a named view right below the last."""
        chain = self._context.chain(tensor)
        for level in range(1, len(chain.tensors)):
            match = match_dataflow(names_of_tensor(self._graph, chain.tensors[level]), self._fx)
            if match is not None:
                return self._viewed(match, chain.moves(level, 0), shape, "view")
        last = len(chain.tensors) - 1
        for number, slot in self._graph.consumers.get(chain.base, ())[:8]:
            below = self._context.chain((number, 0))
            if slot or len(below.tensors) < 2 or below.tensors[1] != chain.base:
                continue
            match = match_dataflow(names_of_tensor(self._graph, (number, 0)), self._fx)
            if match is not None:
                moves = below.moves(0, 1) + chain.moves(last, 0)
                return self._viewed(match, moves, shape, "view")
        return None

    def _find_argument(
        self, tensor: GraphTensor, uses: Sequence[Use], shape: Shape | None
    ) -> Answer:
        """Rules `argument` and `literal`: by the FX node of the first use that tells."""
        answer: Answer = Miss(
            "A graph input or constant that no op of an FX node uses.", "argument"
        )
        for use in uses:
            found = self._arguments.find(self._graph.fx_node[use.op], use.arrives)
            if isinstance(found, Miss):
                answer = found
                continue
            chain = self._context.chain(use.arrives)
            if tensor not in chain.tensors:
                continue
            moves = chain.moves(found.level, chain.tensors.index(tensor))
            golden = TensorRef(found.file.path, "", 0, kind=found.file.kind)
            match = Match(golden, found.target, found.rule, "")
            answer = self._viewed(match, moves, shape, found.rule)
            if isinstance(answer, Match):
                return self._in_my_order(answer, shape)
        return answer

    def _in_my_order(self, match: Match, shape: Shape | None) -> Match:
        """Of two golden files with the same values the one in my order, if only sketches are there.

        A transposed sketch has nothing but extrema: what `aten.t` got is taken instead of what it
        gave.
        """
        golden = match.golden
        if golden.kind == "dump" or shape is None or not golden.view:
            return match
        for node in self._fx.nodes_of(_TRANSPOSING):
            given, result = node.inputs[:1], node.outputs.get(0)
            if not given or result is None:
                continue
            ref = TensorRef(result.path, "", 0, kind=result.kind)
            if not self._readers.are_equal(golden._replace(view=()), ref, prod(shape)):
                continue
            (scan,) = self._readers.scan_npy([given[0].ref], 1)
            if scan.error is None and scan.shape == shape:
                whole = TensorRef(given[0].path, "", 0, kind=given[0].kind)
                return Match(whole, node.target, match.rule, match.note)
        return match

    def _viewed(
        self, match: Match, moves: Sequence[Move], shape: Shape | None, rule: Rule
    ) -> Answer:
        """The match read in the order of the my side; `shape` None: only extrema are compared."""
        if shape is None:
            return match._replace(rule=rule)
        count = prod(shape)
        steps = view_steps(moves, shape, lambda tensor: self._shape_of(tensor, count))
        if steps is None:
            return Miss(
                "The shape between two inserted views is not known, or does not fit.", "part"
            )
        viewed = match.golden._replace(view=match.golden.view + steps)
        return Match(viewed, match.golden_type, rule, match.note)

    def _named(self, tensor: GraphTensor) -> Match | None:
        """Counterpart by `dataflow` or `view` of a tensor as it arrives at an op."""
        match = match_dataflow(names_of_tensor(self._graph, tensor), self._fx)
        if match is not None:
            return match
        head = self._my.heads.get(tensor)
        answer = None if head is None else self._find_view(tensor, head.shape)
        return answer if isinstance(answer, Match) else None

    def _shape_of(self, tensor: GraphTensor, count: int) -> Shape | None:
        """Shape of a tensor in this step: dumped, stated by the graph, or of a constant reshape."""
        head = self._my.heads.get(tensor)
        if head is not None:
            return head.shape
        shape = self._context.static_shape(tensor)
        if shape is not None:
            return shape
        op = self._graph.ops[tensor[0]]
        if op.type != "Reshape" or len(op.fed) < 2:
            return None
        value = self._graph.const_value(op.fed[1].source)
        if value is None or value.ndim != 1 or value.dtype.kind != "i":
            return None
        dims = [int(dim) for dim in value]
        known = prod(dim for dim in dims if dim > 0)
        if 0 in dims or dims.count(-1) > 1 or min(dims, default=1) < -1:
            return None
        return tuple(count // known if dim == -1 else dim for dim in dims)


def _no_name(names: Sequence[FxName]) -> Miss:
    if names:
        return Miss(f"The FX dump has no file of {names[0].node}-{names[0].target}.", "no_golden")
    return Miss("An operator that only GE has: the graph names no FX tensor for it.", "ge_only")


def _labelled(placed: PlacedOp, answer: Answer) -> Answer:
    """Counterparts of a fused op's edges are `fused`, however an edge found its FX tensor.

    Those of watch mode are the watched op's, by its name.
    """
    identity = placed.op.identity
    if isinstance(answer, Miss) or identity is None:
        return answer
    if identity.after:
        return answer._replace(rule="name")
    if not identity.is_fused:
        return answer
    return answer._replace(rule="fused") if answer.rule in ("dataflow", "view") else answer
