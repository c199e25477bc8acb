"""Dumps of a few ops, both sides given as arrays: what a situation needs and nothing more.

    toy = Toy()
    x = toy.data("arg0_1", values)
    y = toy.op("Exp", [x], my=np.exp(values) * 1.2, golden=np.exp(values))
    result = toy.compare(folder)

The graph text, the GE files (inputs and outputs, or outputs alone) and the FX files are written as
torchair and GE write them. Arrays of `ml_dtypes.bfloat16` are bfloat16; FX saves them as float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

import ait_cmp
from ait_cmp import Comparison
from make_dump import Dump, tensor_of
from trees import FX_TIME, fx_step, ge_step, graph_name

Array = npt.NDArray[Any]

_GRAPH_DTYPES = {
    "float32": "DT_FLOAT",
    "float16": "DT_FLOAT16",
    "bfloat16": "DT_BF16",
    "float8_e4m3fn": "DT_FLOAT8_E4M3FN",
    "bool": "DT_BOOL",
}
_FIRST_TIME = 1706596912000000


@dataclass
class Tensor:
    """A tensor of the toy on both sides; `source` is its name in the graph text."""

    source: str
    my: Array
    golden: Array
    fx: str | None
    as_read: dict[int, Array] = field(default_factory=dict)


@dataclass
class _Op:
    name: str
    kind: str
    reads: Sequence[Tensor]
    writes: Sequence[Tensor]
    has_file: bool
    in_place: bool
    fused: Sequence[str]
    read_as: dict[int, Array]
    file_name: str
    header_types: str


class Toy:
    """One graph in one step or several."""

    def __init__(self, *, inputs_dumped: bool = True) -> None:
        self._inputs_dumped = inputs_dumped
        self._ops: list[_Op] = []
        self._counts: dict[str, int] = {}

    def data(
        self, name: str, my: Array, golden: Array | None = None, *, has_file: bool = False
    ) -> Tensor:
        """A graph input; without a file it is compared where it is read."""
        return self._add(
            name, "Data", [], [(my, my if golden is None else golden)], has_file, fx=False
        )[0]

    def op(
        self,
        kind: str,
        reads: Sequence[Tensor],
        my: Array,
        golden: Array | None = None,
        *,
        has_file: bool = True,
        named: bool = True,
        in_place: bool = False,
        read_as: dict[int, Array] | None = None,
    ) -> Tensor:
        """An op with one output.

        Args:
            kind: GE type.
            reads: Its inputs.
            my: What GE wrote.
            golden: What FX computed; None: the same.
            has_file: Whether GE dumped it.
            named: Whether the graph text names its FX node.
            in_place: Whether it writes its first input.
            read_as: What the dump has as input number i, if not what the op before wrote.
        """
        pair = [(my, my if golden is None else golden)]
        return self.op_of_several(
            kind, reads, pair, has_file=has_file, named=named, in_place=in_place, read_as=read_as
        )[0]

    def op_of_several(
        self,
        kind: str,
        reads: Sequence[Tensor],
        writes: Sequence[tuple[Array, Array]],
        *,
        has_file: bool = True,
        named: bool = True,
        in_place: bool = False,
        read_as: dict[int, Array] | None = None,
    ) -> list[Tensor]:
        """An op with these outputs, (my, golden) each."""
        number = self._counts.get(kind, 0)
        self._counts[kind] = number + 1
        name = f"{kind}_{number}" if number else kind
        return self._add(
            name, kind, reads, writes, has_file, fx=named, in_place=in_place, read_as=read_as
        )

    def _add(
        self,
        name: str,
        kind: str,
        reads: Sequence[Tensor],
        writes: Sequence[tuple[Array, Array]],
        has_file: bool,
        *,
        fx: bool,
        in_place: bool = False,
        read_as: dict[int, Array] | None = None,
    ) -> list[Tensor]:
        node = name.lower()
        tensors = [
            Tensor(f"{name}:{index}", my, golden, f"{node}-aten.{node}.default" if fx else None)
            for index, (my, golden) in enumerate(writes)
        ]
        self._ops.append(
            _Op(name, kind, reads, tensors, has_file, in_place, (), read_as or {}, name, kind)
        )
        return tensors

    def fuse(self, *names: str) -> str:
        """Let GE fuse ops to one file; returns its name."""
        members = [op for op in self._ops if op.name in names]
        name = "".join(op.name for op in members)
        for op in members[:-1]:
            op.has_file = False
        last = members[-1]
        last.file_name, last.header_types = name, "AutomaticBufferFusionOp"
        inside = {id(tensor) for op in members for tensor in op.writes}
        last.fused = names
        self._fused_reads = {name: [t for op in members for t in op.reads if id(t) not in inside]}
        return name

    def write(self, folder: Path, *, step: int = 0, graph: str = "graph_1") -> None:
        """Write my side to folder/my and the golden side to folder/golden."""
        (folder / "my").mkdir(parents=True, exist_ok=True)
        text = f'name: "{graph}"\n' + "".join(map(_op_text, self._ops)) + self._end_text()
        (folder / "my" / graph_name(int(graph.rpartition("_")[2]))).write_text(text)
        ge_folder = ge_step(folder / "my", graph=graph, step=step, names=())
        fx_folder = fx_step(folder / "golden", graph=graph, step=step, names=())
        for task, op in enumerate(self._ops):
            if op.has_file:
                time = _FIRST_TIME + 1000 * task
                name = f"{op.header_types}.{op.file_name}.{task}.6.{time}"
                (ge_folder / name).write_bytes(self._dump(op, time).file_bytes())
            _write_fx(fx_folder, op, task)

    def _dump(self, op: _Op, time: int) -> Dump:
        reads = self._fused_reads[op.file_name] if op.fused else op.reads
        inputs = [
            tensor_of(np.ascontiguousarray(op.read_as.get(index, tensor.my)))
            for index, tensor in enumerate(reads)
        ]
        if op.in_place and inputs:
            inputs[0] = tensor_of(np.ascontiguousarray(op.writes[0].my))
        outputs = [tensor_of(np.ascontiguousarray(tensor.my)) for tensor in op.writes]
        kept = tuple(inputs) if self._inputs_dumped and op.kind != "Data" else ()
        return Dump(kept, tuple(outputs), op.file_name, dump_time=time)

    def _end_text(self) -> str:
        read = {tensor.source for op in self._ops for tensor in op.reads}
        last = self._ops[-1]
        ends = [t.source for t in last.writes if t.source not in read][:1]
        lines = "".join(f'input: "{source}"\ninput_desc {{ name: "x" }}\n' for source in ends)
        return f'op {{\nname: "NetOutput"\ntype: "NetOutput"\n{lines}}}\n'

    def compare(self, folder: Path, **options: Any) -> Comparison:
        """Write the dumps and compare them."""
        self.write(folder)
        return ait_cmp.compare_dirs(folder / "my", folder / "golden", threads=1, **options)


def _dtype_name(values: Array) -> str:
    name = values.dtype.name
    return _GRAPH_DTYPES.get(name, f"DT_{name.upper()}")


def _desc(kind: str, title: str, tensor: Tensor, index: int) -> str:
    dims = " ".join(f"dim: {dim}" for dim in tensor.my.shape)
    named = ""
    if tensor.fx is not None and kind == "output_desc":
        value = f"{tensor.fx}.OUTPUT.{index}"
        named = f'attr {{ key: "_fx_tensor_name" value {{ s: "{value}" }} }}'
    return (
        f'{kind} {{ name: "{title}" dtype: {_dtype_name(tensor.my)} shape {{ {dims} }} {named} }}\n'
    )


def _op_text(op: _Op) -> str:
    lines = [f'name: "{op.name}"\ntype: "{op.kind}"\n']
    lines += [f'input: "{tensor.source}"\n' for tensor in op.reads]
    lines += [_desc("input_desc", f"x{k}", tensor, 0) for k, tensor in enumerate(op.reads)]
    title = "x" if op.in_place else "y"
    lines += [_desc("output_desc", f"{title}{k}", tensor, k) for k, tensor in enumerate(op.writes)]
    return "op {\n" + "".join(lines) + "}\n"


def _write_fx(folder: Path, op: _Op, task: int) -> None:
    if not op.writes or op.writes[0].fx is None:
        return
    time = FX_TIME + task
    for io, tensors in (("INPUT", op.reads), ("OUTPUT", op.writes)):
        for index, tensor in enumerate(tensors):
            path = folder / f"{op.writes[0].fx}.{io}.{index}.{time}.npy"
            np.save(path, _as_fx_saves(tensor.golden))


def _as_fx_saves(values: Array) -> Array:
    is_odd = values.dtype in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn)
    return values.astype(np.float32) if is_odd else values


def bf16(values: Array) -> Array:
    """Values rounded to bfloat16."""
    return values.astype(ml_dtypes.bfloat16)


def rounded(values: Array, seed: int, units: float = 1.0, dtype: Any = np.float16) -> Array:
    """Values with relative noise of so many unit roundoffs, as another device rounds."""
    unit = {"float16": 2.0**-11, "float32": 2.0**-24}.get(np.dtype(dtype).name, 2.0**-8)
    noise = np.random.default_rng(seed).uniform(-units, units, values.shape) * unit
    return (values.astype(np.float64) * (1 + noise)).astype(dtype)
