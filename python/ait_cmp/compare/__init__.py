"""The comparison of two dump folders."""

from __future__ import annotations

from ait_cmp.compare.run import Phases, compare_dirs

__all__ = ["Phases", "compare_dirs"]
