"""One rank of two: dumps FX and names the GE folder. usage: one_rank.py STORE_FILE RANK"""

from __future__ import annotations

import sys

from cpu_device import compile_on_cpu, leave_out_engine, torch
from models import SplitAndJoin

from ait_cmp.dump import torchair_dump


def main(store_file: str, rank: int) -> None:
    """Print the folder of the GE data that torchair hands to GE."""
    leave_out_engine()
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{store_file}", rank=rank, world_size=2
    )
    config = torchair_dump.get_fx_dump_config("dump")
    compile_on_cpu(SplitAndJoin(), config, dynamic=False)(torch.ones(3, 8) * rank)
    print(torchair_dump.get_ge_dump_config("dump").as_dict()[1]["ge.exec.dumpPath"])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
