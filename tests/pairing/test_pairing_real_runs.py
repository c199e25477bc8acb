"""Pairs of runs that differ: fused patterns, another precision, device formats, watch mode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from ait_cmp import Comparison, compare_dirs
from ait_cmp.convert import convert_dir
from ait_cmp.report.row import Row
from graph_text import Dump, const, data, op, read, row
from make_dump import Dump as DumpFile
from make_dump import DumpTensor, tensor_of
from storage_layouts import fractal_nz
from trees import fx_names, fx_step, ge_step, graph_name

TIME = 1706596912000000


def rows_of(found: Comparison, op_name: str) -> list[Row]:
    return [row for row in found.rows if row.op_name == op_name]


def write_text(root: Path, *ops: str) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / graph_name()).write_text('name: "graph_1"\n' + "".join(ops))


def write_op(folder: Path, name: str, kind: str, dump: DumpFile, task: int) -> None:
    path = folder / f"{kind}.{name}.{task}.6.{TIME + task}"
    path.write_bytes(replace(dump, op_name=name).file_bytes())


def save_node(folder: Path, node: str, target: str, *arrays: np.ndarray) -> None:
    """An FX node: its arguments, then its result."""
    for name, array in zip(fx_names(node, target, inputs=len(arrays) - 1), arrays):
        np.save(folder / name, array)


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtypes", [("float16", "float32", "int8"), ("bool", "float32", "int32")])
def test_graph_inputs_of_one_shape_are_told_by_their_types(
    tmp_path: Path, dtypes: tuple[str, ...]
) -> None:
    graph = read(
        tmp_path,
        *(data(f"arg{i}_1", [40]) for i in range(3)),
        op("F", "F", [f"arg{i}_1:0" for i in range(3)], fx=["f-aten.op.default.OUTPUT.0"]),
    )
    dump = Dump()
    kinds = [f"torch.{dtype}" for dtype in dtypes]
    dump.add("F", "F", [[40]] * 3, [[40]], in_dtypes=kinds)
    paths = [
        dump.add_fx("f", "INPUT", i, dtype=kinds[k], shape=[40]) for i, k in enumerate((2, 0, 1))
    ]
    step = dump.against_fx(graph)
    found = [row(step, "F", "inputs", index).golden for index in range(3)]
    assert [ref and ref.path for ref in found] == [paths[1], paths[2], paths[0]]


def test_an_unnamed_argument_of_the_same_type_keeps_an_input_unmatched(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        data("arg0_1", [40]),
        op("G", "G", ["arg0_1:0"]),
        op("F", "F", ["arg0_1:0", "G:0"], fx=["f-aten.op.default.OUTPUT.0"]),
    )
    dump = Dump()
    dump.add("F", "F", [[40]] * 2, [[40]])
    for index in range(2):
        dump.add_fx("f", "INPUT", index, shape=[40])
    step = dump.against_fx(graph)
    assert row(step, "F", "inputs", 0).golden is None


@pytest.mark.parametrize(
    "dtypes",
    [("bfloat16", "float32", "float16"), ("float32", "bfloat16", "bfloat16")],
    ids="-".join,
)
def test_graph_inputs_that_fx_saves_as_one_type_are_told_by_their_values(
    tmp_path: Path, dtypes: tuple[str, ...]
) -> None:
    """FX saves bfloat16 as float32: the types of the files leave a choice."""
    random = np.random.default_rng(8)
    values = [random.standard_normal(24).astype(dtype) for dtype in dtypes]
    result = np.sum([value.astype(np.float32) for value in values], axis=0)
    f = op("F", "F", [f"arg{i}_1:0" for i in range(3)], fx=["f-aten.f.default.OUTPUT.0"])
    write_text(tmp_path / "ge", *(op(f"arg{i}_1", "Data") for i in range(3)), f)
    folder = ge_step(tmp_path / "ge", names=())
    write_op(folder, "F", "F", DumpFile(tuple(map(any_tensor, values)), (tensor_of(result),)), 1)
    saved = [
        value.astype(np.float32) if value.dtype == ml_dtypes.bfloat16 else value
        for value in reversed(values)
    ]
    save_node(fx_step(tmp_path / "fx", names=()), "f", "aten.f.default", *saved, result)
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    inputs = [row for row in rows_of(found, "F") if row.io == "inputs"]
    assert [row.golden_data_path.rpartition(".INPUT.")[2][0] for row in inputs] == ["2", "1", "0"]
    assert {row.max_absolute_error for row in inputs} == {0.0}


def any_tensor(values: np.ndarray) -> DumpTensor:
    """A tensor of numpy's dtypes, or of bfloat16."""
    if values.dtype != ml_dtypes.bfloat16:
        return tensor_of(values)
    return DumpTensor(27, values.shape, values.tobytes(), None, values.shape)


