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
N_FILES = 48


def main(root: Path, n_kills: int) -> None:
    folder, originals = root / "dump", root / "originals"
    pick = random.Random(0)
    contents = {
        f"{at % 2}/Add.Add_{at}.{at}.6.{1706596911888000 + at}": ge_bytes(
            f"Add_{at}", (), (random_values(at, n_values(at)),)
        )
        for at in range(N_FILES)
    }
    for number in ("0", "1"):
        (folder / number).mkdir(parents=True)
        (originals / number).mkdir(parents=True)
    for name, content in contents.items():
        (originals / name).write_bytes(content)
    # What a converter loads when it first runs is not loaded by every child.
    convert_all(folder)
    sound: dict[str, bytes] = {}  # the same bytes are read by their reader once
    n_found_dumps = n_found_infos = 0
    longest_s = 0.05
    for _ in range(n_kills):
        found = names_in(folder)
        if found.isdisjoint(contents):
            for old in found:
                (folder / old).unlink()
            for name in contents:  # a name more for a file costs less than a file
                os.link(originals / name, folder / name)
            found = set(contents)
        n_before = sum(name.endswith("_info.npz") for name in found)
        child = os.fork()
        if child == 0:
            try:
                convert_all(folder, threads=2, settle=0)
            finally:
                os._exit(0)
        time.sleep(pick.uniform(0, longest_s))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = names_in(folder)
        n_infos = sum(name.endswith("_info.npz") for name in found)
        # Whatever the machine does beside this: neither always too early nor always too late.
        if n_infos == n_before:
            longest_s *= 1.2
        elif n_infos == N_FILES:
            longest_s /= 1.2
        for name, content in contents.items():
            is_whole = name in found and (folder / name).read_bytes() == content
            n_found_dumps += is_whole
            if (info := f"{name}_info.npz") in found:
                n_found_infos += 1
                info_bytes = (folder / info).read_bytes()
                if info_bytes != sound.get(name) and is_sound(folder / info, name):
                    sound[name] = info_bytes
            elif not is_whole:
                print(f"lost: {name}")
    print(f"killed {n_kills} times, dumps found {n_found_dumps}, infos found {n_found_infos}")


def n_values(number: int) -> int:
    return 3000 if number % 4 == 0 else 5


def names_in(folder: Path) -> set[str]:
    """What lies in the two folders."""
    return {f"{at}/{name}" for at in ("0", "1") for name in os.listdir(folder / at)}


def is_sound(info: Path, name: str) -> bool:
    """Say so if the info file is not the whole of the tensor."""
    try:
        (place,) = read_info(str(info)).tensors
    except FormatError as error:
        print(f"damaged: {error}")
        return False
    tensor: ReducedTensor = place.tensor
    if tensor.n_values != n_values(int(name.split(".")[2])):
        print(f"wrong: {name}: {tensor.n_values} values")
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
