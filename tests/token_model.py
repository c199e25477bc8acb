"""A model with token ids: embedding, matmul, add; runs of any rows, steps, graphs and ranks.

Embedding = table[ids], MatMul = Embedding @ weight, Add = MatMul + Embedding. ids, table and weight
are graph inputs. The same values on both sides, so that a wrong meeting shows at once.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import graph_text
from make_dump import Dump, tensor_of
from shared_files import put
from trees import FX_TIME, fx_names, fx_step, ge_step, graph_name

Array = npt.NDArray[Any]
WIDTH = 16
#: Tensors of a my step: inputs and outputs of three Data ops and of the three others.
ROWS_PER_STEP = 3 + 3 + 3 + 3


@cache
def values_of(rows: int, prompt: int, model: int = 0, width: int = WIDTH) -> dict[str, Array]:
    """Tensors by name, not to be changed; `prompt` makes other ids, `model` other weights."""
    weights = np.random.default_rng([7, model])
    table = weights.standard_normal((50, width)).astype(np.float32)
    weight = weights.standard_normal((width, width + 8)).astype(np.float32)
    ids = np.random.default_rng([11, prompt]).integers(0, 50, (rows, 1)).astype(np.int64)
    gathered = table[ids[:, 0]]
    matmul = gathered @ weight
    return {
        "ids": ids,
        "table": table,
        "weight": weight,
        "embedding": gathered,
        "mm": matmul,
        "mul": matmul * matmul,
    }


def write_text(folder: Path, number: int = 1, *, rank: int = 0) -> Path:
    """The graph text of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / graph_name(number, rank=rank)
    if path.exists():  # written with another step
        return path
    path.write_text(
        f'name: "graph_{number}"\n'
        + "".join(graph_text.op(f"arg{i}_1", "Data") for i in range(3))
        + graph_text.op(
            "GatherV2",
            "GatherV2",
            ["arg1_1:0", "arg0_1:0"],
            fx=["embedding-aten.embedding.default.OUTPUT.0"],
        )
        + graph_text.op(
            "MatMul", "MatMul", ["GatherV2:0", "arg2_1:0"], fx=["mm-aten.mm.default.OUTPUT.0"]
        )
        + graph_text.op("Mul", "Mul", ["MatMul:0", "MatMul:0"], fx=["mul-aten.mul.Tensor.OUTPUT.0"])
    )
    return path


def write_my(
    root: Path,
    values: dict[str, Array],
    *,
    graph: int = 1,
    step: int = 0,
    rank: str = "",
    text_rank: int = 0,
) -> Path:
    """One step of the GE dump with its graph text; returns its folder."""
    write_text(root, graph, rank=text_rank)
    folder = ge_step(root, rank=rank, graph=f"graph_{graph}", step=step, names=())
    ops: list[tuple[str, str, list[str], str]] = [
        ("Data", "arg0_1", [], "ids"),
        ("Data", "arg1_1", [], "table"),
        ("Data", "arg2_1", [], "weight"),
        ("GatherV2", "GatherV2", ["table", "ids"], "embedding"),
        ("MatMul", "MatMul", ["embedding", "weight"], "mm"),
        ("Mul", "Mul", ["mm", "mm"], "mul"),
    ]
    for task, (kind, name, inputs, output) in enumerate(ops):
        dump = Dump(
            tuple(tensor_of(values[key]) for key in inputs), (tensor_of(values[output]),), name
        )
        time = 1706596912000000 + 1000 * step + task
        put(folder / f"{kind}.{name}.{task}.6.{time}", dump.file_bytes())
    return folder


def write_golden(
    root: Path,
    values: dict[str, Array],
    *,
    graph: str = "graph_1",
    step: int = 0,
    rank: str = "",
    layout: str = "new",
    time: int = FX_TIME,
) -> Path:
    """One step of the FX dump; returns its folder."""
    folder = fx_step(root, layout=layout, graph=graph, step=step, rank=rank, names=())
    for node, target, inputs in (
        ("embedding", "aten.embedding.default", ["table", "ids"]),
        ("mm", "aten.mm.default", ["embedding", "weight"]),
        ("mul", "aten.mul.Tensor", ["mm", "mm"]),
    ):
        names = fx_names(node, target, inputs=len(inputs), time=time)
        for name, key in zip(names, [*inputs, node]):
            np.save(content := io.BytesIO(), values[key])
            put(folder / name, content.getvalue())
    return folder
