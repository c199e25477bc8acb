"""Runs a program through the genuine torchair on the CPU: its graph text, inputs and FX dump.

Needs the environment of `nox -s torchair`: torch, torch_npu and the empty vendor libraries in
LD_LIBRARY_PATH.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

REAL_TORCHAIR = Path(__file__).resolve().parents[2] / "tests" / "real_torchair"
GRAPH_TEXT, FEEDS, FX = "graph.txt", "feeds.pt", "fx"

Inputs = Sequence[torch.Tensor]


@dataclass(frozen=True)
class Program:
    """A model and what it is given.

    Args:
        name: Of its folder.
        model: Runs eagerly on the CPU.
        inputs: Of the first step.
        n_steps: How often it runs.
        next_inputs: Step and the outputs of the step before -> inputs; None: the same again.
        carried: Number of an input of the program -> number of the output whose value of the
            step before it is (KV caches).
    """

    name: str
    model: torch.nn.Module
    inputs: Inputs
    n_steps: int = 1
    next_inputs: Callable[[int, Sequence[torch.Tensor]], Inputs] | None = None
    carried: tuple[tuple[int, int], ...] = ()


def capture(program: Program, folder: Path) -> None:
    """Write graph.txt, the inputs of each step (feeds.pt) and the FX dump (fx/) into `folder`.

    feeds.pt holds a list of {placeholder: tensor}, the placeholder of each input of the program,
    and which of them carry an output of the step before.
    """
    if str(REAL_TORCHAIR) not in sys.path:
        sys.path.insert(0, str(REAL_TORCHAIR))
    cpu_device = importlib.import_module("cpu_device")
    importlib.import_module("benchmarks.truth.npu_ops").give_cpu_kernels()
    cpu_device.leave_out_engine()
    compiler: Any = importlib.import_module("torchair.npu_fx_compiler")
    torch.set_num_threads(1)
    for capture_side in (_capture_ge, _capture_fx):
        torch._dynamo.reset()
        # torchair counts the graphs of a process: this one is the first of each side.
        compiler._GLOBAL_GRAPH_ID = 0
        with tempfile.TemporaryDirectory(dir=folder) as work, torch.no_grad():
            capture_side(program, cpu_device, folder, Path(work))


def _run(program: Program, config: Any, cpu_device: Any) -> None:
    compiled = cpu_device.compile_on_cpu(program.model.eval(), config, dynamic=False)
    inputs: Inputs = program.inputs
    for step in range(program.n_steps):
        result = compiled(*inputs)
        outputs = result if isinstance(result, (tuple, list)) else [result]
        if program.next_inputs is not None:
            inputs = program.next_inputs(step + 1, outputs)


def _capture_fx(program: Program, cpu_device: Any, folder: Path, work: Path) -> None:
    dump = importlib.import_module("ait_cmp.dump.torchair_dump")
    config = dump.get_fx_dump_config(str(work))
    _run(program, config, cpu_device)
    (found,) = work.glob("dump_*")
    shutil.rmtree(folder / FX, ignore_errors=True)
    found.rename(folder / FX)


def _capture_ge(program: Program, cpu_device: Any, folder: Path, work: Path) -> None:
    config = cpu_device.torchair.CompilerConfig()
    config.debug.graph_dump.type = "txt"
    config.debug.graph_dump.path = str(work)
    compiler = importlib.import_module("torchair.npu_fx_compiler")._NpuFxCompiler
    convert, feeds = compiler._gen_compiled_gm, []

    def convert_and_record(self: Any, gm: Any, inputs: Any, observer: Any) -> Any:
        names = [node.name for node in gm.graph.nodes if node.op == "placeholder"]
        convert(self, gm, inputs, observer)

        def run(*args: Any) -> Any:
            feeds.append({name: arg.detach().clone() for name, arg in zip(names, args)})
            return gm(*args)

        return run

    compiler._gen_compiled_gm = convert_and_record
    try:
        _run(program, config, cpu_device)
    finally:
        compiler._gen_compiled_gm = convert
    (text,) = work.glob("dynamo_original_graph_*.txt")
    shutil.copy(text, folder / GRAPH_TEXT)
    saved = {
        "feeds": feeds,
        "given": _given_names(program, feeds[0]),
        "carried": program.carried,
    }
    torch.save(saved, folder / FEEDS)


def _given_names(program: Program, feed: dict[str, torch.Tensor]) -> list[str]:
    """Placeholder of each input of the program, parameters left out.

    Raises:
        ValueError: Dynamo gave an input to the graph that none of its placeholders holds.
    """
    names: list[str] = []
    for given in program.inputs:
        fits = [
            name
            for name, value in feed.items()
            if name not in names and value.shape == given.shape and value.dtype == given.dtype
            if torch.equal(value, given)
        ]
        if not fits:
            message = f"{program.name}: an input of shape {tuple(given.shape)} is in no placeholder"
            raise ValueError(message)
        names.append(fits[0])
    return names
