"""A folder -> ranks, graphs, steps and files, whichever level of a dump tree the folder is."""

from __future__ import annotations

from ait_cmp.discover.find import discover
from ait_cmp.discover.tree import DumpTree, FxFile, GeFile, GraphFile, OverflowFile, StepKey

__all__ = ["DumpTree", "FxFile", "GeFile", "GraphFile", "OverflowFile", "StepKey", "discover"]
