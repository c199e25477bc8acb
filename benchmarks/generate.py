"""Dumps to measure on: GE files in bfloat16 and their FX counterparts in float32.

The layout is that of today's torchair: `ge/worldsize1_global_rank0/{time}/0/graph_1/1/{step}` with
the graph text in `ge/`, and `fx/worldsize1_global_rank0/graph_1/{step}`. Payloads are slices of one
random pool, so that writing them costs no computing; the GE side is the float32 golden with a
little noise, rounded to bfloat16. The same arguments give the same bytes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.dump_files import (
    DT_BF16,
    DT_FLOAT,
    StoredTensor,
    ge_file_start,
    npy_file_start,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SEED = 20260101
TIME_FOLDER = "20260101000000"
FIRST_DUMP_TIME_US = 1_767_225_600_000_000
FX_TIME = "20260101000000000000"
NOISE = 1e-3
HIDDEN_SIZES = (4096, 2048, 1024, 512, 256, 128, 64)
N_TOKENS = 128


@dataclass(frozen=True)
class Dump:
    """Two folders that belong together.

    Args:
        my: Folder of the GE side, with the graph text.
        golden: Folder of the reference.
        n_bytes: Bytes of all data files of both sides.
        n_files: Data files of both sides.
        n_rows: Tensors in the GE files, one row of the report each.
    """

    my: Path
    golden: Path
    n_bytes: int
    n_files: int
    n_rows: int

    def data_files(self) -> Iterator[Path]:
        """Every data file of both sides."""
        for top in (self.my, self.golden):
            for path in top.rglob("*"):
                if path.suffix != ".txt" and path.is_file():
                    yield path


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph: where it comes from and its place in the pool (elements)."""

    source: str
    fx_name: str
    shape: tuple[int, ...]
    at: int

    @property
    def n_elements(self) -> int:
        n = 1
        for dim in self.shape:
            n *= dim
        return n


@dataclass(frozen=True)
class Op:
    """A GE op with one output and the FX node (`node-target`) that it was made from."""

    name: str
    type: str
    fx_prefix: str
    inputs: tuple[Tensor, ...]
    output: Tensor


class Pool:
    """Near-equal random data: `golden` in float32, `my` as bfloat16 bit patterns (uint16)."""

    def __init__(self, n_elements: int) -> None:
        rng = np.random.default_rng(SEED)
        self.golden: NDArray[np.float32] = rng.standard_normal(n_elements, dtype=np.float32)
        noise = rng.standard_normal(min(n_elements, 1 << 20), dtype=np.float32)
        self.noisy = self.golden * (1 + np.float32(NOISE) * np.resize(noise, n_elements))
        self.my = to_bfloat16(self.noisy)


