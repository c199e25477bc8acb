"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import numpy as np

from ait_cmp import _core


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def _cpu_info(key: str) -> str:
    match = re.search(
        rf"^{key}\s*:\s*(.+)$",
        Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"),
        re.MULTILINE,
    )
    return match.group(1).strip() if match else ""


def _cache_sizes() -> str:
    sizes = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (index / name).read_text(encoding="ascii").strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            sizes.append(f"L{level} {size}")
    return ", ".join(sizes)


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def describe() -> dict[str, str]:
    """Machine, CPU level, compiler and versions, as short texts by name."""
    isas = _core.isas()
    return {
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu_info("model name") or platform.processor() or "unknown",
        "cores": str(usable_cores()),
        "caches": _cache_sizes() or "unknown",
        "memory": f"{_memory_bytes() / 2**30:.0f} GiB",
        "cpu level": f"{isas[0]} of {', '.join(isas)}",
        "compiler": _core.compiler,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "ait-cmp": _core.__version__,
    }
