"""A graph text as pairing needs it: who feeds whom, which FX tensor each GE tensor is.

Built once per graph and shared by its steps. Format: torchair `ge_ir.proto`, protobuf text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

# str.isdigit() also takes ², and int() any number of digits.
_INDEX = re.compile(r"[0-9]{1,9}")

# Output `index` of op number `op`: one tensor of the graph.
GraphTensor = tuple[int, int]

DATA_TYPES = frozenset({"Data", "RefData", "Variable", "AnnData"})
CONST_TYPES = frozenset({"Const", "Constant", "ConstPlaceHolder", "FileConstant"})

# Ops that change the shape and neither values nor their order.
RESHAPE_TYPES = frozenset(
    {"Reshape", "Squeeze", "SqueezeV2", "SqueezeV3", "Unsqueeze", "UnsqueezeV2", "UnsqueezeV3"}
    | {"ExpandDims", "Flatten", "FlattenV2"}
)
TRANSPOSE_TYPES = frozenset({"Transpose"})
VIEW_TYPES = RESHAPE_TYPES | TRANSPOSE_TYPES

_CONST_DTYPES = {
    "DT_FLOAT": "<f4",
    "DT_FLOAT16": "<f2",
    "DT_DOUBLE": "<f8",
    "DT_INT8": "i1",
    "DT_INT16": "<i2",
    "DT_INT32": "<i4",
    "DT_INT64": "<i8",
    "DT_UINT8": "u1",
    "DT_UINT16": "<u2",
    "DT_UINT32": "<u4",
    "DT_UINT64": "<u8",
    "DT_BOOL": "?",
}


class GraphOpText(Protocol):
    """One op as `_core.read_graph` gives it."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def inputs(self) -> Sequence[str]: ...
    @property
    def input_names(self) -> Sequence[str | None]: ...
    @property
    def output_names(self) -> Sequence[str | None]: ...
    @property
    def input_desc_names(self) -> Sequence[str]: ...
    @property
    def output_desc_names(self) -> Sequence[str]: ...
    @property
    def input_shapes(self) -> Sequence[tuple[int, ...] | None]: ...
    @property
    def output_shapes(self) -> Sequence[tuple[int, ...] | None]: ...
    @property
    def output_dtypes(self) -> Sequence[str | None]: ...
    @property
    def const(self) -> tuple[str, tuple[int, ...], bytes | None] | None: ...
    @property
    def original_op_names(self) -> Sequence[str]: ...


class GraphText(Protocol):
    """One graph as `_core.read_graph` gives it."""

    @property
    def name(self) -> str: ...
    @property
    def ops(self) -> Sequence[GraphOpText]: ...


class FxName(NamedTuple):
    """`_fx_tensor_name`: `{node}-{target}.OUTPUT.{suffix}`; a suffix of nested outputs has dots."""

    node: str
    target: str
    suffix: str


class FedInput(NamedTuple):
    """One data input of an op that something feeds.

    Attributes:
        position: Number among all data inputs, that is of its input_desc.
        source: The tensor that arrives; None if the text does not contain its producer.
        fx_name: FX tensor that input_desc names.
    """

    position: int
    source: GraphTensor | None
    fx_name: FxName | None


@dataclass(frozen=True)
class GraphOp:
    """One op of the graph text, control edges and unfed inputs dropped.

    Attributes:
        name: Name, not sanitised.
        type: GE type.
        fed: Inputs that the dump of this op holds, in its order.
        output_names: FX tensor of every output_desc, None where it names none.
        output_shapes: Shape of every output_desc, None = unknown, -1 = unknown dimension.
        output_dtypes: Of every output_desc, `DT_BF16`; None or "" = unknown.
        in_place: Position within `fed` of an input that the op writes to -> the output that it
            becomes. GE's own rule: an output with the name of an input is that input (`var` of
            Scatter, `ref` of Assign).
    """

    name: str
    type: str
    fed: tuple[FedInput, ...]
    output_names: tuple[FxName | None, ...]
    output_shapes: tuple[tuple[int, ...] | None, ...]
    output_dtypes: tuple[str | None, ...]
    in_place: Mapping[int, int]


def sanitise(name: str) -> str:
    """The op name as GE writes it into a file name."""
    return name.translate(_SANITISE)


_SANITISE = str.maketrans({" ": "_", ".": "_", "/": "_", "\\": "_"})


def parse_fx_name(text: str | None) -> FxName | None:
    """The parts of `_fx_tensor_name`, None if the text has another form.

    A node name holds no dash, a target may hold dots and dashes: the first dash and the last
    `.OUTPUT.` part them.
    """
    if not text:
        return None
    head, mark, suffix = text.rpartition(".OUTPUT.")
    node, dash, target = head.partition("-")
    if not mark or not dash or not node or not suffix:
        return None
    return FxName(node, target, suffix)


def read_source(text: str) -> tuple[str, int] | None:
    """Name and output index of an `input` entry; None for control edges and unfed inputs."""
    name, colon, index = text.rpartition(":")
    number = read_index(index) if colon else None
    return None if number is None else (name, number)


def read_index(text: str) -> int | None:
    """An index as a graph text has it; None for other text, and for one that nothing can have."""
    return int(text) if _INDEX.fullmatch(text) else None