def to_bfloat16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Finite float32 values rounded to the nearest bfloat16, ties to even, as bit patterns."""
    bits = values.view(np.uint32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype(np.uint16)


# --- graph text ----------------------------------------------------------------------------------


def _descriptor_text(field: str, tensor: Tensor) -> str:
    dims = "".join(f"      dim: {dim}\n" for dim in tensor.shape)
    name = (
        '    attr {\n      key: "_fx_tensor_name"\n      value {\n'
        f'        s: "{tensor.fx_name}"\n      }}\n    }}\n'
        if tensor.fx_name
        else ""
    )
    return (
        f"  {field} {{\n    dtype: DT_BF16\n    shape {{\n{dims}    }}\n"
        f'    layout: "ND"\n{name}    device_type: "NPU"\n  }}\n'
    )


def _op_text(op: Op) -> str:
    return "".join(
        [
            f'op {{\n  name: "{op.name}"\n  type: "{op.type}"\n',
            *(f'  input: "{tensor.source}"\n' for tensor in op.inputs),
            *(_descriptor_text("input_desc", tensor) for tensor in op.inputs),
            _descriptor_text("output_desc", op.output),
            "}\n",
        ]
    )


def _data_text(tensor: Tensor, index: int) -> str:
    name = tensor.source.rpartition(":")[0]
    return (
        f'op {{\n  name: "{name}"\n  type: "Data"\n'
        f'  attr {{\n    key: "index"\n    value {{\n      i: {index}\n    }}\n  }}\n'
        f"{_descriptor_text('input_desc', tensor)}{_descriptor_text('output_desc', tensor)}}}\n"
    )


def _graph_text(ops: Sequence[Op]) -> str:
    produced = {op.output.source for op in ops}
    data = {
        tensor.source: tensor for op in ops for tensor in op.inputs if tensor.source not in produced
    }
    last = ops[-1].output
    return "".join(
        [
            'name: "graph_1"\n',
            *(_data_text(tensor, i) for i, tensor in enumerate(data.values())),
            *map(_op_text, ops),
            f'op {{\n  name: "NetOutput"\n  type: "NetOutput"\n  input: "{last.source}"\n',
            f"{_descriptor_text('input_desc', last)}}}\n",
        ]
    )


# --- graphs --------------------------------------------------------------------------------------


class _Builder:
    """Names ops as torchair does and deals out places in the pool."""

    def __init__(self, n_pool: int) -> None:
        self.ops: list[Op] = []
        self._n_pool = n_pool
        self._counts: dict[str, int] = {}
        self._rng = np.random.default_rng(SEED)

    def _numbered(self, name: str) -> str:
        number = self._counts.get(name, 0)
        self._counts[name] = number + 1
        return f"{name}_{number}" if number else name

    def _place(self, shape: tuple[int, ...]) -> int:
        n_elements = Tensor("", "", shape, 0).n_elements
        return int(self._rng.integers(0, self._n_pool - n_elements + 1))

    def data(self, shape: tuple[int, ...]) -> Tensor:
        """A graph input or weight."""
        return Tensor(f"{self._numbered('arg')}_1:0", "", shape, self._place(shape))

    def add(
        self, kind: str, target: str, inputs: Sequence[Tensor], shape: tuple[int, ...]
    ) -> Tensor:
        """An op of GE type `kind` from the FX target; returns its output."""
        name = self._numbered(kind)
        node = self._numbered(target.split(".")[1])
        prefix = f"{node}-{target}"
        output = Tensor(f"{name}:0", f"{prefix}.OUTPUT.0", shape, self._place(shape))
        self.ops.append(Op(name, kind, prefix, tuple(inputs), output))
        return output


def _layer_stack(n_elements: int, largest_hidden: int, n_pool: int) -> list[Op]:
    """Layers of norm, projection, activation, product and sum until `n_elements` are reached."""
    hidden_sizes = [size for size in HIDDEN_SIZES if size <= largest_hidden]
    build = _Builder(n_pool)
    x = build.data((N_TOKENS, hidden_sizes[0]))
    done = layer = 0
    while done < n_elements:
        width = hidden_sizes[layer % len(hidden_sizes)]
        next_width = hidden_sizes[(layer + 1) % len(hidden_sizes)]
        wide, narrow = (N_TOKENS, width), (N_TOKENS, next_width)
        norm = build.add("RmsNorm", "aten.rms_norm.default", [x, build.data((width,))], wide)
        weight = build.data((width, next_width))
        product = build.add("MatMulV2", "aten.mm.default", [norm, weight], narrow)
        gate = build.add("Swish", "aten.silu.default", [product], narrow)
        gated = build.add("Mul", "aten.mul.Tensor", [gate, product], narrow)
        x = build.add("Add", "aten.add.Tensor", [gated, product], narrow)
        done += sum(
            tensor.n_elements for op in build.ops[-5:] for tensor in (*op.inputs, op.output)
        )
        layer += 1
    return build.ops


def _chain(n_ops: int, shape: tuple[int, ...], n_pool: int) -> list[Op]:
    build = _Builder(n_pool)
    x = build.data(shape)
    for i in range(n_ops):
        kind, target = (("Add", "aten.add.Tensor"), ("Mul", "aten.mul.Tensor"))[i % 2]
        x = build.add(kind, target, [x, x], shape)
    return build.ops


# --- dumps ---------------------------------------------------------------------------------------


def _new_folders(work: Path, n_steps: int) -> list[tuple[str, str]]:
    """(GE folder, FX folder) of each step, all new."""
    steps = []
    for step in range(n_steps):
        ge = work / f"ge/worldsize1_global_rank0/{TIME_FOLDER}/0/graph_1/1/{step}"
        fx = work / f"fx/worldsize1_global_rank0/graph_1/{step}"
        for folder in (ge, fx):
            folder.mkdir(parents=True, mode=0o750)
        steps.append((str(ge), str(fx)))
    return steps


def _write_steps(
    work: Path, ops: Sequence[Op], pool: Pool, *, n_steps: int, with_inputs: bool
) -> Dump:
    golden, my = pool.golden.data, pool.my.data
    n_bytes = n_files = n_rows = 0
    time_us = FIRST_DUMP_TIME_US
    for step, (ge, fx) in enumerate(_new_folders(work, n_steps)):
        for task, op in enumerate(ops):
            inputs = op.inputs if with_inputs else ()
            time_us += 1
            start = ge_file_start(
                op.name,
                time_us,
                [StoredTensor(DT_BF16, x.shape, 2 * x.n_elements) for x in inputs],
                [StoredTensor(DT_BF16, op.output.shape, 2 * op.output.n_elements)],
            )
            places = [slice(x.at + step, x.at + step + x.n_elements) for x in (*inputs, op.output)]
            path = f"{ge}/{op.type}.{op.name}.{task}.6.{time_us}"
            n_bytes += write(path, start, *(my[place] for place in places))
            names = [f"INPUT.{i}" for i in range(len(inputs))] + ["OUTPUT.0"]
            for name, x, place in zip(names, (*inputs, op.output), places):
                path = f"{fx}/{op.fx_prefix}.{name}.{FX_TIME}.npy"
                n_bytes += write(path, npy_file_start("<f4", x.shape), golden[place])
            n_files += 1 + len(places)
            n_rows += len(places)
    graph = work / f"ge/dynamo_original_graph_1_rank_0_pid_4711_ts_{FX_TIME}.txt"
    graph.write_text(_graph_text(ops), encoding="utf-8")
    return Dump(work / "ge", work / "fx", n_bytes, n_files, n_rows)


def write_layer_stack(work: Path, *, n_bytes: int, largest_hidden: int = HIDDEN_SIZES[0]) -> Dump:
    """A stack of layers, hidden size `largest_hidden` down to 64, both sides about `n_bytes`.

    Args:
        work: New or empty folder; gets `ge` and `fx`.
        n_bytes: Bytes of both sides together; bfloat16 and float32 take 6 bytes an element.
        largest_hidden: Largest hidden size: one of `HIDDEN_SIZES`.
    """
    n_pool = largest_hidden * max(largest_hidden // 2, N_TOKENS) + (1 << 20)
    ops = _layer_stack(n_bytes // 6, largest_hidden, n_pool - 1)
    return _write_steps(work, ops, Pool(n_pool), n_steps=1, with_inputs=True)


def write_small_files(work: Path, *, n_files: int, ops_per_step: int = 1000) -> Dump:
    """`n_files` GE files of one 64-byte output each, and as many FX files.

    Args:
        work: New or empty folder; gets `ge` and `fx`.
        n_files: GE files; a multiple of `ops_per_step`.
        ops_per_step: Ops of the graph; each step dumps all of them.
    """
    n_steps = n_files // ops_per_step
    n_pool = 1 << 20
    ops = _chain(ops_per_step, (32,), n_pool - n_steps)
    return _write_steps(work, ops, Pool(n_pool), n_steps=n_steps, with_inputs=False)


def write_ranks(work: Path, *, n_ranks: int, n_rows: int) -> Dump:
    """`n_ranks` ranks of one step of `n_rows` small files; every rank has its graph text.

    Args:
        work: New or empty folder; gets `ge` and `fx`.
        n_ranks: Ranks.
        n_rows: GE files of each, and as many FX files.
    """
    one = write_small_files(work / "one", n_files=n_rows, ops_per_step=n_rows)
    (text,) = one.my.glob("*.txt")
    for rank in range(n_ranks):
        for side in (one.my, one.golden):
            copy = work / side.name / f"worldsize{n_ranks}_global_rank{rank}"
            shutil.copytree(side / "worldsize1_global_rank0", copy)
        name = f"dynamo_original_graph_1_rank_{rank}_pid_{4711 + rank}_ts_{FX_TIME}.txt"
        shutil.copyfile(text, work / "ge" / name)
    shutil.rmtree(work / "one")
    n_files, n_bytes = (n_ranks * count for count in (one.n_files, one.n_bytes))
    return Dump(work / "ge", work / "fx", n_bytes, n_files, n_ranks * n_rows)


def write_one_tensor(work: Path, *, n_bytes: int) -> Dump:
    """One float32 tensor of `n_bytes` on either side, in one file each."""
    pool = Pool(1 << 22)
    shape = (n_bytes // 4096 // 4, 4096)
    op = _chain(1, shape, 4 * n_bytes)[0]
    ((ge, fx),) = _new_folders(work, 1)
    repeats = -(-shape[0] * shape[1] // pool.golden.size)
    rest = shape[0] * shape[1] - (repeats - 1) * pool.golden.size
    sides = [[side.data] * (repeats - 1) + [side.data[:rest]] for side in (pool.noisy, pool.golden)]
    size_bytes = 4 * shape[0] * shape[1]
    start = ge_file_start(
        op.name, FIRST_DUMP_TIME_US, [], [StoredTensor(DT_FLOAT, shape, size_bytes)]
    )
    path = f"{ge}/{op.type}.{op.name}.1.6.{FIRST_DUMP_TIME_US}"
    total = write(path, start, *sides[0])
    path = f"{fx}/{op.fx_prefix}.OUTPUT.0.{FX_TIME}.npy"
    total += write(path, npy_file_start("<f4", shape), *sides[1])
    graph = work / f"ge/dynamo_original_graph_1_rank_0_pid_4711_ts_{FX_TIME}.txt"
    graph.write_text(_graph_text([op]).replace("DT_BF16", "DT_FLOAT"), encoding="utf-8")
    return Dump(work / "ge", work / "fx", total, 2, 1)
