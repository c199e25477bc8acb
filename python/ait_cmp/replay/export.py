"""What somebody else needs to see a wrong op: inputs, output, reference, graph text, a script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ait_cmp.errors import ConfigError
from ait_cmp.replay.evaluate import TypedArray, as_list, given_of, widened
from ait_cmp.replay.references import Binding, Value
from ait_cmp.replay.references.dtypes import FLOAT_TYPES

# Type -> what it computes in one line of numpy; inputs have the names of the IR, attributes lie in
# `a`. Other types are held against our reference, which is beside the script.
_PRODUCT = "turn(x1, a.get('{0}_x1')) @ turn(x2, a.get('{0}_x2'))"
_LINES = {
    "Add": "x1 + x2",
    "AddV2": "x1 + x2",
    "Sub": "x1 - x2",
    "Mul": "x1 * x2",
    "Div": "x1 / x2",
    "RealDiv": "x1 / x2",
    "Maximum": "np.maximum(x1, x2)",
    "Minimum": "np.minimum(x1, x2)",
    "Pow": "x1**x2",
    "Muls": "x * a['value']",
    "Adds": "x + a['value']",
    "Rsqrt": "1 / np.sqrt(x)",
    "Sqrt": "np.sqrt(x)",
    "Square": "x * x",
    "Neg": "-x",
    "Abs": "np.abs(x)",
    "Exp": "np.exp(x)",
    "Log": "np.log(x)",
    "Reciprocal": "1 / x",
    "Sigmoid": "1 / (1 + np.exp(-x))",
    "Tanh": "np.tanh(x)",
    "Relu": "np.maximum(x, 0)",
    "Cos": "np.cos(x)",
    "Sin": "np.sin(x)",
    "Swish": "x / (1 + np.exp(-a.get('scale', 1.0) * x))",
    "MatMul": _PRODUCT.format("transpose"),
    "MatMulV2": _PRODUCT.format("transpose"),
    "MatMulV3": _PRODUCT.format("transpose"),
    "BatchMatMul": _PRODUCT.format("adj"),
    "BatchMatMulV2": _PRODUCT.format("adj"),
    "BatchMatMulV3": _PRODUCT.format("adj"),
    "SoftmaxV2": "np.exp(x - top(x, a)) / np.exp(x - top(x, a)).sum(axes(a), keepdims=True)",
    "ReduceMean": "x.mean(tuple(axes.ravel().astype(int)), keepdims=a.get('keep_dims', False))",
    "ReduceSum": "x.sum(tuple(axes.ravel().astype(int)), keepdims=a.get('keep_dims', False))",
    "RmsNorm": "x / np.sqrt((x * x).mean(-1, keepdims=True) + a.get('epsilon', 1e-6)) * gamma",
    "Transpose": "x.transpose(perm.ravel().astype(int))",
    "Cast": "x",
    "Identity": "x",
    "TensorMove": "x",
}
# Helpers that a line may use.
_HELPERS = {
    "turn(": "def turn(x, flag): return np.swapaxes(x, -1, -2) if flag else x",
    "top(": "def top(x, a): return x.max(axes(a), keepdims=True)",
    "axes(a)": "def axes(a): return tuple(a.get('axes', (-1,)))",
}


def export_op(
    folder: Path,
    name: str,
    binding: Binding,
    inputs: Mapping[int, TypedArray],
    outputs: list[TypedArray],
    sentence: str,
    graph_part: str,
) -> Path:
    """Write one op into a folder of its own.

    Args:
        folder: Where the op's folder is made.
        name: Name of that folder: op and step.
        binding: The op.
        inputs: Position among the fed inputs -> tensor.
        outputs: What it wrote.
        sentence: What was found.
        graph_part: The op's part of the graph text.

    Returns:
        The op's folder.

    Raises:
        ConfigError: It cannot be written.
    """
    home = folder / re.sub(r"[^\w.-]", "_", name)
    try:
        home.mkdir(parents=True, exist_ok=True)
        names = _write_arrays(home, binding, inputs, outputs)
        (home / "sentence.txt").write_text(f"{sentence}\n", encoding="utf-8")
        (home / "graph_part.txt").write_text(graph_part, encoding="utf-8")
        script = _script(name, binding, names, outputs)
        (home / "compute.py").write_text(script, encoding="utf-8")
    except OSError as error:
        message = f"{home} cannot be written: {error.strerror}"
        raise ConfigError(message) from error
    return home


def _write_arrays(
    home: Path, binding: Binding, inputs: Mapping[int, TypedArray], outputs: list[TypedArray]
) -> list[str]:
    """Write .npy files; returns the names of the inputs."""
    names: list[str] = []
    arrays = {}
    for parameter, positions in binding.positions.items():
        for number, position in enumerate(positions):
            names.append(f"{parameter}{number}" if parameter in binding.dynamic else parameter)
            np.save(home / f"input_{names[-1]}.npy", inputs[position].array)
            arrays[position] = widened(inputs[position].array)
    results = as_list(binding.evaluate(arrays, given_of(binding, inputs, outputs)))
    for index, output in enumerate(outputs):
        np.save(home / f"output_{index}.npy", output.array)
        if index < len(results) and not isinstance(results[index], str):
            result = results[index]
            value = result.value if isinstance(result, Value) else result
            np.save(home / f"reference_{index}.npy", np.asarray(value))
    return names


def _script(name: str, binding: Binding, names: list[str], outputs: list[TypedArray]) -> str:
    """A script that computes output 0 again with numpy alone."""
    type_ = binding.reference.type
    line = _LINES.get(type_, "")
    if "bias" in names:
        line = line and f"{line} + bias"
    used = [helper for mark, helper in _HELPERS.items() if mark in line or mark in _called(line)]
    unit = FLOAT_TYPES[outputs[0].dtype].unit if outputs[0].dtype in FLOAT_TYPES else 0.0
    loads = [f'{n} = np.load(here / "input_{n}.npy").astype(np.float64)' for n in names]
    formula = line or 'np.load(here / "reference_0.npy").astype(np.float64)'
    return "\n".join(
        [
            f'"""{name}: {type_} computed again from its own inputs; needs numpy alone."""',
            "from pathlib import Path",
            "import numpy as np",
            *used,
            "here = Path(__file__).parent",
            *loads,
            f"a = {_plain(binding.attributes)!r}",
            f"reference = {formula}",
            'written = np.load(here / "output_0.npy").astype(np.float64).reshape(reference.shape)',
            "error = np.linalg.norm(written - reference) / max(np.linalg.norm(reference), 1e-300)",
            f'print(f"relative error {{error:.6g}}; rounding ({outputs[0].dtype}) is {unit:.3g}")',
            "worst = np.unravel_index(np.argmax(np.abs(written - reference)), written.shape)",
            'print(f"worst element {tuple(map(int, worst))}: {written[worst]} written, "',
            '      f"{reference[worst]} due")',
            "",
        ]
    )


def _called(line: str) -> str:
    """Marks of helpers that the helpers of a line call."""
    return "axes(a)" if "top(" in line else ""


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def graph_part(text: str, name: str) -> str:
    """The block of an op in a graph text as torchair prints it; "" if it is not there."""
    for block in re.split(r"^(?=op \{$)", text, flags=re.MULTILINE):
        if block.startswith("op {") and f'\n  name: "{name}"\n' in block:
            end = block.find("\n}")
            return block if end < 0 else block[: end + 3]
    return ""
