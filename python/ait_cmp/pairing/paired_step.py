"""A step as it goes on from pairing: its pairs, and its rows of the report to be filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from ait_cmp import _core
from ait_cmp.discover import GeFile, StepKey
from ait_cmp.pairing.ge_step import GeStep
from ait_cmp.pairing.graph.op_graph import OpNode
from ait_cmp.pairing.pair import Pair, StepPairs, Watched
from ait_cmp.tensor_ref import Address
from ait_cmp.terms import MissKind


class PairedStep:
    """The pairs of a step; of one that repeats another they are made when asked for.

    Attributes:
        rows: The rows of the report on this step; the core fills them.
        n_used: Golden tensors that some pair uses.
        headers: Headers of its GE files that were read; the core kept the small files.
        has_reduced: Whether a file of it is no full dump.
    """

    def __init__(self, pairs: StepPairs, headers: Sequence[_core.GeHeaders] = ()) -> None:
        self.rows = _core.StepRows(pairs.pairs, pairs.nodes, pairs.tensors)
        self.n_used = len(pairs.used_golden)
        self.headers = headers
        self.has_reduced = any(
            ref is not None and ref.kind != "dump"
            for pair in pairs.pairs
            for ref in (pair.my, pair.golden)
        )
        self._pairs = pairs
        self._tables = _Tables(pairs)
        self._repeat: tuple[StepKey, Mapping[str, str]] | None = None

    def repeated(
        self, key: StepKey, path_of: Mapping[str, str], headers: Sequence[_core.GeHeaders]
    ) -> PairedStep:
        """The step `key`, which has the same pairs.

        Args:
            key: Its rank, graph and number.
            path_of: Path of a file of this step -> path of its like in that one.
            headers: Headers of that step that were read.
        """
        step = PairedStep.__new__(PairedStep)
        step.rows = self.rows.like(key.step, [path_of[path] for path in self.rows.paths])
        step.n_used = self.n_used
        step.headers = headers
        step.has_reduced = self.has_reduced
        step._pairs = self._pairs
        step._tables = self._tables
        step._repeat = (key, path_of)
        return step

    @property
    def is_repeat(self) -> bool:
        """Whether the pairs are those of another step."""
        return self._repeat is not None

    @property
    def pairs(self) -> StepPairs:
        """The pairs of this step."""
        return self._pairs if self._repeat is None else _moved(self._pairs, *self._repeat)

    @property
    def nodes(self) -> tuple[OpNode, ...]:
        """Ops of its graph in topological order."""
        return self._pairs.nodes

    def pair_at(self, row: int) -> Pair:
        """The pair of one of its rows."""
        pair = self._pairs.pairs[row]
        return pair if self._repeat is None else _moved_pair(pair, *self._repeat)

    def row_of_tensor(self, tensor: int) -> int | None:
        """A row with a counterpart that is this tensor of the graph, of its op if possible."""
        return self._tables.row_of_tensor.get(tensor)

    def first_reader(self, node: int) -> tuple[str, int]:
        """The first op that reads what a node writes, and which of its inputs it is; ("", -1)."""
        outputs = set(self.nodes[node].outputs)
        for op in self.nodes:
            for slot, tensor in enumerate(op.reads or ()):
                if tensor in outputs:
                    return op.name, slot
        return "", -1

    def writer_of(self, pair: Pair) -> str:
        """Name of the op that wrote what a row holds, "" if nobody knows."""
        if pair.tensor < 0:
            return ""
        return self.nodes[self._pairs.tensors[pair.tensor].node].name

    def writer(self, tensor: int) -> int:
        """Number of the op that writes a tensor."""
        return self._pairs.tensors[tensor].node

    def writers_of(self, node: int) -> list[int]:
        """Numbers of the ops whose tensors an op reads."""
        return [self.writer(tensor) for tensor in self.nodes[node].reads or ()]

    def readers_of(self, node: int) -> Sequence[int]:
        """Numbers of the ops that read what an op writes."""
        return self._tables.readers.get(node, ())

    def output_rows(self, node: int) -> Sequence[int]:
        """Rows of what an op writes, as far as there are rows."""
        rows = self._tables.output_rows.get(node, ())
        return [row for row in rows if row < len(self.rows)]

    def role_of(self, node: int) -> str:
        """The types around an op, two edges up and one down: those of its like in other layers."""
        nodes, above = self.nodes, self.writers_of
        parts = [nodes[node].type]
        parts += [
            f"{nodes[near].type}({' '.join(nodes[far].type for far in above(near))})"
            for near in above(node)
        ]
        below = sorted(nodes[reader].type for reader in self.readers_of(node))
        return " ".join([*parts, "->", *below])

    def my_step(self, files: Sequence[GeFile]) -> GeStep | None:
        """The my side as pairing read it; `files` are those of this step.

        None where pairing found no place in a graph for it.
        """
        my = self._pairs.my
        if my is None or not my.placed_ops or self._repeat is None:
            return my if my is not None and my.placed_ops else None
        path_of = self._repeat[1]
        file_of = {file.path: file for file in files}
        ops = {op.file.path: op._replace(file=file_of[path_of[op.file.path]]) for op in my.ops}
        placed = {
            path_of[path]: place._replace(
                op=place.op._replace(file=file_of[path_of[path]]),
            )
            for path, place in my.placed_ops.items()
        }
        return GeStep(tuple(ops.values()), placed, my.heads)

    def file_of(self, node: int) -> str | None:
        """The file that stands for a node, None if it has none in this step."""
        path = self._tables.file_of_node.get(node)
        return path if path is None or self._repeat is None else self._repeat[1].get(path, path)

    def row_at(self, path: str, io: str, index: int) -> int | None:
        """The row of one tensor of a my-side file, None if it has none."""
        known = self._original.get(path) if self._repeat is not None else path
        row = self._tables.row_of_address.get((known or "", io, index))
        return row if row is not None and row < len(self.rows) else None

    @property
    def repeated_ops(self) -> frozenset[str]:
        """Names of ops that ran more than once in the step."""
        return self._tables.repeated_ops

    def is_read(self, row: int) -> bool:
        """Whether an op or the end of the graph reads the output of a row, as far as is known."""
        pair = self._pairs.pairs[row]
        if pair.tensor < 0 or (pair.node >= 0 and self.nodes[pair.node].fused):
            return True
        return self._pairs.tensors[pair.tensor].is_read

    @cached_property
    def _original(self) -> dict[str, str]:
        """Path of a file of this step -> path of its like in the step whose pairs these are."""
        return {} if self._repeat is None else {new: old for old, new in self._repeat[1].items()}

    @property
    def end_rows(self) -> Sequence[int]:
        """Rows of outputs that are ends of the graph."""
        return self._tables.end_rows

    @property
    def watched(self) -> dict[str, Watched]:
        """Path of a file of watch mode -> what it holds."""
        path_of = {} if self._repeat is None else self._repeat[1]
        return {path_of.get(path, path): what for path, what in self._pairs.watched.items()}

    @property
    def misses(self) -> Mapping[int, MissKind]:
        """Number of an unmatched row -> why it is unmatched."""
        return self._pairs.misses

    @property
    def unused_golden(self) -> list[str]:
        """Paths (and tensors) of the golden side that no pair uses."""
        path_of = {} if self._repeat is None else self._repeat[1]
        return [
            f"{path_of.get(path, path)},{io},{index}" if io else path_of.get(path, path)
            for path, io, index in self._pairs.unused_golden
        ]


class _Tables:
    """Where tensors of the graph are among the rows; repeats of a step share it."""

    def __init__(self, pairs: StepPairs) -> None:
        self._pairs = pairs

    @cached_property
    def row_of_tensor(self) -> dict[int, int]:
        rows: dict[int, int] = {}
        for io in ("outputs", "inputs"):
            for row, pair in enumerate(self._pairs.pairs):
                if pair.io == io and pair.tensor >= 0 and pair.golden and not pair.is_written:
                    rows.setdefault(pair.tensor, row)
        return rows

    @cached_property
    def file_of_node(self) -> dict[int, str]:
        return {node: path for path, node in self._pairs.node_of.items()}

    @cached_property
    def repeated_ops(self) -> frozenset[str]:
        first: dict[str, str] = {}
        return frozenset(
            pair.op_name
            for pair in self._pairs.pairs
            if first.setdefault(pair.op_name, pair.my.path) != pair.my.path
        )

    @cached_property
    def row_of_address(self) -> dict[tuple[str, str, int], int]:
        return {
            (pair.my.path, pair.my.io, pair.my.index): row
            for row, pair in enumerate(self._pairs.pairs)
        }

    @cached_property
    def readers(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, node in enumerate(self._pairs.nodes):
            for feeder in node.inputs:
                found.setdefault(feeder, []).append(number)
        return found

    @cached_property
    def output_rows(self) -> dict[int, list[int]]:
        rows: dict[int, list[int]] = {}
        for row, pair in enumerate(self._pairs.pairs):
            if pair.io == "outputs" and pair.node >= 0:
                rows.setdefault(pair.node, []).append(row)
        return rows

    @cached_property
    def end_rows(self) -> Sequence[int]:
        ends = {
            tensor
            for node in self._pairs.nodes
            if node.type == "NetOutput"
            for tensor in node.reads or ()
        }
        return [
            row
            for row, pair in enumerate(self._pairs.pairs)
            if pair.io == "outputs" and pair.tensor in ends
        ]


def _moved_pair(pair: Pair, key: StepKey, path_of: Mapping[str, str]) -> Pair:
    """The pair with the paths of another step."""
    golden = pair.golden
    return pair._replace(
        rank=key.rank,
        graph=key.graph,
        token=key.step,
        my=pair.my._replace(path=path_of[pair.my.path]),
        golden=None if golden is None else golden._replace(path=path_of[golden.path]),
    )


def _moved(step: StepPairs, key: StepKey, path_of: Mapping[str, str]) -> StepPairs:
    """The pairs of a step with the paths of another one."""
    return StepPairs(
        [_moved_pair(pair, key, path_of) for pair in step.pairs],
        {Address(path_of[path], io, index) for path, io, index in step.used_golden},
        [Address(path_of[path], io, index) for path, io, index in step.unused_golden],
        step.nodes,
        step.tensors,
        {path_of[path]: node for path, node in step.node_of.items()},
        step.misses,
    )
