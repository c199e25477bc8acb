"""Run one Python block of README as a script on the CPU. usage: run_readme.py BLOCK_FILE

The block finds what the script around it would have: the modules that the first block imports,
`model` and its input `ids`, and `path`, a dump file if there is one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cpu_device import leave_out_engine, torch, torch_npu, torchair
from ge_device import write_dumps_of_graphs
from models import TinyTransformer

from ait_cmp.dump import torchair_dump


def main(block: Path) -> None:
    """Execute the block; its names are printed by what it prints itself."""
    leave_out_engine()
    write_dumps_of_graphs()
    torch.manual_seed(0)
    names = {
        "torch": torch,
        "torch_npu": torch_npu,
        "torchair": torchair,
        "torchair_dump": torchair_dump,
        "model": TinyTransformer().eval(),
        "ids": torch.arange(6).reshape(1, 6),
        "path": next(Path().glob("dump/*/*/*/0/graph_1/1/0/*"), None),
    }
    with torch.no_grad():
        exec(compile(block.read_text(), str(block), "exec"), names)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
