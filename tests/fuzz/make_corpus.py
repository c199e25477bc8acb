"""Writes a folder of seeds for every fuzz target: `python tests/fuzz/make_corpus.py FOLDER`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from make_dump import Dump, DumpTensor, good_dump, tensor_of

# The first bytes of a file's input choose: its own format, no step.
AS_IT_IS = b"\xff\0\0\0"
# Format 29 (FRACTAL_NZ) whatever the header says; one step of kind 1: a transpose.
TRANSPOSED_NZ = b"\x1d\1\1\0"

GRAPH = rb"""name: "graph_1"
# comment
op {
  name: "arg0_1" type: 'Data'
  attr { key: "index" value { i: 0x10 } }
  output_desc < name: "y" dtype: DT_FLOAT shape { dim: [4, -1]; dim: 16 } layout: "ND"
    attr { value { s: "mm-aten.mm.default.OUTPUT.0" } key: "_fx_tensor_name" } >
}
op {
  name: "Const" type: "Const"
  attr { key: "value" value {
    t { desc { dtype: DT_INT64 shape { dim: 1 } } data: "\020\0\x00" "\"" } } }
  attr { key: "_readable_value" value { s: "[16]" } }
  attr { key: "_datadump_original_op_names" value { list { s: "Cast_1" s: "Mul" } } }
  input: "arg0_1:0" input: "" input_desc { attr { key: "_is_unfed_optional" value { i: 1 } } }
  unknown { a: 1.5e-05 b: inf [x.y] { } }
}
"""
ATTRIBUTES = b"""op { name: "A" type: "Add" input: "A:-1"
  attr { key: "f" value { f: -1.5e-3f } } attr { key: "b" value { b: true } }
  attr { key: "l" value { list { i: [1, 2] f: 0.5 b: false } } }
  attr { key: "ll" value { list_list_int { list_list_i { list_i: 1 list_i: -2 } } } } }
"""
NAMES = (
    "MatMulV2.model_layers_0_mm.12.6.1706596911888001",
    "Add.a.b.c.1.2.17065969118",
    "mm-aten.mm.default.OUTPUT.0.20261122112547986840.npy",
    "split-aten.split.Tensor.INPUT.0.12.20261122112547.npy",
    "Opdebug.Node_OpDebug.1.2.1706596911888001",
    "exception_info.1.2.1706596911888001",
)


def ge_dumps() -> dict[str, bytes]:
    """One small file per path through the reader."""
    values = np.array([1.5, -2.0], np.float32)
    skipped = DumpTensor(1, (2,), b"", 8, (2,), address=0)
    rich = Dump(
        inputs=(tensor_of(values), skipped),
        outputs=(tensor_of(values, original_op=("a/b", -1), sub_format=3),),
        attrs=(("mode", "{}"),),
        spaces=((4, b""),),
    )
    halves = np.arange(512, dtype=np.float16)
    layouts = Dump(
        outputs=(
            tensor_of(halves.reshape(1, 2, 16, 16), original_shape=(20, 16), format=29),
            DumpTensor(28, (1, 1, 16, 64), bytes(512), None, (9, 50), format=29),
            tensor_of(
                halves[:16].reshape(2, 2, 2, 2), original_shape=(8, 1, 1, 1), format=4, sub_format=4
            ),
            tensor_of(halves[:8].reshape(1, 2, 1, 2, 2), original_shape=(1, 3, 1, 2), format=3),
            tensor_of(halves[:16].reshape(2, 1, 1, 2, 2, 2), original_shape=(1, 1, 3, 2)),
        )
    )
    files = {
        "good": good_dump().file_bytes(),
        "rich": rich.file_bytes(),
        "appended": good_dump().file_bytes() * 2,
        "layouts": layouts.file_bytes(),
        "old": replace(good_dump(), version="1.0").old_file_bytes(),
    }
    made = {name: AS_IT_IS + content for name, content in files.items()}
    return {**made, "other_format": TRANSPOSED_NZ + layouts.file_bytes()}


def arrays() -> dict[str, bytes]:
    """`.npy` files as NumPy writes them, and a record."""
    values = np.array([1.5, -2.0], np.float32).tobytes()
    plain = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    fortran = b"\x93NUMPY\x02\x00t\x00\0\0{'descr': '|i1', 'fortran_order': True, 'shape': (2, 4)}"
    record = b"{'descr': [('a', '<f4'), ('b', '<i8', (2, 3))], 'fortran_order': True, 'shape': ()}"
    return {
        "plain": AS_IT_IS + plain.ljust(127) + b"\n" + values,
        "fortran": TRANSPOSED_NZ + fortran.ljust(127) + b"\n" + values,
        "record": AS_IT_IS + b"\x93NUMPY\x01\x00" + bytes([len(record), 0]) + record,
    }


def pairs() -> dict[str, bytes]:
    """Choices as pairs.cpp takes them: row of the dtype, format, rank, shape, what else is set."""
    matrix = bytes([2, 2, 2, 8, 16, 0])
    blocked = bytes([2, 29, 4, 2, 2, 16, 16, 8, 2, 20, 20])
    numbers = np.linspace(-3, 3, 64, dtype=np.float32).tobytes()
    return {
        "equal": matrix + b"\1\0" + b"\0\0" + numbers,
        "differ": matrix + b"\1\5" + b"\0\0" + numbers,
        "transposed": matrix + b"\1\3" + b"\1\1\0\1\1" + b"\1\1\0\1\1" + numbers,
        "blocked": blocked + b"\0" + bytes([2, 2, 2, 20, 20, 0]) + b"\5" + b"\0\0" + numbers,
    }


def seeds() -> dict[str, dict[str, bytes]]:
    """Target -> name -> input."""
    graphs = {
        "graph": GRAPH,
        "model": b'name: "m" graph {\n' + GRAPH + b'}\ngraph { name: "g2" }\n',
        "attributes": ATTRIBUTES,
    }
    return {
        "ge_dump": ge_dumps(),
        "npy": arrays(),
        "graph_text": graphs,
        "pairs": pairs(),
        "file_names": {f"name_{i}": name.encode() for i, name in enumerate(NAMES)},
    }


def write_seeds(root: Path) -> None:
    """A folder of inputs for each target."""
    for target, inputs in seeds().items():
        folder = root / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in inputs.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    write_seeds(Path(sys.argv[1]))
