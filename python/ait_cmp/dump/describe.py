"""What a dump configuration does, and the command that compares its dump, as text."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Callable

from ait_cmp.dump.folders import contents
from ait_cmp.dump.fx_sources import MODULE_STACK, SOURCES_PASS
from ait_cmp.dump.torchair_import import find_compiler_config, option_value
from ait_cmp.errors import ConfigError
from ait_cmp.terms import size_text

# Where the FX dumper of torchair before 7.1.0 writes, below the current directory.
OLD_FX_FOLDER = "data_dump"


def describe(config: Any) -> str:
    """Tell where the dump of a configuration lies and how to compare it.

    Args:
        config: CompilerConfig from `get_ge_dump_config` or `get_fx_dump_config`.

    Returns:
        Lines of text: the folder, what it holds by now, and the `ait-cmp` command. The other side
        of the comparison is the newest fitting dump in the same parent folder; where there is
        none, a word in capitals stands for it.

    Raises:
        ConfigTypeError: `config` is no CompilerConfig.
        ConfigError: No dump is configured on it.
    """
    if config is None:
        msg = "config: expected a CompilerConfig from get_ge_dump_config, found None"
        raise ConfigError(msg)
    config = find_compiler_config(config)
    if option_value(config.debug.data_dump, "type") is not None:
        return _describe_fx(config)
    if option_value(config.dump_config, "enable_dump") in ("1", True):
        return _describe_ge(config)
    msg = "config: it has no dump; make it with get_ge_dump_config or get_fx_dump_config"
    raise ConfigError(msg)


def _describe_fx(config: Any) -> str:
    path = option_value(config.debug.data_dump, "path")
    folder = Path.cwd() / OLD_FX_FOLDER if path is None else Path(str(path))
    return "\n".join(
        [
            f"FX dump: {folder}",
            _holdings(folder),
            "Compare a GE dump with it:",
            _command(_newest(folder, _holds_ge), folder),
        ]
    )


def _describe_ge(config: Any) -> str:
    folder = Path(str(option_value(config.dump_config, "dump_path")))
    lines = [f"GE dump: {folder}", _holdings(folder), *_without_sources(config)]
    n_lines = len(lines)
    fx, other_ge = _newest(folder, _holds_fx), _newest(folder, _holds_ge)
    is_unfused = option_value(config.fusion_config, "fusion_switch_file") is not None
    if other_ge is not None and (is_unfused or fx is None):
        lines.append("Compare GE with fusion against GE without fusion:")
        lines.append(_command(other_ge, folder) if is_unfused else _command(folder, other_ge))
    if fx is not None or len(lines) == n_lines:
        lines.append("Compare it with the FX dump:")
        lines.append(_command(folder, fx))
    return "\n".join(lines)


def _without_sources(config: Any) -> list[str]:
    """A sentence on what this torchair cannot tell of the user's model."""
    export = getattr(getattr(config, "export", None), "experimental", None)
    lacks = []
    if not hasattr(export, MODULE_STACK):
        lacks.append(f"export.experimental.{MODULE_STACK} (modules)")
    if not hasattr(config, SOURCES_PASS):
        lacks.append(f"{SOURCES_PASS} (source lines)")
    if not lacks:
        return []
    return [f"  this torchair has no {' and no '.join(lacks)}: reports do not tell them"]


def _holdings(folder: Path) -> str:
    n_files, size_bytes = contents(folder)
    if not n_files:
        has_graph = ", but a graph text" if _holds_ge(folder) else ""
        return f"  holds no tensors yet{has_graph}: run the compiled model first"
    files = "file" if n_files == 1 else "files"
    return f"  holds {n_files} {files} of tensors, {size_text(size_bytes)}"


def _command(my_path: Path | None, golden_path: Path | None) -> str:
    my_text = "GE_DUMP_FOLDER" if my_path is None else shlex.quote(str(my_path))
    golden_text = "FX_DUMP_FOLDER" if golden_path is None else shlex.quote(str(golden_path))
    return f"  ait-cmp --my-path {my_text} --golden-path {golden_text}"


def _holds_ge(folder: Path) -> bool:
    return any(folder.glob("dynamo_original_graph_*.txt"))


def _holds_fx(folder: Path) -> bool:
    patterns = (OLD_FX_FOLDER, "worldsize*_global_rank*/graph_*/*/*.npy")
    return folder.name == OLD_FX_FOLDER or any(any(folder.glob(text)) for text in patterns)


def _newest(folder: Path, fits: Callable[[Path], bool]) -> Path | None:
    """The newest dump beside `folder`, by the time in its name, that `fits` tells to have data."""
    beside = sorted(folder.parent.glob("dump_*"), key=lambda path: path.name, reverse=True)
    old_fx = Path.cwd() / OLD_FX_FOLDER
    for candidate in [*beside, old_fx]:
        if candidate != folder and candidate.is_dir() and fits(candidate):
            return candidate
    return None
