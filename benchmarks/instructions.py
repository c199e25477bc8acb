"""Instructions a pair of values: `python -m benchmarks.instructions BUILD`, a CMake build folder.

Of CPU level v3 they are counted by valgrind, in all that sums the chunks of a comparison; the
build needs its symbols, which `cmake` keeps and `pip` strips. Of v4, which valgrind does not run,
they are read off the object file: the two loops over a block, and what stands around them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_BLOCK, _GROUP = 512, 16
_PAIRS = 1 << 20
_CHILD = """
import sys
import numpy as np
from ait_cmp import _core
n = int(sys.argv[1])
rng = np.random.default_rng(3)
y = np.resize(rng.standard_normal(1 << 18, dtype=np.float32), n)
x = y * (1 + np.float32(1e-3) * np.resize(rng.standard_normal(1 << 18, dtype=np.float32), n))
_core.compare_buffers(x, 1, y, 1, threads=1, kl=True)
"""
_LINE = re.compile(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)")
_HEAD = re.compile(r"[0-9a-f]+ <(.*)>:$")


def counted_v3() -> float:
    """Instructions a pair by callgrind; the package that Python imports is the one measured."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
        command += ["--toggle-collect=ait::sum_chunk(ait::BlockReader&, ait::BlockReader&*"]
        command += [sys.executable, "-c", _CHILD, str(_PAIRS)]
        environment = {**os.environ, "AIT_CMP_ISA": "v3"}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    (total,) = re.findall(r"Collected : (\d+)", done.stderr)
    return int(total) / _PAIRS


def functions(objects: Path) -> Iterator[tuple[str, list[tuple[int, str, str]]]]:
    """Name and instructions (address, mnemonic, operands) of every function of an object file."""
    command = ["objdump", "-dC", "--no-show-raw-insn", str(objects)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    name = ""
    lines: list[tuple[int, str, str]] = []
    for line in [*text.splitlines(), "0 <>:"]:
        if head := _HEAD.match(line):
            if name:
                yield name, lines
            name, lines = head[1], []
        elif match := _LINE.match(line):
            lines.append((int(match[1], 16), match[2], match[3]))


def loops(lines: list[tuple[int, str, str]]) -> list[int]:
    """How many instructions each innermost loop over vectors of 64 bytes has."""
    places = {address: place for place, (address, _, _) in enumerate(lines)}
    spans = set()
    for at, (_, mnemonic, operands) in enumerate(lines):
        target = re.match(r"[0-9a-f]+", operands)
        # An unconditional jump leads back from a path that is rare, not around a loop.
        jumps = target is not None and mnemonic[0] == "j" and mnemonic != "jmp"
        begin = places.get(int(target[0], 16), at) if target and jumps else at
        if begin < at:
            spans.add((begin, at))
    inner = [
        (begin, end)
        for begin, end in spans
        if not any(begin <= b and e <= end for b, e in spans - {(begin, end)})
    ]
    return [
        end - begin + 1
        for begin, end in inner
        if any("zmm" in operands for _, _, operands in lines[begin:end])
    ]


def main() -> int:
    """Print a line for each CPU level."""
    (build,) = sys.argv[1:]
    print(f"v3, callgrind: {counted_v3():.1f} instructions a float32 pair, all columns")
    (kernels,) = Path(build).glob("CMakeFiles/ait_kernels_v4.dir/**/kernels.cpp.o")
    total = 0.0
    for name, lines in functions(kernels):
        what = re.search(r"whole_(values|errors<true, true>|block<true>)", name)
        found = loops(lines) if what and ".cold" not in name else []
        for n in found:
            total += n / _GROUP
        if what and found:
            around = len(lines) - sum(found)
            total += around / _BLOCK
            shown = ", ".join(f"{n / _GROUP:.2f}" for n in found)
            print(f"v4, {what[0]}: {shown} a pair in loops, {around / _BLOCK:.2f} around them")
    print(f"v4, disassembly: {total:.1f} instructions a float32 pair, all columns")
    return 0


if __name__ == "__main__":
    sys.exit(main())
