"""The graph text reader: one text with large constants, one of ordinary operators."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

from ait_cmp import _core
from benchmarks.table import Line
from benchmarks.timing import best_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What the reader must reach on both texts.
FLOOR_BYTES_PER_S = 150e6

DESC = """  {io}_desc {{
    name: "{name}"
    dtype: DT_FLOAT16
    shape {{
      dim: 8
      dim: 32
    }}
    layout: "ND"
    attr {{
      key: "_fx_tensor_name"
      value {{
        s: "mm_{i}-aten.mm.default.OUTPUT.0"
      }}
    }}
    attr {{
      key: "_meta"
      value {{
        s: "Tensor(dtype=torch.float16, shape=torch.Size([8, 32])"
      }}
    }}
    device_type: "NPU"
  }}
"""


def ordinary_op(i: int) -> str:
    """One matmul as torchair prints it."""
    inputs = "".join(DESC.format(io="input", name=name, i=i) for name in ("x1", "x2"))
    edges = f'  input: "MatMulV2_{i}:0"\n  input: "Const_{i}:0"\n'
    output = DESC.format(io="output", name="y", i=i)
    return f'op {{\n  name: "MatMulV2_{i + 1}"\n  type: "MatMulV2"\n{edges}{inputs}{output}}}\n'


def constant_op(i: int) -> str:
    """A constant of 1 MiB of half-precision numbers: one byte in two prints as three digits."""
    data = r"\026;k\200" * (1 << 18)
    return (
        f'op {{\n  name: "Const_{i}"\n  type: "Const"\n  attr {{\n    key: "value"\n    value {{\n'
        f'      t {{\n        data: "{data}"\n      }}\n    }}\n  }}\n}}\n'
    )


def bench_graph_text(work: Path, *, n_bytes: int) -> Iterator[Line]:
    """Read both texts, beside a plain read of the same file."""
    folder = work / "graph"
    folder.mkdir()
    path = folder / "graph.txt"
    for name, make_op in (("large constants", constant_op), ("ordinary operators", ordinary_op)):
        with path.open("w") as file:
            i = 0
            while file.tell() < n_bytes:
                file.write(make_op(i))
                i += 1
        n_written = path.stat().st_size
        seconds = best_of(partial(_core.read_graph, path, access="map"), budget_s=0)
        is_slow = n_written / seconds < FLOOR_BYTES_PER_S
        yield Line(
            "graph",
            f"graph text of {n_written // 10**6} MB: {name}",
            cache="warm",
            threads=1,
            seconds=seconds,
            n_bytes=n_written,
            read_s=best_of(path.read_bytes, budget_s=0),
            note=f"{'BELOW' if is_slow else 'above'} the floor of 0.15 GB/s",
        )
    shutil.rmtree(folder)
