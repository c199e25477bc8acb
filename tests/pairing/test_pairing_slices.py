"""Ops that FFTS+ cut into slices: every slice meets its part of the whole golden tensor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ait_cmp import compare_dirs
from ait_cmp.pairing.graph.index import GraphIndex
from ait_cmp.pairing.pair import Pair, StepPairs
from graph_text import Dump, const, data, op, read
from make_dump import Dump as DumpFile
from make_dump import DumpTensor, tensor_of

RELU = "relu-aten.relu.default.OUTPUT.0"
GELU = "gelu-aten.gelu.default.OUTPUT.0"
TIME = 1_706_596_911_000_000

Ranges = Sequence[tuple[int, int]]


def ranges(dims: Ranges) -> list[dict[str, int]]:
    return [{"lower": lower, "higher": higher} for lower, higher in dims]


def attribute(
    inputs: Sequence[Sequence[Ranges]], outputs: Sequence[Sequence[Ranges]], **changes: Any
) -> str:
    """The JSON text that GE writes; ranges by thread, tensor and dimension."""
    value = {
        "threadMode": True,
        "slice_instance_num": len(outputs),
        "input_tensor_slice": [[ranges(dims) for dims in thread] for thread in inputs],
        "output_tensor_slice": [[ranges(dims) for dims in thread] for thread in outputs],
        "ori_input_tensor_slice": [],
        "ori_output_tensor_slice": [],
        "outputCutList": [[len(outputs), 1]],
    }
    return json.dumps({**value, **changes})


# Relu of [5, 3] in two threads: rows 0 to 2 and rows 3 and 4.
ROWS = [[[(0, 3), (0, 3)]], [[(3, 5), (0, 3)]]]
CUT = attribute(ROWS, ROWS)


def relu(folder: Path, shape: Sequence[int] = (5, 3)) -> GraphIndex:
    return read(folder, data("x", shape), op("Relu", "Relu", ["x:0"], fx=(RELU,), shape=shape))


def add_slices(dump: Dump, shapes: Sequence[Sequence[int]], attr: str, **changes: Any) -> None:
    """One Relu file per shape, threads from 0; the shapes are those of the headers."""
    for thread, shape in enumerate(shapes):
        dump.add("Relu", "Relu", [shape], [shape], thread=thread, **changes)
        path = dump.ge[-1].path
        attrs = [("ffts_plus", attr)] if attr else []
        dump.heads[path] = dump.heads[path]._replace(attrs=attrs)


def outputs(step: StepPairs) -> list[Pair]:
    return [pair for pair in step.pairs if pair.io == "outputs"]


def part(pair: Pair, whole: np.ndarray) -> np.ndarray:
    """The golden array as the pair says it is to be read."""
    assert pair.golden is not None
    for kind, numbers in pair.golden.view:
        if kind == "reshape":
            whole = whole.reshape(numbers)
        elif kind == "transpose":
            whole = whole.transpose(numbers)
        else:
            assert kind == "slice"
            axis, begin, end = numbers
            whole = whole.take(range(begin, end), axis)
    return whole


def test_a_slice_meets_its_rows_of_the_fx_tensor(tmp_path: Path) -> None:
    dump = Dump()
    add_slices(dump, [[3, 3], [2, 3]], CUT)
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    step = dump.against_fx(relu(tmp_path))
    whole = np.arange(15.0).reshape(5, 3)
    assert [pair.match for pair in outputs(step)] == ["dataflow", "dataflow"]
    np.testing.assert_array_equal(part(outputs(step)[0], whole), whole[:3])
    np.testing.assert_array_equal(part(outputs(step)[1], whole), whole[3:])
    assert [pair.my.view for pair in outputs(step)] == [(), ()]
    assert "Slice 1 (from 0) of 2" in outputs(step)[1].reason
    assert len(step.pairs) == 4


def test_a_header_with_the_shape_of_the_whole_is_read_as_the_slice(tmp_path: Path) -> None:
    dump = Dump()
    short = {("inputs", 0): "short", ("outputs", 0): "short"}
    add_slices(dump, [[5, 3], [5, 3]], CUT, states=short)
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pairs = outputs(dump.against_fx(relu(tmp_path)))
    assert [pair.my.view for pair in pairs] == [(("stored", (3, 3)),), (("stored", (2, 3)),)]
    assert [pair.status for pair in pairs] == ["", ""]


def test_slices_along_two_axes_are_cut_along_both(tmp_path: Path) -> None:
    quarters = [[[(3, 5), (1, 3)]], [[(0, 3), (0, 1)]]]
    dump = Dump()
    add_slices(dump, [[2, 2], [3, 1]], attribute(quarters, quarters))
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pairs = outputs(dump.against_fx(relu(tmp_path)))
    whole = np.arange(15.0).reshape(5, 3)
    np.testing.assert_array_equal(part(pairs[0], whole), whole[3:5, 1:3])
    np.testing.assert_array_equal(part(pairs[1], whole), whole[0:3, 0:1])


def test_a_slice_behind_a_view_is_cut_after_the_view(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Gelu", "Gelu", [], fx=(GELU,)),
        const("C", [1, 0]),
        op("Transpose", "Transpose", ["Gelu:0", "C:0"]),
        op("Relu", "Relu", ["Transpose:0"], fx=(RELU,)),
    )
    dump = Dump()
    add_slices(dump, [[3, 3], [2, 3]], CUT)
    dump.add_fx("gelu", "OUTPUT", 0, target="aten.gelu.default")
    step = dump.against_fx(graph)
    golden = np.arange(15.0).reshape(3, 5)
    second = [pair for pair in step.pairs if pair.io == "inputs"][1]
    assert second.match == "view"
    np.testing.assert_array_equal(part(second, golden), golden.T[3:])


def test_slices_meet_parts_of_a_golden_ge_op_that_was_not_cut(tmp_path: Path) -> None:
    my, golden = Dump(), Dump()
    add_slices(my, [[3, 3], [2, 3]], CUT)
    path = golden.add("Relu", "Relu", [[5, 3]], [[5, 3]])
    for graph in (relu(tmp_path), None):
        step = my.against_ge(golden, graph)
        assert {pair.golden.path for pair in step.pairs if pair.golden} == {path}
        whole = np.arange(15.0).reshape(5, 3)
        np.testing.assert_array_equal(part(outputs(step)[1], whole), whole[3:])
        assert [pair.status for pair in step.pairs] == [""] * 4


def test_equal_slices_of_two_ge_dumps_meet_by_name(tmp_path: Path) -> None:
    my, golden = Dump(), Dump()
    add_slices(my, [[3, 3], [2, 3]], CUT)
    short = {("inputs", 0): "short", ("outputs", 0): "short"}
    add_slices(golden, [[5, 3], [5, 3]], CUT, states=short)
    pairs = outputs(my.against_ge(golden, relu(tmp_path)))
    assert [pair.match for pair in pairs] == ["name", "name"]
    wanted = [(file.path, (("stored", shape),)) for file, shape in zip(golden.ge, [(3, 3), (2, 3)])]
    assert [(pair.golden.path, pair.golden.view) for pair in pairs if pair.golden] == wanted
    assert [pair.my.view for pair in pairs] == [(), ()]


def test_slices_of_two_ge_dumps_that_were_cut_elsewhere_do_not_meet(tmp_path: Path) -> None:
    my, golden = Dump(), Dump()
    add_slices(my, [[3, 3], [2, 3]], CUT)
    other = [[[(0, 2), (0, 3)]], [[(2, 5), (0, 3)]]]
    add_slices(golden, [[2, 3], [3, 3]], attribute(other, other))
    pairs = my.against_ge(golden, relu(tmp_path)).pairs
    assert [pair.status for pair in pairs] == ["unmatched"] * 4


def test_a_whole_tensor_does_not_meet_golden_slices(tmp_path: Path) -> None:
    my, golden = Dump(), Dump()
    my.add("Relu", "Relu", [[5, 3]], [[5, 3]])
    add_slices(golden, [[3, 3], [2, 3]], CUT)
    pair = outputs(my.against_ge(golden, relu(tmp_path)))[0]
    assert "2 slices on the golden side only" in pair.reason


def test_a_missing_slice_is_noted_on_the_others(tmp_path: Path) -> None:
    dump = Dump()
    add_slices(dump, [[3, 3]], CUT)
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pair = outputs(dump.against_fx(relu(tmp_path)))[0]
    np.testing.assert_array_equal(part(pair, np.arange(15.0)), np.arange(9.0).reshape(3, 3))
    assert "Only 1 of the 2 slices are in the dump" in pair.reason


def test_all_slices_are_one_node_of_the_graph(tmp_path: Path) -> None:
    dump = Dump()
    add_slices(dump, [[3, 3], [2, 3]], CUT)
    step = dump.against_fx(relu(tmp_path))
    assert {step.nodes[step.node_of[file.path]].name for file in dump.ge} == {"Relu"}


@pytest.mark.parametrize(
    ("attr", "why"),
    [
        ("", "no attribute"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no JSON object"),
        (attribute(ROWS, ROWS, slice_instance_num="2"), "slice_instance_num '2'"),
        (attribute(ROWS, ROWS, output_tensor_slice=7), "output_tensor_slice"),
        (attribute(ROWS, ROWS, output_tensor_slice=[[7]]), "output_tensor_slice"),
        (attribute(ROWS, ROWS, input_tensor_slice=[[[7]]]), "input_tensor_slice"),
        (attribute([[[(0, 2**63)]]], ROWS), "input_tensor_slice"),
        (attribute(ROWS, [[[(3, 2)]]]), "output_tensor_slice"),
        (attribute(ROWS, []), "does not say which part"),
        (attribute(ROWS, [[[(0, 3)]], [[(3, 5)]]]), "does not say which part"),
        (attribute(ROWS, [[[(0, 4), (0, 3)]], [[(4, 5), (0, 3)]]]), "does not say which part"),
    ],
)
def test_a_slice_attribute_that_tells_nothing_leaves_the_output_unmatched(
    tmp_path: Path, attr: str, why: str
) -> None:
    dump = Dump()
    add_slices(dump, [[3, 3], [2, 3]], attr)
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pairs = outputs(dump.against_fx(relu(tmp_path)))
    assert [pair.status for pair in pairs] == ["unmatched", "unmatched"]
    assert all(why in pair.reason for pair in pairs)


def test_an_input_without_ranges_is_compared_whole_if_it_is_whole(tmp_path: Path) -> None:
    my, golden = Dump(), Dump()
    add_slices(my, [[5, 3], [5, 3]], attribute([], ROWS))
    golden.add("Relu", "Relu", [[5, 3]], [[5, 3]])
    step = my.against_ge(golden, relu(tmp_path))
    first = step.pairs[0]
    assert first.golden is not None
    assert (first.io, first.status, first.golden.view) == ("inputs", "", ())


def add_manual(dump: Dump, slices: dict[int, Sequence[int]], prefix: str = "") -> None:
    for number, shape in slices.items():
        dump.add(f"{prefix}Relu_lxslice{number}", "Relu", [shape], [shape], thread=0)


@pytest.mark.parametrize("prefix", ["", "partition0_sgt_graph_2_"])
def test_manual_slices_follow_one_another_along_the_cut_axis(tmp_path: Path, prefix: str) -> None:
    dump = Dump()
    add_manual(dump, {1: [2, 2], 0: [2, 1], 2: [2, 3]}, prefix)
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    step = dump.against_fx(relu(tmp_path, (2, 6)))
    whole = np.arange(12.0).reshape(2, 6)
    found = {pair.op_name: part(pair, whole) for pair in outputs(step)}
    np.testing.assert_array_equal(found["Relu_lxslice0"], whole[:, :1])
    np.testing.assert_array_equal(found["Relu_lxslice1"], whole[:, 1:3])
    np.testing.assert_array_equal(found["Relu_lxslice2"], whole[:, 3:])
    assert {step.nodes[step.node_of[file.path]].name for file in dump.ge} == {"Relu"}


def test_the_whole_shape_of_manual_slices_comes_from_the_fx_file_if_need_be(tmp_path: Path) -> None:
    graph = read(tmp_path, data("x", [-1, 6]), op("Relu", "Relu", ["x:0"], fx=(RELU,)))
    dump = Dump()
    add_manual(dump, {0: [1, 6], 1: [1, 6]})
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default", shape=[2, 6])
    pairs = outputs(dump.against_fx(graph))
    whole = np.arange(12.0).reshape(2, 6)
    np.testing.assert_array_equal(part(pairs[1], whole), whole[1:])


def test_manual_slices_of_two_ge_dumps_meet_by_name_or_as_parts(tmp_path: Path) -> None:
    my, cut, whole = Dump(), Dump(), Dump()
    add_manual(my, {0: [2, 3], 1: [2, 3]})
    add_manual(cut, {0: [2, 3], 1: [2, 3]})
    whole.add("Relu", "Relu", [[2, 6]], [[2, 6]])
    alike = my.against_ge(cut, relu(tmp_path, (2, 6)))
    assert [pair.golden.view for pair in alike.pairs if pair.golden] == [()] * 4
    parts = my.against_ge(whole, relu(tmp_path, (2, 6)))
    golden = np.arange(12.0).reshape(2, 6)
    for pair, begin in zip(parts.pairs, (0, 0, 3, 3)):
        np.testing.assert_array_equal(part(pair, golden), golden[:, begin : begin + 3])


@pytest.mark.parametrize(
    ("slices", "why"),
    [
        ({0: [1, 3], 1: [1, 3]}, "is not certain"),
        ({0: [2, 4], 1: [2, 4]}, "add up to 8 along axis 1"),
        ({1: [2, 3]}, "Slice 0 of this op is not in the dump"),
        ({0: [6], 1: [6]}, "differ in rank"),
    ],
)
def test_a_manual_slice_without_a_certain_place_is_unmatched(
    tmp_path: Path, slices: dict[int, Sequence[int]], why: str
) -> None:
    dump = Dump()
    add_manual(dump, slices)
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pairs = outputs(dump.against_fx(relu(tmp_path, (2, 6))))
    assert all(pair.status == "unmatched" and why in pair.reason for pair in pairs)


def write_step(folder: Path, files: dict[str, DumpFile]) -> None:
    step = folder / "20261122113000" / "0" / "graph_1" / "1" / "0"
    step.mkdir(parents=True)
    for name, dump in files.items():
        (step / name).write_bytes(dump.file_bytes())


def as_slice(values: np.ndarray, whole: Sequence[int]) -> DumpTensor:
    """The bytes of a slice under the shape of the whole, as GE writes them."""
    return tensor_of(values, shape=tuple(whole), original_shape=tuple(whole))


def test_a_wrong_slice_is_found_in_whole_comparisons(tmp_path: Path) -> None:
    x = np.arange(15, dtype=np.float32).reshape(5, 3) - 7
    y = np.maximum(x, 0)
    wrong = y.copy()
    wrong[3:] *= -3
    files = {}
    for thread, rows in enumerate((slice(0, 3), slice(3, 5))):
        files[f"Relu.Relu.2.6.{TIME}.4.7.{thread}.0"] = DumpFile(
            (as_slice(x[rows], (5, 3)),),
            (as_slice(wrong[rows], (5, 3)),),
            "Relu",
            attrs=(("ffts_plus", CUT),),
        )
    write_step(tmp_path / "my", files)
    whole = DumpFile((tensor_of(x),), (tensor_of(y),), "Relu")
    write_step(tmp_path / "golden", {f"Relu.Relu.2.6.{TIME}": whole})
    relu(tmp_path / "my")
    result = compare_dirs(tmp_path / "my", tmp_path / "golden", threads=1)
    found = [(row.io, row.status, row.verdict, row.max_absolute_error) for row in result.rows]
    assert found == [
        ("inputs", "compared", "pass", 0.0),
        ("outputs", "compared", "pass", 0.0),
        ("inputs", "compared", "pass", 0.0),
        ("outputs", "compared", "fail", 28.0),
    ]
    assert [row.my_shape for row in result.rows] == ["[3, 3]", "[3, 3]", "[2, 3]", "[2, 3]"]
    (first,) = result.first_divergence
    assert (first.op_name, first.later_failures) == ("Relu", 0)
    assert first.file.endswith(".4.7.1.0")
