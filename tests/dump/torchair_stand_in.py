"""CompilerConfig of each torchair interface since 6.0.rc1: the fields and validators of dumping.

Written from torchair `python/torchair/configs/*.py` of the branches 6.0.rc1 to 26.0.0: which
fields a version has, what it accepts, which error it raises. Nothing else of torchair is here;
the genuine one is used by the suite in tests/real_torchair.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

# Order of release; a field exists from its version on.
VERSIONS = ("6.0.rc1", "6.0.rc3", "7.0", "7.1", "7.2", "26.0")


def is_at_least(version: str, first: str) -> bool:
    """Tell whether `version` came out with or after `first`."""
    return VERSIONS.index(version) >= VERSIONS.index(first)


class Option:
    """A value with a check; read as text or None through `value`."""

    def __init__(self, default: object, check: Callable[[object], None] | None = None) -> None:
        self._value = default
        self._check = check

    def __bool__(self) -> bool:
        return bool(self._value)

    @property
    def value(self) -> object:
        if self._value is None:
            return None
        return {"True": "1", "False": "0"}.get(str(self._value), str(self._value))

    @value.setter
    def value(self, value: object) -> None:
        if self._check:
            self._check(value)
        self._value = value


class CallableOption(Option):
    """A function, given back as it is."""

    @property
    def value(self) -> object:
        return self._value

    @value.setter
    def value(self, value: object) -> None:
        if value is not None and not callable(value):
            msg = f"value must be Callable or None, got {type(value)}"
            raise TypeError(msg)
        self._value = value


def one_of(*allowed: object) -> Callable[[object], None]:
    def check(value: object) -> None:
        if value not in allowed:
            msg = f"Value {value!r} not in optional list {list(allowed)!r}."
            raise ValueError(msg)

    return check


def matching(pattern: str) -> Callable[[object], None]:
    def check(value: object) -> None:
        if not re.match(pattern, value):
            msg = f"Please set legal regex value format match {pattern}, {value} is Illegal."
            raise ValueError(msg)

    return check


def existing_folder(value: object) -> None:
    if value is None or not Path(value).is_dir():
        msg = f"Please set legal dir path, {value} is not found or is not a file directory!"
        raise FileNotFoundError(msg)


def none_or_existing_file(value: object) -> None:
    if value is not None and not Path(value).is_file():
        msg = f"Please set legal file path, {value} is not found or is not a file!"
        raise FileNotFoundError(msg)


class Section:
    """Options by name; a name it does not have is refused, as torchair refuses it."""

    def __init__(self, plain: Sequence[str] = (), **options: object) -> None:
        self.__dict__.update(options, _names=[*options, *plain])

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self._names:
            msg = f"{type(self).__name__} has no option {name}, all options {self._names}"
            raise ValueError(msg)
        option = self.__dict__.get(name)
        if isinstance(option, Option):
            option.value = value
        else:
            object.__setattr__(self, name, value)


class SectionWithPath(Section):
    """A debug section of 7.1.0 and later: `path` is kept as the real path in `_path`."""

    @property
    def path(self) -> str | None:
        return self._path.value

    @path.setter
    def path(self, value: str) -> None:
        self._path.value = os.path.realpath(value)


class CompilerConfig(Section):
    """The configuration of one torchair version."""

    def __init__(self, version: str) -> None:
        has_path = is_at_least(version, "7.1")
        debug_section = SectionWithPath if has_path else Section
        plain = ["path"] if has_path else []
        debug = {
            "graph_dump": debug_section(
                plain, type=Option(None, one_of(None, "txt", "pbtxt", "py")), _path=Option(None)
            ),
            "data_dump": debug_section(
                plain, type=Option(None, one_of(None, "npy")), _path=Option(None), filter=None
            ),
            "fx_summary": Section(type=Option(None, one_of(None, "csv"))),
        }
        if is_at_least(version, "7.1"):
            debug["run_eagerly"] = Option(False, one_of(True, False))
        dump = {
            "enable_dump": Option(False, one_of(False, True)),
            "dump_path": Option("./", existing_folder),
            "dump_mode": Option("all", one_of("input", "output", "all")),
        }
        if is_at_least(version, "6.0.rc3"):
            dump["quant_dumpable"] = Option(False, one_of(False, True))
            dump["dump_step"] = Option("", matching(r"^(((\d+)|(\d+-{0,1}\d+))\|{0,1})*$"))
            dump["dump_layer"] = Option("", matching(r'^[0-9a-zA-Z_" "/\\.]*$'))
        if is_at_least(version, "7.2"):
            dump["dump_data"] = Option("tensor", one_of("tensor", "stats"))
            dump["dump_config_path"] = Option(None, none_or_existing_file)
        if is_at_least(version, "26.0"):
            dump["data_dump_stage"] = Option("optimized", one_of("original", "optimized"))
        sections = {
            "debug": Section(**debug),
            "dump_config": Section(**dump),
            "fusion_config": Section(fusion_switch_file=Option(None, none_or_existing_file)),
        }
        if is_at_least(version, "7.0"):
            modes = ("max-autotune", "reduce-overhead", "npugraph_ex")
            sections["mode"] = Option("max-autotune", one_of(*modes))
        # In which version these two came is not known for sure: the helper asks for the names.
        if is_at_least(version, "6.0.rc3"):
            stack = Option(False, one_of(True, False))
            experimental = Section(enable_record_nn_module_stack=stack)
            sections["export"] = Section(experimental=experimental)
        if is_at_least(version, "26.0"):
            sections["post_grad_custom_post_pass"] = CallableOption(None)
        super().__init__(**sections)


def ge_folder(config: CompilerConfig) -> Path:
    """The folder of a GE dump."""
    return Path(config.dump_config.dump_path.value)


def fx_folder(config: CompilerConfig) -> Path:
    """The folder of an FX dump, torchair 7.1 and later."""
    return Path(config.debug.data_dump.path)
