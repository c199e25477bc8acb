"""A model of three ops dumped by GE (rounded to float16) and FX, some tokens, one or more ranks.

Abs = |x|, Mul = Abs * x, and a Sqrt that GE inserted: no FX node computes it. x is a graph input.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import graph_text
from make_dump import Dump, tensor_of
from trees import fx_names, fx_step, ge_step, graph_name, rank_name

Array = npt.NDArray[Any]

SHAPE = (3, 211)
#: Tensors of a token: inputs and outputs of the three ops.
ROWS_PER_TOKEN = 7
#: FX files of a token: inputs and output of abs and mul.
FX_FILES_PER_TOKEN = 5
ABS, MUL, SQRT = (
    f"{kind}.{name}.{task}.6.{1706596912000000 + task}"
    for task, (kind, name) in enumerate([("Abs", "Abs_1"), ("Mul", "Mul_2"), ("Sqrt", "Sqrt_3")])
)


def write_graph(folder: Path, *, rank: int = 0) -> Path:
    """The graph text of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / graph_name(1, rank=rank)
    path.write_text(
        'name: "graph_1"\n'
        + graph_text.data("arg0_1", SHAPE)
        + graph_text.op("Abs_1", "Abs", ["arg0_1:0"], fx=["abs-aten.abs.Tensor.OUTPUT.0"])
        + graph_text.op(
            "Mul_2", "Mul", ["Abs_1:0", "arg0_1:0"], fx=["mul-aten.mul.Tensor.OUTPUT.0"]
        )
        + graph_text.op("Sqrt_3", "Sqrt", ["Mul_2:0"])
    )
    return path


def values_of(token: int, rank: int = 0) -> dict[str, Array]:
    """The tensors of a token in float32."""
    x = np.random.default_rng([token, rank]).uniform(0.5, 2, SHAPE).astype(np.float32)
    return {"x": x, "abs": np.abs(x), "mul": np.abs(x) * x, "sqrt": np.sqrt(np.abs(x) * x)}


def dumps_of(values: dict[str, Array]) -> dict[str, Dump]:
    """GE file name -> its content."""

    def dump(name: str, inputs: Sequence[str], output: str) -> Dump:
        return Dump(
            tuple(tensor_of(values[key]) for key in inputs), (tensor_of(values[output]),), name
        )

    return {
        ABS: dump("Abs_1", ["x"], "abs"),
        MUL: dump("Mul_2", ["abs", "x"], "mul"),
        SQRT: dump("Sqrt_3", ["mul"], "sqrt"),
    }


@cache
def ge_files(token: int, number: int) -> dict[str, bytes]:
    """GE files of a token of a rank: many tests write the same."""
    exact = values_of(token, number)
    values = {key: value.astype(np.float16).astype(np.float32) for key, value in exact.items()}
    return {name: dump.file_bytes() for name, dump in dumps_of(values).items()}


@cache
def fx_files(token: int, number: int) -> dict[str, bytes]:
    """FX files of a token of a rank."""
    values = values_of(token, number)
    files = {}
    for node, inputs in (("abs", ["x"]), ("mul", ["abs", "x"])):
        names = fx_names(node, f"aten.{node}.Tensor", inputs=len(inputs))
        for name, key in zip(names, [*inputs, node]):
            np.save(file := io.BytesIO(), values[key])
            files[name] = file.getvalue()
    return files


def write_ge_token(root: Path, token: int, *, rank: str = "", number: int = 0) -> Path:
    """One token of the GE dump; returns its folder."""
    folder = ge_step(root, rank=rank, step=token, names=())
    for name, content in ge_files(token, number).items():
        (folder / name).write_bytes(content)
    return folder


def write_fx_token(root: Path, token: int, *, rank: str = "", number: int = 0) -> Path:
    """One token of the FX dump; returns its folder."""
    folder = fx_step(root, rank=rank, step=token, names=())
    for name, content in fx_files(token, number).items():
        (folder / name).write_bytes(content)
    return folder


def write_dumps(root: Path, *, tokens: int = 2, ranks: Sequence[int] | None = None) -> None:
    """`root`/ge with its graph text and `root`/fx; `ranks=None` leaves the rank level out."""
    for number in ranks or [0]:
        rank = "" if ranks is None else rank_name(number)
        write_graph(root / "ge", rank=number)
        for token in range(tokens):
            write_ge_token(root / "ge", token, rank=rank, number=number)
            write_fx_token(root / "fx", token, rank=rank, number=number)