@pytest.mark.parametrize(
    ("dtype", "golden_dtype"),
    [
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("float16", "float64"),
        ("float32", "float64"),
    ],
)
def test_a_more_exact_control_run_gives_a_model_its_graph_inputs(
    tmp_path: Path, dtype: str, golden_dtype: str
) -> None:
    random = np.random.default_rng(3)
    weights = [random.standard_normal((6, 40)).astype(golden_dtype) for _ in range(2)]
    halves = [weight.astype(dtype) for weight in weights]
    result = np.sum([half.astype(np.float64) for half in halves], axis=0).astype(dtype)
    tensor = any_tensor

    add = op("Add", "Add", ["arg0_1:0", "arg1_1:0"], fx=["add-aten.add.Tensor.OUTPUT.0"])
    write_text(tmp_path / "ge", op("arg0_1", "Data"), op("arg1_1", "Data"), add)
    folder = ge_step(tmp_path / "ge", names=())
    inputs = tuple(tensor(half) for half in halves)
    write_op(folder, "Add", "Add", DumpFile(inputs, (tensor(result),)), 1)
    golden = fx_step(tmp_path / "fx", names=())
    save_node(golden, "add", "aten.add.Tensor", weights[1], weights[0], np.sum(weights, axis=0))
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    one, other, _ = rows_of(found, "Add")
    assert (one.match, other.match) == ("argument", "argument")
    assert ".INPUT.1." in one.golden_data_path
    assert ".INPUT.0." in other.golden_data_path


# --- a node that torchair made of others ----------------------------------------------------------


@pytest.mark.parametrize("n_results", [1, 2])
def test_a_fused_pattern_is_compared_with_what_its_readers_were_given(
    tmp_path: Path, n_results: int
) -> None:
    names = [f"norm_quant-npu.npu_norm_quant.default.OUTPUT.{i}" for i in range(n_results)]
    graph = read(
        tmp_path,
        op("A", "A", fx=["a-aten.op.default.OUTPUT.0"]),
        op("Fused", "NormQuant", ["A:0"], fx=names),
        *(
            op(f"R{i}", "R", [f"Fused:{i}", "A:0"], fx=[f"r{i}-aten.op.default.OUTPUT.0"])
            for i in range(n_results)
        ),
    )
    dump = Dump()
    dump.add("Fused", "NormQuant", [[4, 8]], [[4, 8]] * n_results, dtype="torch.int8")
    for i in range(n_results):
        dump.add(f"R{i}", "R", [[4, 8], [4, 8]], [[4]], in_dtypes=["torch.int8", "torch.float32"])
        dump.add_fx(f"r{i}", "INPUT", 0, dtype="torch.int8", shape=[4, 8])
        dump.add_fx(f"r{i}", "INPUT", 1, shape=[4, 8])
    dump.add_fx("a", "OUTPUT", 0, shape=[4, 8])
    step = dump.against_fx(graph)
    for i in range(n_results):
        found = row(step, "Fused", "outputs", i)
        assert (found.match, found.golden and found.golden.path) == (
            "argument",
            f"/fx/r{i}-aten.op.default.INPUT.0.-1.1.npy",
        )


