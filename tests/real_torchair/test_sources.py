"""The genuine torchair tells where in the user's model every node and most ops come from."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import models
import torch
from cpu_device import compile_on_cpu
from models import TinyTransformer

from ait_cmp.dump import torchair_dump

IDS = torch.arange(10).reshape(2, 5)


def dumped(config: Any, model: torch.nn.Module) -> Path:
    """Run a model in GE mode; the folder of its graph text."""
    compile_on_cpu(model.eval(), config, dynamic=False)(IDS)
    return Path(config.dump_config.dump_path.value)


def test_every_node_has_its_module_and_line() -> None:
    folder = dumped(torchair_dump.get_ge_dump_config("dump"), TinyTransformer())
    (file,) = folder.glob("fx_sources_*.json")
    nodes = json.loads(file.read_text())["nodes"]
    computing = {name: told for name, told in nodes.items() if told}
    assert len(computing) > 20
    lines = Path(models.__file__).read_text().splitlines()
    for told in computing.values():
        assert told["file"] == models.__file__
        assert lines[told["line"] - 1].strip() == told["code"]
    assert computing["_softmax"]["module"] == "attend"
    assert computing["_softmax"]["class"] == "models.SelfAttention"
    assert {"norm", "attend.to_qkv", "attend.to_out", "widen", "narrow", "to_words"} <= {
        told.get("module") for told in computing.values()
    }


def test_a_pass_of_the_user_is_still_called() -> None:
    torchair = importlib.import_module("torchair")
    given = torchair.CompilerConfig()
    seen: list[int] = []

    def users_pass(graph: Any, *_: Any, **__: Any) -> None:
        seen.append(len(list(graph.graph.nodes)))

    given.post_grad_custom_post_pass = users_pass
    config = torchair_dump.get_ge_dump_config("dump", compiler_config=given)
    folder = dumped(config, TinyTransformer())
    (file,) = folder.glob("fx_sources_*.json")
    assert seen == [len(json.loads(file.read_text())["nodes"])]
