"""Runs a GE graph as a device would: another order of sums, rounding and noise at every op."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from benchmarks.truth import ge_ops
from benchmarks.truth.fusion import WAYS, Way, groups
from benchmarks.truth.ge_graph import RUN_TIME_DTYPES, Op, constant, producer

#: Unit roundoff by which noise is scaled; float32 as matrix units round their operands.
ROUNDOFF = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8, torch.float32: 2.0**-13}
#: Types that write no dump file.
SILENT_TYPES = frozenset(["Const", "NetOutput"])

#: Op, its inputs, how it is computed rightly, step -> outputs nobody has rounded yet.
Change = Callable[[Op, ge_ops.Inputs, ge_ops.Compute, int], ge_ops.Outputs]


@dataclass(frozen=True)
class Run:
    """How the device computes.

    Args:
        noise: Standard deviation of the relative error of every op, in units of u.
        way: Name of the fusion.
        seed: Of the noise.
        changes: Name of a graph op -> what it computes in place of the right thing.
    """

    noise: float = 0.0
    way: str = "unfused"
    seed: int = 0
    changes: Mapping[str, Change] = field(default_factory=dict)


@dataclass
class Executed:
    """A dumped op of one step: its members, what it read and what it wrote.

    Args:
        group: Members.
        inputs: Edge and value of each tensor that it read.
        outputs: Edge and value of each tensor that it wrote.
        right: Where it was changed: what it should have written.
    """

    group: tuple[Op, ...]
    inputs: list[tuple[str, torch.Tensor]]
    outputs: list[tuple[str, torch.Tensor]]
    right: list[torch.Tensor] | None = None


class Device:
    """Evaluates one graph; a graph of several steps is run once a step."""

    def __init__(self, ops: Sequence[Op], run: Run) -> None:
        self._run = run
        self._way: Way = WAYS[run.way]
        self._data = [op for op in ops if op.type == "Data"]
        self._constants = {f"{op.name}:0": constant(op) for op in ops if op.type == "Const"}
        (self._net_output,) = [op for op in ops if op.type == "NetOutput"]
        computed = [op for op in ops if op.type not in SILENT_TYPES and op.type != "Data"]
        self._groups = groups(computed, self._way)
        self._read_by = _readers(ops)

    def step(
        self, feed: Mapping[str, torch.Tensor], number: int
    ) -> tuple[list[Executed], list[torch.Tensor]]:
        """What every dumped op read and wrote, and the graph's outputs.

        Args:
            feed: Value of each Data op.
            number: Of the step: draws other noise.
        """
        values = {**self._constants, **{f"{op.name}:0": feed[op.name] for op in self._data}}
        executed = [Executed((op,), [], [(f"{op.name}:0", feed[op.name])]) for op in self._data]
        for group in self._groups:
            done = self._execute(group, values, number)
            values.update(done.outputs)
            executed.append(done)
        return executed, [values[edge] for edge in self._net_output.fed]

    def _execute(
        self, group: tuple[Op, ...], values: Mapping[str, torch.Tensor], step: int
    ) -> Executed:
        inside = {op.name for op in group}
        edges = [edge for op in group for edge in op.fed if producer(edge) not in inside]
        wanted = [edge for op in group for edge in op.outputs if self._leaves(edge, op, group)]
        changes = {
            op.name: self._run.changes[op.name] for op in group if op.name in self._run.changes
        }
        outputs = self._compute(group, values, wanted, changes, step)
        right = self._compute(group, values, wanted, {}, step) if changes else None
        return Executed(
            group, [(edge, values[edge]) for edge in edges], list(zip(wanted, outputs)), right
        )

    def _leaves(self, edge: str, op: Op, group: tuple[Op, ...]) -> bool:
        readers = self._read_by.get(edge, set())
        return len(group) == 1 or op is group[-1] or bool(readers - {op.name for op in group})

    def _compute(
        self,
        group: tuple[Op, ...],
        values: Mapping[str, torch.Tensor],
        wanted: Sequence[str],
        changes: Mapping[str, Change],
        step: int,
    ) -> list[torch.Tensor]:
        inner: dict[str, torch.Tensor] = {}
        dtypes: dict[str, torch.dtype] = {}
        results: dict[str, torch.Tensor] = {}
        for op in group:
            x = [
                inner[edge] if edge in inner else values[edge] if edge else None
                for edge in op.inputs
            ]
            given = [dtypes[edge] if edge in dtypes else values[edge].dtype for edge in op.fed]
            wide = [ge_ops.widen(tensor) for tensor in x]
            compute = ge_ops.COMPUTE[op.type]
            raw = (
                changes[op.name](op, wide, compute, step)
                if op.name in changes
                else compute(op, wide)
            )
            for i, (edge, y) in enumerate(zip(op.outputs, raw)):
                dtype = _output_dtype(op, i, given, y)
                dtypes[edge] = dtype
                rounded = y.to(dtype)
                inner[edge] = rounded if self._way.is_rounded_inside else y
                if edge in wanted:
                    results[edge] = self._noisy(op, edge, y, dtype, step)
        return [results[edge] for edge in wanted if edge in results]

    def _noisy(
        self, op: Op, edge: str, y: torch.Tensor, dtype: torch.dtype, step: int
    ) -> torch.Tensor:
        size = self._run.noise * ROUNDOFF.get(dtype, 0.0)
        if not size or op.type in ge_ops.EXACT_TYPES:
            return y.to(dtype).contiguous()
        draw = torch.Generator().manual_seed(zlib.crc32(f"{self._run.seed} {edge} {step}".encode()))
        return (y * (1 + size * torch.randn(y.shape, generator=draw))).to(dtype)


def _output_dtype(
    op: Op, index: int, given: Sequence[torch.dtype], raw: torch.Tensor
) -> torch.dtype:
    if op.type == "Cast":
        return RUN_TIME_DTYPES[op.attrs["dst_type"].i]
    told = op.dtypes[index] if index < len(op.dtypes) else None
    if told is not None:
        return told
    floats = [dtype for dtype in given if dtype.is_floating_point]
    return floats[0] if raw.is_floating_point() and floats else raw.dtype


def _readers(ops: Sequence[Op]) -> dict[str, set[str]]:
    readers: dict[str, set[str]] = {}
    for op in ops:
        for edge in op.fed:
            readers.setdefault(edge, set()).add(op.name)
    return readers
