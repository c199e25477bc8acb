"""Python files of the user: loaded as modules; what their code may raise."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from ait_cmp.errors import ConfigError

# What the code of a user may raise: a bug of his is a message, Ctrl-C is not.
USER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemExit,  # a script that runs its main() when it is loaded
    TypeError,
    ValueError,
)


def load_module(path: Path, what: str) -> ModuleType:
    """Run a Python file.

    Args:
        path: The file.
        what: How a message begins, `custom algorithm 'a.py:f'`.

    Raises:
        ConfigError: There is no such file, or it cannot be run.
    """
    if not path.is_file():
        message = f"{what}: no file {path}"
        raise ConfigError(message)
    spec = importlib.util.spec_from_file_location(f"ait_cmp_custom_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except USER_ERRORS as error:
        message = f"{what}: {path} does not load: {error}"
        raise ConfigError(message) from error
    return module
