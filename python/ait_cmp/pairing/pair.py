"""What pairing hands on: plain picklable values, one `Pair` for every tensor of the my side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ait_cmp.pairing.ge_step import GeStep
from ait_cmp.pairing.graph.op_graph import FlowTensor, OpNode
from ait_cmp.tensor_ref import Address, TensorRef, check_fields
from ait_cmp.terms import Io, MissKind, PairStatus, RuleOrNone


class Pair(NamedTuple):
    """A tensor of the my side and its counterpart, or the reason why it has none.

    Attributes:
        rank: Rank, -1 without rank level.
        graph: Name of the my-side graph, `graph_1`.
        token: Step, from 0.
        order: Position of the op in execution order within the step.
        op_name: Name in the graph (not sanitised); of a fused or inserted op the name of its file.
        op_type: GE type.
        io: "" if the file is unreadable, so that its tensors are unknown.
        index: Position of the tensor within `io` of the my-side file.
        my: The tensor under test.
        golden: Its counterpart, None if there is none.
        golden_op_type: GE type or FX target of the counterpart, "" without one.
        match: Rule that found the pair; "" without a pair.
        status: Why it is not compared; "" if it is.
        reason: Sentence for the report: why the tensor is not compared, or a note on the pair.
        node: Number of its op in `StepPairs.nodes`, -1 for none.
        tensor: Number of the tensor that it is in `StepPairs.tensors`, -1 if that is not known.
        is_written: Whether it is an input that its op writes in place and that was dumped after.
        fx_node: FX node that its op was made for, "" if that is not known.
        module: Module of the user's model that its op is of, "" if that is not known.
        source: File and line of it, "" if that is not known.
    """

    rank: int
    graph: str
    token: int
    order: int
    op_name: str
    op_type: str
    io: Io
    index: int
    my: TensorRef
    golden: TensorRef | None
    golden_op_type: str
    match: RuleOrNone
    status: PairStatus
    reason: str
    node: int = -1
    tensor: int = -1
    is_written: bool = False
    fx_node: str = ""
    module: str = ""
    source: str = ""


check_fields(Pair, "pair")


class Watched(NamedTuple):
    """What a file of watch mode holds.

    Attributes:
        after: The op that had just run.
        op: The op whose outputs it holds.
    """

    after: str
    op: str


@dataclass(frozen=True)
class StepPairs:
    """All rows of one step and what is needed to judge them.

    Attributes:
        pairs: One per tensor of every my-side file, ordered by execution, inputs before outputs.
        used_golden: Golden tensors that some pair uses.
        unused_golden: The others; of golden GE files only those of scanned files.
        nodes: Ops of the graph in topological order; shared by the steps of a graph. Without a
            graph text the files in order of time.
        tensors: What flows between them.
        node_of: Path of a compared my-side file -> number in `nodes`.
        misses: Number of an unmatched pair in `pairs` -> why it is unmatched.
        watched: Path of a my-side file of watch mode -> what it holds.
        my: The my side: its headers, and where its files stand in the graph.
    """

    pairs: list[Pair]
    used_golden: set[Address] = field(default_factory=set)
    unused_golden: list[Address] = field(default_factory=list)
    nodes: tuple[OpNode, ...] = ()
    tensors: tuple[FlowTensor, ...] = ()
    node_of: dict[str, int] = field(default_factory=dict)
    misses: dict[int, MissKind] = field(default_factory=dict)
    watched: dict[str, Watched] = field(default_factory=dict)
    my: GeStep | None = field(default=None, compare=False, repr=False)
