"""Replay by kind of operator, beside reading the same files and one float64 product."""

from __future__ import annotations

import resource
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import ait_cmp
from benchmarks.dump_files import StoredTensor, ge_file_start, write
from benchmarks.machine import usable_cores
from benchmarks.table import Line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOAT16 = 2
GRAPH_TEXT = "dynamo_original_graph_1_rank_0_pid_1_ts_20261122121600897945.txt"


@dataclass(frozen=True)
class Kind:
    """One op of a kind; shapes are those of its inputs, then of its output.

    Attributes:
        name: The kind.
        type: GE type.
        inputs: Names of the inputs.
        attributes: Attributes as text.
    """

    name: str
    type: str
    inputs: tuple[str, ...]
    attributes: str = ""


KINDS = (
    Kind("elementwise", "Mul", ("x1", "x2")),
    Kind("exact", "Identity", ("x",)),
    Kind("sums", "SoftmaxV2", ("x",)),
    Kind("norms", "RmsNorm", ("x", "gamma")),
    Kind("gated", "SwiGlu", ("x",)),
    Kind("products", "MatMul", ("x1", "x2")),
)


def bench_replay(work: Path, *, n_bytes: int) -> Iterator[Line]:
    """MB of dump a CPU second for one op of each kind."""
    side = int((n_bytes / 6) ** 0.5) // 64 * 64
    for kind in KINDS:
        folder = work / "replay"
        size, files = _write_dump(folder, kind, side)
        for path in files:  # warm
            path.read_bytes()
        before = _cpu_seconds()
        start = time.perf_counter()
        result = ait_cmp.replay(folder)
        seconds, cpu = time.perf_counter() - start, _cpu_seconds() - before
        assert result.counts["not_replayed"] == 0, result.summary()
        yield Line(
            group="replay",
            name=f"{kind.name}: {kind.type} of {side} x {side} float16",
            cache="warm",
            threads=usable_cores(),
            seconds=seconds,
            n_rows=len(result.rows),
            note=f"{size / cpu / 1e6:.0f} MB a CPU second; {_beside(files, side, size)}",
        )
        shutil.rmtree(folder)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _beside(files: list[Path], side: int, size: int) -> str:
    """The same files read, and one float64 product of matrices of that size."""
    start = time.perf_counter()
    for path in files:
        path.read_bytes()
    reading = time.perf_counter() - start
    x = np.ones((side, side))
    before = _cpu_seconds()
    np.matmul(x, x)
    product = _cpu_seconds() - before
    return f"reading {size / reading / 1e6:.0f} MB/s, float64 product {product:.2f} CPU s"


def _write_dump(folder: Path, kind: Kind, side: int) -> tuple[int, list[Path]]:
    """A dump of one op with right values, not all of them; returns its bytes and files."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=_shape(name, side)).astype(np.float16) for name in kind.inputs]
    output = _output(kind.type, [array.astype(np.float32) for array in arrays])
    step = folder / "20261122113000" / "0" / "graph_1" / "1" / "0"
    step.mkdir(parents=True)
    (folder / GRAPH_TEXT).write_text(_graph_text(kind, arrays))
    path = step / f"{kind.type}.{kind.type}.1.6.1706596911887829"
    heads = [StoredTensor(FLOAT16, array.shape, array.nbytes) for array in (*arrays, output)]
    start = ge_file_start(kind.type, 1706596911887829, heads[:-1], heads[-1:])
    return write(str(path), start, *(array.data for array in (*arrays, output))), [path]


def _shape(name: str, side: int) -> tuple[int, ...]:
    return (side,) if name == "gamma" else (side, side)


def _output(type_: str, x: list[np.ndarray]) -> np.ndarray:
    """The formula in float32."""
    if type_ == "Mul":
        y = x[0] * x[1]
    elif type_ == "SoftmaxV2":
        y = np.exp(x[0] - x[0].max(-1, keepdims=True))
        y /= y.sum(-1, keepdims=True)
    elif type_ == "RmsNorm":
        y = x[0] / np.sqrt((x[0] ** 2).mean(-1, keepdims=True) + np.float32(1e-6)) * x[1]
    elif type_ == "SwiGlu":
        left, right = np.split(x[0], 2, axis=-1)
        y = left / (1 + np.exp(-left)) * right
    else:
        y = x[0] @ x[1] if type_ == "MatMul" else x[0]
    return np.asarray(y, np.float16)


def _graph_text(kind: Kind, arrays: list[np.ndarray]) -> str:
    text = 'name: "graph_1"\n'
    for place, array in enumerate(arrays):
        dims = " ".join(f"dim: {dim}" for dim in array.shape)
        text += f'op {{ name: "arg{place}_1" type: "Data" output_desc {{ name: "y" '
        text += f"dtype: DT_FLOAT16 shape {{ {dims} }} }} }}\n"
    text += f'op {{ name: "{kind.type}" type: "{kind.type}" '
    text += " ".join(f'input: "arg{place}_1:0"' for place in range(len(arrays)))
    text += " " + " ".join(f'input_desc {{ name: "{name}" }}' for name in kind.inputs)
    return text + ' output_desc { name: "y" dtype: DT_FLOAT16 } }\n'
