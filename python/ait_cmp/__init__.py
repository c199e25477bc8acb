"""Compare dumps of PyTorch graph mode on Ascend NPUs; find the operator where they part."""

from __future__ import annotations

import os
import sys

# In `ait-cmp` and `python -m ait_cmp`, not in a program that uses us: from here on Ctrl-C and
# SIGTERM end the process at once and without a word, until cli/signals.py has something to save.
if (_name := (getattr(sys, "argv", None) or [""])[0].rpartition("/")[2]) == "ait-cmp" or (
    # Python 3.9 does not tell its whole command line.
    _name == "-m" and "ait_cmp" in getattr(sys, "orig_argv", ["ait_cmp"])
):

    def _leave(number: int = 2, _: object = None) -> None:
        os._exit(128 + number)

    # What comes while `signal` is loaded.
    sys.excepthook = lambda kind, error, trace: (
        _leave() if issubclass(kind, KeyboardInterrupt) else sys.__excepthook__(kind, error, trace)
    )
    import signal

    for _number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(_number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(_number, _leave)

import importlib
from typing import TYPE_CHECKING, Any

from ait_cmp.errors import AitCmpError, ConfigError, FormatError, ShapeError

if TYPE_CHECKING:
    from ait_cmp._core import __version__
    from ait_cmp.compare import compare_dirs
    from ait_cmp.compare.arrays import Metrics, compare_arrays
    from ait_cmp.compare.assertion import assert_dumps_close
    from ait_cmp.config import Limits
    from ait_cmp.info.dump_file import Dump, open_dump
    from ait_cmp.replay.result import Replay
    from ait_cmp.replay.run import replay
    from ait_cmp.report.comparison import Comparison
    from ait_cmp.report.findings import Divergence, FirstDivergence
    from ait_cmp.report.row import Row

__all__ = [
    "AitCmpError",
    "Comparison",
    "ConfigError",
    "Divergence",
    "Dump",
    "FirstDivergence",
    "FormatError",
    "Limits",
    "Metrics",
    "Replay",
    "Row",
    "ShapeError",
    "__version__",
    "assert_dumps_close",
    "compare_arrays",
    "compare_dirs",
    "open_dump",
    "replay",
]

# Where each name lives: numpy and the extension are loaded when one is first used, so that
# `ait-cmp --help` and the dump helpers start at once.
_HOMES = {
    "Comparison": "report.comparison",
    "Divergence": "report.findings",
    "FirstDivergence": "report.findings",
    "Dump": "info.dump_file",
    "Limits": "config",
    "Metrics": "compare.arrays",
    "Replay": "replay.result",
    "Row": "report.row",
    "__version__": "_core",
    "assert_dumps_close": "compare.assertion",
    "compare_arrays": "compare.arrays",
    "compare_dirs": "compare",
    "open_dump": "info.dump_file",
}


def __dir__() -> list[str]:
    return list(__all__)


def __getattr__(name: str) -> Any:
    if name == "replay":  # a package that can be called: its modules have its name before them
        return importlib.import_module(f"{__name__}.replay")
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
