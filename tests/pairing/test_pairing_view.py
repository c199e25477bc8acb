"""Pairs found through views that torchair inserts before a consumer, without an FX name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ait_cmp.pairing.graph.index import GraphIndex
from ait_cmp.pairing.pair import Pair
from graph_text import Dump, const, data, op, read, row

MM = "mm-aten.mm.default.OUTPUT.0"
BMM = "bmm-aten.bmm.default.OUTPUT.0"


def attention_views(folder: Path) -> GraphIndex:
    """A real row of views: [1, 8, 32] -> [8, 2, 16] -> heads first -> [1, 2, 8, 16]."""
    return read(
        folder,
        op("MatMul", "MatMul", [], fx=(MM,)),
        const("C0", [8, 2, 16]),
        op("Reshape", "Reshape", ["MatMul:0", "C0:0"], in_fx={0: MM}),
        const("C1", [1, 0, 2]),
        op("Transpose", "Transpose", ["Reshape:0", "C1:0"]),
        const("C2", [1, 2, 8, 16]),
        op("Reshape_1", "Reshape", ["Transpose:0", "C2:0"]),
        op("Muls", "Muls", ["Reshape_1:0"]),
    )


def viewed(pair: Pair, golden: np.ndarray) -> np.ndarray:
    """The golden array as the pair says it is to be read."""
    assert pair.golden is not None
    for kind, numbers in pair.golden.view:
        golden = golden.reshape(numbers) if kind == "reshape" else golden.transpose(numbers)
    return golden


def test_an_input_behind_three_views_meets_the_named_producer_in_its_own_order(
    tmp_path: Path,
) -> None:
    graph = attention_views(tmp_path)
    dump = Dump()
    dump.add("Muls", "Muls", [[1, 2, 8, 16]], [[1, 2, 8, 16]])
    dump.add_fx("mm", "OUTPUT", 0, target="aten.mm.default")
    pair = row(dump.against_fx(graph), "Muls", "inputs", 0)
    golden = np.arange(256.0).reshape(1, 8, 32)
    wanted = golden.reshape(8, 2, 16).transpose(1, 0, 2).reshape(1, 2, 8, 16)
    assert pair.match == "view"
    np.testing.assert_array_equal(viewed(pair, golden), wanted)


def test_outputs_of_the_views_themselves_are_views_of_the_producer(tmp_path: Path) -> None:
    graph = attention_views(tmp_path)
    dump = Dump()
    dump.add("Reshape", "Reshape", [[1, 8, 32], [3]], [[8, 2, 16]])
    dump.add("Transpose", "Transpose", [[8, 2, 16], [3]], [[2, 8, 16]])
    dump.add_fx("mm", "OUTPUT", 0, target="aten.mm.default")
    step = dump.against_fx(graph)
    golden = np.arange(256.0).reshape(1, 8, 32)
    split = golden.reshape(8, 2, 16)
    reshaped = row(step, "Reshape", "outputs", 0)
    transposed = row(step, "Transpose", "outputs", 0)
    np.testing.assert_array_equal(viewed(reshaped, golden), split)
    np.testing.assert_array_equal(viewed(transposed, golden), split.transpose(1, 0, 2))
    assert row(step, "Reshape", "inputs", 0).match == "dataflow"


@pytest.mark.parametrize("middle", [[8, 2, 16], [8, -1, 16], [-1, 2, 16]])
def test_the_shape_between_views_comes_from_the_constant_if_it_is_not_dumped(
    tmp_path: Path, middle: list[int]
) -> None:
    graph = read(
        tmp_path,
        op("MatMul", "MatMul", [], fx=(MM,)),
        const("C0", middle),
        op("Reshape", "Reshape", ["MatMul:0", "C0:0"]),
        const("C1", [1, 0, 2]),
        op("Transpose", "Transpose", ["Reshape:0", "C1:0"]),
        op("Muls", "Muls", ["Transpose:0"]),
    )
    dump = Dump()
    dump.add("Muls", "Muls", [[2, 8, 16]], [])
    dump.add_fx("mm", "OUTPUT", 0, target="aten.mm.default")
    pair = row(dump.against_fx(graph), "Muls", "inputs", 0)
    golden = np.arange(256.0).reshape(1, 8, 32)
    np.testing.assert_array_equal(viewed(pair, golden), golden.reshape(8, 2, 16).transpose(1, 0, 2))


def test_a_shape_between_views_that_nothing_tells_leaves_the_row_unmatched(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("MatMul", "MatMul", [], fx=(MM,)),
        op("Pack", "Pack", []),
        op("Reshape", "Reshape", ["MatMul:0", "Pack:0"]),
        const("C1", [1, 0, 2]),
        op("Transpose", "Transpose", ["Reshape:0", "C1:0"]),
        op("Muls", "Muls", ["Transpose:0"]),
    )
    dump = Dump()
    dump.add("Muls", "Muls", [[2, 8, 16]], [])
    dump.add_fx("mm", "OUTPUT", 0, target="aten.mm.default")
    assert row(dump.against_fx(graph), "Muls", "inputs", 0).status == "unmatched"


def test_a_permutation_that_is_computed_leaves_the_row_unmatched(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("MatMul", "MatMul", [], fx=(MM,)),
        op("Pack", "Pack", []),
        op("Transpose", "Transpose", ["MatMul:0", "Pack:0"]),
        op("Muls", "Muls", ["Transpose:0"]),
    )
    dump = Dump()
    dump.add("Muls", "Muls", [[2, 8]], [])
    dump.add_fx("mm", "OUTPUT", 0, target="aten.mm.default")
    pair = row(dump.against_fx(graph), "Muls", "inputs", 0)
    assert "permutation of Transpose" in pair.reason


def test_a_named_view_without_fx_file_is_followed_further_up(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("MatMul", "MatMul", [], fx=(MM,)),
        const("C0", [4, 2]),
        op(
            "Reshape",
            "Reshape",
            ["MatMul:0", "C0:0"],
            fx=("view-aten.reshape.default.OUTPUT.0",),
        ),
    )
    dump = Dump()
    dump.add("Reshape", "Reshape", [[8], [2]], [[4, 2]])
    wanted = dump.add_fx("mm", "OUTPUT", 0, target="aten.mm.default")
    pair = row(dump.against_fx(graph), "Reshape", "outputs", 0)
    assert pair.golden is not None
    assert (pair.golden.path, pair.golden.view) == (wanted, (("reshape", (4, 2)),))


def test_an_unnamed_tensor_meets_a_named_transpose_right_below_it(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("MatMul", "MatMul", []),
        const("C0", [2, 0, 1]),
        op("Transpose", "Transpose", ["MatMul:0", "C0:0"], fx=(BMM,)),
    )
    dump = Dump()
    dump.add("MatMul", "MatMul", [], [[2, 3, 4]])
    dump.add_fx("bmm", "OUTPUT", 0, target="aten.bmm.default")
    pair = row(dump.against_fx(graph), "MatMul", "outputs", 0)
    mine = np.arange(24.0).reshape(2, 3, 4)
    assert pair.match == "view"
    np.testing.assert_array_equal(viewed(pair, mine.transpose(2, 0, 1)), mine)


def test_views_of_a_graph_input_meet_the_fx_argument_from_both_sides(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        data("x", [8, 32]),
        data("w", [64, 32]),
        const("C0", [1, 0]),
        op("Transpose", "Transpose", ["w:0", "C0:0"]),
        op("MatMul", "MatMul", ["x:0", "Transpose:0"], fx=(MM,)),
    )
    dump = Dump()
    dump.add("Transpose", "Transpose", [[64, 32], [2]], [[32, 64]])
    dump.add("MatMul", "MatMul", [[8, 32], [32, 64]], [[8, 64]])
    dump.add_fx("mm", "INPUT", 0, target="aten.mm.default", shape=[8, 32])
    wanted = dump.add_fx("mm", "INPUT", 1, target="aten.mm.default", shape=[32, 64])
    step = dump.against_fx(graph)
    weight = np.arange(2048.0).reshape(64, 32)
    raw = row(step, "Transpose", "inputs", 0)
    np.testing.assert_array_equal(viewed(raw, weight.T), weight)
    for name, io, index in (("Transpose", "outputs", 0), ("MatMul", "inputs", 1)):
        pair = row(step, name, io, index)
        assert pair.golden is not None
        assert (pair.golden.path, pair.golden.view, pair.match) == (wanted, (), "argument")
