"""Graph inputs and constants found among the INPUT files of an FX node, or left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ait_cmp.pairing.graph.index import GraphIndex
from graph_text import Dump, const, data, op, read, row
from make_dump import Dump as GeDump
from make_dump import tensor_of

ADD = "add-aten.add.Tensor.OUTPUT.0"
RELU = "relu-aten.relu.default.OUTPUT.0"
TARGET = "aten.add.Tensor"


def two_inputs(folder: Path) -> GraphIndex:
    """Two graph inputs added."""
    return read(folder, data("a", [4]), data("b", [4]), op("Add", "Add", ["a:0", "b:0"], fx=(ADD,)))


def named_and_input(folder: Path) -> GraphIndex:
    """A named tensor and a graph input added."""
    return read(
        folder,
        op("Relu", "Relu", [], fx=(RELU,)),
        data("b", [4]),
        op("Add", "Add", ["Relu:0", "b:0"], fx=(ADD,)),
    )


def golden_of(dump: Dump, graph: GraphIndex, name: str, io: str, index: int) -> str | None:
    """Path that a tensor is paired with."""
    pair = row(dump.against_fx(graph), name, io, index)
    return None if pair.golden is None else pair.golden.path


def test_equal_candidates_are_taken_in_order(tmp_path: Path) -> None:
    dump = Dump()
    dump.add("Add", "Add", [[4], [4]], [[4]])
    wanted = [dump.add_fx("add", "INPUT", k, target=TARGET, shape=[4]) for k in (0, 1)]
    dump.add_fx("add", "INPUT", 2, target=TARGET, dtype="torch.int64")
    graph = two_inputs(tmp_path)
    assert [golden_of(dump, graph, "Add", "inputs", k) for k in (0, 1)] == wanted


def test_with_fewer_files_than_inputs_of_a_shape_nothing_is_paired(tmp_path: Path) -> None:
    dump = Dump()
    dump.add("Add", "Add", [[4], [4]], [[4]])
    dump.add_fx("add", "INPUT", 0, target=TARGET, shape=[4])
    step = dump.against_fx(two_inputs(tmp_path))
    assert {row(step, "Add", "inputs", k).status for k in (0, 1)} == {"unmatched"}


def test_inputs_of_one_shape_meet_the_files_of_their_values_in_any_order(tmp_path: Path) -> None:
    # aten.rsub(a, b) is b - a: its conversion feeds Sub with its arguments the other way round.
    graph = read(
        tmp_path, data("a", [4]), data("b", [4]), op("Sub", "Sub", ["b:0", "a:0"], fx=(ADD,))
    )
    dump = Dump()
    path = dump.add("Sub", "Sub", [[4], [4]], [[4]], folder=tmp_path)
    a, b = np.arange(4, dtype="f4"), np.ones(4, "f4")
    tensors = tuple(map(tensor_of, (b, a))), (tensor_of(b - a),)
    Path(path).write_bytes(GeDump(*tensors, op_name="Sub").file_bytes())
    files = [dump.save_fx(tmp_path, "add", "INPUT", k, v) for k, v in enumerate((a, b))]
    found = [golden_of(dump, graph, "Sub", "inputs", k) for k in (0, 1)]
    assert found == [files[1], files[0]]


@pytest.mark.parametrize(("second", "is_paired"), [([0, 1, 2, 3], True), ([0, 1, 2, 4], False)])
def test_one_input_fed_twice_is_paired_if_both_files_hold_the_same(
    tmp_path: Path, second: list[int], is_paired: bool
) -> None:
    graph = read(tmp_path, data("a", [4]), op("Add", "Add", ["a:0", "a:0"], fx=(ADD,)))
    dump = Dump()
    dump.add("Add", "Add", [[4], [4]], [[4]])
    x = np.arange(4, dtype="f4")
    first = dump.save_fx(tmp_path, "add", "INPUT", 0, x, target=TARGET)
    dump.save_fx(tmp_path, "add", "INPUT", 1, np.array(second, "f4"), target=TARGET)
    wanted = first if is_paired else None
    assert [golden_of(dump, graph, "Add", "inputs", k) for k in (0, 1)] == [wanted, wanted]


def test_a_file_that_equals_a_named_argument_is_not_the_graph_input(tmp_path: Path) -> None:
    dump = Dump()
    dump.add("Add", "Add", [[4], [4]], [[4]])
    x, weight = np.arange(4, dtype="f4"), np.ones(4, "f4")
    # The FX signature has the weight first: order would pair it wrongly.
    wanted = dump.save_fx(tmp_path, "add", "INPUT", 0, weight, target=TARGET)
    dump.save_fx(tmp_path, "add", "INPUT", 1, x, target=TARGET)
    dump.save_fx(tmp_path, "relu", "OUTPUT", 0, x, target="aten.relu.default")
    assert golden_of(dump, named_and_input(tmp_path), "Add", "inputs", 1) == wanted


def test_a_keyword_argument_does_not_take_the_file_of_the_named_one(tmp_path: Path) -> None:
    dump = Dump()
    dump.add("Add", "Add", [[4], [4]], [[4]])
    x = np.arange(4, dtype="f4")
    dump.save_fx(tmp_path, "add", "INPUT", 0, x, target=TARGET)
    dump.save_fx(tmp_path, "relu", "OUTPUT", 0, x, target="aten.relu.default")
    assert golden_of(dump, named_and_input(tmp_path), "Add", "inputs", 1) is None


def test_an_unnamed_sibling_of_the_same_shape_leaves_the_input_unmatched(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Split", "Split", [], fx=("s-aten.s.OUTPUT.0", None)),
        data("b", [4]),
        op("Add", "Add", ["Split:1", "b:0"], fx=(ADD,)),
    )
    dump = Dump()
    dump.add("Add", "Add", [[4], [4]], [[4]])
    for k in (0, 1):
        dump.add_fx("add", "INPUT", k, target=TARGET, shape=[4])
    assert golden_of(dump, graph, "Add", "inputs", 1) is None


def test_the_type_tells_candidates_of_one_shape_apart(tmp_path: Path) -> None:
    dump = Dump()
    dump.add("Add", "Add", [[4], [4]], [[4]], in_dtypes=["torch.float32", "torch.bfloat16"])
    dump.add_fx("add", "INPUT", 0, target=TARGET, shape=[4], dtype="torch.float16")
    dump.add_fx("add", "INPUT", 1, target=TARGET, shape=[4], dtype="torch.int64")
    graph = two_inputs(tmp_path)
    assert golden_of(dump, graph, "Add", "inputs", 0) is None


def test_a_graph_input_of_a_few_whole_numbers_is_left_alone(tmp_path: Path) -> None:
    dump = Dump()
    dump.add("Add", "Add", [[], [4]], [[4]], in_dtypes=["torch.int64", "torch.float32"])
    dump.add_fx("add", "INPUT", 0, target=TARGET, shape=[], dtype="torch.int64")
    graph = read(
        tmp_path, data("a", []), data("b", [4]), op("Add", "Add", ["a:0", "b:0"], fx=(ADD,))
    )
    pair = row(dump.against_fx(graph), "Add", "inputs", 0)
    assert pair.status == "unmatched"
    assert "position" in pair.reason


def square(folder: Path) -> GraphIndex:
    """A square weight, transposed before the product."""
    return read(
        folder,
        data("x", [8, 4]),
        data("w", [4, 4]),
        const("C0", [1, 0]),
        op("Transpose", "Transpose", ["w:0", "C0:0"]),
        op("MatMul", "MatMul", ["x:0", "Transpose:0"], fx=("mm-aten.mm.default.OUTPUT.0",)),
    )


@pytest.mark.parametrize("order", ["F", "C"])
def test_a_square_weight_is_paired_only_if_the_file_shows_the_transposition(
    tmp_path: Path, order: str
) -> None:
    dump = Dump()
    dump.add("Transpose", "Transpose", [[4, 4], [2]], [[4, 4]])
    dump.add("MatMul", "MatMul", [[8, 4], [4, 4]], [[8, 4]])
    array = np.array(np.arange(16.0).reshape(4, 4), dtype="f4", order=order)
    dump.save_fx(tmp_path, "mm", "INPUT", 1, array, target="aten.mm.default")
    pair = row(dump.against_fx(square(tmp_path)), "MatMul", "inputs", 1)
    assert (pair.golden is not None) == (order == "F")


def test_an_argument_before_the_views_of_its_op_is_found_by_its_own_shape(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        data("w", [64, 32]),
        const("C0", [1, 0]),
        op("Transpose", "Transpose", ["w:0", "C0:0"]),
        op("MatMul", "MatMul", ["Transpose:0"], fx=("linear-aten.linear.default.OUTPUT.0",)),
    )
    dump = Dump()
    dump.add("Transpose", "Transpose", [[64, 32], [2]], [[32, 64]])
    dump.add("MatMul", "MatMul", [[32, 64]], [[8, 64]])
    dump.add_fx("linear", "INPUT", 1, target="aten.linear.default", shape=[64, 32])
    pair = row(dump.against_fx(graph), "MatMul", "inputs", 0)
    assert pair.golden is not None
    assert pair.golden.view == (("transpose", (1, 0)),)


def test_ops_behind_a_node_that_hands_its_input_on_are_left_alone(tmp_path: Path) -> None:
    # The conversion of `expand` made no op and put its name on the Add of the node before.
    graph = read(
        tmp_path,
        data("a", [4]),
        op("Add", "Add", ["a:0"], fx=("expand-aten.expand.default.OUTPUT.0",)),
    )
    dump = Dump()
    dump.add("Add", "Add", [[4]], [[4]])
    total = np.arange(4, dtype="f4")
    for io in ("INPUT", "OUTPUT"):
        dump.save_fx(tmp_path, "expand", io, 0, total, target="aten.expand.default")
    step = dump.against_fx(graph)
    assert row(step, "Add", "inputs", 0).status == "unmatched"
    assert row(step, "Add", "outputs", 0).match == "dataflow"


def test_an_unnamed_op_used_by_two_nodes_belongs_to_neither(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        data("a", [4]),
        op("Cast", "Cast", ["a:0"]),
        op("Neg", "Neg", ["Cast:0"], fx=("neg-aten.neg.default.OUTPUT.0",)),
        op("Abs", "Abs", ["Cast:0"], fx=("abs-aten.abs.default.OUTPUT.0",)),
    )
    assert graph.fx_node == [None, None, "neg", "abs"]


def test_a_dumped_graph_input_meets_the_argument_of_the_op_that_uses_it(tmp_path: Path) -> None:
    dump = Dump()
    dump.add("a", "Data", [], [[4]])
    dump.add("Add", "Add", [[4], [5]], [[4]])
    wanted = dump.add_fx("add", "INPUT", 0, target=TARGET, shape=[4])
    graph = read(
        tmp_path, data("a", [4]), data("b", [5]), op("Add", "Add", ["a:0", "b:0"], fx=(ADD,))
    )
    assert golden_of(dump, graph, "a", "outputs", 0) == wanted


def power(folder: Path, *constants: tuple[str, float, str]) -> GraphIndex:
    """An op of constants."""
    ops = [const(name, value, kind) for name, value, kind in constants]
    sources = [f"{name}:0" for name, _, _ in constants]
    return read(folder, *ops, op("Pow", "Pow", sources, fx=("pow-aten.pow.OUTPUT.0",)))


def test_a_constant_meets_the_literal_of_its_value(tmp_path: Path) -> None:
    graph = power(tmp_path, ("C", 2.0, "float32"))
    dump = Dump()
    dump.add("Pow", "Pow", [[]], [[4]])
    dump.save_fx(tmp_path, "pow", "INPUT", 0, np.array(3), target="aten.pow")
    wanted = dump.save_fx(tmp_path, "pow", "INPUT", 1, np.array(2), target="aten.pow")
    pair = row(dump.against_fx(graph), "Pow", "inputs", 0)
    assert pair.golden is not None
    assert (pair.golden.path, pair.match) == (wanted, "literal")


def test_a_literal_is_rounded_to_the_type_of_the_constant(tmp_path: Path) -> None:
    graph = power(tmp_path, ("C", 1e-6, "float32"))
    dump = Dump()
    dump.add("Pow", "Pow", [[]], [[4]])
    dump.save_fx(tmp_path, "pow", "INPUT", 1, np.array(1e-6), target="aten.pow")
    assert row(dump.against_fx(graph), "Pow", "inputs", 0).match == "literal"


@pytest.mark.parametrize(
    ("literals", "why"),
    [([np.array(3)], "has its value"), ([np.array(True)], "has its value")],
)
def test_a_constant_of_another_value_or_kind_is_unmatched(
    tmp_path: Path, literals: list[np.ndarray], why: str
) -> None:
    graph = power(tmp_path, ("C", 1, "int64"))
    dump = Dump()
    dump.add("Pow", "Pow", [[]], [[4]])
    for k, literal in enumerate(literals):
        dump.save_fx(tmp_path, "pow", "INPUT", k, literal, target="aten.pow")
    assert why in row(dump.against_fx(graph), "Pow", "inputs", 0).reason


def test_two_constants_of_one_value_and_one_literal_stay_unmatched(tmp_path: Path) -> None:
    graph = power(tmp_path, ("C", -1, "int32"), ("C_1", -1, "int64"))
    dump = Dump()
    dump.add("Pow", "Pow", [[], []], [[4]])
    dump.save_fx(tmp_path, "pow", "INPUT", 0, np.array(-1), target="aten.pow")
    step = dump.against_fx(graph)
    for k in (0, 1):
        pair = row(step, "Pow", "inputs", k)
        assert pair.status == "unmatched"
        assert "position" in pair.reason
