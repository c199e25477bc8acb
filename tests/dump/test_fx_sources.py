"""The pass that writes where FX nodes come from, on stand-ins for nodes and graphs."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torchair_stand_in import CompilerConfig, ge_folder

from ait_cmp.dump import torchair_dump
from ait_cmp.dump.fx_sources import SourcesWriter, source_of
from ait_cmp.fx_sources import module_path

TRACE = """  File "/models/run.py", line 7, in forward
    return self.layers(x)
  File "/models/qwen.py", line 38, in forward
    up = self.up_proj(x)
         ^^^^^^^^^^^^^^^
"""


class Linear:
    """Stands for a module's class."""


def node(name: str, stack: Any = None, trace: str | None = None) -> Any:
    meta = {} if stack is None else {"nn_module_stack": stack}
    return SimpleNamespace(name=name, meta=meta, stack_trace=trace)


def graph_module(*nodes: Any) -> Any:
    return SimpleNamespace(graph=SimpleNamespace(nodes=nodes))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("L['self'].layers[0].mlp.up_proj", "layers.0.mlp.up_proj"),
        ("L['self']", ""),
        ("L['model'].model.layers.3", "model.layers.3"),
        ("L['self'].blocks._modules['up'].0", "blocks.up.0"),
        ("getattr(L['self'].seq, '0')", "seq.0"),
        ("L['self'].experts['gate']", "experts.gate"),
        ("layers.0.mlp", "layers.0.mlp"),
    ],
)
def test_the_path_of_a_module_as_a_person_writes_it(text: str, path: str) -> None:
    assert module_path(text) == path


def test_what_a_node_tells() -> None:
    stack = {"a": ("L['self']", Linear), "b": ("L['self'].mlp[0]", Linear)}
    assert source_of(node("mm", stack, TRACE)) == {
        "module": "mlp.0",
        "class": f"{__name__}.Linear",
        "file": "/models/qwen.py",
        "line": 38,
        "code": "up = self.up_proj(x)",
    }


def test_the_class_may_be_a_text() -> None:
    assert source_of(node("mm", {"a": ("L['self'].mlp", "qwen.MLP")}))["class"] == "qwen.MLP"


@pytest.mark.parametrize("trace", [None, "", "no frame at all"])
def test_a_node_that_tells_nothing(trace: str | None) -> None:
    assert source_of(node("arg0_1", None, trace)) == {}


def test_every_graph_gets_a_file(tmp_path: Path) -> None:
    writer = SourcesWriter(str(tmp_path))
    assert writer(graph_module(node("mm", None, TRACE), node("add")), [1], "config") is None
    writer(graph_module(node("mul")), [1], "config")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"fx_sources_{os.getpid()}_{k}.json" for k in (0, 1)]
    content = json.loads((tmp_path / names[0]).read_text())
    assert content["format"] == "ait-cmp FX sources"
    assert content["nodes"]["mm"]["line"] == 38
    assert content["nodes"]["add"] == {}


def test_a_pass_of_the_user_is_called_first_with_all_it_is_given(tmp_path: Path) -> None:
    called: list[Any] = []

    def users_pass(*given: Any, **named: Any) -> str:
        called.append((given, named))
        assert list(tmp_path.iterdir()) == []
        return "its result"

    graph = graph_module(node("mm"))
    assert SourcesWriter(str(tmp_path), users_pass)(graph, 1, config=2) == "its result"
    assert called == [((graph, 1), {"config": 2})]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_gone_does_not_stop_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="ait_cmp.dump"):
        SourcesWriter(str(tmp_path / "gone"))(graph_module(node("mm")))
    assert "FX sources cannot be written" in caplog.text


def test_the_helper_switches_on_what_torchair_has(version: str) -> None:
    config = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig(version))
    text = torchair_dump.describe(config)
    lacks_modules = "no export.experimental.enable_record_nn_module_stack (modules)" in text
    lacks_lines = "no post_grad_custom_post_pass (source lines)" in text
    assert lacks_modules == (not hasattr(config, "export"))
    assert lacks_lines == (not hasattr(config, "post_grad_custom_post_pass"))
    assert ("reports do not tell them" in text) == (lacks_modules or lacks_lines)
    if not lacks_modules:
        assert config.export.experimental.enable_record_nn_module_stack.value == "1"
    if not lacks_lines:
        writer = config.post_grad_custom_post_pass.value
        assert isinstance(writer, SourcesWriter)
        assert writer.folder == str(ge_folder(config))


def test_a_second_call_keeps_the_pass_of_the_user_alone() -> None:
    config = CompilerConfig("26.0")

    def users_pass(graph: Any, *args: Any) -> None: ...

    config.post_grad_custom_post_pass = users_pass
    for _ in range(2):
        torchair_dump.get_ge_dump_config("dump", compiler_config=config)
    assert config.post_grad_custom_post_pass.value.before is users_pass
