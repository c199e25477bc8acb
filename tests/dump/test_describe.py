"""The text that tells where a dump lies and how to compare it."""

from __future__ import annotations

from pathlib import Path

import pytest
from torchair_stand_in import CompilerConfig, fx_folder, ge_folder

from ait_cmp.dump import torchair_dump
from ait_cmp.errors import ConfigError


def test_describe_names_folder_and_command_before_and_after_the_run() -> None:
    config = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    folder = ge_folder(config)
    before = torchair_dump.describe(config)
    assert f"GE dump: {folder}\n  holds no tensors yet: run" in before
    assert f"ait-cmp --my-path {folder} --golden-path FX_DUMP_FOLDER" in before
    (folder / "dynamo_original_graph_1_rank_0_pid_1_ts_1.txt").write_text("name: 'graph_1'")
    (folder / "fx_sources_1_0.json").write_text("{}")
    assert "holds no tensors yet, but a graph text: run" in torchair_dump.describe(config)
    step = folder / "worldsize1_global_rank0" / "20261122113000" / "0" / "graph_1" / "1" / "0"
    step.mkdir(parents=True)
    (step / "Add.add.1.2.1706596911917830").write_bytes(bytes(15))
    assert "holds 1 file of tensors, 15 B" in torchair_dump.describe(config)


def test_describe_puts_the_two_dumps_of_a_folder_together() -> None:
    ge = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    (ge_folder(ge) / "dynamo_original_graph_1_rank_0_pid_1_ts_1.txt").write_text("")
    fx = torchair_dump.get_fx_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    step = fx_folder(fx) / "worldsize1_global_rank0" / "graph_1" / "0"
    step.mkdir(parents=True)
    (step / "add-aten.add.Tensor.OUTPUT.0.20261122112547986840.npy").write_bytes(b"")
    command = f"  ait-cmp --my-path {ge_folder(ge)} --golden-path {fx_folder(fx)}"
    assert torchair_dump.describe(ge).endswith(command)
    assert torchair_dump.describe(fx).endswith(command)


def test_describe_puts_fused_and_unfused_dumps_together() -> None:
    fused = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    plain = torchair_dump.get_ge_dump_config(
        "dump", fusion_switch_file="off", compiler_config=CompilerConfig("7.2")
    )
    for config in (fused, plain):
        (ge_folder(config) / "dynamo_original_graph_1_rank_0_pid_1_ts_1.txt").write_text("")
    command = f"  ait-cmp --my-path {ge_folder(fused)} --golden-path {ge_folder(plain)}"
    assert torchair_dump.describe(fused).endswith(command)
    assert torchair_dump.describe(plain).endswith(command)


def test_describe_of_an_unfused_dump_has_both_commands() -> None:
    fused = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    (ge_folder(fused) / "dynamo_original_graph_1_rank_0_pid_1_ts_1.txt").write_text("")
    fx = torchair_dump.get_fx_dump_config("dump", compiler_config=CompilerConfig("7.1"))
    (fx_folder(fx) / "data_dump" / "1").mkdir(parents=True)
    plain = torchair_dump.get_ge_dump_config(
        "dump", fusion_switch_file="off", compiler_config=CompilerConfig("7.2")
    )
    text = torchair_dump.describe(plain)
    assert f"--my-path {ge_folder(fused)} --golden-path {ge_folder(plain)}" in text
    assert f"--my-path {ge_folder(plain)} --golden-path {fx_folder(fx)}" in text


def test_describe_of_an_old_fx_dump_names_the_current_folder(tmp_path: Path) -> None:
    config = torchair_dump.get_fx_dump_config(compiler_config=CompilerConfig("7.0"))
    text = torchair_dump.describe(config)
    assert f"--my-path GE_DUMP_FOLDER --golden-path {tmp_path / 'data_dump'}" in text


def test_describe_quotes_folders_for_the_shell(tmp_path: Path) -> None:
    config = torchair_dump.get_ge_dump_config("my dump", compiler_config=CompilerConfig("7.2"))
    assert f"--my-path '{tmp_path}/my dump/dump_" in torchair_dump.describe(config)


def test_describe_refuses_what_has_no_dump() -> None:
    with pytest.raises(ConfigError, match="it has no dump"):
        torchair_dump.describe(CompilerConfig("7.2"))
    with pytest.raises(ConfigError, match="found None"):
        torchair_dump.describe(None)
    with pytest.raises(TypeError, match="must be a CompilerConfig"):
        torchair_dump.describe("dump")


def test_describe_proposes_the_newest_dump_of_the_other_side(tmp_path: Path) -> None:
    ge = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    for time in ("20260101_000000", "20270101_000000", "20261231_235959"):
        step = tmp_path / "dump" / f"dump_{time}" / "worldsize1_global_rank0" / "graph_1" / "0"
        step.mkdir(parents=True)
        (step / "add-aten.add.Tensor.OUTPUT.0.20261122112547986840.npy").write_bytes(b"")
    newest = tmp_path / "dump" / "dump_20270101_000000"
    assert torchair_dump.describe(ge).endswith(f"--golden-path {newest}")
