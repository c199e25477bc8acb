"""The dump helpers on stand-ins of every torchair interface; see also tests/real_torchair."""

from __future__ import annotations

import inspect
import json
import pickle
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from torchair_stand_in import CompilerConfig, fx_folder, ge_folder, is_at_least

from ait_cmp.dump import torchair_dump
from ait_cmp.errors import ConfigError

ALL_OFF = {"Switch": {"GraphFusion": {"ALL": "off"}, "UBFusion": {"ALL": "off"}}}


def test_signatures_are_those_that_scripts_use() -> None:
    ge = inspect.signature(torchair_dump.get_ge_dump_config)
    assert {p.name: p.default for p in ge.parameters.values()} == {
        "dump_path": "",
        "dump_mode": "all",
        "fusion_switch_file": None,
        "dump_token": None,
        "dump_layer": None,
        "dump_data": "tensor",
        "compiler_config": None,
    }
    fx = inspect.signature(torchair_dump.get_fx_dump_config)
    assert list(fx.parameters) == ["dump_path", "op_list", "compiler_config"]


def test_ge_config_has_the_options_of_its_version(version: str, tmp_path: Path) -> None:
    given = CompilerConfig(version)
    config = torchair_dump.get_ge_dump_config(
        dump_path=str(tmp_path / "dump"), dump_mode="output", compiler_config=given
    )
    assert config is given
    folder = ge_folder(config)
    assert re.fullmatch(r"dump_\d{8}_\d{6}", folder.name)
    assert folder.parent == tmp_path / "dump"
    assert list(folder.iterdir()) == []
    assert config.dump_config.enable_dump.value == "1"
    assert config.dump_config.dump_mode.value == "output"
    assert config.debug.graph_dump.type.value == "txt"
    assert config.debug.graph_dump._path.value == str(folder)
    assert config.debug.data_dump.type.value is None
    assert config.fusion_config.fusion_switch_file.value is None


def test_options_that_were_set_before_stay(version: str) -> None:
    given = CompilerConfig(version)
    if is_at_least(version, "6.0.rc3"):
        given.dump_config.quant_dumpable = True
        given.dump_config.dump_step = "7"
    Path("mine.json").write_text(json.dumps(ALL_OFF))
    given.fusion_config.fusion_switch_file = "mine.json"
    config = torchair_dump.get_ge_dump_config(compiler_config=given)
    assert config.fusion_config.fusion_switch_file.value == "mine.json"
    if is_at_least(version, "6.0.rc3"):
        assert config.dump_config.quant_dumpable.value == "1"
        assert config.dump_config.dump_step.value == "7"


def test_empty_dump_path_is_the_current_folder(tmp_path: Path) -> None:
    config = torchair_dump.get_ge_dump_config(compiler_config=CompilerConfig("7.2"))
    assert ge_folder(config).parent == tmp_path


def test_folder_stays_valid_after_a_change_of_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    config = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert ge_folder(config).is_dir()


def test_every_call_makes_a_folder_of_its_own() -> None:
    folders = [
        ge_folder(torchair_dump.get_ge_dump_config("d", compiler_config=CompilerConfig("7.2")))
        for _ in range(5)
    ]
    assert len(set(folders)) == 5
    assert all(re.fullmatch(r"dump_\d{8}_\d{6}(_\d+)?", folder.name) for folder in folders)


def test_calls_at_the_same_time_never_share_a_folder() -> None:
    folders: list[Path] = []
    start = threading.Barrier(8)

    def call() -> None:
        start.wait()
        config = torchair_dump.get_ge_dump_config("d", compiler_config=CompilerConfig("7.2"))
        folders.append(ge_folder(config))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(folders)) == 8


@pytest.mark.parametrize("argument", [{"dump_token": [0]}, {"dump_layer": ["Add"]}])
def test_filters_need_6_0_rc3_and_say_so(argument: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"it came with 6\.0\.rc3"):
        torchair_dump.get_ge_dump_config(**argument, compiler_config=CompilerConfig("6.0.rc1"))
    assert list(tmp_path.iterdir()) == []


