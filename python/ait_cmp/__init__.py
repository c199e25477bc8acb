"""Compare tensor dumps of PyTorch graph mode on Ascend NPUs and find the operator where they part."""

from __future__ import annotations

from ait_cmp._core import __version__
from ait_cmp.arrays import Metrics, compare_arrays
from ait_cmp.compare import compare_dirs
from ait_cmp.comparison import Comparison
from ait_cmp.config import Limits
from ait_cmp.errors import AitCmpError, ConfigError, FormatError, ShapeError
from ait_cmp.row import Row
from ait_cmp.verdict import FirstDivergence

__all__ = [
    "AitCmpError",
    "Comparison",
    "ConfigError",
    "FirstDivergence",
    "FormatError",
    "Limits",
    "Metrics",
    "Row",
    "ShapeError",
    "__version__",
    "compare_arrays",
    "compare_dirs",
]
