"""Two builds in turn: `python -m benchmarks.builds BEFORE AFTER`, folders that hold `ait_cmp`.

Each round runs each build once in a process of its own, so that both see the same minutes. Printed
are the least CPU time a pair of values, and the median over the rounds of the rate after by the
rate before; then the same of whole comparisons of generated dumps that are in memory, by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.generate import write_layer_stack, write_small_files

# Old builds have no such module: what a child needs stands here whole.
_CHILD = """
import json, sys, time
import numpy as np
from ait_cmp import _core

n = int(sys.argv[1])
rng = np.random.default_rng(3)
y = np.resize(rng.standard_normal(1 << 22, dtype=np.float32), n)
x = y * (1 + np.float32(2e-3) * np.resize(rng.standard_normal(1 << 22, dtype=np.float32), n))
bf16 = ((x.view(np.uint32) + 0x8000) >> 16).astype(np.uint16)
pairs = {
    "fp32 / fp32": (x, 1, y, 1),
    "bf16 / fp32": (bf16, 27, y, 1),
    "fp16 / fp16": (x.astype(np.float16), 2, y.astype(np.float16), 2),
}
ns = {}
for name, pair in pairs.items():
    best = float("inf")
    for _ in range(int(sys.argv[2])):
        start = time.process_time()
        _core.compare_buffers(*pair, threads=1, kl=True)
        best = min(best, time.process_time() - start)
    ns[name] = best * 1e9 / n
print(json.dumps(ns))
"""


_DUMP_CHILD = """
import json, sys, time
from ait_cmp import compare_dirs

seconds = {}
for name in sys.argv[2:]:
    best = float("inf")
    for _ in range(int(sys.argv[1])):
        start = time.perf_counter()
        compare_dirs(f"{name}/ge", f"{name}/fx", threads=1)
        best = min(best, time.perf_counter() - start)
    seconds[name] = best
print(json.dumps(seconds))
"""


def _run(folder: str, code: str, *arguments: object) -> dict[str, float]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(folder).resolve())}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _write_dumps(work: Path) -> list[Path]:
    layers, small = work / "layer stack, 1 GB", work / "10000 files of 64 bytes"
    write_layer_stack(layers, n_bytes=1 << 30)
    write_small_files(small, n_files=10_000)
    return [layers, small]


def _print_rates(rounds: list[tuple[dict[str, float], dict[str, float]]], unit: str) -> None:
    for name in rounds[0][0]:
        ratios = [before[name] / after[name] for before, after in rounds]
        least = [min(pair[side][name] for pair in rounds) for side in (0, 1)]
        print(
            f"{Path(name).name if unit == 's' else name}  {least[0]:.3f} -> {least[1]:.3f} {unit}, "
            f"rate {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


def main() -> int:
    """Print a line for each pair of dtypes, and for each dump."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.builds")
    parser.add_argument("before", help="folder that holds the package ait_cmp of a build")
    parser.add_argument("after")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=4, help="of which the fastest counts")
    parser.add_argument("--elements", type=int, default=64 << 20)
    parser.add_argument("--dumps", action="store_true", help="dumps, too: 1.2 GB on disk")
    options = parser.parse_args()
    builds = (options.before, options.after)

    def in_turn(code: str, *arguments: object) -> list[tuple[dict[str, float], dict[str, float]]]:
        return [
            (_run(builds[0], code, *arguments), _run(builds[1], code, *arguments))
            for _ in range(options.rounds)
        ]

    print(f"{options.elements} elements, one thread, all columns, {options.rounds} rounds in turn")
    _print_rates(in_turn(_CHILD, options.elements, options.calls), "ns a pair")
    if options.dumps:
        with tempfile.TemporaryDirectory(prefix="ait-cmp-bench-") as work:
            dumps = _write_dumps(Path(work))
            print("dumps in memory, one thread, whole comparison in Python, no report")
            _print_rates(in_turn(_DUMP_CHILD, options.calls, *dumps), "s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
