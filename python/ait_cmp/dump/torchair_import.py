"""Finding torchair: on its own, or inside torch_npu."""

from __future__ import annotations

import importlib
from typing import Any

from ait_cmp.dump.errors import ConfigTypeError, TorchairMissingError
from ait_cmp.errors import ConfigError

_HINT = (
    "Only the machine that dumps needs it: install the torch_npu that belongs to your torch "
    "(pip install torch_npu==<version of torch>; it brings torchair), or the torchair package on "
    "its own, and load the CANN environment (source .../set_env.sh)"
)

# What the helpers set; every version of CompilerConfig since 6.0.rc1 has these sections.
_SECTIONS = ("debug.graph_dump", "debug.data_dump", "dump_config", "fusion_config")


def find_compiler_config(compiler_config: Any) -> Any:
    """Give back a CompilerConfig to fill: the one given, else a new one.

    Args:
        compiler_config: torchair's CompilerConfig, or None for a new one.

    Raises:
        ConfigTypeError: `compiler_config` is something else.
        TorchairMissingError: torchair is needed for a new one and does not load.
    """
    if compiler_config is None:
        return _new_compiler_config()
    missing = [name for name in _SECTIONS if not _has_section(compiler_config, name)]
    if isinstance(compiler_config, type) or missing:
        what = (
            f"the class {compiler_config.__name__} itself (call it)"
            if isinstance(compiler_config, type)
            else f"{type(compiler_config).__name__} without {', '.join(missing)}"
        )
        msg = f"compiler_config must be a CompilerConfig of torchair, but got {what}"
        raise ConfigTypeError(msg)
    return compiler_config


def _has_section(config: object, dotted: str) -> bool:
    for name in dotted.split("."):
        if not hasattr(config, name):
            return False
        config = getattr(config, name)
    return True


def _new_compiler_config() -> Any:
    try:
        try:
            # It registers the torchair inside it under the plain name, unless that is taken,
            # for example by a folder called torchair in the current directory.
            importlib.import_module("torch_npu")
        except ModuleNotFoundError as error:
            if error.name != "torch_npu":
                raise
        torchair = importlib.import_module("torchair")
        # Inside torch_npu this is the moment when torchair is really loaded: a failure of its
        # libraries shows up as the error of that load, or as a missing attribute.
        compiler_config = torchair.CompilerConfig()
    except ModuleNotFoundError as error:
        msg = f"torchair: no module named {error.name!r}. {_HINT}"
        raise TorchairMissingError(msg, name=error.name) from error
    except (ImportError, OSError, AttributeError) as error:
        msg = f"torchair is installed but does not load: {first_line(error)}. {_HINT}"
        raise TorchairMissingError(
            msg,
            name="torchair",
        ) from error
    return compiler_config


def first_line(error: BaseException) -> str:
    """The first line of the error's text; newer torchair appends a traceback to it."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def set_option(section: object, name: str, value: object, argument: str, hint: str) -> None:
    """Set an option of torchair.

    Args:
        section: Section of the CompilerConfig that has the option `name`.
        argument: Our argument that the value comes from.
        hint: What to do if torchair refuses the value.

    Raises:
        ConfigError: torchair refuses the value with a ValueError.
        ConfigTypeError: It refuses with a TypeError.
        OSError: It refuses with an error of the file system.
    """
    try:
        setattr(section, name, value)
    except (ValueError, TypeError, OSError) as error:
        message = f"{argument}={value!r}: torchair refuses it: {first_line(error)} Hint: {hint}"
        if isinstance(error, OSError):
            raise type(error)(message) from error
        if isinstance(error, TypeError):
            raise ConfigTypeError(message) from error
        raise ConfigError(message) from error


def option_value(section: object, name: str) -> object:
    """The value of an option as torchair shows it (None, or a text such as "1"); None if absent."""
    option = getattr(section, name, None)
    return getattr(option, "value", option)
