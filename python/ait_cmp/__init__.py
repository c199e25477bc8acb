"""Compare tensor dumps of PyTorch graph mode on Ascend NPUs and find the operator where they part."""

from __future__ import annotations

from ait_cmp._core import __version__
from ait_cmp.errors import AitCmpError, ConfigError, FormatError, ShapeError

__all__ = ["AitCmpError", "ConfigError", "FormatError", "ShapeError", "__version__"]
