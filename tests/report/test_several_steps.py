"""What several steps tell of each other: state, and ops that some of them did not dump."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import ait_cmp
from ait_cmp.report.summary import summary_lines
from ait_cmp.report.verdict import without_rules
from toy_model import Toy


def test_ops_that_another_step_dumped_are_counted_apart(tmp_path: Path) -> None:
    toy = Toy()
    x = np.random.default_rng(1).standard_normal((8, 96)).astype(np.float32)
    a = toy.data("arg0_1", x)
    first = toy.op("Relu", [a], x)
    second = toy.op("Abs", [first], x)
    lost = toy.op("Sqrt", [second], x, has_file=False)
    toy.op("Neg", [lost], -x)
    toy.write(tmp_path, step=1)
    result = toy.compare(tmp_path)
    assert result.n_ops_in_other_steps == 0
    for step, name in ((0, "Relu.*"), (1, "Abs.*")):
        (file,) = (tmp_path / "my").rglob(f"graph_1/*/{step}/{name}")
        file.unlink()
    result = ait_cmp.compare_dirs(tmp_path / "my", tmp_path / "golden", threads=1)
    assert (result.n_ops, result.n_ops_without_file, result.n_ops_in_other_steps) == (4, 2, 1)
    told = "2 of the 4 ops of the graphs have no file: 1 in some steps only, 1 in no step:"
    assert told in "\n".join(summary_lines(result))


def test_a_float_input_of_a_later_first_step_may_be_state(tmp_path: Path) -> None:
    x = np.random.default_rng(1).standard_normal((8, 96)).astype(np.float32)
    toy = Toy()
    a = toy.data("arg0_1", (1.3 * x).astype(np.float16), x.astype(np.float16), has_file=True)
    toy.op("Muls", [a], (1.3 * x).astype(np.float16), x.astype(np.float16))
    toy.write(tmp_path, step=1)
    result = ait_cmp.compare_dirs(tmp_path / "my", tmp_path / "golden", threads=1)
    assert [found.name for found in result.states_differ] == ["arg0_1"]
    assert not result.inputs_differ
    with without_rules(["state"]):
        result = ait_cmp.compare_dirs(tmp_path / "my", tmp_path / "golden", threads=1)
    assert [found.name for found in result.inputs_differ] == ["arg0_1"]
