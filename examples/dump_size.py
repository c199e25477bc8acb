"""How many bytes one step of a graph will dump, told from the graph text before anything is dumped.

    python examples/dump_size.py GRAPH_TEXT [SIZE_OF_DYNAMIC_AXES]

torchair writes `dynamo_original_graph_*.txt` when it compiles a graph. A GE dump holds the inputs
and outputs of every op; graph inputs and constants have no files of their own. Fusion makes a dump
smaller, as tensors within a fused op are not dumped; headers add some 300 bytes a file. Tensors
that the graph says nothing of are counted, not guessed. An axis whose size the graph does not know
counts as SIZE_OF_DYNAMIC_AXES (1).
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from pathlib import Path

# Graph inputs, constants and the end of the graph are not dumped as ops.
WITHOUT_FILE = {"Data", "RefData", "Const", "Constant", "Variable", "NetOutput"}
BYTES = {"float": 4, "double": 8, "half": 2, "bool": 1}
OP = re.compile(r'^  name: "(.*)"\n  type: "(.*)"$', re.MULTILINE)
DESC = re.compile(r"^  (input|output)_desc \{$(.*?)^  \}$", re.MULTILINE | re.DOTALL)
META = re.compile(r"Tensor\(dtype=torch\.(\w+), shape=torch\.Size\(\[(.*?)\]\)")
DTYPE = re.compile(r"^    dtype: DT_(\w+)$", re.MULTILINE)
SHAPE = re.compile(r"^    shape \{$(.*?)^    \}$", re.MULTILINE | re.DOTALL)


def bytes_of(dtype: str) -> int:
    """Bytes of a value: the digits of its name, or what the name means."""
    digits = re.search(r"(\d+)", dtype)
    return max(int(digits[1]) // 8, 1) if digits else BYTES.get(dtype.lower(), 4)


def size_of(tensor: str, dynamic: int) -> int | None:
    """Bytes of a tensor as its descriptor tells, None if it does not."""
    meta, shape, dtype = META.search(tensor), SHAPE.search(tensor), DTYPE.search(tensor)
    if meta:
        axes = [axis.strip() for axis in meta[2].split(",") if axis.strip()]
        name = meta[1]
    elif shape and dtype:
        axes, name = re.findall(r"dim: (-?\d+)", shape[1]), dtype[1]
    else:
        return None
    return bytes_of(name) * math.prod(int(a) if a.isdigit() else dynamic for a in axes)


def main(path: str, dynamic: int = 1) -> int:
    types: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    n_unknown = 0
    for op in Path(path).read_text(encoding="utf-8").split("\nop {\n")[1:]:
        found = OP.search(op)
        if found is None or found[2] in WITHOUT_FILE:
            continue
        for io, tensor in DESC.findall(op):
            if "_is_unfed_optional" in tensor:
                continue
            size = size_of(tensor, dynamic)
            n_unknown += size is None
            totals[io] += size or 0
            types[found[2]] += size or 0
    whole = sum(totals.values())
    print(f"a step: {whole / 1e6:.3f} MB; dump_mode='output': {totals['output'] / 1e6:.3f} MB")
    print(f"tensors whose size the graph does not tell: {n_unknown}")
    for name, size in types.most_common(5):
        print(f"{size / max(whole, 1):5.0%}  {name}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(str(__doc__).split("\n\n")[1].strip())
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