def test_stats_need_7_2_and_say_so(version: str) -> None:
    config = CompilerConfig(version)
    if is_at_least(version, "7.2"):
        torchair_dump.get_ge_dump_config(dump_data="stats", compiler_config=config)
        assert config.dump_config.dump_data.value == "stats"
    else:
        with pytest.raises(ConfigError, match=r"it came with 7\.2\.0"):
            torchair_dump.get_ge_dump_config(dump_data="stats", compiler_config=config)


@pytest.mark.parametrize(
    ("argument", "hint"),
    [
        ({"dump_mode": "outputs"}, "use 'input', 'output' or 'all'"),
        ({"dump_data": "npy"}, "use 'tensor' or 'stats'"),
    ],
)
def test_errors_of_torchair_arrive_with_our_hint(
    argument: dict[str, object], hint: str, tmp_path: Path
) -> None:
    config = CompilerConfig("7.2")
    with pytest.raises(ConfigError, match=f"not in optional list .*{hint}"):
        torchair_dump.get_ge_dump_config(**argument, compiler_config=config)
    assert list(tmp_path.iterdir()) == []
    assert config.dump_config.enable_dump.value == "0"


@pytest.mark.parametrize("version", ["7.1", "7.2", "26.0"])
def test_fx_config_has_a_folder_of_its_own(version: str, tmp_path: Path) -> None:
    given = CompilerConfig(version)
    config = torchair_dump.get_fx_dump_config("dump", compiler_config=given)
    assert config is given
    assert config.debug.data_dump.type.value == "npy"
    assert re.fullmatch(r"dump_\d{8}_\d{6}", fx_folder(config).name)
    assert fx_folder(config).parent == tmp_path / "dump"
    assert fx_folder(config).is_dir()
    assert config.dump_config.enable_dump.value == "0"


@pytest.mark.parametrize("version", ["6.0.rc1", "6.0.rc3", "7.0"])
def test_fx_config_of_an_old_torchair_says_where_data_land(
    version: str, tmp_path: Path, notices: pytest.LogCaptureFixture
) -> None:
    config = torchair_dump.get_fx_dump_config("dump", compiler_config=CompilerConfig(version))
    assert config.debug.data_dump.type.value == "npy"
    assert f"FX data land in {tmp_path / 'data_dump'}" in notices.text
    assert "dump_path='dump' is not used" in notices.text
    assert list(tmp_path.iterdir()) == []


def test_fx_config_of_an_old_torchair_warns_of_data_from_before(
    tmp_path: Path, notices: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data_dump" / "1").mkdir(parents=True)
    torchair_dump.get_fx_dump_config(compiler_config=CompilerConfig("6.0.rc3"))
    assert "WARNING" in notices.text
    assert "or the two dumps mix" in notices.text


def test_op_list_keeps_nodes_by_part_of_their_name_in_any_case(version: str) -> None:
    config = torchair_dump.get_fx_dump_config(
        op_list=["Softmax", "mm_3"], compiler_config=CompilerConfig(version)
    )
    nodes = [SimpleNamespace(name=name) for name in ("_softmax_1", "mm_3", "mm_2", "add")]
    kept = [config.debug.data_dump.filter(node) for node in nodes]
    assert kept == [nodes[0], nodes[1], None, None]


def test_op_list_adds_to_a_filter_that_was_set() -> None:
    given = CompilerConfig("7.2")
    given.debug.data_dump.filter = lambda node: None if node.name == "mm_1" else node
    config = torchair_dump.get_fx_dump_config(op_list="mm", compiler_config=given)
    first, second, other = (SimpleNamespace(name=name) for name in ("mm", "mm_1", "add"))
    kept = [config.debug.data_dump.filter(node) for node in (first, second, other)]
    assert kept == [first, None, None]


def test_a_filter_that_was_set_stays_without_op_list() -> None:
    given = CompilerConfig("7.2")
    given.debug.data_dump.filter = len
    assert torchair_dump.get_fx_dump_config(compiler_config=given).debug.data_dump.filter is len


def test_filter_of_op_list_can_be_pickled() -> None:
    config = torchair_dump.get_fx_dump_config(op_list="mm", compiler_config=CompilerConfig("7.2"))
    copied = pickle.loads(pickle.dumps(config.debug.data_dump.filter))
    assert copied == config.debug.data_dump.filter
