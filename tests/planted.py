"""A small model evaluated in numpy, its graph text and its GE dump; a bug is planted in one op.

The formulas here are the tests' own: nothing of the references is used. Every op rounds its result
to its dtype, and is off by noise of a number of units beside that, as another device would be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from make_dump import Dump, DumpTensor, name_of, tensor_of
from shared_files import put

Array = np.ndarray[Any, Any]

#: dtype -> (numpy type, name in the graph text, roundoff by which noise is scaled)
DTYPES: dict[str, tuple[Any, str, float]] = {
    "float16": (np.float16, "DT_FLOAT16", 2.0**-11),
    "bfloat16": (ml_dtypes.bfloat16, "DT_BF16", 2.0**-8),
    "float32": (np.float32, "DT_FLOAT", 2.0**-13),
    "int64": (np.int64, "DT_INT64", 0.0),
}
RUN_TIME_NUMBERS = {"float32": 0, "float16": 1, "bfloat16": 27}
#: Types that may be fused into a chain.
CHAINED = {"Add", "Mul", "Muls", "Rsqrt", "Neg", "Swish", "Cast", "Pow", "Sub", "Exp"}
#: Types that move values: they add no noise.
MOVES = {"Transpose", "ConcatV2", "Reshape", "SplitV", "GatherV2", "Identity"}


@dataclass
class Op:
    """One op: `inputs` are (name in input_desc, edge)."""

    name: str
    type: str
    inputs: list[tuple[str, str]]
    attributes: str
    values: list[Array]


@dataclass
class Model:
    """Ops in order with their values, the float ones in `dtype`."""

    dtype: str
    noise: float
    seed: int
    bug: str = ""
    spoil: Callable[[Array, np.random.Generator], Array] | None = None
    ops: list[Op] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    data: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self._counts: dict[str, int] = {}

    def input(self, name: str, array: Array, dtype: str | None = None) -> str:
        """An input of the graph."""
        self.data[name] = array.astype(DTYPES[dtype or self.dtype][0])
        return f"{name}:0"

    def constant(self, value: Any) -> str:
        """An int64 constant."""
        name = f"Const_{len(self.constants)}"
        self.constants[name] = np.asarray(value, np.int64)
        return f"{name}:0"

    def value(self, edge: str) -> Array:
        """The values of an edge as they are stored."""
        name, _, index = edge.rpartition(":")
        if name in self.data:
            return self.data[name]
        if name in self.constants:
            return self.constants[name]
        return next(op for op in self.ops if op.name == name).values[int(index)]

    def op(
        self,
        type_: str,
        formula: Callable[..., Any],
        inputs: Sequence[tuple[str, str]],
        attributes: str = "",
        dtype: str | None = None,
    ) -> str:
        """Evaluate an op in float64, add noise, round, plant the bug; returns its first edge."""
        number = self._counts.get(type_, 0)
        self._counts[type_] = number + 1
        name = f"{type_}_{number}" if number else type_
        arrays = [self.value(edge) for _, edge in inputs]
        is_move = type_ in MOVES
        wide = [a if is_move or a.dtype == np.int64 else a.astype(np.float64) for a in arrays]
        with np.errstate(all="ignore"):
            result = formula(*wide)
        results = list(result) if isinstance(result, (list, tuple)) else [result]
        kind, _, unit = DTYPES[dtype or self.dtype]
        values = []
        for one in results:
            array = np.asarray(one)
            if self.noise and not is_move:
                noise = self.rng.normal(size=array.shape)
                with np.errstate(invalid="ignore"):
                    array = array * (1.0 + self.noise * unit * noise)
            if self.bug == name and self.spoil is not None:
                array = self.spoil(np.array(array, np.float64, order="C"), self.rng)
            with np.errstate(over="ignore", invalid="ignore"):
                values.append(np.array(array).astype(kind))
        self.ops.append(Op(name, type_, list(inputs), attributes, values))
        return f"{name}:0"


def integer(name: str, value: int) -> str:
    """An integer attribute as text."""
    return f'attr {{ key: "{name}" value {{ i: {value} }} }}\n'


def flag(name: str, value: bool) -> str:
    """A flag as text."""
    return f'attr {{ key: "{name}" value {{ b: {str(value).lower()} }} }}\n'


def number(name: str, value: float) -> str:
    """A float attribute as text, printed short."""
    return f'attr {{ key: "{name}" value {{ f: {np.float32(value)!s} }} }}\n'


def transformer(model: Model, n_tokens: int = 24, width: int = 32) -> Model:
    """A block of a transformer: norms, a projection, attention, a gated unit, moves."""
    f, m = model.dtype, model
    rng = np.random.default_rng(model.seed + 1)

    def weight(*shape: int) -> Array:
        return rng.normal(size=shape) / np.sqrt(shape[-1])

    x = m.input("arg0_1", rng.normal(size=(n_tokens, width)))
    wq = m.input("arg1_1", weight(width, width))
    wk = m.input("arg2_1", weight(width, width))
    gamma = m.input("arg3_1", 1.0 + 0.1 * rng.normal(size=width))
    bias = m.input("arg4_1", 0.1 * rng.normal(size=width))

    def cast(edge: str, to: str) -> str:
        return m.op(
            "Cast", lambda a: a, [("x", edge)], integer("dst_type", RUN_TIME_NUMBERS[to]), to
        )

    # The norm as the converter writes it out, in float32.
    wide = cast(x, "float32")
    two = m.input("arg5_1", np.array(2.0), "float32")
    square = m.op("Pow", lambda a, b: a**b, [("x1", wide), ("x2", two)], "", "float32")
    axes = m.constant([-1])
    mean = m.op(
        "ReduceMean",
        lambda a, _: a.mean(-1, keepdims=True),
        [("x", square), ("axes", axes)],
        flag("keep_dims", True),
        "float32",
    )
    eps = m.input("arg6_1", np.array(1e-5), "float32")
    plus = m.op("Add", np.add, [("x1", mean), ("x2", eps)], "", "float32")
    root = m.op("Rsqrt", lambda a: 1 / np.sqrt(a), [("x", plus)], "", "float32")
    scaled = m.op("Mul", np.multiply, [("x1", wide), ("x2", root)], "", "float32")
    normed = m.op("Mul", np.multiply, [("x1", gamma), ("x2", cast(scaled, f))])
    both = flag("transpose_x1", False) + flag("transpose_x2", True)
    q = m.op("MatMul", lambda a, b: a @ b.T, [("x1", normed), ("x2", wq)], both)
    k = m.op(
        "MatMulV2", lambda a, b, c: a @ b.T + c, [("x1", normed), ("x2", wk), ("bias", bias)], both
    )
    perm = m.constant([1, 0])
    turned = m.op("Transpose", lambda a, _: a.T, [("x", k), ("perm", perm)])
    scores = m.op("BatchMatMul", np.matmul, [("x1", q), ("x2", turned)])
    scale = m.op("Muls", lambda a: a * np.float32(0.3), [("x", scores)], number("value", 0.3))
    weights = m.op(
        "SoftmaxV2",
        lambda a: np.exp(a - a.max(-1, keepdims=True))
        / np.exp(a - a.max(-1, keepdims=True)).sum(-1, keepdims=True),
        [("x", scale)],
        'attr { key: "axes" value { list { i: -1 val_type: VT_LIST_INT } } }\n',
    )
    mixed = m.op("BatchMatMul", np.matmul, [("x1", weights), ("x2", k)])
    added = m.op("Add", np.add, [("x1", x), ("x2", mixed)])
    rms = m.op(
        "RmsNorm",
        lambda a, g: a
        / np.sqrt((a * a).mean(-1, keepdims=True) + np.float64(np.float32(1e-6)))
        * g,
        [("x", added), ("gamma", gamma)],
        number("epsilon", 1e-6),
    )
    gate = m.op("Swish", lambda a: a / (1 + np.exp(-a)), [("x", rms)], number("scale", 1.0))
    product = m.op("Mul", np.multiply, [("x1", gate), ("x2", rms)])
    size = m.constant([width])
    layer = m.op(
        "LayerNormV4",
        lambda a, _, g, b: (a - a.mean(-1, keepdims=True))
        / np.sqrt(a.var(-1, keepdims=True) + np.float64(np.float32(1e-5))) * g + b,
        [("x", product), ("normalized_shape", size), ("gamma", gamma), ("beta", bias)],
        number("epsilon", 1e-5),
    )  # fmt: skip
    gelu = m.op("Gelu", _gelu, [("x", layer)])
    dim = m.constant(-1)
    joined = m.op(
        "ConcatV2",
        lambda a, b, _: np.concatenate([a, b], -1),
        [("x0", gelu), ("x1", product), ("concat_dim", dim)],
        integer("N", 2),
    )
    total = m.op("ReduceSum", lambda a, _: a.sum(-1), [("x", joined), ("axes", axes)])
    m.op("Sub", np.subtract, [("x1", total), ("x2", m.op("Exp", np.exp, [("x", total)]))])
    return m


def _gelu(x: Array) -> Array:
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


# --- bugs --------------------------------------------------------------------------------------

Spoil = Callable[[Array, np.random.Generator], Array]


def _noise(y: Array, rng: np.random.Generator) -> Array:
    return y + 0.05 * np.abs(y).mean() * rng.normal(size=y.shape)


def _scale(y: Array, _: np.random.Generator) -> Array:
    return y * 1.2


def _element(y: Array, rng: np.random.Generator) -> Array:
    flat = y.reshape(-1)
    place = int(np.argsort(np.abs(flat))[int(rng.integers(flat.size // 2, flat.size))])
    flat[place] *= 1.5
    return y


def _row(y: Array, rng: np.random.Generator) -> Array:
    y[int(rng.integers(len(y)))] *= 1.3
    return y


def _tail(y: Array, _: np.random.Generator) -> Array:
    flat = y.reshape(-1)
    flat[-max(1, flat.size // 10) :] = 0.0
    return y


def _tile(y: Array, _: np.random.Generator) -> Array:
    y[..., :16, :16] *= 0.7
    return y


def _infinite(y: Array, _: np.random.Generator) -> Array:
    y.reshape(-1)[3] = np.inf
    return y


BUGS: dict[str, Spoil] = {
    "noise": _noise,
    "scale": _scale,
    "element": _element,
    "row": _row,
    "tail": _tail,
    "tile": _tile,
    "infinite": _infinite,
}


# --- files -------------------------------------------------------------------------------------


TEXT = "dynamo_original_graph_1_rank_0_pid_1_ts_20261122121600897945.txt"


def graph_text(model: Model) -> str:
    """The graph as torchair prints it, one field a line where it matters."""
    parts = ['name: "graph_1"\n']
    for name, array in {**model.data, **model.constants}.items():
        kind = "Data" if name in model.data else "Const"
        dims = " ".join(f"dim: {dim}" for dim in array.shape)
        stated = f"dtype: {_graph_dtype(array)} shape {{ {dims} }}"
        value = ""
        if kind == "Const":
            octal = "".join(f"\\{byte:03o}" for byte in array.tobytes())
            value = (
                f'attr {{ key: "value" value {{ t {{ desc {{ {stated} }} data: "{octal}" }} }} }}\n'
            )
        parts.append(
            f'op {{\n  name: "{name}"\n  type: "{kind}"\n{value}'
            f'output_desc {{ name: "y" {stated} }}\n}}\n'
        )
    for op in model.ops:
        inputs = "".join(f'input: "{edge}"\n' for _, edge in op.inputs)
        descs = "".join(f'input_desc {{ name: "{name}" }}\n' for name, _ in op.inputs)
        outputs = "".join(
            f'output_desc {{ name: "y{k}" dtype: {_graph_dtype(value)} }}\n'
            for k, value in enumerate(op.values)
        )
        parts.append(
            f'op {{\n  name: "{op.name}"\n  type: "{op.type}"\n{inputs}{op.attributes}{descs}'
            f"{outputs}}}\n"
        )
    return "".join(parts)


def _graph_dtype(array: Array) -> str:
    return DTYPES[name_of(array.dtype)][1]


def dump_tensor(array: Array) -> DumpTensor:
    """A tensor as a dump file holds it."""
    if name_of(array.dtype) == "bfloat16":
        return DumpTensor(27, array.shape, array.tobytes(), None, array.shape)
    return tensor_of(array)


def write(
    model: Model,
    folder: Path,
    *,
    is_fused: bool = False,
    outputs_only: bool = False,
    step: int = 0,
    since: str = "",
) -> Path:
    """Write graph text and one step; returns the folder of the dump.

    Args:
        model: What is written.
        folder: Where; other steps may lie there.
        is_fused: Whether chains of ops are one.
        outputs_only: Whether inputs are left out.
        step: Its number.
        since: Of the ops before this one only those that it reads have files.
    """
    return write_files(files_of(model, is_fused, outputs_only, step, since), folder, step)


def files_of(
    model: Model, is_fused: bool = False, outputs_only: bool = False, step: int = 0, since: str = ""
) -> dict[str, bytes]:
    """Name -> content of the files of a step."""
    files = {TEXT: graph_text(model).encode()}
    left_out = _before(model, since)
    for task, members in enumerate(chains(model) if is_fused else [[op] for op in model.ops]):
        if members[-1].name in left_out:
            continue
        inside = {op.name for op in members}
        edges = [edge for op in members for _, edge in op.inputs]
        inputs = [model.value(e) for e in edges if e.rpartition(":")[0] not in inside]
        name, type_ = members[-1].name, members[-1].type
        if len(members) > 1:
            name, type_ = "".join(op.name for op in members), "AutomaticBufferFusionOp"
        dump = Dump(
            () if outputs_only else tuple(map(dump_tensor, inputs)),
            tuple(map(dump_tensor, members[-1].values)),
            op_name=name,
        )
        time = 1706596911887829 + step * 10**6 + task
        files[f"{type_}.{name}.{task}.6.{time}"] = dump.file_bytes()
    return files


def _before(model: Model, since: str) -> set[str]:
    """The ops before one, without those that it reads."""
    names = [op.name for op in model.ops]
    if not since:
        return set()
    at = names.index(since)
    return {*names[:at]} - {edge.rpartition(":")[0] for _, edge in model.ops[at].inputs}


def write_files(files: dict[str, bytes], folder: Path, step: int = 0) -> Path:
    """Write the files of a step, which share their bytes with equal ones: `shared_files.change`."""
    inside = folder / "20261122113000" / "0" / "graph_1" / "1" / str(step)
    inside.mkdir(parents=True)
    (folder / TEXT).unlink(missing_ok=True)  # of another step
    for name, content in files.items():
        put((folder if name == TEXT else inside) / name, content)
    return folder


def chains(model: Model) -> list[list[Op]]:
    """Ops that only one other op reads, joined with it where both are elementwise."""
    readers: dict[str, list[Op]] = {}
    for op in model.ops:
        for _, edge in op.inputs:
            readers.setdefault(edge.rpartition(":")[0], []).append(op)
    chains: list[list[Op]] = []
    taken: set[str] = set()
    for op in model.ops:
        if op.name in taken:
            continue
        chain = [op]
        while chain[-1].type in CHAINED and len(chain) < 4:
            after = readers.get(chain[-1].name, [])
            if len(after) != 1 or after[0].type not in CHAINED or after[0].name in taken:
                break
            chain.append(after[0])
        taken |= {member.name for member in chain}
        chains.append(chain)
    order = {op.name: place for place, op in enumerate(model.ops)}
    return sorted(chains, key=lambda chain: order[chain[-1].name])