# --- device formats -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(16, 24), (33, 20)])
@pytest.mark.parametrize(("dtype", "columns"), [("float16", 16), ("int8", 32), ("float32", 8)])
def test_a_graph_input_in_nz_takes_the_original_shape_of_its_reader(
    tmp_path: Path, shape: tuple[int, int], dtype: str, columns: int
) -> None:
    random = np.random.default_rng(5)
    x = (10 * random.standard_normal((4, shape[0]))).astype(dtype)
    weight = (10 * random.standard_normal(shape)).astype(dtype)
    stored = fractal_nz(weight, 16, columns, 0)
    as_data = tensor_of(stored, original_shape=(), format=29)
    as_input = replace(as_data, original_shape=shape)
    result = x.astype(np.float32) @ weight.astype(np.float32)
    matmul = op("MatMul", "MatMul", ["arg0_1:0", "arg1_1:0"], fx=["mm-aten.mm.default.OUTPUT.0"])
    write_text(tmp_path / "ge", op("arg0_1", "Data"), op("arg1_1", "Data"), matmul)
    folder = ge_step(tmp_path / "ge", names=())
    write_op(folder, "arg0_1", "Data", DumpFile((), (tensor_of(x, original_shape=()),)), 1)
    write_op(folder, "arg1_1", "Data", DumpFile((), (as_data,)), 2)
    dump = DumpFile((tensor_of(x), as_input), (tensor_of(result),))
    write_op(folder, "MatMul", "MatMul", dump, 3)
    save_node(fx_step(tmp_path / "fx", names=()), "mm", "aten.mm.default", x, weight, result)
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    assert found.counts["compared"] == len(found.rows) == 5
    assert {row.max_absolute_error for row in found.rows} == {0.0}
    (of_data,) = rows_of(found, "arg1_1")
    assert of_data.my_shape == str(list(shape))


# --- watch mode -----------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["MatMul", "Odd_To_Name"])
def test_rows_of_watch_mode_meet_the_watched_op(tmp_path: Path, after: str) -> None:
    graph = read(
        tmp_path,
        op("RmsNorm", "RmsNorm", fx=["norm-aten.op.default.OUTPUT.0"]),
        op(after, "MatMul", ["RmsNorm:0"], fx=["mm-aten.op.default.OUTPUT.0"]),
    )
    dump = Dump()
    dump.add("RmsNorm", "RmsNorm", [], [[4, 8]])
    dump.add(f"{after}_To_RmsNorm", "RmsNorm", [], [[4, 8]])
    golden = dump.add_fx("norm", "OUTPUT", 0, shape=[4, 8])
    step = dump.against_fx(graph)
    found = row(step, f"{after}_To_RmsNorm", "outputs", 0)
    assert (found.match, found.golden and found.golden.path) == ("name", golden)
    assert found.my.path not in step.node_of


def test_a_name_with_to_in_it_is_an_op_where_the_graph_has_it(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        op("Norm", "Norm", fx=["norm-aten.op.default.OUTPUT.0"]),
        op("A_To_Norm", "Cast", ["Norm:0"], fx=["cast-aten.op.default.OUTPUT.0"]),
    )
    dump = Dump()
    dump.add("A_To_Norm", "Cast", [], [[4]])
    golden = dump.add_fx("cast", "OUTPUT", 0, shape=[4])
    found = row(dump.against_fx(graph), "A_To_Norm", "outputs", 0)
    assert found.golden is not None
    assert (found.match, found.golden.path) == ("dataflow", golden)


