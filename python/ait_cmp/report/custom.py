"""Metrics of the user's own: FILE.py:FUNC, called for every compared row."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ait_cmp.errors import ConfigError
from ait_cmp.report.user_code import USER_ERRORS, load_module

Function = Callable[[NDArray[np.float32], NDArray[np.float32]], Any]


class CustomAlgorithm(NamedTuple):
    """A user's metric: called with two flat float32 arrays (golden, my)."""

    name: str
    function: Function

    def __call__(self, golden: NDArray[np.float32], my: NDArray[np.float32]) -> tuple[str, str]:
        """Cell text and message of one row; an error of the function becomes the message."""
        try:
            value, message = _checked(self.function(golden, my))
        except USER_ERRORS as error:
            return "", f"{self.name}: {type(error).__name__}: {error}."
        return value, message


def load_algorithms(specifications: Sequence[str]) -> list[CustomAlgorithm]:
    """Load every FILE.py:FUNC and try it once.

    Raises:
        ConfigError: A file or function is missing, does not take two arrays, does not return
            (number or text, text), or two have one name.
    """
    algorithms = [_load(specification) for specification in specifications]
    for name, number in Counter(algorithm.name for algorithm in algorithms).items():
        if number > 1:
            message = f"custom algorithms: {number} functions {name}, but columns need names of "
            message += "their own: rename one"
            raise ConfigError(message)
    return algorithms


def _load(specification: str) -> CustomAlgorithm:
    file, colon, name = specification.rpartition(":")
    path = Path(file)
    if not colon or path.suffix != ".py":
        message = f"custom algorithm {specification!r}: FILE.py:FUNC expected"
        raise ConfigError(message)
    module = load_module(path, f"custom algorithm {specification!r}")
    function = getattr(module, name, None)
    if not callable(function):
        message = f"custom algorithm {specification!r}: {path} has no function {name}"
        raise ConfigError(message)
    if len(inspect.signature(function).parameters) != 2:
        message = f"custom algorithm {specification!r}: two parameters (golden, my) expected"
        raise ConfigError(message)
    one = np.ones(1, np.float32)
    try:
        _checked(function(one, one))
    except USER_ERRORS as error:
        message = f"custom algorithm {specification!r}: called with two arrays [1.0]: {error}"
        raise ConfigError(message) from error
    return CustomAlgorithm(name, function)


def _checked(result: Any) -> tuple[str, str]:
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    if not is_pair or not isinstance(result[1], str) or not isinstance(result[0], (Real, str)):
        message = f"(number or text, message text) expected, returned {result!r:.80}"
        raise TypeError(message)
    value = result[0]
    if isinstance(value, str):
        return value, result[1]
    # A NumPy number shows its type in its repr.
    return repr(int(value) if isinstance(value, Integral) else float(value)), result[1]
