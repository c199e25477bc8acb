"""The floor: kernels of a higher CPU level must beat those of the base level on data in L1.

A loop that stops vectorising falls below it, while a slow or busy machine does not: both sides of
each ratio are measured alternately in one run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from ait_cmp import _core
from benchmarks.core_bench import repeat_kernel

BASE, LEVEL = "base", "v3"
ROUNDS = 15
CALLS = 20_000


@dataclass(frozen=True)
class Floor:
    """The least ratio that a kernel must reach, level v3 over base."""

    kernel: str
    least_ratio: float


FLOORS = (
    Floor("pair_f32", 1.5),
    Floor("pair_f64", 1.5),
    Floor("stats_f32", 1.5),
    # Base has no fused multiply-add and imitates it: 34 to 40. A scalar loop would be at 5.
    Floor("kl_near_f32", 15),
    Floor("kl_far_f32", 1.5),
    # The instruction against bit tricks that SSE2 runs well: 4 to 5 on Intel's CPUs, 2.9 on Zen 4.
    # Bit tricks in AVX2 reach 1.9.
    Floor("decode_float16", 2.3),
    Floor("sum_bf16", 1.3),
)


def measure_ratio(kernel: str) -> float:
    """Speed of `kernel` at the level over its speed at base: best of alternating rounds."""
    best_s = {BASE: float("inf"), LEVEL: float("inf")}
    for _ in range(ROUNDS):
        for isa in best_s:
            start = time.perf_counter()
            repeat_kernel(kernel, isa, CALLS)
            best_s[isa] = min(best_s[isa], time.perf_counter() - start)
    return best_s[BASE] / best_s[LEVEL]


def check_floors() -> bool:
    """Print each ratio; whether all are at or above their floor."""
    if LEVEL not in _core.isas():
        print(f"floor: this machine does not run level {LEVEL}: nothing to hold against base")
        return True
    all_hold = True
    for floor in FLOORS:
        ratio = measure_ratio(floor.kernel)
        holds = ratio >= floor.least_ratio
        all_hold = all_hold and holds
        print(
            f"{'ok  ' if holds else 'FAIL'}  {floor.kernel:<16} {LEVEL} is {ratio:5.2f} times "
            f"{BASE}; floor {floor.least_ratio}"
        )
    return all_hold
