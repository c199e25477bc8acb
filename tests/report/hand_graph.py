"""Small graphs and rows made by hand, judged as a run is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ait_cmp import Limits
from ait_cmp.discover import StepKey
from ait_cmp.pairing.graph.op_graph import FlowTensor, Member, OpNode
from ait_cmp.report.row import Row, rows_of
from ait_cmp.report.verdict import Judge
from report_rows import EMPTY, paired_step

FP16 = 2.0**-11
BF16 = 2.0**-8

ALL_EQUAL = {"n_pairs": 1000, "n_unmasked": 1000, "n_differ": 0}
SOME_DIFFER = {"n_pairs": 1000, "n_unmasked": 1000, "n_differ": 10}


class HandRow(NamedTuple):
    """A row and the figures beside its cells; None: of a reduced row."""

    row: Row
    figures: Mapping[str, Any] | None


def row(name: str, red: float | None, *, figures: Any = "by red", **changes: Any) -> HandRow:
    """A compared output of op `name` with this RED, and block_error as large.

    Figures that are not given are those of equal tensors, or of a few differing pairs.
    """
    cells = {
        "token_id": 0,
        "my_dtype": "torch.float16",
        "golden_dtype": "torch.float32",
        "cosine_similarity": 1.0,
        "max_absolute_error": red,
        "relative_euclidean_distance": red,
        "block_error": red,
        "rank": 0,
        "graph": "graph_1",
        "op_name": name,
        "my_op_type": name.partition("_")[0],
        "io": "outputs",
        "index": 0,
        "status": "compared",
        "nonfinite_mismatch_count": 0,
        "estimated": "",
        **changes,
    }
    is_equal = red == 0 and not cells["nonfinite_mismatch_count"]
    default = ALL_EQUAL if is_equal else SOME_DIFFER
    if isinstance(figures, Mapping):
        found: Mapping[str, Any] | None = {**default, **figures}
    else:
        found = default if figures == "by red" else None
    return HandRow(EMPTY._replace(**cells), found)


class Graph(NamedTuple):
    """Nodes, tensors (one an op unless said otherwise), and /dump/NAME -> node."""

    nodes: tuple[OpNode, ...]
    tensors: tuple[FlowTensor, ...]
    node_of: dict[str, int]

    def with_tensor(self, name: str, **changes: Any) -> Graph:
        """The graph with another first tensor of an op."""
        number = self.nodes[self.node_of[f"/dump/{name}"]].outputs[0]
        tensors = list(self.tensors)
        tensors[number] = tensors[number]._replace(**changes)
        return self._replace(tensors=tuple(tensors))

    def with_node(self, name: str, **changes: Any) -> Graph:
        """The graph with another op."""
        number = self.node_of[f"/dump/{name}"]
        nodes = list(self.nodes)
        nodes[number] = nodes[number]._replace(**changes)
        return self._replace(nodes=tuple(nodes))

    def fused(self, name: str, *types: str, dtype: str = "DT_FLOAT16") -> Graph:
        """The graph with a fused op; its members exponentiate a tensor of their own."""
        scores = len(self.tensors)
        node = self.node_of[f"/dump/{name}"]
        members = tuple(Member(kind, scores, (dtype,)) for kind in types)
        outputs = (*self.nodes[node].outputs, scores)
        wider = self._replace(tensors=(*self.tensors, FlowTensor(node)))
        return wider.with_node(name, fused=members, outputs=outputs)


def graph_of(_outputs: Mapping[str, int] | None = None, **inputs: Sequence[str]) -> Graph:
    """Each op with the ops that feed it, those first; "A:1" is the second output of A."""
    counts = _outputs or {}
    nodes: list[OpNode] = []
    tensors: list[FlowTensor] = []
    first: dict[str, int] = {}
    numbers = {name: place for place, name in enumerate(inputs)}
    read = {source if ":" in source else f"{source}:0" for of in inputs.values() for source in of}
    for name, sources in inputs.items():
        reads = []
        for source in sources:
            op, _, index = source.partition(":")
            reads.append(first[op] + int(index or 0))
        first[name] = len(tensors)
        n_outputs = counts.get(name, 1)
        is_end = not any(f"{name}:{index}" in read for index in range(n_outputs))
        tensors += [
            FlowTensor(numbers[name], is_end or f"{name}:{index}" in read)
            for index in range(n_outputs)
        ]
        feeders = sorted({numbers[source.partition(":")[0]] for source in sources})
        outputs = tuple(range(first[name], len(tensors)))
        kind = name.partition("_")[0]
        nodes.append(OpNode(name, kind, tuple(feeders), (name,), tuple(reads), outputs))
    return Graph(tuple(nodes), tuple(tensors), {f"/dump/{name}": k for name, k in numbers.items()})


def judge_step(
    rows: Sequence[HandRow],
    graph: Graph,
    *,
    judge: Judge | None = None,
    files: Sequence[str] | None = None,
    step: int = 0,
    **limits: float,
) -> tuple[list[Row], Judge]:
    """The judged rows of a step."""
    used = judge or Judge(Limits(**limits))
    found = paired_step(
        [one.row for one in rows],
        files,
        nodes=graph.nodes,
        tensors=graph.tensors,
        node_of=graph.node_of,
        figures=[one.figures for one in rows],
    )
    used.judge(StepKey(0, "graph_1", step), found, 0)
    return list(rows_of(found.rows)), used


def judged(rows: Sequence[HandRow], graph: Graph, **limits: float) -> dict[str, Row]:
    """Output rows by op."""
    found, _ = judge_step(rows, graph, **limits)
    return {one.op_name: one for one in found if one.io == "outputs"}


def accused(rows: Sequence[HandRow], graph: Graph, **limits: float) -> list[tuple[str, str]]:
    """(op, kind) of every divergence."""
    _, judge = judge_step(rows, graph, **limits)
    return [(found.op_name, found.kind) for found in judge.divergences]
