"""Finds operators in a graph by the part that they play."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import torch

from benchmarks.truth.ge_graph import Op, producer

#: Types through which a value passes as it is.
PASSING = frozenset(["Reshape", "Identity", "Cast", "Transpose", "Unsqueeze"])
PRODUCTS = frozenset([
    "BatchMatMul", "MatMul", "MatMulV2", "QuantBatchMatmulV3", "ReduceSum",
    "WeightQuantBatchMatmulV2",
])  # fmt: skip


class Graph:
    """A graph with the values of one clean step."""

    def __init__(self, ops: Sequence[Op], values: Mapping[str, torch.Tensor]) -> None:
        self.ops = ops
        self.by_name = {op.name: op for op in ops}
        self.values = values
        self.readers: dict[str, list[Op]] = defaultdict(list)
        for op in ops:
            for edge in op.fed:
                self.readers[edge].append(op)

    def shape(self, edge: str) -> torch.Size:
        """Of a tensor; of a constant too."""
        return self.values[edge].shape

    def source(self, edge: str) -> Op:
        """The op that computes a tensor, views passed over."""
        op = self.by_name[producer(edge)]
        while op.type in PASSING:
            op = self.by_name[producer(op.fed[0])]
        return op

    def next_types(self, op: Op) -> set[str]:
        """Types of what reads an op's first output, through views and casts."""
        found: set[str] = set()
        edges = [op.outputs[0]]
        while edges:
            for reader in self.readers[edges.pop()]:
                found.add(reader.type)
                if reader.type in PASSING:
                    edges.append(reader.outputs[0])
        return found

    def is_given(self, edge: str) -> bool:
        """Whether a tensor is a constant, a weight or an input, perhaps through views."""
        return self.source(edge).type in ("Data", "Const")


Find = Callable[[Graph, Op], bool]


def of_type(*types: str) -> Find:
    """Any op of these types."""
    return lambda _, op: op.type in types


def eps(graph: Graph, op: Op) -> bool:
    """What is added before the square root of a norm."""
    return op.type == "Add" and bool(graph.next_types(op) & {"Rsqrt"})


def mask(graph: Graph, op: Op) -> bool:
    """The Add of a mask to scores."""
    is_read = "SoftmaxV2" in graph.next_types(op)
    return op.type == "Add" and is_read and graph.is_given(op.fed[1])


def residual(graph: Graph, op: Op) -> bool:
    """The Add of a branch to the residual stream (input 0)."""
    if op.type != "Add" or any(graph.source(edge).type == "Const" for edge in op.fed):
        return False
    first, second = (graph.source(edge) for edge in op.fed)
    is_weight = second.type == "Data"
    return second.type in PRODUCTS and first.type != "Mul" and not is_weight


def norm_weight(graph: Graph, op: Op) -> bool:
    """The Mul by a weight of one axis."""
    return op.type == "Mul" and any(
        graph.is_given(edge) and len(graph.shape(edge)) == 1 for edge in op.fed
    )


def rotary_cos(graph: Graph, op: Op) -> bool:
    """The Mul of query or key by cosines or sines."""
    return op.type == "Mul" and any(
        graph.by_name[producer(edge)].type == "Data" and len(graph.shape(edge)) == 2
        for edge in op.fed
    )


def scale_of_scores(_: Graph, op: Op) -> bool:
    """The Muls of attention."""
    return op.type == "Muls"


def product(_: Graph, op: Op) -> bool:
    """A product with a weight."""
    return op.type in ("MatMul", "MatMulV2")


def square_weight(graph: Graph, op: Op) -> bool:
    """A product with a weight that is as high as wide."""
    rows, columns = (graph.shape(op.fed[1])[-2:]) if product(graph, op) else (0, 1)
    return rows == columns


def with_bias(_: Graph, op: Op) -> bool:
    """A product that adds a bias."""
    return op.type == "MatMulV2" and len(op.fed) > 2


def fused_attention(_: Graph, op: Op) -> bool:
    """Attention as one op."""
    return op.type == "FusedInferAttentionScore"


def scores(graph: Graph, op: Op) -> bool:
    """The product of query and key."""
    return (
        op.type == "BatchMatMul"
        and bool(graph.next_types(op) & {"Muls", "Add"})
        and (
            graph.shape(op.outputs[0])[-1] <= graph.shape(op.fed[0])[-2] * 40
            and graph.source(op.fed[0]).type != "SoftmaxV2"
        )
    )


def mixed(graph: Graph, op: Op) -> bool:
    """The product of attention weights and values."""
    return op.type == "BatchMatMul" and graph.source(op.fed[0]).type == "SoftmaxV2"


def repeated_heads(graph: Graph, op: Op) -> bool:
    """The broadcast of shared heads."""
    return op.type == "BroadcastTo" and len(graph.shape(op.outputs[0])) == 5


def floats(graph: Graph, op: Op) -> bool:
    """Any op that computes floats of two axes at least, and no mere view."""
    moves = {"Data", "Const", "NetOutput", "Fill", "BroadcastTo", "GatherV2", "Pack", "SplitV"}
    if op.type in PASSING | moves or op.outputs[0] not in graph.values:
        return False
    y = graph.values[op.outputs[0]]
    return bool(y.is_floating_point() and y.ndim >= 2 and y.shape[-1] >= 16 and y.numel() >= 256)
