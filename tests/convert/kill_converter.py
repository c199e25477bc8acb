"""Kills a converter at random moments, again and again; run by test_convert_safety.py.

Prints a line for every tensor that is lost and for every half-written info file; the last line
says how often it killed and what the converters had done.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from ait_cmp.errors import FormatError
from ait_cmp.info.info_file import read_info
from ait_cmp.info.tensor import ReducedTensor
from reduced_dump import convert_all, ge_bytes, random_values

# Enough for several groups at a time, in two folders.
N_FILES = 72


def main(folder: Path, n_kills: int) -> None:
    pick = random.Random(0)
    contents = {
        f"{at % 2}/Add.Add_{at}.{at}.6.{1706596911888000 + at}": ge_bytes(
            f"Add_{at}", (), (random_values(at, n_values(at)),)
        )
        for at in range(N_FILES)
    }
    for number in (0, 1):
        (folder / str(number)).mkdir()
    n_found_dumps = n_found_infos = 0
    longest_s = 0.05
    for _ in range(n_kills):
        if not any((folder / name).exists() for name in contents):
            for old in folder.glob("?/*"):
                old.unlink()
            for name, content in contents.items():
                (folder / name).write_bytes(content)
        n_before = len(list(folder.glob("?/*_info.npz")))
        child = os.fork()
        if child == 0:
            try:
                convert_all(folder, threads=2, settle=0)
            finally:
                os._exit(0)
        time.sleep(pick.uniform(0, longest_s))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        n_infos = len(list(folder.glob("?/*_info.npz")))
        # Whatever the machine does beside this: neither always too early nor always too late.
        if n_infos == n_before:
            longest_s *= 1.2
        elif n_infos == N_FILES:
            longest_s /= 1.2
        for name, content in contents.items():
            info = folder / f"{name}_info.npz"
            is_whole = (folder / name).exists() and (folder / name).read_bytes() == content
            n_found_dumps += is_whole
            if info.exists():
                n_found_infos += 1
                report_damage(info, name)
            elif not is_whole:
                print(f"lost: {name}")
    print(f"killed {n_kills} times, dumps found {n_found_dumps}, infos found {n_found_infos}")


def n_values(number: int) -> int:
    return 3000 if number % 4 == 0 else 5


def report_damage(info: Path, name: str) -> None:
    """Say so if the info file is not the whole of the tensor."""
    try:
        (place,) = read_info(str(info)).tensors
    except FormatError as error:
        print(f"damaged: {error}")
        return
    tensor: ReducedTensor = place.tensor
    if tensor.n_values != n_values(int(name.split(".")[2])):
        print(f"wrong: {name}: {tensor.n_values} values")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
