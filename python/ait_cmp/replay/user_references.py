"""References of the user: plain functions in a Python file, named as the type."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ait_cmp.errors import ConfigError
from ait_cmp.replay.references import Reference, RefusedError
from ait_cmp.replay.references.result import Formula
from ait_cmp.report.user_code import USER_ERRORS, load_module


def load_references(paths: Sequence[str]) -> dict[str, Reference]:
    """The public functions of Python files, by the type that they are named as.

    `def MyFusedOp(x1, x2, *, eps=1e-6): return y`: parameters are named as the IR does, inputs
    before the star, attributes behind it; arrays are float64 (integers int64). It may override
    ours. Of several outputs it returns a tuple.

    Raises:
        ConfigError: A file cannot be run, or holds no function.
    """
    found: dict[str, Reference] = {}
    for path in paths:
        module = load_module(Path(path), f"references {path!r}")
        functions = {
            name: value
            for name, value in vars(module).items()
            if inspect.isfunction(value)
            and value.__module__ == module.__name__
            and not name.startswith("_")
        }
        if not functions:
            message = f"references {path!r}: it has no function (def TypeName(x1, *, attribute))"
            raise ConfigError(message)
        found.update(
            {name: Reference(name, "user", (_guarded(name, f),)) for name, f in functions.items()}
        )
    return found


def _guarded(name: str, function: Formula) -> Formula:
    """A function whose errors are sentences, with its own signature."""

    @functools.wraps(function)  # with its signature: inputs and attributes are bound by name
    def formula(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except USER_ERRORS as error:
            message = f"the reference {name} fails: {type(error).__name__}: {error}"
            raise RefusedError(message) from error

    return formula
