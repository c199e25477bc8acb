"""An FX node that got other tensors than my op: which node fits is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ait_cmp.discover import FxFile
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.readers import core_readers
from ait_cmp.pairing.renumbering import renumbered
from ait_cmp.tensor_ref import TensorRef


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
