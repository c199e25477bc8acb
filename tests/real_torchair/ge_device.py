"""A CPU in the place of GE: runs converted graphs eagerly and writes GE dump files of them.

torchair converts the FX graph to a GE graph and names in it the FX tensor that each GE tensor
is. Here the FX side of the same conversion runs node by node; each GE op whose tensors all have
a value then gets a dump file, in the folder and for the steps that the options of the config
(`as_dict()`) tell GE. Ops that GE alone knows (inserted transposes and casts) get none.
"""

from __future__ import annotations

import importlib
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from google.protobuf import text_format

# Numbers of the dump header (dump_task.proto, OutputDataType); graph texts use the same.
DTYPES = {
    torch.float32: 1,
    torch.float16: 2,
    torch.int32: 7,
    torch.int64: 8,
    torch.bool: 11,
    torch.float64: 12,
    torch.bfloat16: 27,
}
FORMAT_ND = 2
# The stand-in runs each graph as model 1 on device 0.
MODEL_PATH = "0/{graph}/1/{step}"


def write_dumps_of_graphs(set_attribute: Callable[[object, str, object], None] = setattr) -> None:
    """Let torchair's compiler give out graphs that dump as the config tells GE."""
    compiler = importlib.import_module("torchair.npu_fx_compiler")._NpuFxCompiler
    convert = compiler._gen_compiled_gm

    def convert_and_dump(self: Any, gm: Any, inputs: Any, observer: Any) -> Any:
        self.config.debug.run_eagerly = True
        return DumpingGraph(convert(self, gm, inputs, observer), self.config)

    set_attribute(compiler, "_gen_compiled_gm", convert_and_dump)


class DumpingGraph:
    """The converted FX graph; each call is one step and writes its files."""

    def __init__(self, fx_graph: torch.fx.GraphModule, config: Any) -> None:
        self._fx_graph = fx_graph
        texts = Path(config.debug.graph_dump.path).glob("dynamo_original_graph_*.txt")
        newest = max(texts, key=lambda path: path.stat().st_mtime_ns)
        ge_ir = importlib.import_module("torchair._ge_concrete_graph.ge_ir_pb2")
        self._graph = text_format.Parse(newest.read_text(), ge_ir.GraphDef())
        self._options = config.as_dict()[1]
        started = time.strftime("%Y%m%d%H%M%S")
        self._folder = Path(self._options["ge.exec.dumpPath"]) / started
        self._step = 0

    def __call__(self, *args: Any) -> Any:
        """Run the graph once."""
        recorder = _Recorder(self._fx_graph)
        result = recorder.run(*args)
        if self._is_dumped(self._step):
            self._write_step(recorder.values)
        self._step += 1
        return result

    def _is_dumped(self, step: int) -> bool:
        parts = [part.split("-") for part in self._options.get("ge.exec.dumpStep", "").split("|")]
        return parts == [[""]] or any(int(p[0]) <= step <= int(p[-1]) for p in parts)

    def _write_step(self, fx_values: dict[str, Any]) -> None:
        values = _ge_values(self._graph, fx_values)
        step = self._folder / MODEL_PATH.format(graph=self._graph.name, step=self._step)
        step.mkdir(parents=True)
        mode = self._options["ge.exec.dumpMode"]
        layers = self._options.get("ge.exec.dumpLayer", "").split()
        for task, op in enumerate(self._graph.op):
            edges = [edge for edge in op.input if edge and not edge.endswith(":-1")]
            outputs = [f"{op.name}:{k}" for k in range(len(op.output_desc))]
            is_run = op.type not in ("Data", "Const", "NetOutput")
            if not is_run or not {*edges, *outputs} <= values.keys():
                continue
            if layers and op.name not in layers:
                continue
            tensors = (
                [values[edge] for edge in edges] if mode != "output" else [],
                [values[edge] for edge in outputs] if mode != "input" else [],
            )
            now = time.time_ns() // 1000
            name = f"{op.type}.{op.name}.{task}.1.{now}"
            (step / name).write_bytes(ge_file(op.name, now, *tensors))


class _Recorder(torch.fx.Interpreter):
    """Keeps a copy of every value by node name."""

    def __init__(self, graph: torch.fx.GraphModule) -> None:
        super().__init__(graph)
        self.values: dict[str, Any] = {}

    def run_node(self, n: torch.fx.Node) -> Any:
        value = super().run_node(n)
        self.values[n.name] = torch.utils._pytree.tree_map_only(
            torch.Tensor, lambda tensor: tensor.detach().clone(), value
        )
        return value


def _ge_values(graph: Any, fx_values: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Values of GE edges ("op:index") that are an FX tensor, an input or a constant."""
    values: dict[str, object] = {}
    for op in graph.op:
        if op.type == "Data":
            values[f"{op.name}:0"] = fx_values.get(op.name)
        elif op.type == "Const":
            values[f"{op.name}:0"] = _constant(op.attr["value"].t)
        else:
            for k, desc in enumerate(op.output_desc):
                node, _, rest = desc.attr["_fx_tensor_name"].s.decode().partition("-")
                value = fx_values.get(node)
                if isinstance(value, (list, tuple)):
                    value = value[int(rest.rpartition(".OUTPUT.")[2])]
                values[f"{op.name}:{k}"] = value
    return {edge: value for edge, value in values.items() if isinstance(value, torch.Tensor)}


def _constant(tensor: Any) -> torch.Tensor | None:
    dtype = {number: dtype for dtype, number in DTYPES.items()}.get(tensor.desc.dtype)
    if dtype is None or not tensor.data:
        return None
    return torch.frombuffer(bytearray(tensor.data), dtype=dtype).reshape(
        list(tensor.desc.shape.dim)
    )


# --- the file: a length, a DumpData message, the bytes of inputs, then outputs ---------------


def ge_file(
    op_name: str, time_us: int, inputs: Sequence[torch.Tensor], outputs: Sequence[torch.Tensor]
) -> bytes:
    """A GE dump file of contiguous tensors in format ND."""
    header = _bytes_field(1, b"2.0") + _int_field(2, time_us)
    header += b"".join(_bytes_field(3, _tensor_message(t, size=6, shape=7)) for t in outputs)
    header += b"".join(_bytes_field(4, _tensor_message(t, size=5, shape=6)) for t in inputs)
    header += _bytes_field(6, op_name.encode())
    data = b"".join(_raw(tensor) for tensor in (*inputs, *outputs))
    return struct.pack("<Q", len(header)) + header + data


def _tensor_message(tensor: torch.Tensor, *, size: int, shape: int) -> bytes:
    """OpInput or OpOutput: they number `size` and `original_shape` differently."""
    address = 9 if size == 6 else 8
    dims = _bytes_field(1, b"".join(map(_varint, tensor.shape))) if tensor.ndim else b""
    return (
        _int_field(1, DTYPES[tensor.dtype])
        + _int_field(2, FORMAT_ND)
        + _bytes_field(3, dims)
        + _int_field(size, len(_raw(tensor)))
        + _bytes_field(shape, dims)
        + _int_field(address, 4096)
    )


def _raw(tensor: torch.Tensor) -> bytes:
    flat = tensor.contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _int_field(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes_field(field: int, payload: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(payload)) + payload
