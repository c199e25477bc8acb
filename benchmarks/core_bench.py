"""The module `_bench`: what benchmarks call in the core and nothing else does; no wheel has it."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

_HOW = (
    "pip install --no-build-isolation --config-settings build-dir=build/bench "
    "--config-settings cmake.define.AIT_BENCH=ON '.[bench]'"
)


@cache
def _module() -> Any:
    try:
        return importlib.import_module("ait_cmp._bench")
    except ImportError as error:
        message = f"benchmarks need the module _bench, which no wheel has: {_HOW}"
        raise SystemExit(message) from error


def plain_read(buffer: Any, threads: int = 1) -> int:
    """Sum of all 64-bit words of a buffer: the read bandwidth that a benchmark is held against."""
    return int(_module().plain_read(buffer, threads))


def repeat_kernel(name: str, isa: str, calls: int) -> None:
    """Run one kernel `calls` times on data that stays in L1."""
    _module().repeat_kernel(name, isa, calls)
