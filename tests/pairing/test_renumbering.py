"""An FX node that got other tensors than my op: which node fits is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ait_cmp import compare_dirs
from ait_cmp.discover import FxFile
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.readers import core_readers
from ait_cmp.pairing.renumbering import renumbered
from ait_cmp.report.summary import summary_lines
from ait_cmp.tensor_ref import TensorRef
from graph_text import op
from make_dump import Dump, tensor_of
from trees import fx_names, ge_step, graph_name
from trees import fx_step as fx_folder


def step_of(folder: Path, nodes: dict[str, list[np.ndarray]]) -> FxStep:
    """A step of additions, each with its arguments."""
    files = []
    for node, arrays in nodes.items():
        for index, array in enumerate(arrays):
            path = folder / f"{node}-{index}.npy"
            np.save(path, array)
            files.append(FxFile(str(path), node, "aten.add.Tensor", "INPUT", index, -1, 1, "dump"))
    return FxStep(files)


def tensors(folder: Path, *arrays: np.ndarray) -> list[TensorRef]:
    refs = []
    for index, array in enumerate(arrays):
        path = folder / f"fed-{index}.npy"
        np.save(path, array)
        refs.append(TensorRef(str(path), "", 0))
    return refs


@pytest.mark.parametrize("shape", [(3, 5), (2, 7, 4)])
def test_the_node_that_got_the_tensors_is_named(tmp_path: Path, shape: tuple[int, ...]) -> None:
    a, b, c = (np.random.default_rng(i).standard_normal(shape) for i in range(3))
    step = step_of(tmp_path, {"add": [a, c], "add_1": [b, a]})
    readers = core_readers(1)
    said = renumbered(step, "add", tensors(tmp_path, a, b), readers)
    assert "numbered differently (add_1 fits)" in said
    assert renumbered(step, "add_1", tensors(tmp_path, a, b), readers) == ""


def test_nothing_is_said_where_no_node_fits(tmp_path: Path) -> None:
    a, b, c = (np.random.default_rng(i).standard_normal((3, 5)) for i in range(3))
    step = step_of(tmp_path, {"add": [a, c], "add_1": [c, c]})
    assert renumbered(step, "add", tensors(tmp_path, b), core_readers(1)) == ""
    assert renumbered(step, "mul", tensors(tmp_path, b), core_readers(1)) == ""
    assert renumbered(step, "add", [], core_readers(1)) == ""


def test_the_summary_says_which_node_fits(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    a, b = (random.standard_normal((4, 16)).astype(np.float32) for _ in range(2))
    ge, fx = tmp_path / "ge", fx_folder(tmp_path / "fx", names=())
    ge.mkdir()
    (ge / graph_name()).write_text(
        'name: "graph_1"\n'
        + op("A", "Exp", fx=["exp-aten.exp.default.OUTPUT.0"])
        + op("B", "Sin", fx=["sin-aten.sin.default.OUTPUT.0"])
        + op("Add", "Add", ["A:0", "B:0"], fx=["add-aten.add.Tensor.OUTPUT.0"])
        + op("NetOutput", "NetOutput", ["Add:0"])
    )
    folder = ge_step(ge, names=())
    for task, (name, kind, inputs, output) in enumerate(
        [("A", "Exp", (), a), ("B", "Sin", (), b), ("Add", "Add", (a, b), a + b)]
    ):
        dump = Dump(tuple(map(tensor_of, inputs)), (tensor_of(output),), name)
        path = folder / f"{kind}.{name}.{task}.6.{1706596912000000 + task}"
        path.write_bytes(dump.file_bytes())
    for node, target, arrays in (
        ("exp", "aten.exp.default", (a,)),
        ("sin", "aten.sin.default", (b,)),
        ("add", "aten.add.Tensor", (b, b, b + b)),  # a branch that my graph has not
        ("add_1", "aten.add.Tensor", (a, b, a + b)),
    ):
        names = fx_names(node, target, inputs=len(arrays) - 1)
        for name, array in zip(names, arrays):
            np.save(fx / name, array)
    found = compare_dirs(ge, tmp_path / "fx")
    assert [one.op_name for one in found.divergences] == ["Add"]
    assert any("numbered differently (add_1 fits)" in line for line in summary_lines(found))
