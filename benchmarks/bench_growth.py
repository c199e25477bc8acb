"""How the time of a comparison grows with every count that a file can name: at n and at 4 n.

CPU time of all threads: the clock of a machine that does much else tells its load, and a cold disk.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

from ait_cmp import compare_dirs
from ait_cmp.convert import convert_dir
from benchmarks.dump_files import DT_FLOAT, StoredTensor, ge_file_start, npy_file_start, write
from benchmarks.generate import write_small_files
from benchmarks.table import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_TIME = 1706596911888001
_FX_TIME = 20261122112547986840
_FACTOR = 4
_ROUNDS = 2
# 4 n may take: a linear program 4 times as long, with noise; a quadratic one takes 16.
_MOST = 8.0
_TENSOR = StoredTensor(DT_FLOAT, (2,), 8)


class Growth(NamedTuple):
    """What is counted, how many at first, and what writes a dump of so many to ge and fx."""

    what: str
    n: int
    write: Callable[[Path, int], None]


def bench_growth(work: Path, *, scale: float) -> Iterator[Line]:
    """CPU seconds at n and at 4 n for each count."""
    for case in CASES:
        n = max(int(case.n * scale), 10)
        few, many = (_seconds(work / "growth", case, count) for count in (n, _FACTOR * n))
        verdict = "linear" if many < _MOST * few else "NOT LINEAR"
        yield Line(
            group="growth",
            name=f"{n} and {_FACTOR * n} {case.what}",
            cache="warm",
            seconds=many,
            note=f"{few:.2f} s, then {many:.2f} s of CPU: {many / few:.1f} times, {verdict}",
            details={"few_s": few, "many_s": many},
        )


def _seconds(folder: Path, case: Growth, count: int) -> float:
    case.write(folder, count)
    least = float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        compare_dirs(folder / "ge", folder / "fx")
        least = min(least, time.process_time() - start)
    shutil.rmtree(folder)
    return least


def _ge_folder(side: Path, step: int = 0) -> Path:
    folder = side / "20261122113000" / "0" / "graph_1" / "1" / str(step)
    folder.mkdir(parents=True)
    return folder


def _write_wide_op(folder: Path, n_inputs: int, n_outputs: int) -> None:
    tensors = [_TENSOR] * n_inputs, [_TENSOR] * n_outputs
    start = ge_file_start("Concat", _TIME, *tensors)
    write(f"{folder}/ConcatD.Concat.1.6.{_TIME}", start, bytes(8 * (n_inputs + n_outputs)))


def _inputs(work: Path, count: int) -> None:
    for side in ("ge", "fx"):
        _write_wide_op(_ge_folder(work / side), count, 1)


def _outputs(work: Path, count: int) -> None:
    for side in ("ge", "fx"):
        _write_wide_op(_ge_folder(work / side), 1, count)


def _info_tensors(work: Path, count: int) -> None:
    _inputs(work, count)
    for side in ("ge", "fx"):
        convert_dir(work / side, settle=0, force=True)


def _arguments(work: Path, count: int) -> None:
    """One node with so many graph inputs of one shape, saved in another order."""
    names = [f"arg{i}_1" for i in range(count)]
    text = 'name: "graph_1"\n' + "".join(
        f'op {{ name: "{name}" type: "Data" output_desc {{ name: "y" }} }}\n' for name in names
    )
    fed = "".join(f'input: "{name}:0" input_desc {{ name: "x" }} ' for name in names)
    named = 'attr { key: "_fx_tensor_name" value { s: "cat-aten.cat.default.OUTPUT.0" } }'
    text += f'op {{ name: "Concat" type: "ConcatD" {fed}output_desc {{ name: "y" {named} }} }}\n'
    folder = _ge_folder(work / "ge")
    graph = f"dynamo_original_graph_1_rank_0_pid_100_ts_{_FX_TIME}.txt"
    (work / "ge" / graph).write_text(text)
    values = [bytes([i & 255, i >> 8 & 255, 128, 63]) * 2 for i in range(count)]
    start = ge_file_start("Concat", _TIME, [_TENSOR] * count, [_TENSOR])
    write(f"{folder}/ConcatD.Concat.1.6.{_TIME}", start, *values, bytes(8))
    golden = work / "fx" / "graph_1" / "0"
    golden.mkdir(parents=True)
    head = npy_file_start("<f4", (2,))
    for i, value in enumerate(reversed(values)):
        write(f"{golden}/cat-aten.cat.default.INPUT.{i}.{_FX_TIME}.npy", head, value)
    write(f"{golden}/cat-aten.cat.default.OUTPUT.0.{_FX_TIME}.npy", head, bytes(8))


def _statistics(work: Path, count: int) -> None:
    head = "Input/Output,Index,Data Size,Data Type,Format,Shape,Max Value,Min Value,Avg Value\n"
    lines = "".join(f"Input,{i},8,DT_FLOAT,ND,2,1.0,0.0,0.5\n" for i in range(count))
    for side in ("ge", "fx"):
        path = _ge_folder(work / side) / f"ConcatD.Concat.1.6.{_TIME}.csv"
        path.write_text(head + lines)


def _graph_ops(work: Path, count: int) -> None:
    write_small_files(work, n_files=count, ops_per_step=count)


def _graphs(work: Path, count: int) -> None:
    """Graphs of one program, compiled for other shapes: nodes alone do not tell them apart."""
    for number in range(1, count + 1):
        shape = (number, 2)
        tensor = StoredTensor(DT_FLOAT, shape, 8 * number)
        ge = work / "ge" / "20261122113000" / "0" / f"graph_{number}" / "1" / "0"
        fx = work / "fx" / f"graph_{number}" / "0"
        for folder in (ge, fx):
            folder.mkdir(parents=True)
        named = 'attr { key: "_fx_tensor_name" value { s: "neg-aten.neg.default.OUTPUT.0" } }'
        text = (
            f'name: "graph_{number}"\nop {{ name: "arg0_1" type: "Data" output_desc {{ }} }}\n'
            'op { name: "Neg" type: "Neg" input: "arg0_1:0" input_desc { }'
            f" output_desc {{ {named} }} }}\n"
        )
        graph = f"dynamo_original_graph_{number}_rank_0_pid_100_ts_{_FX_TIME}.txt"
        (work / "ge" / graph).write_text(text)
        given, made = (bytes([number & 255, number >> 8, i, 63]) * 2 * number for i in (64, 192))
        write(
            f"{ge}/Neg.Neg.1.6.{_TIME}",
            ge_file_start("Neg", _TIME, [tensor], [tensor]),
            given,
            made,
        )
        for name, values in (("INPUT", given), ("OUTPUT", made)):
            path = f"{fx}/neg-aten.neg.default.{name}.0.{_FX_TIME}.npy"
            write(path, npy_file_start("<f4", shape), values)


def _steps(work: Path, count: int) -> None:
    write_small_files(work, n_files=10 * count, ops_per_step=10)


def _empty_folders(work: Path, count: int) -> None:
    _inputs(work, 1)
    for step in range(1, count):
        (work / "ge" / "20261122113000" / "0" / "graph_1" / "1" / str(step)).mkdir()


CASES = (
    Growth("inputs of a GE file", 16_000, _inputs),
    Growth("outputs of a GE file", 16_000, _outputs),
    Growth("graph inputs of one FX node", 1_000, _arguments),
    Growth("tensors of an info file", 16_000, _info_tensors),
    Growth("lines of a statistics file", 16_000, _statistics),
    Growth("ops of a graph", 2_500, _graph_ops),
    Growth("graphs of one program", 50, _graphs),
    Growth("steps of 10 ops", 500, _steps),
    Growth("empty step folders", 25_000, _empty_folders),
)