class GraphIndex:
    """Edges, names and owners of one graph.

    Attributes:
        name: `graph_N` of the text.
        ops: Ops in creation order; their position is the op number used everywhere.
        number: Op name -> number (the first of equal names).
        by_file_name: Sanitised op name -> numbers.
        name_lengths: Lengths of the sanitised names, ascending.
        fx_names: Tensor -> FX tensors that it is known to be: what the producer says (the last
            conversion wins there), then what consumers recorded when they were made.
        consumers: Tensor -> (op number, position within `fed`) in creation order.
        outputs: Op number -> indices of its outputs that the text describes or that some op reads.
        fx_node: Op number -> FX node whose conversion made the op, None if that is not certain.
        made_for: FX node -> numbers of the ops that its conversion made, in creation order.
    """

    def __init__(self, graph: GraphText) -> None:
        texts = list(graph.ops)
        self.name = graph.name
        self.number: dict[str, int] = {}
        self.by_file_name: dict[str, list[int]] = {}
        for number, text in enumerate(texts):
            name = text.name
            if self.number.setdefault(name, number) == number:
                self.by_file_name.setdefault(sanitise(name), []).append(number)
        self.name_lengths = sorted({len(name) for name in self.by_file_name})
        self.ops = tuple(self._read_op(text) for text in texts)
        self._consts = {i: text.const for i, text in enumerate(texts) if text.type in CONST_TYPES}
        self.fx_names: dict[GraphTensor, list[FxName]] = {}
        self.consumers: dict[GraphTensor, list[tuple[int, int]]] = {}
        self._index_tensors()
        self.outputs = [list(range(len(op.output_names))) for op in self.ops]
        for number, index in self.consumers:
            if index >= len(self.ops[number].output_names):
                self.outputs[number].append(index)
        self.fx_node = _fx_nodes(self)
        self.made_for: dict[str, list[int]] = {}
        for number, node in enumerate(self.fx_node):
            if node is not None:
                self.made_for.setdefault(node, []).append(number)

    def _read_op(self, text: GraphOpText) -> GraphOp:
        names = text.input_names
        fed: list[FedInput] = []
        position = 0
        for entry in text.inputs:
            if entry.endswith(":-1"):
                continue
            if entry:
                named = parse_fx_name(names[position]) if position < len(names) else None
                fed.append(FedInput(position, self._source(entry), named))
            position += 1
        written = {title: index for index, title in enumerate(text.output_desc_names) if title}
        titles = text.input_desc_names if written else ()
        in_place = {
            slot: written[titles[edge.position]]
            for slot, edge in enumerate(fed)
            if edge.position < len(titles) and titles[edge.position] in written
        }
        return GraphOp(
            text.name,
            text.type,
            tuple(fed),
            tuple(parse_fx_name(name) for name in text.output_names),
            tuple(text.output_shapes),
            tuple(text.output_dtypes),
            in_place,
        )

    def _source(self, entry: str) -> GraphTensor | None:
        source = read_source(entry)
        if source is None or source[0] not in self.number:
            return None
        return self.number[source[0]], source[1]

    def _index_tensors(self) -> None:
        for number, op in enumerate(self.ops):
            for index, name in enumerate(op.output_names):
                if name is not None:
                    self.fx_names.setdefault((number, index), []).append(name)
        for number, op in enumerate(self.ops):
            for slot, fed in enumerate(op.fed):
                if fed.source is None:
                    continue
                self.consumers.setdefault(fed.source, []).append((number, slot))
                if fed.fx_name is not None:
                    known = self.fx_names.setdefault(fed.source, [])
                    if fed.fx_name not in known:
                        known.append(fed.fx_name)

    def const_value(self, tensor: GraphTensor | None) -> np.ndarray[Any, Any] | None:
        """The array of a small constant, None if the tensor is none or its type is not decoded."""
        if tensor is None:
            return None
        stored = self._consts.get(tensor[0])
        if not stored or stored[2] is None:
            return None
        dtype, shape, data = str(stored[0]), tuple(stored[1]), bytes(stored[2])
        if dtype == "DT_BF16":
            words = np.frombuffer(data, dtype="<u2") if len(data) % 2 == 0 else np.empty(0, "<u2")
            flat = (words.astype("<u4") << 16).view("<f4")
        elif dtype in _CONST_DTYPES and len(data) % np.dtype(_CONST_DTYPES[dtype]).itemsize == 0:
            flat = np.frombuffer(data, dtype=_CONST_DTYPES[dtype])
        else:
            return None
        count = int(np.prod(shape, dtype=np.int64)) if all(d >= 0 for d in shape) else -1
        return flat.reshape(shape) if flat.size == count else None

    def is_data(self, tensor: GraphTensor) -> bool:
        """Whether the tensor is an input of the graph."""
        return self.ops[tensor[0]].type in DATA_TYPES

    def is_const(self, tensor: GraphTensor) -> bool:
        """Whether the tensor is a constant."""
        return self.ops[tensor[0]].type in CONST_TYPES


def _fx_nodes(graph: GraphIndex) -> list[str | None]:
    """The FX node that each op was made for, one entry per op.

    Ops are created in FX order, so an op without an FX name belongs to the next op that has one.
    That is taken only if the data flow agrees: all that consumes the op, through further ops
    without a name, must end in that node. Data and constants of the graph belong to nobody.
    """
    nodes: list[str | None] = [None] * len(graph.ops)
    following: str | None = None
    for number in range(len(graph.ops) - 1, -1, -1):
        op = graph.ops[number]
        own = {name.node for name in op.output_names if name is not None}
        if own:
            following = nodes[number] = own.pop() if len(own) == 1 else None
            continue
        if op.type in DATA_TYPES or op.type in CONST_TYPES:
            continue
        used = {
            nodes[consumer]
            for index in range(max(len(op.output_names), 1))
            for consumer, _ in graph.consumers.get((number, index), ())
        }
        if used == {following}:
            nodes[number] = following
    return nodes
