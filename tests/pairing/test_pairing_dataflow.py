"""Pairs that the graph names: FX tensors by `_fx_tensor_name`, GE tensors by op name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.pairing.graph.index import FxName, parse_fx_name, read_source
from graph_text import Dump, data, op, read, row

RELU = "relu-aten.relu.default.OUTPUT.0"
COPY = "copy_-aten.copy_.default.OUTPUT.0"
GELU = "gelu-aten.gelu.default.OUTPUT.0"
NORM = "norm-aten.native_layer_norm.default.OUTPUT."


def test_an_fx_name_splits_at_the_first_dash_and_the_last_output() -> None:
    text = "add_1-npu.x-y.OUTPUT.3.default.OUTPUT.0.1"
    assert parse_fx_name(text) == FxName("add_1", "npu.x-y.OUTPUT.3.default", "0.1")


def test_a_text_without_output_is_no_fx_name() -> None:
    assert parse_fx_name("add_1-aten.add.Tensor") is None


@pytest.mark.parametrize("suffix", ["²", "9" * 20, "9" * 5000, "0.²", "0." + "9" * 20, "y", "0."])
def test_a_suffix_that_is_no_index_names_nothing(tmp_path: Path, suffix: str) -> None:
    graph = read(tmp_path, op("Relu", "Relu", [], fx=(f"relu-aten.relu.default.OUTPUT.{suffix}",)))
    dump = Dump()
    dump.add("Relu", "Relu", [], [[4]])
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    assert row(dump.against_fx(graph), "Relu", "outputs", 0).status == "unmatched"


@pytest.mark.parametrize("entry", ["Relu:²", "Relu:" + "9" * 5000, "Relu:-1", "Relu", "5", "", ":"])
def test_an_input_entry_without_an_index_is_no_edge(entry: str) -> None:
    assert read_source(entry) is None


def test_an_output_meets_the_fx_output_that_its_suffix_names(tmp_path: Path) -> None:
    graph = read(
        tmp_path, data("arg", [4]), op("N", "LayerNormV4", ["arg:0"], fx=(NORM + "2", NORM + "0"))
    )
    dump = Dump()
    dump.add("N", "LayerNormV4", [[4]], [[1], [4]])
    wanted = [
        dump.add_fx("norm", "OUTPUT", k, target="aten.native_layer_norm.default") for k in (2, 0)
    ]
    step = dump.against_fx(graph)
    found = [row(step, "N", "outputs", k) for k in (0, 1)]
    assert [pair.golden.path for pair in found if pair.golden] == wanted
    assert {(pair.match, pair.status) for pair in found} == {("dataflow", "")}


def test_an_input_meets_the_fx_tensor_of_its_own_descriptor_first(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Relu", "Relu", [], fx=("view-aten.view.default.OUTPUT.0",)),
        op("Neg", "Neg", ["Relu:0"], in_fx={0: RELU}),
    )
    dump = Dump()
    dump.add("Neg", "Neg", [[4]], [[4]])
    wanted = dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    dump.add_fx("view", "OUTPUT", 0, target="aten.view.default")
    pair = row(dump.against_fx(graph), "Neg", "inputs", 0)
    assert pair.golden is not None
    assert (pair.golden.path, pair.match) == (wanted, "dataflow")


def test_an_input_without_name_meets_the_fx_tensor_of_its_producer(tmp_path: Path) -> None:
    graph = read(tmp_path, op("Relu", "Relu", [], fx=(RELU,)), op("Neg", "Neg", ["Relu:0"]))
    dump = Dump()
    dump.add("Neg", "Neg", [[4]], [[4]])
    wanted = dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pair = row(dump.against_fx(graph), "Neg", "inputs", 0)
    assert pair.golden is not None
    assert pair.golden.path == wanted


def test_control_edges_and_unfed_inputs_do_not_shift_the_inputs(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Relu", "Relu", [], fx=(RELU,)),
        op("Wait", "NoOp", []),
        op("M", "MatMul", ["Wait:-1", "", "Relu:0"], in_fx={1: RELU}),
    )
    dump = Dump()
    dump.add("M", "MatMul", [[4]], [[4]])
    wanted = dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pair = row(dump.against_fx(graph), "M", "inputs", 0)
    assert pair.golden is not None
    assert pair.golden.path == wanted


def test_a_renamed_target_still_meets_its_node_and_is_noted(tmp_path: Path) -> None:
    graph = read(tmp_path, op("Reshape", "Reshape", [], fx=("view-aten.reshape.default.OUTPUT.0",)))
    dump = Dump()
    dump.add("Reshape", "Reshape", [], [[4]])
    dump.add_fx("view", "OUTPUT", 0, target="aten.view.default")
    pair = row(dump.against_fx(graph), "Reshape", "outputs", 0)
    assert pair.golden_op_type == "aten.view.default"
    assert "aten.reshape.default" in pair.reason


def test_a_nested_suffix_selects_an_element_of_the_stacked_output(tmp_path: Path) -> None:
    graph = read(tmp_path, op("Split", "Split", [], fx=("split-aten.split.OUTPUT.0.1",)))
    dump = Dump()
    dump.add("Split", "Split", [], [[4]])
    dump.add_fx("split", "OUTPUT", 0, target="aten.split")
    pair = row(dump.against_fx(graph), "Split", "outputs", 0)
    assert pair.golden is not None
    assert pair.golden.view == (("select", (1,)),)


def test_the_newest_files_of_an_fx_node_count(tmp_path: Path) -> None:
    graph = read(tmp_path, op("Relu", "Relu", [], fx=(RELU,)))
    dump = Dump()
    dump.add("Relu", "Relu", [], [[4]])
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default", time=7)
    wanted = dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default", time=8)
    pair = row(dump.against_fx(graph), "Relu", "outputs", 0)
    assert pair.golden is not None
    assert pair.golden.path == wanted
    assert "last run" in pair.reason


def test_a_tensor_without_name_has_a_row_that_says_so(tmp_path: Path) -> None:
    graph = read(tmp_path, op("Mul", "Mul", []))
    dump = Dump()
    dump.add("Mul", "Mul", [], [[4]])
    pair = row(dump.against_fx(graph), "Mul", "outputs", 0)
    assert (pair.status, pair.golden) == ("unmatched", None)
    assert pair.reason


def test_of_several_executions_of_an_op_the_last_with_most_data_is_compared(
    tmp_path: Path,
) -> None:
    graph = read(tmp_path, op("Relu", "Relu", [], fx=(RELU,)))
    dump = Dump()
    dump.add("Relu", "Relu", [], [[4]])
    wanted = dump.add("Relu", "Relu", [], [[4]])
    dump.add("Relu", "Relu", [], [[4]], states={("outputs", 0): "no_data"})
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pairs = dump.against_fx(graph).pairs
    assert [pair.my.path for pair in pairs if not pair.status] == [wanted]
    assert len(pairs) == 3


def test_two_graph_names_with_one_file_name_are_told_apart_by_the_header(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("a/relu", "Relu", [], fx=(RELU,)),
        op("a.relu", "Relu", [], fx=("relu_1-aten.relu.default.OUTPUT.0",)),
    )
    dump = Dump()
    dump.add("a_relu", "Relu", [], [[4]], header="a.relu")
    wanted = dump.add_fx("relu_1", "OUTPUT", 0, target="aten.relu.default")
    pair = row(dump.against_fx(graph), "a.relu", "outputs", 0)
    assert pair.golden is not None
    assert pair.golden.path == wanted


def test_a_file_called_by_a_hash_is_known_by_its_header(tmp_path: Path) -> None:
    graph = read(tmp_path, op("m/relu", "Relu", [], fx=(RELU,)))
    dump = Dump()
    dump.add("12345", "", [], [[4]], header="m/relu", file_name="")
    wanted = dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pair = row(dump.against_fx(graph), "m/relu", "outputs", 0)
    assert pair.golden is not None
    assert pair.golden.path == wanted


def test_an_unreadable_file_has_one_row_with_its_message() -> None:
    dump = Dump()
    dump.add("Relu", "Relu", [], [], error="Relu: 4 bytes left")
    (pair,) = dump.against_fx(None).pairs
    assert (pair.status, pair.reason, pair.io) == ("unreadable", "Relu: 4 bytes left", "")


def test_without_a_graph_text_ge_dumps_pair_by_name() -> None:
    my, golden = Dump(), Dump()
    my.add("Relu", "Relu", [[4]], [[4]])
    wanted = golden.add("Relu", "ReluV2", [[4]], [[4]])
    pairs = my.against_ge(golden, None).pairs
    assert [(p.golden.path, p.golden.io) for p in pairs if p.golden] == [
        (wanted, "inputs"),
        (wanted, "outputs"),
    ]
    assert {(p.match, p.golden_op_type) for p in pairs} == {("name", "ReluV2")}


@pytest.mark.parametrize("counts", [(1, 2), (2, 1)], ids=["inputs", "outputs"])
def test_without_a_graph_text_a_name_is_not_enough_for_another_number_of_tensors(
    counts: tuple[int, int],
) -> None:
    my, golden = Dump(), Dump()
    my.add("Split", "Split", [[4]] * 2, [[4]] * 2)
    golden.add("Split", "Split", *([[4]] * n for n in counts))
    assert [pair.golden for pair in my.against_ge(golden, None).pairs] == [None] * 4


def test_an_op_with_another_number_of_inputs_pairs_along_its_edges(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        data("a", [4]),
        data("b", [2, 2]),
        op("M", "MatMul", ["a:0", "b:0"]),
    )
    my, golden = Dump(), Dump()
    my.add("M", "MatMul", [[2, 2]], [[4]])
    wanted = golden.add("M", "MatMul", [[4], [2, 2]], [[4]])
    pair = row(my.against_ge(golden, graph), "M", "inputs", 0)
    assert pair.golden is None or (pair.golden.path, pair.golden.index) == (wanted, 1)
    assert pair.golden is not None


def test_slices_of_one_op_are_not_taken_for_the_whole(tmp_path: Path) -> None:
    graph = read(tmp_path, op("Relu", "Relu", [], fx=(RELU,)))
    dump = Dump()
    for thread in (0, 1):
        dump.add("Relu", "Relu", [], [[2]], thread=thread)
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    pairs = dump.against_fx(graph).pairs
    assert [pair.status for pair in pairs] == ["unmatched", "unmatched"]
    assert all("2 slices" in pair.reason for pair in pairs)


def test_an_input_that_the_op_writes_in_place_is_its_output(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Gelu", "Gelu", [], fx=(GELU,)),
        op("Relu", "Relu", [], fx=(RELU,)),
        op("Assign", "Assign", ["Gelu:0", "Relu:0"], fx=(COPY,), in_place=True),
    )
    dump = Dump()
    dump.add("Assign", "Assign", [[4], [4]], [[4]])
    dump.add_fx("gelu", "OUTPUT", 0, target="aten.gelu.default")
    dump.add_fx("relu", "OUTPUT", 0, target="aten.relu.default")
    dump.add_fx("copy_", "OUTPUT", 0, target="aten.copy_.default")
    step = dump.against_fx(graph)
    written, read_only = row(step, "Assign", "inputs", 0), row(step, "Assign", "inputs", 1)
    assert written.match == "dataflow"
    assert written.golden == row(step, "Assign", "outputs", 0).golden
    assert "GE dumps it afterwards: it is the output" in written.reason
    assert read_only.golden != written.golden
    assert read_only.reason == ""
    assert row(dump.against_ge(dump, graph), "Assign", "inputs", 0).reason == ""


def test_an_input_written_in_place_never_meets_its_values_before(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Gelu", "Gelu", [], fx=(GELU,)),
        op("Scatter", "Scatter", ["Gelu:0"], in_place=True),
    )
    dump = Dump()
    dump.add("Scatter", "Scatter", [[4]], [[4]])
    dump.add_fx("gelu", "OUTPUT", 0, target="aten.gelu.default")
    written = row(dump.against_fx(graph), "Scatter", "inputs", 0)
    assert written.status == "unmatched"
    assert "FX has only the values before" in written.reason
