"""Replay by kind of operator, beside reading the same files and one float64 product; and how much
longer a comparison takes that replays its suspects.
"""

from __future__ import annotations

import resource
import shutil
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import ait_cmp
from benchmarks.dump_files import StoredTensor, ge_file_start, write
from benchmarks.machine import usable_cores
from benchmarks.table import Line
from benchmarks.timing import run_process

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


def bench(work: Path, *, n_bytes: int) -> Iterator[Line]:
    """Both."""
    yield from bench_replay(work, n_bytes=n_bytes)
    yield from bench_suspects(work, n_bytes=2 * n_bytes)


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


# Ops of each kind in a step, steps, and suspects of a step: clean dumps have so many.
_OPS_OF_A_KIND, _STEPS, _SUSPECTS = 30, 3, 4
# Errors in units of the rounding: of most ops, and of suspects.
_NOISE, _SUSPECT_NOISE = 0.5, 2.5


def bench_suspects(work: Path, *, n_bytes: int, rounds: int = 5) -> Iterator[Line]:
    """Whole processes that compare, with and without the replay of suspects, by turns."""
    side = int((n_bytes / (6 * _OPS_OF_A_KIND * len(KINDS))) ** 0.5) // 64 * 64
    dump = work / "suspects"
    my, golden = dump / "my", dump / "golden"
    size = _write_many(my, side, is_noisy=True) + _write_many(golden, side, is_noisy=False)
    seconds: dict[str, float] = {}
    cpu: dict[str, float] = {}
    for _ in range(rounds):
        for mode in ("none", "suspects"):
            command = [
                sys.executable,
                "-c",
                _COMPARE,
                str(my),
                str(golden),
                mode,
                str(work / "report"),
            ]
            run = run_process(command, log_dir=work)
            assert run.exit_code == 0, run.stdout + run.stderr
            seconds[mode] = min(run.wall_s, seconds.get(mode, run.wall_s))
            cpu[mode] = min(run.cpu_s, cpu.get(mode, run.cpu_s))
            if mode == "suspects":
                replayed = next(line for line in run.stdout.splitlines() if "replayed" in line)
    longer = seconds["suspects"] / seconds["none"] - 1
    more = cpu["suspects"] / cpu["none"] - 1
    yield Line(
        group="replay",
        name=f"a comparison of {_STEPS} steps of {size / 1e6:.0f} MB, {_SUSPECTS} suspects each",
        cache="warm",
        threads=usable_cores(),
        seconds=seconds["suspects"],
        n_bytes=size,
        cpu_s=cpu["suspects"],
        note=f"{longer:+.1%} time, {more:+.1%} CPU beside none ({seconds['none']:.3f} s, CPU "
        f"{cpu['none']:.2f} s); {' '.join(replayed.split())}",
    )
    shutil.rmtree(dump)


_COMPARE = """
import sys
from ait_cmp.cli.main import main
my, golden, mode, report = sys.argv[1:]
sys.exit(main([my, golden, "--replay", mode, "--output", report, "--no-progress"]))
"""


def _write_many(folder: Path, side: int, *, is_noisy: bool) -> int:
    """Steps of many ops of every kind, each on inputs of its own; returns their bytes."""
    rng = np.random.default_rng(1)
    numbers = range(_OPS_OF_A_KIND * len(KINDS))
    kinds = [KINDS[number % len(KINDS)] for number in numbers]
    suspects = {number for number in numbers if number % (len(kinds) // _SUSPECTS) == 0}
    inputs = [
        [rng.normal(size=_shape(name, side)).astype(np.float16) for name in kind.inputs]
        for kind in KINDS
    ]
    outputs = [
        _output(kind.type, [array.astype(np.float32) for array in arrays])
        for kind, arrays in zip(KINDS, inputs)
    ]
    folder.mkdir(parents=True)
    text = ['name: "graph_1"\n']
    size = 0
    for number, kind in enumerate(kinds):
        arrays, exact = inputs[number % len(KINDS)], outputs[number % len(KINDS)]
        text.append(_op_text(kind, f"{kind.type}_{number}", arrays, f"arg{number}_"))
        noise = _SUSPECT_NOISE if number in suspects else _NOISE
        for step in range(_STEPS):
            output = exact
            if is_noisy and kind.type != "Identity":
                error = noise * 2.0**-11 * rng.normal(size=exact.shape)
                output = (exact * (1 + error)).astype(np.float16)
            path = (
                _step(folder, step)
                / f"{kind.type}.{kind.type}_{number}.{number}.6.{_time(step, number)}"
            )
            size += _write_op(path, f"{kind.type}_{number}", _time(step, number), [*arrays, output])
    (folder / GRAPH_TEXT).write_text("".join(text))
    return size


def _time(step: int, number: int) -> int:
    return 1706596911887829 + step * 10**6 + number


def _step(folder: Path, step: int) -> Path:
    path = folder / "20261122113000" / "0" / "graph_1" / "1" / str(step)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _write_op(path: Path, name: str, time_us: int, arrays: list[np.ndarray]) -> int:
    """A file with inputs and, last, the output."""
    heads = [StoredTensor(FLOAT16, array.shape, array.nbytes) for array in arrays]
    start = ge_file_start(name, time_us, heads[:-1], heads[-1:])
    return write(str(path), start, *(array.data for array in arrays))


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
    folder.mkdir(parents=True)
    text = _op_text(kind, kind.type, arrays, "arg")
    (folder / GRAPH_TEXT).write_text(f'name: "graph_1"\n{text}')
    path = _step(folder, 0) / f"{kind.type}.{kind.type}.1.6.{_time(0, 0)}"
    return _write_op(path, kind.type, _time(0, 0), [*arrays, output]), [path]


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


def _op_text(kind: Kind, name: str, arrays: list[np.ndarray], prefix: str) -> str:
    """Graph text of an op and of the inputs that it alone reads."""
    text = ""
    for place, array in enumerate(arrays):
        dims = " ".join(f"dim: {dim}" for dim in array.shape)
        text += f'op {{ name: "{prefix}{place}_1" type: "Data" output_desc {{ name: "y" '
        text += f"dtype: DT_FLOAT16 shape {{ {dims} }} }} }}\n"
    text += f'op {{ name: "{name}" type: "{kind.type}" '
    text += " ".join(f'input: "{prefix}{place}_1:0"' for place in range(len(arrays)))
    text += " " + " ".join(f'input_desc {{ name: "{title}" }}' for title in kind.inputs)
    return text + ' output_desc { name: "y" dtype: DT_FLOAT16 } }\n'