# --- what has no counterpart ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dumped", "words"),
    [([2, 8], "it has the value that the graph text gives"), ([8, 2], "it is [8, 2]")],
)
def test_a_constant_of_an_inserted_view_is_held_against_the_graph_text(
    tmp_path: Path, dumped: list[int], words: str
) -> None:
    x = np.arange(16, dtype=np.float32).reshape(4, 4)
    write_text(
        tmp_path / "ge",
        op("A", "A", fx=["a-aten.op.default.OUTPUT.0"]),
        const("Const", [2, 8]),
        op("Reshape", "Reshape", ["A:0", "Const:0"]),
        op("B", "B", ["Reshape:0"], fx=["b-aten.op.default.OUTPUT.0"]),
    )
    folder = ge_step(tmp_path / "ge", names=())
    write_op(folder, "A", "A", DumpFile((), (tensor_of(x),)), 1)
    size = tensor_of(np.array(dumped, np.int64))
    reshaped = DumpFile((tensor_of(x), size), (tensor_of(x.reshape(2, 8)),))
    write_op(folder, "Reshape", "Reshape", reshaped, 2)
    np.save(fx_step(tmp_path / "fx", names=()) / fx_names("a", "aten.op.default", inputs=0)[0], x)
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    constant = next(
        row for row in rows_of(found, "Reshape") if (row.io, row.index) == ("inputs", 1)
    )
    assert constant.status == "unmatched"
    assert words in constant.cmp_fail_reason


@pytest.mark.parametrize(
    ("shape", "dtype"), [((200, 300), "float32"), ((300, 300), "float16"), ((512, 160), "float16")]
)
def test_of_two_sketches_with_the_same_values_the_one_in_my_order_is_taken(
    tmp_path: Path, shape: tuple[int, int], dtype: str
) -> None:
    x = np.random.default_rng(1).standard_normal((8, shape[1])).astype(dtype)
    weight = np.random.default_rng(2).standard_normal(shape).astype(dtype)
    result = x @ weight.T
    write_text(
        tmp_path / "ge",
        op("arg0_1", "Data"),
        op("arg1_1", "Data"),
        const("Const", [1, 0]),
        op("Transpose", "Transpose", ["arg1_1:0", "Const:0"]),
        op("MatMul", "MatMul", ["arg0_1:0", "Transpose:0"], fx=["mm-aten.mm.default.OUTPUT.0"]),
    )
    folder = ge_step(tmp_path / "ge", names=())
    write_op(folder, "arg1_1", "Data", DumpFile((), (tensor_of(weight),)), 1)
    matmul = DumpFile((tensor_of(x), tensor_of(weight.T.copy())), (tensor_of(result),))
    write_op(folder, "MatMul", "MatMul", matmul, 2)
    golden = fx_step(tmp_path / "fx", names=())
    save_node(golden, "t", "aten.t.default", weight, weight.T)
    save_node(golden, "mm", "aten.mm.default", x, weight.T, result)
    for side in ("ge", "fx"):
        convert_dir(tmp_path / side, settle=0, force=True)
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    (of_data,) = rows_of(found, "arg1_1")
    assert "t-aten.t.default.INPUT.0" in of_data.golden_data_path
    assert (of_data.estimated, of_data.max_absolute_error) == ("", 0.0)  # equal hashes


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_many_graph_inputs_of_one_shape_meet_their_values_in_any_order(
    tmp_path: Path, dtype: str
) -> None:
    n = 200
    values = [np.full(24, number, dtype) for number in range(n)]
    result = np.ones(24, np.float32)
    f = op("F", "F", [f"arg{i}_1:0" for i in range(n)], fx=["f-aten.f.default.OUTPUT.0"])
    write_text(tmp_path / "ge", *(op(f"arg{i}_1", "Data") for i in range(n)), f)
    dump = DumpFile(tuple(map(any_tensor, values)), (tensor_of(result),))
    write_op(ge_step(tmp_path / "ge", names=()), "F", "F", dump, 1)
    saved = [value.astype(np.float32) for value in reversed(values)]
    save_node(fx_step(tmp_path / "fx", names=()), "f", "aten.f.default", *saved, result)
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    assert found.counts["compared"] == n + 1
    assert {row.max_absolute_error for row in found.rows} == {0.0}
