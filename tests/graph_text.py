"""Small graph texts as torchair writes them, and dump headers that fit them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ait_cmp import _core
from ait_cmp.discover import FxFile, GeFile, StepKey
from ait_cmp.info.source import GeScan, NpyScan
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import read_ge_step
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.index import GraphIndex
from ait_cmp.pairing.pair import Pair, StepPairs
from ait_cmp.pairing.readers import Readers, core_readers
from ait_cmp.pairing.step import pair_step
from ait_cmp.tensor_ref import FileRef

KEY = StepKey(0, "graph_1", 0)


def escaped(data: bytes) -> str:
    """Bytes in a protobuf text string, all in octal."""
    return "".join(f"\\{byte:03o}" for byte in data)


def desc(
    kind: str, title: str, *, fx: str | None = None, shape: Sequence[int] | None = None
) -> str:
    """An input_desc or output_desc block with the name `title`."""
    dims = "" if shape is None else "shape { " + " ".join(f"dim: {d}" for d in shape) + " } "
    name = "" if fx is None else f'attr {{ key: "_fx_tensor_name" value {{ s: "{fx}" }} }} '
    return f'{kind} {{ name: "{title}" dtype: DT_FLOAT {dims}{name}}}\n'


def op(
    name: str,
    kind: str,
    inputs: Sequence[str] = (),
    *,
    fx: Sequence[str | None] = (None,),
    in_fx: dict[int, str] | None = None,
    shape: Sequence[int] | None = None,
    in_place: bool = False,
) -> str:
    """One op; `fx` names its outputs, `in_fx` its data inputs by position.

    With `in_place` output k is input k.
    """
    data = [source for source in inputs if not source.endswith(":-1")]
    lines = [f'name: "{name}"\ntype: "{kind}"\n']
    lines += [f'input: "{source}"\n' for source in inputs]
    lines += [desc("input_desc", f"x{k}", fx=(in_fx or {}).get(k)) for k in range(len(data))]
    title = "x" if in_place else "y"
    lines += [
        desc("output_desc", f"{title}{k}", fx=output, shape=shape) for k, output in enumerate(fx)
    ]
    return "op {\n" + "".join(lines) + "}\n"


def const(name: str, value: Sequence[int] | int | float, dtype: str = "int64") -> str:
    """A Const op that holds `value`."""
    array = np.asarray(value, dtype)
    kind = {"int64": "DT_INT64", "int32": "DT_INT32", "float32": "DT_FLOAT"}[dtype]
    dims = " ".join(f"dim: {d}" for d in array.shape)
    tensor = f'desc {{ dtype: {kind} shape {{ {dims} }} }} data: "{escaped(array.tobytes())}"'
    value_attr = f'attr {{ key: "value" value {{ t {{ {tensor} }} }} }}'
    return (
        f'op {{ name: "{name}" type: "Const"\n {value_attr}\n'
        f" output_desc {{ dtype: {kind} shape {{ {dims} }} }} }}\n"
    )


def data(name: str, shape: Sequence[int], fx: str | None = None) -> str:
    """A Data op: an input of the graph."""
    return op(name, "Data", [], fx=(fx,), shape=shape)


def read(folder: Path, *ops: str) -> GraphIndex:
    """The index of a graph of these ops, through the real text reader."""
    path = folder / "dynamo_original_graph_1_rank_0_pid_1_ts_20261122121600897945.txt"
    path.write_text('name: "graph_1"\n' + "".join(ops))
    return GraphIndex(_core.read_graph(str(path))[0])


class Dump:
    """Heads of GE files and FX files of one step, no file behind most of them."""

    def __init__(self) -> None:
        self.ge: list[GeFile] = []
        self.fx: list[FxFile] = []
        self.heads: dict[str, Any] = {}

    def add(
        self,
        name: str,
        kind: str,
        inputs: Sequence[Sequence[int]],
        outputs: Sequence[Sequence[int]],
        *,
        header: str | None = None,
        file_name: str | None = None,
        dtype: str = "torch.float32",
        in_dtypes: Sequence[str] | None = None,
        states: dict[tuple[str, int], str] | None = None,
        origins: dict[int, tuple[str, int]] | None = None,
        error: str | None = None,
        thread: int = -1,
        folder: Path = Path("/ge"),
    ) -> str:
        """One GE file; returns its path."""
        time = 1_706_596_911_000_000 + len(self.ge)
        path = f"{folder}/{kind}.{name}.{len(self.ge)}.6.{time}"
        stated = states or {}

        def heads(io: str, shapes: Sequence[Sequence[int]]) -> list[tuple[object, ...]]:
            rows = []
            for index, shape in enumerate(shapes):
                state = stated.get((io, index), "ok")
                origin = (origins or {}).get(index, (None, -1)) if io == "outputs" else (None, -1)
                note = "" if state == "ok" else f"tensor is {state}"
                kept = in_dtypes[index] if in_dtypes and io == "inputs" else dtype
                rows.append((kept, tuple(shape), state, note, *origin, 2))
            return rows

        head_name = name if header is None else header
        self.heads[path] = GeScan(
            error,
            head_name,
            [] if error else heads("inputs", inputs),
            [] if error else heads("outputs", outputs),
            [],
        )
        shown = name if file_name is None else file_name
        self.ge.append(GeFile(path, kind, shown, len(self.ge), 6, time, -1, thread, "dump"))
        return path

    def add_fx(
        self,
        node: str,
        io: str,
        index: int,
        *,
        target: str = "aten.op.default",
        sub: int = -1,
        time: int = 1,
        path: str | None = None,
        dtype: str = "torch.float32",
        shape: Sequence[int] = (),
    ) -> str:
        """One FX file; returns its path."""
        path = path or f"/fx/{node}-{target}.{io}.{index}.{sub}.{time}.npy"
        self.fx.append(FxFile(path, node, target, io, index, sub, time, "dump"))
        self.heads[path] = NpyScan(None, dtype, tuple(shape), "ok", "")
        return path

    def save_fx(
        self,
        folder: Path,
        node: str,
        io: str,
        index: int,
        array: np.ndarray,
        target: str = "aten.op.default",
    ) -> str:
        """One FX file that exists."""
        path = folder / f"{node}.{io}.{index}.npy"
        np.save(path, array)
        kind = f"torch.{array.dtype.name}"
        return self.add_fx(
            node, io, index, path=str(path), dtype=kind, shape=array.shape, target=target
        )

    def readers(self) -> Readers:
        """Readers that know headers from memory and read values from files."""

        def scan(files: Sequence[FileRef], _: int) -> list[GeScan | NpyScan]:
            return [self.heads[file.path] for file in files]

        return core_readers(1)._replace(scan_ge=scan, scan_npy=scan)

    def against_fx(self, graph: GraphIndex | None) -> StepPairs:
        """This dump's GE files against its FX files."""
        context = None if graph is None else GraphContext(graph)
        return pair_step(KEY, self.ge, FxStep(self.fx), context, self.readers())

    def against_ge(self, golden: Dump, graph: GraphIndex | None) -> StepPairs:
        """This dump's GE files against another dump's."""
        context = None if graph is None else GraphContext(graph)
        step = read_ge_step(golden.ge, context, golden.readers())
        return pair_step(KEY, self.ge, step, context, self.readers())


def row(step: StepPairs, name: str, io: str, index: int) -> Pair:
    """The one row of a tensor."""
    rows = [p for p in step.pairs if (p.op_name, p.io, p.index) == (name, io, index)]
    assert len(rows) == 1
    return rows[0]
