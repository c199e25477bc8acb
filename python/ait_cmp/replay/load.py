"""An op with all the values that its replay needs, wherever they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from ait_cmp.pairing.ge_step import GeOp, GeStep, PlacedOp
from ait_cmp.pairing.graph.index import GraphTensor
from ait_cmp.replay.chain import Chain, Member
from ait_cmp.replay.evaluate import TypedArray
from ait_cmp.replay.op_texts import OpTexts
from ait_cmp.replay.references import REFERENCES, Binding, RefusedError, bind
from ait_cmp.replay.values import Files, StepValues
from ait_cmp.tensor_ref import TensorRef
from ait_cmp.terms import INPUTS_OUTPUTS

# Types of ops that GE puts into a graph and whose file alone says what they compute.
INSERTED_TYPES = {"TransData": "src", "Cast": "x", "Identity": "x", "TensorMove": "x"}


@dataclass(frozen=True)
class Loaded:
    """An op with all that its replay needs.

    Attributes:
        chain: Its members; one for an op that is not fused.
        inputs: Of an op that is not fused: position among its fed inputs -> tensor.
        outputs: What it wrote.
    """

    chain: Chain
    inputs: Mapping[int, TypedArray]
    outputs: Sequence[TypedArray]

    @property
    def binding(self) -> Binding | None:
        """The reference of an op that is not fused."""
        return self.chain.members[0].binding if len(self.chain.members) == 1 else None


# (member, position among its fed inputs, what the file or its producers hold) -> what to take.
Substitute = Callable[[int, int, Optional[TensorRef]], Optional[TypedArray]]


class OpLoader:
    """Loads the ops of a step.

    Args:
        step: The step.
        texts: Its graph; None without a graph text.
        values: Its tensors; None without a graph text.
        files: Reader of tensors.
    """

    def __init__(
        self, step: GeStep, texts: OpTexts | None, values: StepValues | None, files: Files
    ) -> None:
        self._step = step
        self._texts = texts
        self.values = values
        self._files = files
        self._order = {op.file.path: order for order, op in enumerate(step.ops)}

    def order(self, op: GeOp) -> int:
        """Place in time of a file."""
        return self._order[op.file.path]

    def load(self, op: GeOp, substitute: Substitute | None = None) -> Loaded:
        """An op with its values.

        Args:
            op: The file.
            substitute: What to take instead of a value; None of it refuses the op.

        Raises:
            RefusedError: There is no reference, or a value is missing.
            FormatError, OSError: A file cannot be read.
        """
        placed = self._step.placed_ops.get(op.file.path)
        if placed is None or self.values is None or self._texts is None:
            return self._load_inserted(op)
        assert op.identity is not None
        if not op.identity.is_complete:
            message = "which ops are fused in it is not known"
            raise RefusedError(message)
        outputs = [
            self._files.tensor(TensorRef(op.file.path, "outputs", index, kind=op.file.kind))
            for index in range(len(op.outputs))
        ]
        numbers = sorted(op.identity.members)
        self._texts.read(numbers)
        members: list[Member] = []
        inputs: dict[GraphTensor, TypedArray] = {}
        for number in numbers:
            binding = self._texts.bind(number, self._shapes(placed, number))
            sources = {
                slot: fed.source
                for slot, fed in enumerate(self._texts.graph.ops[number].fed)
                if fed.source is not None
            }
            for positions in binding.positions.values():
                for position in positions:
                    source = sources.get(position)
                    if source is not None and source[0] in numbers:
                        continue
                    value = self._value(op, placed, number, position, source, substitute)
                    inputs[number, position] = value
            members.append(
                Member(
                    number,
                    binding,
                    sources,
                    self._texts.out_dtypes(number),
                    self._texts.out_shapes(number),
                )
            )
        members = _with_dtypes(members, inputs)
        edges = [edge for edge in placed.outputs if edge is not None]
        if len(edges) != len(placed.outputs):
            message = "which output of the graph one of its outputs is, is not known"
            raise RefusedError(message)
        plain = {}
        if len(members) == 1:
            plain = {position: value for (_, position), value in inputs.items()}
            outputs = _in_graph_order(outputs, edges)
        return Loaded(Chain(members, inputs, edges), plain, outputs)

    def _load_inserted(self, op: GeOp) -> Loaded:
        if len(op.inputs) != 1 or len(op.outputs) != 1:
            message = "the graph text has no op of this name: GE made it"
            raise RefusedError(message)
        x, y = (
            self._files.tensor(TensorRef(op.file.path, io, 0, kind=op.file.kind))
            for io in INPUTS_OUTPUTS
        )
        type_ = op.file.op_type
        attributes: dict[str, Any] = {"dst_type": -1} if type_ == "Cast" else {}
        binding = bind(REFERENCES[type_], [(INSERTED_TYPES[type_], x.array.shape)], attributes)
        if type_ == "TransData" and x.array.shape != y.array.shape:
            x = x._replace(array=x.array.reshape(y.array.shape))
        return Loaded(
            Chain([Member(0, binding, {}, [y.dtype])], {(0, 0): x}, [(0, 0)]), {0: x}, [y]
        )

    def _shapes(self, placed: PlacedOp, number: int) -> dict[int, tuple[int, ...]]:
        return {
            slot.slot: head.shape
            for slot, head in zip(placed.inputs, placed.op.inputs)
            if slot is not None and slot.op == number and head.has_shape
        }

    def _value(
        self,
        op: GeOp,
        placed: PlacedOp,
        number: int,
        position: int,
        source: GraphTensor | None,
        substitute: Substitute | None,
    ) -> TypedArray:
        """The value of an input: of the op's own file, or from where the graph says it comes."""
        assert self.values is not None
        assert self._texts is not None
        found = self._find(op, placed, number, position, source)
        names = self._texts.fed_names(number)
        name = names[position].name if position < len(names) else str(position)
        if substitute is not None:
            ref = found if isinstance(found, TensorRef) else None
            other = substitute(number, position, ref)
            if other is not None:
                return other
            if not isinstance(found, TypedArray):
                message = f"its input {name} has no counterpart"
                raise RefusedError(message)
        if isinstance(found, str):
            message = f"its input {name} comes from {found}"
            raise RefusedError(message)
        loaded = self.values.load(found)
        if isinstance(loaded, str):
            message = f"its input {name} cannot be read: {loaded}"
            raise RefusedError(message)
        return loaded

    def _find(
        self, op: GeOp, placed: PlacedOp, number: int, position: int, source: GraphTensor | None
    ) -> TensorRef | TypedArray | str:
        assert self.values is not None
        assert self._texts is not None
        order = self._order[op.file.path]
        in_place = self._texts.graph.ops[number].in_place
        own = next(
            (
                index
                for index, slot in enumerate(placed.inputs)
                if slot is not None and (slot.op, slot.slot) == (number, position)
            ),
            None,
        )
        if position not in in_place and own is not None and op.inputs[own].state == "ok":
            return TensorRef(op.file.path, "inputs", own, kind=op.file.kind)
        if source is None:
            return "an op that the graph text does not have"
        found = self.values.find(source, order)
        if position in in_place and isinstance(found, str):
            return self.values.state_before(source, (number, in_place[position]))
        return found


def _in_graph_order(
    outputs: Sequence[TypedArray], edges: Sequence[GraphTensor]
) -> list[TypedArray]:
    """Outputs by their index in the graph: a reference gives them in that order.

    Raises:
        RefusedError: One was left out.
    """
    by_index = {edge[1]: tensor for edge, tensor in zip(edges, outputs)}
    if sorted(by_index) != list(range(len(outputs))):
        message = "some of its outputs are not in the dump"
        raise RefusedError(message)
    return [by_index[index] for index in range(len(outputs))]


def _with_dtypes(
    members: Sequence[Member], inputs: Mapping[GraphTensor, TypedArray]
) -> list[Member]:
    """Members whose dtypes are all known: what the text leaves open is that of the first input."""
    known: dict[GraphTensor, str] = {}
    filled = []
    for member in members:
        first = member.sources.get(0)
        outside = inputs.get((member.number, 0))
        default = outside.dtype if outside is not None else known.get(first or (-1, -1), "")
        dtypes = [dtype or default for dtype in member.dtypes]
        known.update({(member.number, index): dtype for index, dtype in enumerate(dtypes)})
        filled.append(replace(member, dtypes=dtypes))
    return filled
