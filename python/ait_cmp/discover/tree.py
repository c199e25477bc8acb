"""What a dump folder holds, as plain data: files, steps and the remarks on how they were chosen.

Files are tuples: a dump has hundreds of thousands, and a tuple is made four times faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ait_cmp.file_kinds import FileKind
from ait_cmp.tensor_ref import FileRef, check_fields
from ait_cmp.terms import Writer

# What the folder that the user gave is the folder of.
Level = Literal["dump", "rank", "graph", "step"]


class GeFileName(NamedTuple):
    """What the name of a GE file says of its op: the same in every step."""

    op_type: str
    op_name: str
    thread_id: int


class FxFileName(NamedTuple):
    """What the name of an FX file says of its tensor: the same in every step."""

    node: str
    target: str
    io: str
    index: int
    sub_index: int


class GeFile(NamedTuple):
    """One file that GE wrote for one executed task, or what a tool left in its place.

    Attributes:
        path: Absolute path.
        op_type: Operator type of the file name.
        op_name: Operator name of the file name, where `. / \\` and blanks are `_`; "" if the file
            is called by a hash and no `mapping.csv` tells its name (the header has it).
        task_id: Task, -1 where the name lacks it. The same holds for the following numbers.
        stream_id: Stream.
        timestamp: Microseconds since the epoch.
        context_id: FFTS+ context.
        thread_id: FFTS+ thread (the slice of an automatically cut operator).
        kind: What kind of file it is.
    """

    path: str
    op_type: str
    op_name: str
    task_id: int
    stream_id: int
    timestamp: int
    context_id: int
    thread_id: int
    kind: FileKind

    @property
    def ref(self) -> FileRef:
        """Its path and kind."""
        return FileRef(self.path, self.kind)

    @property
    def name(self) -> GeFileName:
        """Its name without path and times."""
        return GeFileName(self.op_type, self.op_name, self.thread_id)


class FxFile(NamedTuple):
    """One argument or result of an FX node.

    Attributes:
        path: Absolute path.
        node: Name of the FX node.
        target: What the node calls, `aten.add.Tensor`.
        io: "INPUT" or "OUTPUT".
        index: Position of the argument or result.
        sub_index: Position inside an argument that is a list, else -1.
        timestamp: `YYYYmmddHHMMSSffffff` read as one number.
        kind: What kind of file it is.
    """

    path: str
    node: str
    target: str
    io: str
    index: int
    sub_index: int
    timestamp: int
    kind: FileKind

    @property
    def ref(self) -> FileRef:
        """Its path and kind."""
        return FileRef(self.path, self.kind)

    @property
    def name(self) -> FxFileName:
        """Its name without path and times."""
        return FxFileName(self.node, self.target, self.io, self.index, self.sub_index)


check_fields(GeFile, "ge_file")
check_fields(FxFile, "fx_file")


@dataclass(frozen=True)
class GraphFile:
    """A text file of a graph.

    Attributes:
        path: Absolute path.
        number: N of `graph_N`, -1 if neither the name nor the first line tells it.
        rank: Rank of the name, -1 if the name has none.
        pid: Process of the name, -1 if the name has none.
        timestamp: Time of the name (20 digits), for "ge_proto" its running order.
        stage: "original", "optimized" (both torchair) or "ge_proto" (final graph of GE).
        format: "txt", "pbtxt" or "py".
    """

    path: str
    number: int
    rank: int
    pid: int
    timestamp: int
    stage: str
    format: str


@dataclass(frozen=True, order=True)
class StepKey:
    """One execution of one graph: rank (-1 without rank level), graph name, step from 0."""

    rank: int
    graph: str
    step: int


@dataclass(frozen=True)
class OverflowFile:
    """An overflow record of the device (`Opdebug.*`); ids are -1 where the name lacks them."""

    path: str
    task_id: int
    stream_id: int
    timestamp: int


@dataclass(frozen=True)
class DumpTree:
    """Everything that one side of a comparison holds.

    Attributes:
        root: The folder that was searched, absolute.
        kind: Who wrote it.
        ge: Files of every step by time, then name; empty for an FX tree. Most are packed: what is
            asked for is made anew, but for the steps that were asked for last.
        fx: Files of every step by time, node, inputs before outputs, index; empty for a GE tree.
        graph_files: Newest file of every graph, stage and rank.
        overflow_files: Overflow records found.
        notes: One sentence for every choice that was made and everything that was left out.
        empty_steps: Step folders without any dump: their numbers count runs that were not dumped.
        unread: Sentences, of the notes too, on what could not be read and may hold dumps.
        given: Level of the folder that was searched: of one step, one graph, one rank, or above.
    """

    root: str
    kind: Writer
    ge: dict[StepKey, Sequence[GeFile]]
    fx: dict[StepKey, Sequence[FxFile]]
    graph_files: list[GraphFile]
    overflow_files: list[OverflowFile]
    notes: list[str]
    given: Level = "dump"
    empty_steps: frozenset[StepKey] = frozenset()
    unread: tuple[str, ...] = ()

    def step_keys(self) -> list[StepKey]:
        """Steps of this tree, sorted by rank, graph, step."""
        return sorted(self.ge if self.kind == "ge" else self.fx)
