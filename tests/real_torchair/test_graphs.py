"""Graph texts of the genuine torchair land where we said and are read as protobuf reads them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from cpu_device import compile_on_cpu, torch
from google.protobuf import text_format
from models import SplitAndJoin, TinyTransformer

from ait_cmp._core import read_graph
from ait_cmp.dump import torchair_dump


def dump_graphs(*runs: tuple[torch.nn.Module, bool, torch.Tensor]) -> list[Path]:
    """Compile and run models (model, dynamic, input) under one GE config; graph texts by number."""
    config = torchair_dump.get_ge_dump_config("dump")
    for model, dynamic, example in runs:
        expected = model(example)
        found = compile_on_cpu(model.eval(), config, dynamic=dynamic)(example)
        torch.testing.assert_close(found, expected)
    folder = Path(config.dump_config.dump_path.value)
    return sorted(folder.glob("dynamo_original_graph_*.txt"), key=graph_number)


def graph_number(path: Path) -> int:
    return int(path.name.split("_")[3])


def parse_with_protobuf(path: Path) -> Any:
    ge_ir = importlib.import_module("torchair._ge_concrete_graph.ge_ir_pb2")
    return text_format.Parse(path.read_text(), ge_ir.GraphDef())


def fx_name(desc: Any) -> str | None:
    return desc.attr["_fx_tensor_name"].s.decode() if "_fx_tensor_name" in desc.attr else None


def by_protobuf(path: Path) -> tuple[str, list[tuple[object, ...]]]:
    graph = parse_with_protobuf(path)
    return graph.name, [
        (
            op.name,
            op.type,
            list(op.input),
            [fx_name(desc) for desc in op.input_desc],
            [fx_name(desc) for desc in op.output_desc],
        )
        for op in graph.op
    ]


def by_us(path: Path) -> tuple[str, list[tuple[object, ...]]]:
    (graph,) = read_graph(str(path))
    return graph.name, [
        (op.name, op.type, list(op.inputs), list(op.input_names), list(op.output_names))
        for op in graph.ops
    ]


def ids(batch: int, n_tokens: int) -> torch.Tensor:
    return torch.arange(batch * n_tokens).reshape(batch, n_tokens)


@pytest.mark.parametrize(
    ("dynamic", "dtype"),
    [(False, torch.float32), (True, torch.float32), (True, torch.float16), (False, torch.bfloat16)],
)
def test_graph_text_is_read_as_protobuf_reads_it(dynamic: bool, dtype: torch.dtype) -> None:
    (path,) = dump_graphs((TinyTransformer().to(dtype), dynamic, ids(2, 5)))
    assert by_us(path) == by_protobuf(path)


def test_graph_text_names_ops_and_fx_tensors() -> None:
    (path,) = dump_graphs((TinyTransformer(), False, ids(2, 5)))
    _, ops = by_us(path)
    types = [row[1] for row in ops]
    assert {"Data", "Const", "GatherV2", "SoftmaxV2", "NetOutput"} <= set(types)
    names = {name for row in ops for name in row[4] if name}
    assert "native_layer_norm-aten.native_layer_norm.default.OUTPUT.0" in names


def test_dynamic_graph_has_symbols_for_its_shapes() -> None:
    (path,) = dump_graphs((TinyTransformer(), True, ids(2, 5)))
    assert re.search(r"shape=torch\.Size\(\[s\d+, s\d+\]\)", path.read_text())
    dims = [
        dim
        for op in parse_with_protobuf(path).op
        for desc in op.output_desc
        for dim in desc.shape.dim
    ]
    assert -1 in dims


def test_two_graphs_of_a_process_have_a_text_each() -> None:
    paths = dump_graphs(
        (TinyTransformer(), False, ids(1, 4)), (SplitAndJoin(), False, torch.randn(3, 8))
    )
    first, second = map(graph_number, paths)
    assert second == first + 1
    for path in paths:
        assert by_us(path) == by_protobuf(path)
        assert by_us(path)[0] == f"graph_{graph_number(path)}"


def test_every_run_has_its_own_graph_texts() -> None:
    run = (SplitAndJoin(), False, torch.randn(3, 8))
    (first,) = dump_graphs(run)
    torch._dynamo.reset()
    (second,) = dump_graphs(run)
    assert first.parent != second.parent
