"""Which tensor of the graph a dumped output is, where order alone does not tell."""

from __future__ import annotations

from pathlib import Path

from ait_cmp.pairing.graph.slots import Slots, TensorHead, assign_outputs
from graph_text import op, read

SHAPES = {(0, 0): (4, 8), (1, 0): (3,)}


def head(*shape: int) -> TensorHead:
    return TensorHead("torch.float32", shape, "ok", "", None, 0, 2)


def assign(folder: Path, *shapes: tuple[int, ...], is_plain: bool) -> list[tuple[int, int] | None]:
    graph = read(folder, op("Add", "Add", []), op("Mul", "Mul", []))
    slots = Slots((), tuple(SHAPES), is_plain)
    return assign_outputs([head(*shape) for shape in shapes], slots, graph, SHAPES.get)


def test_outputs_of_a_fused_op_go_by_their_order_where_shapes_agree(tmp_path: Path) -> None:
    assert assign(tmp_path, (4, 8), (3,), is_plain=False) == [(0, 0), (1, 0)]


def test_outputs_of_a_fused_op_go_by_their_shapes_where_the_order_contradicts(
    tmp_path: Path,
) -> None:
    assert assign(tmp_path, (3,), (4, 8), is_plain=False) == [(1, 0), (0, 0)]


def test_an_output_of_no_known_shape_is_no_output_of_a_fused_op(tmp_path: Path) -> None:
    assert assign(tmp_path, (5,), (4, 8), is_plain=False) == [None, (0, 0)]


def test_outputs_of_one_op_keep_their_order(tmp_path: Path) -> None:
    assert assign(tmp_path, (3,), (4, 8), is_plain=True) == [(0, 0), (1, 0)]
