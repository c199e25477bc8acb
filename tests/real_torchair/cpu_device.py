"""What stands in for the NPU: GE is not started, and the converted FX graph runs eagerly.

torch_npu is imported before torchair: the lazy torchair that it registers is the one of the
wheel, with the classes that a user's script gets.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch

torch_npu = importlib.import_module("torch_npu")
torchair = importlib.import_module("torchair")


def leave_out_engine(set_attribute: Callable[[object, str, object], None] = setattr) -> None:
    """Keep torchair from starting GE when it converts a graph."""
    converter = importlib.import_module("torchair._ge_concrete_graph.fx2ge_converter")
    set_attribute(converter, "initialize_graph_engine", lambda _options=None: None)


def compile_on_cpu(model: torch.nn.Module, config: Any, *, dynamic: bool) -> Callable[..., Any]:
    """`torch.compile` as in a user's script, with the one setting that runs without an NPU."""
    config.debug.run_eagerly = True
    backend = torchair.get_npu_backend(compiler_config=config)
    return torch.compile(model, backend=backend, dynamic=dynamic)
