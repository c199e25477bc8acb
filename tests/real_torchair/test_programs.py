"""Aten programs through the genuine converter: our references give what eager torch gives.

The GE graph is evaluated op by op in float64, and held against the program in float64.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from aten_programs import PROGRAMS, Program
from cpu_device import compile_on_cpu, torch, torch_npu, torchair

from ait_cmp import _core
from ait_cmp.pairing.graph.index import CONST_TYPES, DATA_TYPES, GraphIndex
from ait_cmp.replay.evaluate import as_list
from ait_cmp.replay.op_texts import OpTexts
from ait_cmp.replay.references import Given, RefusedError, Value

Array = np.ndarray[Any, Any]
#: program -> the sentence why its graph is not evaluated.
REFUSED = {"group_norm": "no reference for GroupNorm"}


class Function(torch.nn.Module):
    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.program.run(*inputs)


class Converted(NamedTuple):
    """Graph text of a program, its inputs by placeholder, shapes of FX tensors by name."""

    path: Path
    feeds: dict[str, torch.Tensor]
    shapes: dict[str, tuple[int, ...]]


class Shapes(torch.fx.Interpreter):
    """Runs a graph and writes down the shapes of what its nodes compute: a dump shows them, too."""

    def __init__(self, graph: Any, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__(graph)
        self.shapes = shapes

    def run_node(self, n: torch.fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, torch.Tensor):
            self.shapes[n.name] = tuple(value.shape)
        return value


def convert(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Converted:
    """The genuine converter at work."""
    config = torchair.CompilerConfig()
    config.debug.graph_dump.type = "txt"
    config.debug.graph_dump.path = str(folder)
    compiler = importlib.import_module("torchair.npu_fx_compiler")._NpuFxCompiler
    original = compiler._gen_compiled_gm
    feeds: dict[str, torch.Tensor] = {}
    shapes: dict[str, tuple[int, ...]] = {}

    def convert_and_record(self: Any, gm: Any, inputs: Any, observer: Any) -> Any:
        names = [node.name for node in gm.graph.nodes if node.op == "placeholder"]
        original(self, gm, inputs, observer)

        def run(*args: torch.Tensor) -> Any:
            feeds.update({name: arg.detach().clone() for name, arg in zip(names, args)})
            return Shapes(gm, shapes).run(*args)

        return run

    monkeypatch.setattr(compiler, "_gen_compiled_gm", convert_and_record)
    monkeypatch.setattr(torch_npu.npu, "get_device_name", lambda *_: "Ascend910B")
    compile_on_cpu(Function(program), config, dynamic=False)(*program.inputs)
    (text,) = folder.glob("dynamo_original_graph_*.txt")
    return Converted(text, feeds, shapes)


def evaluate(converted: Converted, form: int = 0) -> list[Array]:
    """What reaches the end of a graph when each op is what its reference says."""
    path, feeds, shapes = converted
    (graph,) = _core.read_graph(str(path))
    texts = OpTexts(str(path), graph, GraphIndex(graph))
    values: dict[tuple[int, int], Array] = {}
    dtypes: dict[tuple[int, int], str] = {}
    ends: list[Array] = []
    for number, op in enumerate(texts.graph.ops):
        if op.type in DATA_TYPES:
            values[number, 0], dtypes[number, 0] = wide(feeds[op.name])
        elif op.type in CONST_TYPES:
            constant = texts.constant((number, 0))
            assert constant is not None, op.name
            dtypes[number, 0], array = constant
            values[number, 0] = array.astype(np.float64) if array.dtype.kind == "f" else array
        elif op.type == "NetOutput":
            ends = [values[fed.source] for fed in op.fed if fed.source is not None]
        else:
            sources = [fed.source for fed in op.fed]
            fed = {i: values[source] for i, source in enumerate(sources) if source is not None}
            binding = texts.bind(number, {i: array.shape for i, array in fed.items()})
            known = {n: dtypes[sources[at[0]]] for n, at in binding.positions.items()}  # type: ignore[index]
            out_dtypes = texts.out_dtypes(number)
            first = dtypes.get(sources[0] or (-1, -1), "") if sources else ""
            named = op.output_names[0] if op.output_names else None
            node = "" if named is None else str(named).partition("-")[0]
            shape = shapes[node] if node in shapes else shape_of(op.type, fed)
            given = Given(known, out_dtypes, () if shape is None else (shape,))
            forms = len(binding.reference.formulas)
            used = {i: fed[i] for at in binding.positions.values() for i in at}
            results = as_list(binding.evaluate(used, given, min(form, forms - 1)))
            for index, result in enumerate(results):
                if isinstance(result, str):
                    continue
                value = np.asarray(result.value if isinstance(result, Value) else result)
                values[number, index] = value
                own = out_dtypes[index] if index < len(out_dtypes) else ""
                dtypes[number, index] = own or first
    return ends


def shape_of(type_: str, fed: Mapping[int, Array]) -> tuple[int, ...] | None:
    """Shape of what GE alone makes: the second input of Reshape says it."""
    if type_ not in ("Reshape", "BroadcastTo", "Expand") or 1 not in fed:
        return None
    wanted = [int(size) for size in fed[1].reshape(-1)]
    return fed[0].reshape(wanted).shape if type_ == "Reshape" else tuple(wanted)


def wide(tensor: torch.Tensor) -> tuple[Array, str]:
    array = tensor.numpy()
    dtype = f"torch.{array.dtype.name}"
    return (array.astype(np.float64) if array.dtype.kind == "f" else array), dtype


def eager(program: Program) -> list[Array]:
    """The program in float64."""
    inputs = [one.double() if one.is_floating_point() else one for one in program.inputs]
    result = program.run(*inputs)
    return [one.numpy() for one in (result if isinstance(result, (tuple, list)) else [result])]


def are_near(found: list[Array], expected: list[Array]) -> bool:
    return len(found) == len(expected) and all(
        ours.size == theirs.size
        and np.allclose(ours.reshape(theirs.shape), theirs, rtol=1e-6, atol=1e-6, equal_nan=True)
        for ours, theirs in zip(found, expected)
    )


def test_there_are_a_hundred_programs_and_more() -> None:
    assert len(PROGRAMS) - len(REFUSED) >= 100


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_graph_computes_what_eager_torch_computes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = PROGRAMS[name]
    converted = convert(program, tmp_path, monkeypatch)
    if name in REFUSED:
        with pytest.raises(RefusedError, match=REFUSED[name]):
            evaluate(converted)
        return
    expected = eager(program)
    # Both forms of Gelu are one type of GE: the nearer one counts.
    assert any(are_near(evaluate(converted, form), expected) for form in (0, 1))
