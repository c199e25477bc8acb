"""Fused, renamed and inserted ops."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import read_ge_step
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.fused_name import split_fused_name
from ait_cmp.pairing.graph.index import GraphIndex
from ait_cmp.pairing.pair import Pair, StepPairs
from ait_cmp.pairing.step import pair_step
from graph_text import KEY, Dump, const, data, op, read, row


def rms_norm(folder: Path) -> GraphIndex:
    """The tail of an RMS norm as torchair converts it; Mul has no FX name."""
    return read(
        folder,
        op("Cast", "Cast", [], fx=("_to_copy-aten._to_copy.default.OUTPUT.0",)),
        op("ReduceMean", "ReduceMean", ["Cast:0"], fx=("mean-aten.mean.dim.OUTPUT.0",)),
        const("Const", 1e-6, "float32"),
        op("Add", "Add", ["ReduceMean:0", "Const:0"], fx=("add-aten.add.Tensor.OUTPUT.0",)),
        op("Rsqrt", "Rsqrt", ["Add:0"], fx=("rsqrt-aten.rsqrt.default.OUTPUT.0",)),
        op("Mul", "Mul", ["Cast:0", "Rsqrt:0"]),
        op("Cast_1", "Cast", ["Mul:0"], fx=("mul-aten.mul.Tensor.OUTPUT.0",)),
        op("Neg", "Neg", ["Cast_1:0"]),
    )


FUSED = "AddRsqrtMulCast_1"


def fused_dump() -> Dump:
    """The fused op as GE dumps it: the header names the last member alone."""
    dump = Dump()
    dump.add(FUSED, "AutomaticBufferFusionOp", [[8, 1], [], [8, 32]], [[8, 32]], header="Cast_1")
    return dump


def unfused_dump() -> Dump:
    """The same ops one by one."""
    dump = Dump()
    dump.add("Cast", "Cast", [[8, 32]], [[8, 32]])
    dump.add("ReduceMean", "ReduceMean", [[8, 32]], [[8, 1]])
    dump.add("Add", "Add", [[8, 1], []], [[8, 1]])
    dump.add("Rsqrt", "Rsqrt", [[8, 1]], [[8, 1]])
    dump.add("Mul", "Mul", [[8, 32], [8, 1]], [[8, 32]])
    dump.add("Cast_1", "Cast", [[8, 32]], [[8, 32]])
    return dump


def golden_addresses(step: StepPairs, name: str) -> list[tuple[str, str, int] | None]:
    """Op name in the path, io and index of the golden side of every row of an op."""
    rows: list[Pair] = [pair for pair in step.pairs if pair.op_name == name]
    return [
        None
        if pair.golden is None
        else (pair.golden.path.split(".")[1], pair.golden.io, pair.golden.index)
        for pair in rows
    ]


def test_the_name_of_a_fused_op_splits_into_its_members(tmp_path: Path) -> None:
    graph = rms_norm(tmp_path)
    split = split_fused_name(FUSED, graph)
    assert [graph.ops[m].name for m in split.members] == ["Add", "Rsqrt", "Mul", "Cast_1"]


def test_a_split_that_a_greedy_prefix_would_miss_is_found(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Cast_1", "Cast", []),
        op("Cast_12", "Cast", []),
        op("2Mul", "Mul", ["Cast_1:0"]),
    )
    split = split_fused_name("Cast_12Mul", graph)
    assert [graph.ops[m].name for m in split.members] == ["Cast_1", "2Mul"]


def test_of_two_splits_the_one_along_data_edges_is_taken(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("A", "A", []),
        op("AB", "AB", []),
        op("BC", "BC", []),
        op("C", "C", ["AB:0"]),
    )
    split = split_fused_name("ABC", graph)
    assert [graph.ops[m].name for m in split.members] == ["AB", "C"]


@pytest.mark.parametrize("name", ["AddNeg", "AddAdd", "Addx", "xAdd", "Add_0"])
def test_a_name_that_is_no_connected_row_of_different_ops_is_not_split(
    tmp_path: Path, name: str
) -> None:
    assert split_fused_name(name, rms_norm(tmp_path)).members == ()


def test_a_name_of_many_equal_parts_is_given_up_quickly(tmp_path: Path) -> None:
    names = ["A" * k for k in range(1, 40)]
    graph = read(tmp_path, *(op(name, "A", []) for name in names))
    assert split_fused_name("A" * 500, graph).members == ()


def test_inputs_of_a_fused_op_are_the_edges_that_enter_it(tmp_path: Path) -> None:
    step = fused_dump().against_ge(unfused_dump(), rms_norm(tmp_path))
    assert golden_addresses(step, FUSED) == [
        ("Add", "inputs", 0),
        ("Add", "inputs", 1),
        ("Mul", "inputs", 0),
        ("Cast_1", "outputs", 0),
    ]
    assert {pair.match for pair in step.pairs} == {"fused"}


def test_ops_that_the_golden_side_fused_pair_with_its_edges(tmp_path: Path) -> None:
    step = unfused_dump().against_ge(fused_dump(), rms_norm(tmp_path))
    assert golden_addresses(step, "Add") == [(FUSED, "inputs", 0), (FUSED, "inputs", 1), None]
    assert golden_addresses(step, "Mul") == [(FUSED, "inputs", 2), None, None]
    assert golden_addresses(step, "Cast_1") == [None, (FUSED, "outputs", 0)]
    assert golden_addresses(step, "Cast") == [None, (FUSED, "inputs", 2)]
    inside = row(step, "Rsqrt", "outputs", 0)
    assert f"inside the fused op {FUSED}" in inside.reason


def test_a_fused_op_meets_the_fx_tensors_of_its_edges(tmp_path: Path) -> None:
    dump = fused_dump()
    dump.add_fx("mean", "OUTPUT", 0, target="aten.mean.dim")
    dump.add_fx("mul", "OUTPUT", 0, target="aten.mul.Tensor")
    step = dump.against_fx(rms_norm(tmp_path))
    assert [pair.golden_op_type for pair in step.pairs] == [
        "aten.mean.dim",
        "",
        "",
        "aten.mul.Tensor",
    ]
    assert {pair.match for pair in step.pairs if pair.golden} == {"fused"}


def test_an_input_that_two_members_share_may_be_dumped_once(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        data("x", [4]),
        data("y", [5]),
        op("Mul", "Mul", ["x:0", "y:0"]),
        op("Add", "Add", ["Mul:0", "x:0"]),
    )
    my, golden = Dump(), Dump()
    my.add("MulAdd", "Fused", [[4], [5]], [[4]])
    golden.add("Mul", "Mul", [[4], [5]], [[4]])
    step = my.against_ge(golden, graph)
    assert golden_addresses(step, "MulAdd")[:2] == [("Mul", "inputs", 0), ("Mul", "inputs", 1)]


def test_inputs_that_only_a_guess_could_order_stay_unmatched(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        data("x", [4]),
        data("y", [4]),
        data("z", [5]),
        op("Mul", "Mul", ["x:0", "y:0", "z:0"]),
    )
    my, golden = Dump(), Dump()
    my.add("Mul", "Mul", [[4], [5]], [[4]])
    golden.add("Mul", "Mul", [[4], [4], [5]], [[4]])
    step = my.against_ge(golden, graph)
    assert golden_addresses(step, "Mul") == [None, ("Mul", "inputs", 2), ("Mul", "outputs", 0)]


def test_members_come_from_the_final_graph_if_it_is_there(tmp_path: Path) -> None:
    my, golden = fused_dump(), unfused_dump()
    my.ge.clear()
    my.add("rms/0", "RmsNorm", [[8, 1], [], [8, 32]], [[8, 32]], file_name="rms_0")
    members = {"rms_0": ("Add", "Rsqrt", "Mul", "Cast_1")}
    context = GraphContext(rms_norm(tmp_path), members)
    other = read_ge_step(golden.ge, context, golden.readers())
    step = pair_step(KEY, my.ge, other, context, my.readers())
    assert golden_addresses(step, "rms/0")[3] == ("Cast_1", "outputs", 0)
    assert all(pair.golden for pair in step.pairs)


def test_original_op_of_the_header_pairs_the_output_alone(tmp_path: Path) -> None:
    my = Dump()
    my.add("RmsNorm", "RmsNorm", [[8, 32]], [[8, 32]], origins={0: ("Cast_1", 0)})
    my.add_fx("mul", "OUTPUT", 0, target="aten.mul.Tensor")
    step = my.against_fx(rms_norm(tmp_path))
    assert row(step, "RmsNorm", "outputs", 0).match == "fused"
    assert "known from its outputs only" in row(step, "RmsNorm", "inputs", 0).reason


def test_a_name_that_cannot_be_split_is_unmatched_with_the_closest_reading(tmp_path: Path) -> None:
    my = Dump()
    my.add("Rsqrt_piece0", "Rsqrt", [[8, 32]], [[8, 32]])
    pair = row(my.against_fx(rms_norm(tmp_path)), "Rsqrt_piece0", "outputs", 0)
    assert pair.status == "unmatched"
    assert "begins like graph op Rsqrt" in pair.reason


def test_an_inserted_cast_is_compared_with_its_own_input(tmp_path: Path) -> None:
    my = Dump()
    path = my.add("trans_TransData_3", "TransData", [[8, 32]], [[8, 32]])
    step = my.against_ge(my, rms_norm(tmp_path))
    output = row(step, "trans_TransData_3", "outputs", 0)
    assert output.golden is not None
    assert (output.match, output.golden.path, output.golden.io) == ("self", path, "inputs")
    assert row(step, "trans_TransData_3", "inputs", 0).status == "unmatched"


def test_an_inserted_cast_to_whole_numbers_is_not_compared_with_its_input(tmp_path: Path) -> None:
    my = Dump()
    my.add("trans_Cast_1", "Cast", [[4]], [[4]], dtype="torch.int32", in_dtypes=["torch.float32"])
    output = row(my.against_fx(rms_norm(tmp_path)), "trans_Cast_1", "outputs", 0)
    assert output.status == "unmatched"


def test_every_fused_op_is_one_node_fed_by_the_nodes_before(tmp_path: Path) -> None:
    dump = fused_dump()
    dump.add("Neg", "Neg", [[8, 32]], [[8, 32]])
    context = GraphContext(rms_norm(tmp_path))
    step = pair_step(KEY, dump.ge, FxStep([]), context, dump.readers())
    names = [node.name for node in step.nodes]
    feeders = {node.name: [names[i] for i in node.inputs] for node in step.nodes}
    assert sorted(feeders[FUSED]) == ["Cast", "Const", "ReduceMean"]
    assert feeders["Neg"] == [FUSED]
    assert all(i < number for number, node in enumerate(step.nodes) for i in node.inputs)
    assert [names[step.node_of[file.path]] for file in dump.ge] == [FUSED, "Neg"]


def test_a_folded_constant_does_not_shift_the_inputs(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        data("x", [4]),
        const("C", [2, 2]),
        data("y", [4]),
        op("Mul", "Mul", ["x:0", "C:0", "y:0"]),
    )
    my, golden = Dump(), Dump()
    my.add("Mul", "Mul", [[4], [4]], [[4]])
    golden.add("Mul", "Mul", [[4], [2], [4]], [[4]])
    step = my.against_ge(golden, graph)
    assert golden_addresses(step, "Mul")[:2] == [("Mul", "inputs", 0), ("Mul", "inputs", 2)]


def test_an_input_of_unknown_shape_is_found_where_the_others_cannot_be(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Sin", "Sin", []),
        const("C", [1, 0]),
        op("Transpose", "Transpose", ["Sin:0", "C:0"]),
    )
    my, golden = Dump(), Dump()
    my.add("Transpose", "Transpose", [[4, 3]], [[3, 4]])
    golden.add("Transpose", "Transpose", [[4, 3], [2]], [[3, 4]])
    step = my.against_ge(golden, graph)
    assert golden_addresses(step, "Transpose")[0] == ("Transpose", "inputs", 0)


def test_the_golden_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    my, golden = unfused_dump(), Dump()
    golden.add("Rsqrt", "Rsqrt", [], [], error="Rsqrt: 4 bytes left")
    step = my.against_ge(golden, rms_norm(tmp_path))
    assert "Rsqrt: 4 bytes left" in row(step, "Rsqrt", "outputs", 0).reason


def test_min_max_files_pair_without_shapes(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Sin", "Sin", [], fx=("sin-aten.sin.default.OUTPUT.0",)),
        const("C", [1, 0]),
        op("Transpose", "Transpose", ["Sin:0", "C:0"]),
    )
    my = Dump()
    my.add("Transpose", "Transpose", [[2], [2]], [[2]])
    my.ge[0] = my.ge[0]._replace(kind="min_max")
    wanted = my.add_fx("sin", "OUTPUT", 0, target="aten.sin.default")
    for io in ("inputs", "outputs"):
        pair = row(my.against_fx(graph), "Transpose", io, 0)
        assert pair.golden is not None
        assert (pair.golden.path, pair.golden.view) == (wanted, ())
