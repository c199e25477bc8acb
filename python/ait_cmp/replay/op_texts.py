"""What a graph text says of its ops, as references need it: attributes are read on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ait_cmp import _core
from ait_cmp.pairing.graph.index import CONST_TYPES, GraphIndex, GraphTensor
from ait_cmp.replay.export import graph_part
from ait_cmp.replay.references import REFERENCES, Binding, Reference, RefusedError, bind
from ait_cmp.replay.references.dtypes import RUN_TIME_DTYPES
from ait_cmp.replay.references.refused import refusal_of_type

# Graph texts name types by the enum of the dump; numpy cannot hold all of them.
_DTYPES = {
    "DT_FLOAT": ("torch.float32", "<f4"),
    "DT_FLOAT16": ("torch.float16", "<f2"),
    "DT_BF16": ("torch.bfloat16", "<u2"),
    "DT_DOUBLE": ("torch.float64", "<f8"),
    "DT_INT8": ("torch.int8", "i1"),
    "DT_INT16": ("torch.int16", "<i2"),
    "DT_INT32": ("torch.int32", "<i4"),
    "DT_INT64": ("torch.int64", "<i8"),
    "DT_UINT8": ("torch.uint8", "u1"),
    "DT_UINT16": ("torch.uint16", "<u2"),
    "DT_UINT32": ("torch.uint32", "<u4"),
    "DT_UINT64": ("torch.uint64", "<u8"),
    "DT_BOOL": ("torch.bool", "?"),
}


class FedName(NamedTuple):
    """A fed input by its position among the fed ones: name in `input_desc` and stated shape."""

    name: str
    shape: tuple[int, ...] | None


class OpTexts:
    """The ops of one graph text.

    Args:
        path: The graph text.
        text: Its graph as the core reads it.
        graph: The same as pairing knows it.
        references: Type -> reference; the user's come before ours.
    """

    def __init__(
        self,
        path: str,
        text: _core.Graph,
        graph: GraphIndex,
        references: Mapping[str, Reference] = REFERENCES,
    ) -> None:
        self.graph = graph
        self._path = path
        self._ops = list(text.ops)
        self._references = references
        self._details: dict[str, tuple[dict[str, Any], bytes | None]] = {}
        self._asked: set[str] = set()

    def read(self, numbers: Iterable[int]) -> None:
        """Read attributes and constants of these ops, in one pass over the text.

        Raises:
            FormatError: The text is damaged.
            OSError: It cannot be read.
        """
        names = {self._ops[number].name for number in numbers} - self._asked
        if names:
            self._asked |= names
            self._details.update(_core.read_graph_attributes(self._path, 0, names))

    def attributes(self, number: int) -> Mapping[str, Any]:
        """Attributes of an op, those of the framework (`_meta`) too."""
        self.read([number])
        return self._details.get(self._ops[number].name, ({}, None))[0]

    def type(self, number: int) -> str:
        """GE type of an op."""
        return self._ops[number].type

    def name(self, number: int) -> str:
        """Name of an op."""
        return self._ops[number].name

    def fed_names(self, number: int) -> list[FedName]:
        """Names of the fed inputs of an op, in their order."""
        op = self._ops[number]
        names, shapes = op.input_desc_names, op.input_shapes
        found = []
        for fed in self.graph.ops[number].fed:
            is_known = fed.position < len(names)
            name = names[fed.position] if is_known else ""
            shape = shapes[fed.position] if is_known else None
            found.append(FedName(name, tuple(shape) if shape is not None else None))
        return found

    def bind(self, number: int, shapes: Mapping[int, tuple[int, ...]] | None = None) -> Binding:
        """The reference of an op with its attributes.

        Args:
            number: The op.
            shapes: Position among the fed inputs -> shape in the dump, where that is known.

        Raises:
            RefusedError: There is none, or it does not know this op.
        """
        type_ = self.type(number)
        reference = self._references.get(type_)
        if reference is None:
            raise RefusedError(refusal_of_type(type_))
        fed = [
            (name, (shapes or {}).get(position, shape))
            for position, (name, shape) in enumerate(self.fed_names(number))
        ]
        return bind(reference, fed, self.attributes(number))

    def out_dtypes(self, number: int) -> list[str]:
        """Dtype of every output as far as the text says it: "" where it does not."""
        op = self._ops[number]
        stated = [_DTYPES.get(dtype or "", ("", ""))[0] for dtype in op.output_dtypes]
        if op.type == "Cast":
            number_of_type = self.attributes(number).get("dst_type")
            cast = RUN_TIME_DTYPES.get(number_of_type, "") if number_of_type is not None else ""
            return [cast or stated[0]] if stated else [cast]
        return stated

    def out_shapes(self, number: int) -> tuple[tuple[int, ...], ...]:
        """Shape of every output, () if the text leaves one of them open."""
        shapes = self._ops[number].output_shapes
        is_known = all(shape is not None and min(shape, default=0) >= 0 for shape in shapes)
        return tuple(tuple(shape or ()) for shape in shapes) if is_known else ()

    def part(self, number: int) -> str:
        """The op's part of the graph text, "" if it is not printed as torchair does."""
        text = Path(self._path).read_text(encoding="utf-8", errors="replace")
        return graph_part(text, self._ops[number].name)

    def constant(self, tensor: GraphTensor) -> tuple[str, np.ndarray[Any, Any]] | None:
        """Dtype and values of a constant, None if the tensor is none or is not decoded."""
        op = self._ops[tensor[0]]
        if op.type not in CONST_TYPES or op.const is None or tensor[1] != 0:
            return None
        self.read([tensor[0]])
        data = self._details.get(op.name, ({}, None))[1]
        dtype, shape = op.const[0], tuple(op.const[1])
        if data is None or dtype not in _DTYPES:
            return None
        name, numpy_type = _DTYPES[dtype]
        if len(data) % np.dtype(numpy_type).itemsize:
            return None
        values = np.frombuffer(data, dtype=numpy_type)
        if dtype == "DT_BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        count = int(np.prod(shape, dtype=np.int64)) if all(dim >= 0 for dim in shape) else -1
        return (name, values.reshape(shape)) if values.size == count else None
