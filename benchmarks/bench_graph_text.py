"""Speed of the graph text reader beside a plain read of the same bytes.

Run: `python -m benchmarks.bench_graph_text [--megabytes N]`. Two texts: one whose constants are
large, as a graph with embedded weights has them, and one of ordinary operators.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ait_cmp import _core

#: What the reader must reach on both texts, in MB/s (1 MB = 10^6 bytes).
FLOOR_MB_PER_S = 150
ROUNDS = 5

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


def best_mb_per_s(work: Callable[[], object], n_bytes: int) -> float:
    """The fastest of some rounds."""
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return n_bytes / min(seconds) / 1e6


def main() -> int:
    """Print one line per text; 1 if a text is read below the floor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=50, help="size of each text")
    wanted = parser.parse_args().megabytes * 1_000_000
    is_slow = False
    for name, make_op in (("large constants", constant_op), ("ordinary operators", ordinary_op)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "graph.txt"
            with path.open("w") as file:
                i = 0
                while file.tell() < wanted:
                    file.write(make_op(i))
                    i += 1
            n_bytes = path.stat().st_size
            plain = best_mb_per_s(path.read_bytes, n_bytes)
            ours = best_mb_per_s(lambda p=path: _core.read_graph(p, access="map"), n_bytes)
        is_slow |= ours < FLOOR_MB_PER_S
        print(
            f"{name}: {ours:.0f} MB/s, plain read {plain:.0f} MB/s ({ours / plain:.0%}), "
            f"{n_bytes / 1e6:.0f} MB, floor {FLOOR_MB_PER_S} MB/s"
        )
    return 1 if is_slow else 0


if __name__ == "__main__":
    sys.exit(main())
