"""FX data of the genuine torchair land where we said, and discovery reads the tree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from cpu_device import compile_on_cpu, torch
from models import SplitAndJoin, TinyTransformer

from ait_cmp.discover import discover
from ait_cmp.dump import torchair_dump


def nodes(files: list[object]) -> set[str]:
    return {file.node for file in files}


def test_fx_tree_lands_in_our_folder_and_is_discovered(tmp_path: Path) -> None:
    config = torchair_dump.get_fx_dump_config("dump")
    model = TinyTransformer().eval()
    compiled = compile_on_cpu(model, config, dynamic=False)
    results = [compiled(torch.full((1, 4), word)) for word in (1, 2)]
    (folder,) = (tmp_path / "dump").iterdir()
    assert not (tmp_path / "data_dump").exists()

    tree = discover(folder)
    assert tree.kind == "fx"
    assert [(key.rank, key.step) for key in tree.step_keys()] == [(0, 0), (0, 1)]
    (graph,) = {key.graph for key in tree.step_keys()}
    assert graph.startswith("graph_")
    on_disk = {str(path) for path in folder.rglob("*.npy")}
    assert {file.path for files in tree.fx.values() for file in files} == on_disk
    for key, result in zip(tree.step_keys(), results):
        (softmax,) = [
            file
            for file in tree.fx[key]
            if file.target == "aten._softmax.default" and np.load(file.path).shape == result.shape
            if file.io == "OUTPUT"
        ]
        np.testing.assert_array_equal(np.load(softmax.path), result.numpy())


def test_two_graphs_of_a_process_are_two_graphs_of_the_tree() -> None:
    config = torchair_dump.get_fx_dump_config("dump")
    compile_on_cpu(TinyTransformer().eval(), config, dynamic=True)(torch.ones(2, 3).long())
    compile_on_cpu(SplitAndJoin(), config, dynamic=False)(torch.randn(3, 8))
    tree = discover(Path(config.debug.data_dump.path))
    first, second = tree.step_keys()
    assert int(second.graph.split("_")[1]) == int(first.graph.split("_")[1]) + 1
    assert "topk" in nodes(tree.fx[second])
    assert "topk" not in nodes(tree.fx[first])
    parts = {(f.index, f.sub_index) for f in tree.fx[second] if f.node == "cat" if f.io == "INPUT"}
    assert {(0, 0), (0, 1)} <= parts


def test_dynamic_graph_dumps_every_shape_that_it_ran_with() -> None:
    config = torchair_dump.get_fx_dump_config("dump")
    compiled = compile_on_cpu(TinyTransformer().eval(), config, dynamic=True)
    for n_tokens in (3, 5):
        compiled(torch.ones(2, n_tokens).long())
    tree = discover(Path(config.debug.data_dump.path))
    shapes = [
        {np.load(f.path).shape for f in tree.fx[key] if f.node == "embedding" if f.io == "OUTPUT"}
        for key in tree.step_keys()
    ]
    assert shapes == [{(2, 3, 16)}, {(2, 5, 16)}]


def test_op_list_keeps_only_its_nodes() -> None:
    config = torchair_dump.get_fx_dump_config("dump", op_list=["SoftMax", "layer_norm"])
    compile_on_cpu(TinyTransformer().eval(), config, dynamic=False)(torch.ones(1, 4).long())
    tree = discover(Path(config.debug.data_dump.path))
    (key,) = tree.step_keys()
    assert nodes(tree.fx[key]) == {"_softmax", "_softmax_1", "native_layer_norm"}


def test_describe_after_the_runs_gives_the_command_for_both_folders() -> None:
    ge = torchair_dump.get_ge_dump_config("dump")
    compile_on_cpu(SplitAndJoin(), ge, dynamic=False)(torch.randn(3, 8))
    torch._dynamo.reset()
    fx = torchair_dump.get_fx_dump_config("dump")
    compile_on_cpu(SplitAndJoin(), fx, dynamic=False)(torch.randn(3, 8))
    command = (
        f"ait-cmp --my-path {ge.dump_config.dump_path.value} "
        f"--golden-path {fx.debug.data_dump.path}"
    )
    assert command in torchair_dump.describe(ge)
    assert command in torchair_dump.describe(fx)
