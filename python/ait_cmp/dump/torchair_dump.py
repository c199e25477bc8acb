"""Configurations of torchair that write dumps which ait-cmp compares.

    from ait_cmp.dump import torchair_dump
    config = torchair_dump.get_ge_dump_config(dump_path="dump")
    backend = torchair.get_npu_backend(compiler_config=config)

Options and their versions: torchair `python/torchair/configs`, branches 6.0.rc1 to 26.0.0.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Union

from ait_cmp.dump import options
from ait_cmp.dump.describe import OLD_FX_FOLDER, describe
from ait_cmp.dump.folders import make_dump_folder
from ait_cmp.dump.fx_sources import MODULE_STACK, SOURCES_PASS, SourcesWriter
from ait_cmp.dump.notices import notify, tell_space, warn, warn_about_ranks
from ait_cmp.dump.torchair_import import find_compiler_config, option_value, set_option
from ait_cmp.errors import ConfigError

__all__ = ["describe", "get_fx_dump_config", "get_ge_dump_config"]

StrPath = Union[str, "os.PathLike[str]"]

_FRESH_CONFIG = "GE and FX dumps need two runs with a CompilerConfig each: pass a fresh one"


def get_ge_dump_config(
    dump_path: StrPath = "",
    dump_mode: str = "all",
    fusion_switch_file: StrPath | None = None,
    dump_token: options.Steps | None = None,
    dump_layer: options.Names | None = None,
    dump_data: str = "tensor",
    compiler_config: Any = None,
) -> Any:
    """Configure torchair to dump the tensors of graphs run by GE, and the graphs as text.

    Everything lands in `{dump_path}/dump_{YYYYmmdd_HHMMSS}`, new for every call.

    Args:
        dump_path: Folder of the dumps, made if missing; "" is the current directory.
        dump_mode: "input", "output" or "all".
        fusion_switch_file: JSON file that switches fusion passes, or "off": all are switched off
            by a file that is written into the dump folder. None leaves fusion as it is.
        dump_token: Steps to dump, from 0: an int, a range, a text such as "0|2-5", or a list of
            these. None dumps every step. torchair 6.0.rc3 or newer.
        dump_layer: Names of GE ops to dump, a text separated by blanks or a list. None dumps
            every op. torchair 6.0.rc3 or newer.
        dump_data: "tensor", or "stats" for statistics without data (torchair 7.2.0 or newer).
        compiler_config: CompilerConfig to extend in place; None makes a new one.

    Returns:
        The CompilerConfig, for `torchair.get_npu_backend(compiler_config=...)`.

    Raises:
        ConfigError: An argument is wrong, torchair refuses it, or this torchair has no such
            option. Also a TypeError for a wrong type, a FileNotFoundError for a missing file.
        OSError: The dump folder cannot be made or takes no data.
        TorchairMissingError: torchair does not load.
    """
    step = None if dump_token is None else options.format_dump_step(dump_token)
    layer = None if dump_layer is None else options.format_dump_layer(dump_layer)
    fusion_off = fusion_switch_file == "off"
    fusion_file = (
        None
        if fusion_switch_file is None or fusion_off
        else options.check_fusion_switch_file(fusion_switch_file)
    )
    config = find_compiler_config(compiler_config)
    _refuse_unfit_for_ge(config)

    # Values that torchair checks come first: a refused one leaves no folder behind. enable_dump
    # comes last: a config on which a call failed does not dump.
    dump_config = config.dump_config
    set_option(dump_config, "dump_mode", dump_mode, "dump_mode", "use 'input', 'output' or 'all'.")
    _set_dump_data(dump_config, dump_data)
    _set_since_6_0_rc3(dump_config, "dump_step", step, "dump_token")
    _set_since_6_0_rc3(dump_config, "dump_layer", layer, "dump_layer")

    folder = make_dump_folder(dump_path, "ge")
    if fusion_off:
        fusion_file = _write_fusion_off(folder)
    if fusion_file is not None:
        hint = "name a JSON file, or 'off'."
        set_option(
            config.fusion_config, "fusion_switch_file", fusion_file, "fusion_switch_file", hint
        )
    _set_path(config.debug.graph_dump, folder)
    set_option(config.debug.graph_dump, "type", "txt", "graph_dump.type", "")
    _record_sources(config, folder)
    hint = "this folder must exist until the run ends."
    set_option(dump_config, "dump_path", str(folder), "dump_path", hint)
    set_option(dump_config, "enable_dump", True, "enable_dump", "")

    notify(
        f"GE dump goes to {folder} (steps: {step or 'all'}, ops: {layer or 'all'}, "
        f"mode: {dump_mode}, data: {dump_data}, fusion switch file: {fusion_file or 'none'})"
    )
    tell_space(folder)
    warn_about_ranks()
    return config


def get_fx_dump_config(
    dump_path: StrPath = "",
    op_list: options.Names | None = None,
    compiler_config: Any = None,
) -> Any:
    """Configure torchair to run the FX graph eagerly and dump the tensors of its nodes.

    The data land in `{dump_path}/dump_{YYYYmmdd_HHMMSS}`, new for every call. Before torchair
    7.1.0 no path can be set: they land in `data_dump` in the current directory of the run.

    Args:
        dump_path: Folder of the dumps, made if missing; "" is the current directory.
        op_list: Parts of FX node names, in any case of letters; a node is dumped if its name
            contains one. None dumps every node.
        compiler_config: CompilerConfig to extend in place; None makes a new one.

    Returns:
        The CompilerConfig, for `torchair.get_npu_backend(compiler_config=...)`.

    Raises:
        ConfigError: An argument is wrong or torchair refuses it; also a TypeError for a wrong type.
        OSError: The dump folder cannot be made or takes no data.
        TorchairMissingError: torchair does not load.
    """
    texts = () if op_list is None else options.parse_op_list(op_list)
    config = find_compiler_config(compiler_config)
    if option_value(config.dump_config, "enable_dump") in ("1", True):
        msg = f"compiler_config: dump_config.enable_dump is set, a GE dump. {_FRESH_CONFIG}"
        raise ConfigError(msg)
    _warn_if_nothing_runs(config)

    data_dump = config.debug.data_dump
    if hasattr(data_dump, "path"):
        folder = make_dump_folder(dump_path, "fx")
        _set_path(data_dump, folder)
        notify(f"FX dump goes to {folder}")
    else:
        folder = Path.cwd()
        _tell_old_fx_folder(folder / OLD_FX_FOLDER, dump_path)
    if texts:
        data_dump.filter = options.NodeNameFilter(texts, data_dump.filter)
        notify(f"only FX nodes whose names contain one of {', '.join(texts)} are dumped")
    set_option(data_dump, "type", "npy", "data_dump.type", "")

    notify("the model runs eagerly, node by node, while FX is dumped: slower, and no GE dump")
    tell_space(folder)
    warn_about_ranks()
    return config


def _refuse_unfit_for_ge(config: Any) -> None:
    if option_value(config.debug.data_dump, "type") is not None:
        msg = (
            "compiler_config: debug.data_dump.type is set, an FX dump, which runs eagerly and "
            f"keeps GE from running. {_FRESH_CONFIG}"
        )
        raise ConfigError(msg)
    mode = option_value(config, "mode")
    if mode not in (None, "max-autotune"):
        msg = (
            f"compiler_config: mode: expected 'max-autotune', in which GE runs the graph, found "
            f"{mode!r}, which makes no GE dump"
        )
        raise ConfigError(msg)
    _warn_if_nothing_runs(config)
    if option_value(config.debug, "run_eagerly") in ("1", True):
        warn(
            "compiler_config: debug.run_eagerly is set: graph texts are written, but GE does not "
            "run and dumps no tensors"
        )


def _warn_if_nothing_runs(config: Any) -> None:
    summary = getattr(config.debug, "fx_summary", None)
    if option_value(summary, "type") is not None:
        warn(
            "compiler_config: debug.fx_summary.type is set: torchair then summarises graphs "
            "and may skip the dump"
        )


def _set_dump_data(dump_config: Any, dump_data: str) -> None:
    if hasattr(dump_config, "dump_data"):
        set_option(dump_config, "dump_data", dump_data, "dump_data", "use 'tensor' or 'stats'.")
    elif dump_data != "tensor":
        msg = (
            f"dump_data={dump_data!r}: this torchair has no dump_config.dump_data (it came with "
            "7.2.0) and can dump 'tensor' only"
        )
        raise ConfigError(msg)


def _set_since_6_0_rc3(dump_config: Any, option: str, value: str | None, argument: str) -> None:
    if value is None:
        return
    if not hasattr(dump_config, option):
        msg = (
            f"{argument}={value!r}: this torchair has no dump_config.{option} (it came with "
            f"6.0.rc3); leave {argument} out, which dumps everything"
        )
        raise ConfigError(msg)
    hint = f"leave {argument} out, which dumps everything."
    set_option(dump_config, option, value, argument, hint)


def _record_sources(config: Any, folder: Path) -> None:
    """Ask for what tells where in the user's model an op is; torchair that cannot goes without."""
    export = getattr(getattr(config, "export", None), "experimental", None)
    if hasattr(export, MODULE_STACK):
        set_option(export, MODULE_STACK, True, MODULE_STACK, "")
    if hasattr(config, SOURCES_PASS):
        before: Any = option_value(config, SOURCES_PASS)
        if isinstance(before, SourcesWriter):  # of an earlier call with this config
            before = before.before
        set_option(config, SOURCES_PASS, SourcesWriter(str(folder), before), SOURCES_PASS, "")


def _set_path(section: Any, folder: Path) -> None:
    """Set the folder of a debug section; `path` is a property since torchair 7.1.0."""
    name = "path" if hasattr(section, "path") else "_path"
    set_option(section, name, str(folder), "dump_path", "")


def _write_fusion_off(folder: Path) -> str:
    file = folder / "fusion_switch.json"
    file.write_text(json.dumps(options.FUSION_OFF, indent=2) + "\n", encoding="utf-8")
    return str(file)


def _tell_old_fx_folder(folder: Path, dump_path: StrPath) -> None:
    notify(
        "this torchair has no debug.data_dump.path (it came with 7.1.0): FX data land in "
        f"{folder}/{{step}}/gm_{{time stamp}}_dump if the model runs in this directory"
        + (f"; dump_path={os.fspath(dump_path)!r} is not used" if dump_path else "")
    )
    if folder.is_dir() and any(folder.iterdir()):
        warn(f"{folder} holds data of an earlier run; move it away, or the two dumps mix")
