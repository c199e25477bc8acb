"""The comparison of two dump folders."""

from __future__ import annotations

from ait_cmp.compare.run import compare_dirs

__all__ = ["compare_dirs"]
