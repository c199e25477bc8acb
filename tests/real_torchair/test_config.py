"""CompilerConfig of the genuine torchair takes what our helpers set, and passes it on to GE."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cpu_device import torch, torchair

from ait_cmp.dump import torchair_dump
from ait_cmp.errors import ConfigError


def test_ge_config_turns_into_the_options_of_ge(tmp_path: Path) -> None:
    config = torchair_dump.get_ge_dump_config(
        dump_path="dump",
        dump_mode="output",
        fusion_switch_file="off",
        dump_token=[0, range(2, 6), "8"],
        dump_layer=["MatMulV2_1", "Add"],
        dump_data="stats",
    )
    assert isinstance(config, torchair.CompilerConfig)
    (folder,) = (tmp_path / "dump").iterdir()
    _, options = config.as_dict()
    given = {
        name: value
        for name, value in options.items()
        if name.startswith(("ge.exec.dump", "ge.exec.enableDump", "ge.fusion"))
    }
    assert given == {
        "ge.exec.enableDump": "1",
        "ge.exec.dumpPath": str(folder / "worldsize1_global_rank0"),
        "ge.exec.dumpMode": "output",
        "ge.exec.dumpStep": "0|2-5|8",
        "ge.exec.dumpLayer": "MatMulV2_1 Add",
        "ge.exec.dumpData": "stats",
        "ge.fusionSwitchFile": str(folder / "fusion_switch.json"),
    }
    assert json.loads(Path(given["ge.fusionSwitchFile"]).read_text())["Switch"] == {
        "GraphFusion": {"ALL": "off"},
        "UBFusion": {"ALL": "off"},
    }
    assert config.debug.graph_dump.type.value == "txt"
    assert config.debug.graph_dump.path == str(folder)


def test_options_left_out_reach_ge_as_its_defaults() -> None:
    _, options = torchair_dump.get_ge_dump_config().as_dict()
    assert options["ge.exec.dumpMode"] == "all"
    assert options["ge.exec.dumpData"] == "tensor"
    assert not {"ge.exec.dumpStep", "ge.exec.dumpLayer", "ge.fusionSwitchFile"} & options.keys()


def test_given_config_is_extended() -> None:
    given = torchair.CompilerConfig()
    given.dump_config.quant_dumpable = True
    given.experimental_config.enable_view_optimize = False
    config = torchair_dump.get_ge_dump_config(compiler_config=given)
    assert config is given
    assert config.as_dict()[1]["ge.quant_dumpable"] == "1"
    assert config.experimental_config.enable_view_optimize.value == "0"


def test_fx_config_dumps_fx_and_nothing_of_ge(tmp_path: Path) -> None:
    config = torchair_dump.get_fx_dump_config("dump", op_list=["softmax"])
    (folder,) = (tmp_path / "dump").iterdir()
    assert config.debug.data_dump.type.value == "npy"
    assert config.debug.data_dump.path == str(folder)
    assert "ge.exec.enableDump" not in config.as_dict()[1]


@pytest.mark.parametrize(
    ("argument", "value", "hint"),
    [
        ("dump_mode", "outputs", "use 'input', 'output' or 'all'"),
        ("dump_data", "npy", "use 'tensor' or 'stats'"),
    ],
)
def test_errors_of_torchair_arrive_on_one_line_with_our_hint(
    argument: str, value: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=f"not in optional list .*{hint}") as caught:
        torchair_dump.get_ge_dump_config(**{argument: value})
    assert len(str(caught.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_every_dump_step_that_we_write_passes_the_check_of_torchair() -> None:
    for steps in (0, "0|2-5", range(200), list(range(0, 100)), [range(3), 9, "11-12"], []):
        torchair_dump.get_ge_dump_config(dump_token=steps)


def test_aclgraph_mode_is_refused_for_ge() -> None:
    config = torchair.CompilerConfig()
    config.mode = "reduce-overhead"
    with pytest.raises(ConfigError, match="expected 'max-autotune'"):
        torchair_dump.get_ge_dump_config(compiler_config=config)


def test_other_objects_of_torch_are_no_config() -> None:
    with pytest.raises(TypeError, match="but got Linear without debug"):
        torchair_dump.get_ge_dump_config(compiler_config=torch.nn.Linear(2, 2))
    with pytest.raises(TypeError, match="the class CompilerConfig itself"):
        torchair_dump.get_fx_dump_config(compiler_config=torchair.CompilerConfig)
