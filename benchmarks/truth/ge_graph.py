"""The graph text of torchair as plain operators, read by google.protobuf."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

#: Number of each dtype in graph texts and in dump files.
DTYPES = {
    1: torch.float32,
    2: torch.float16,
    3: torch.int8,
    4: torch.uint8,
    7: torch.int32,
    8: torch.int64,
    11: torch.bool,
    12: torch.float64,
    27: torch.bfloat16,
}
#: Number of each dtype in attributes, as GE numbers them when it runs.
RUN_TIME_DTYPES = {
    0: torch.float32,
    1: torch.float16,
    2: torch.int8,
    3: torch.int32,
    4: torch.uint8,
    9: torch.int64,
    11: torch.float64,
    12: torch.bool,
    27: torch.bfloat16,
}


@dataclass(frozen=True)
class Op:
    """An operator of the graph.

    Args:
        name: Unique in the graph.
        type: GE type.
        inputs: Edge ("op:index") of each data input; "" where an optional one is not fed.
        input_names: Name of each input in the IR.
        dtypes: Of each output; None where the text does not tell.
        attrs: Name -> AttrDef.
        number: Place in the graph.
    """

    name: str
    type: str
    inputs: tuple[str, ...]
    input_names: tuple[str, ...]
    dtypes: tuple[torch.dtype | None, ...]
    attrs: Mapping[str, Any] = field(repr=False, compare=False, hash=False)
    number: int = 0

    @property
    def outputs(self) -> tuple[str, ...]:
        """Edges that leave it."""
        return tuple(f"{self.name}:{i}" for i in range(max(1, len(self.dtypes))))

    @property
    def fed(self) -> list[str]:
        """Edges of the inputs that are fed."""
        return [edge for edge in self.inputs if edge]


def read_ops(path: Path) -> list[Op]:
    """The operators in the order of the text, which is the order in which they run."""
    text_format = importlib.import_module("google.protobuf.text_format")
    ge_ir = importlib.import_module("torchair._ge_concrete_graph.ge_ir_pb2")
    graph = text_format.Parse(path.read_text(encoding="utf-8"), ge_ir.GraphDef())
    return [_op(i, definition) for i, definition in enumerate(graph.op)]


def _op(number: int, definition: Any) -> Op:
    inputs = tuple(edge for edge in definition.input if not edge.endswith(":-1"))
    return Op(
        definition.name,
        definition.type,
        inputs,
        tuple(desc.name for desc in definition.input_desc),
        tuple(DTYPES.get(desc.dtype) for desc in definition.output_desc),
        definition.attr,
        number,
    )


def constant(op: Op) -> torch.Tensor:
    """The value of a Const."""
    tensor = op.attrs["value"].t
    dtype, shape = DTYPES[tensor.desc.dtype], list(tensor.desc.shape.dim)
    if not tensor.data:
        return torch.zeros(shape, dtype=dtype)
    return torch.frombuffer(bytearray(tensor.data), dtype=dtype).reshape(shape)


def producer(edge: str) -> str:
    """Name of the op that an edge leaves."""
    return edge.rpartition(":")[0]
