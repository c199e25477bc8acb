"""Writes the seeds of `fuzz_files` into a folder: `python tests/fuzz/make_corpus.py FOLDER`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from make_dump import Dump, DumpTensor, good_dump, tensor_of

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


def seeds() -> dict[str, bytes]:
    """One small file per path through the readers."""
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
    # Two whole bands of a sketch and a part of one, as stored: bfloat16 and float32.
    n_values = 2 * 8168 + 100
    floats = np.linspace(-3, 3, n_values, dtype=np.float32)
    upper = (floats.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    bands = Dump(
        inputs=(DumpTensor(27, (n_values,), upper, None, (n_values,)),),
        outputs=(tensor_of(floats),),
    )
    npy = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    record = b"{'descr': [('a', '<f4'), ('b', '<i8', (2, 3))], 'fortran_order': True, 'shape': ()}"
    return {
        "good.dump": good_dump().file_bytes(),
        "rich.dump": rich.file_bytes(),
        "appended.dump": good_dump().file_bytes() * 2,
        "layouts.dump": layouts.file_bytes(),
        "bands.dump": bands.file_bytes(),
        "old.dump": replace(good_dump(), version="1.0").old_file_bytes(),
        "good.npy": npy.ljust(127) + b"\n" + values.tobytes(),
        "record.npy": b"\x93NUMPY\x01\x00" + bytes([len(record), 0]) + record,
        "graph.txt": GRAPH,
        "model.txt": b'name: "m" graph {\n' + GRAPH + b'}\ngraph { name: "g2" }\n',
    }


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds().items():
        (folder / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
