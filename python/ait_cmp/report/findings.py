"""What the verdict tells of a run: ops that diverge, ops to be replayed, inputs that differ."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ait_cmp.terms import DivergenceKind


class Divergence(NamedTuple):
    """An op of a step that computes something else.

    Attributes:
        rank: Rank, -1 without rank level.
        graph: Name of the graph.
        token: Step, from 0.
        op_name: Name of the op (of a fused op: of its file).
        op_type: GE type.
        kind: Why it is said to, the first that holds.
        upstream_error: Largest relative Euclidean distance (RED) that it was given.
        error: RED of its output; None where it has no finite pair.
        error_growth: error / max(upstream_error, unit roundoff); None where it is not known.
        given_block: Largest block_error that it was given.
        block_error: That of its output.
        block_growth: The same quotient of block errors.
        limit: The limit that was passed.
        file: Path of the GE dump that shows it.
        golden: Path of the tensor that it was held against.
        fx_node: FX node that it was made for, "" if that is not known.
        module: Module of the user's model, "" if that is not known.
        source: Line of the user's model, "" if that is not known.
        candidates: The op itself and its ancestors that were not compared, back to compared ones.
        places: In how many ranks, graphs and steps the same op diverges.
        later_failures: Rows of the rank and graph after this op that are outside the limits.
        replay: What its replay says, a sentence, or None.
        remarks: What a closer look at its tensors tells, sentences.
        my_tensor: The tensor under test as the report writes it.
        writer: Of kind `edge`, the op that wrote what this one read, else "".
        role: What the graph looks like around the op: equal for the same op of another layer.

    Example:
        >>> result = ait_cmp.compare_dirs("ait-cmp-demo/ge_wrong", "ait-cmp-demo/fx")
        >>> first = result.divergences[0]
        >>> first.token, first.fx_node, round(first.error, 3), first.upstream_error, first.limit
        (0, 'mm_3', 0.035, 0.0, 4.0)
    """

    rank: int
    graph: str
    token: int
    op_name: str
    op_type: str
    kind: DivergenceKind
    upstream_error: float
    error: float | None
    error_growth: float | None
    given_block: float | None
    block_error: float | None
    block_growth: float | None
    limit: float
    file: str
    golden: str
    fx_node: str = ""
    module: str = ""
    source: str = ""
    candidates: tuple[str, ...] = ()
    places: int = 1
    later_failures: int = 0
    replay: str | None = None
    remarks: tuple[str, ...] = ()
    my_tensor: str = ""
    writer: str = ""
    role: str = ""

    @property
    def reason(self) -> DivergenceKind:
        """The kind, by the name that it had first."""
        return self.kind


FirstDivergence = Divergence


class Suspect(NamedTuple):
    """An op that is not proven to compute something else; its replay can tell.

    Attributes:
        rank: Rank, -1 without rank level.
        graph: Name of the graph.
        token: Step, from 0.
        op_name: Name of the op.
        op_type: GE type.
        why: "growth", "block", "bias" or "decision".
    """

    rank: int
    graph: str
    token: int
    op_name: str
    op_type: str
    why: str


class DifferingInput(NamedTuple):
    """A graph input or constant that is not the same on both sides.

    Attributes:
        rank: Rank, -1 without rank level.
        graph: Name of the graph.
        token: The first step in which it differs.
        name: Name of the source.
        dtype: Of the my side, as the report has it.
        shape: The same.
        reader: The op that reads it first, "" if none is known.
        slot: Which input of that op it is, -1 if that is not known.
        why: Why it may differ though both runs were given the same data, a sentence; "" if
            nothing but other data can be the reason.
    """

    rank: int
    graph: str
    token: int
    name: str
    dtype: str
    shape: str
    reader: str
    slot: int
    why: str


def first_of_each_graph(divergences: Collection[Divergence]) -> list[Divergence]:
    """The earliest divergence of every rank and graph; the same objects."""
    first: dict[tuple[int, str], Divergence] = {}
    for found in divergences:
        first.setdefault((found.rank, found.graph), found)
    return list(first.values())
