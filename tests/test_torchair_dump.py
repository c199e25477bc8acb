"""The dump helpers on stand-ins of every torchair interface; see also tests/real_torchair."""

from __future__ import annotations

import errno
import importlib
import inspect
import json
import logging
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ait_cmp.dump import torchair_dump
from ait_cmp.dump.errors import TorchairMissingError
from ait_cmp.errors import AitCmpError, ConfigError
from torchair_stand_in import VERSIONS, CompilerConfig, is_at_least

ALL_OFF = {"Switch": {"GraphFusion": {"ALL": "off"}, "UBFusion": {"ALL": "off"}}}


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def notices(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="ait_cmp.dump"):
        yield caplog


def ge_folder(config: CompilerConfig) -> Path:
    return Path(config.dump_config.dump_path.value)


def fx_folder(config: CompilerConfig) -> Path:
    return Path(config.debug.data_dump.path)


# --- the signatures that scripts rely on -----------------------------------------------------


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


def test_importing_the_helper_loads_neither_torch_nor_torchair() -> None:
    code = (
        "import sys; import ait_cmp.dump.torchair_dump; "
        "print([m for m in ('torch', 'torch_npu', 'torchair') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


# --- GE --------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("dump_token", "expected"),
    [
        (0, "0"),
        ([0, 1], "0|1"),
        ((3,), "3"),
        ("12", "12"),
        ("0|2-5", "0|2-5"),
        ("0 | 2-5", "0|2-5"),
        ("4-4", "4"),
        (range(3), "0-2"),
        (range(5, 2, -1), "3-5"),
        (range(2, 3), "2"),
        (range(0, 6, 2), "0|2|4"),
        (["0", "2-5", 7, range(9, 12)], "0|2-5|7|9-11"),
        ([1, 1, 1], "1"),
        ({4}, "4"),
        (iter([1, 2]), "1|2"),
        (list(range(150)), "0-149"),
        ([], ""),
        (range(0), ""),
        ("", ""),
    ],
)
def test_dump_token_becomes_dump_step(dump_token: object, expected: str) -> None:
    config = torchair_dump.get_ge_dump_config(
        dump_token=dump_token, compiler_config=CompilerConfig("7.2")
    )
    assert config.dump_config.dump_step.value == expected


@pytest.mark.parametrize(
    ("dump_token", "error", "message"),
    [
        (-1, ConfigError, "expected steps from 0"),
        (2**31, ConfigError, "expected steps from 0"),
        ("5-2", ConfigError, "range upwards"),
        ("1,2", ConfigError, "separated by '\\|'"),
        ("1||2", ConfigError, "separated by '\\|'"),
        ("1" * 50_000 + "x", ConfigError, "separated by '\\|'"),
        ("-3", ConfigError, "separated by '\\|'"),
        ("\u0663", ConfigError, "separated by '\\|'"),
        (1.0, TypeError, "found float"),
        (True, TypeError, "found bool"),
        (b"1", TypeError, "found bytes"),
        ([[1]], TypeError, "found list"),
        ([None], TypeError, "found NoneType"),
        (range(0, 500, 2), ConfigError, "GE allows 100"),
        (list(range(0, 500, 2)), ConfigError, "at most 100"),
    ],
)
def test_wrong_dump_token_is_refused(
    dump_token: object, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message) as caught:
        torchair_dump.get_ge_dump_config(
            dump_token=dump_token, compiler_config=CompilerConfig("7.2")
        )
    assert isinstance(caught.value, ConfigError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("dump_layer", "expected"),
    [
        ("Add", "Add"),
        ("Add  MatMulV2_1", "Add MatMulV2_1"),
        (["Add", "MatMulV2_1"], "Add MatMulV2_1"),
        (("Add Mul", "layer/q.proj"), "Add Mul layer/q.proj"),
        ([], ""),
        ("", ""),
    ],
)
def test_dump_layer_becomes_names_separated_by_blanks(dump_layer: object, expected: str) -> None:
    config = torchair_dump.get_ge_dump_config(
        dump_layer=dump_layer, compiler_config=CompilerConfig("7.2")
    )
    assert config.dump_config.dump_layer.value == expected


@pytest.mark.parametrize(
    ("dump_layer", "error", "message"),
    [
        ("add-aten.add.Tensor.OUTPUT.0", ConfigError, "names of FX nodes do not work"),
        ("Add,Mul", ConfigError, "separated by blanks"),
        (["Add", " "], ConfigError, "empty text"),
        (["Add\n;rm"], ConfigError, "separated by blanks"),
        (3, TypeError, "must be a list of strings"),
        ([3], TypeError, "must be a list of strings"),
        (b"Add", TypeError, "must be a list of strings"),
    ],
)
def test_wrong_dump_layer_is_refused(
    dump_layer: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        torchair_dump.get_ge_dump_config(
            dump_layer=dump_layer, compiler_config=CompilerConfig("7.2")
        )
    assert isinstance(caught.value, ConfigError)


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


# --- fusion ----------------------------------------------------------------------------------


def test_fusion_off_writes_the_switch_file_into_the_dump_folder(version: str) -> None:
    config = torchair_dump.get_ge_dump_config(
        fusion_switch_file="off", compiler_config=CompilerConfig(version)
    )
    file = Path(config.fusion_config.fusion_switch_file.value)
    assert file.parent == ge_folder(config)
    assert json.loads(file.read_text()) == ALL_OFF


def test_fusion_switch_file_of_the_user_is_taken_with_single_passes(tmp_path: Path) -> None:
    file = tmp_path / "switch.json"
    file.write_text('{"Switch": {"GraphFusion": {"ALL": "off", "SoftmaxFusionPass": "on"}}}')
    config = torchair_dump.get_ge_dump_config(
        fusion_switch_file="switch.json", compiler_config=CompilerConfig("7.2")
    )
    assert config.fusion_config.fusion_switch_file.value == str(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON like"),
        ("{'Switch': 1}", "expected JSON like"),
        ("[]", "a list at the top"),
        ("{}", 'no object "Switch"'),
        ('{"Switch": []}', 'no object "Switch"'),
        ('{"Switch": {"GraphFuson": {"ALL": "off"}}}', "unknown section 'GraphFuson'"),
        ('{"Switch": {"UBFusion": "off"}}', "no object in section 'UBFusion'"),
        ('{"Switch": {"UBFusion": {"ALL": "Off"}}}', "'Off' for 'ALL'"),
        ('{"Switch": {"UBFusion": {"ALL": []}}}', r"\[\] for 'ALL'"),
        ("[" * 100_000, "expected JSON like"),
    ],
)
def test_wrong_fusion_switch_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "switch.json").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        torchair_dump.get_ge_dump_config(
            fusion_switch_file="switch.json", compiler_config=CompilerConfig("7.2")
        )
    assert str(caught.value).startswith(str(tmp_path / "switch.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["switch.json"]


def test_fusion_switch_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "switch.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="expected JSON like"):
        torchair_dump.get_ge_dump_config(
            fusion_switch_file="switch.json", compiler_config=CompilerConfig("7.2")
        )


@pytest.mark.parametrize("path", ["missing.json", "", "."])
def test_missing_fusion_switch_file_is_a_file_not_found_error(path: str) -> None:
    with pytest.raises(FileNotFoundError, match="fusion_switch_file: .*not found") as caught:
        torchair_dump.get_ge_dump_config(
            fusion_switch_file=path, compiler_config=CompilerConfig("7.2")
        )
    assert isinstance(caught.value, ConfigError)


def test_fusion_switch_file_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError, match="fusion_switch_file: expected a path or 'off'"):
        torchair_dump.get_ge_dump_config(
            fusion_switch_file=False, compiler_config=CompilerConfig("7.2")
        )


# --- FX --------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("op_list", "error", "message"),
    [
        (3, TypeError, "op_list must be a list of strings"),
        ([3], TypeError, "op_list must be a list of strings"),
        ({"add": 1}, TypeError, "op_list must be a list of strings"),
        (["aten.add"], ConfigError, "found 'aten.add'"),
        ([""], ConfigError, "found ''"),
    ],
)
def test_wrong_op_list_is_refused(op_list: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        torchair_dump.get_fx_dump_config(op_list=op_list, compiler_config=CompilerConfig("7.2"))
    assert isinstance(caught.value, ConfigError)


# --- the config that is given ----------------------------------------------------------------

MAKERS = [torchair_dump.get_ge_dump_config, torchair_dump.get_fx_dump_config]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("wrong", [{}, "max-autotune", SimpleNamespace(debug=1), CompilerConfig])
def test_wrong_class_of_config_is_a_type_error(make: object, wrong: object) -> None:
    with pytest.raises(TypeError, match="compiler_config must be a CompilerConfig") as caught:
        make(compiler_config=wrong)
    assert isinstance(caught.value, ConfigError)


def test_one_config_for_both_dumps_is_refused(version: str) -> None:
    ge = torchair_dump.get_ge_dump_config(compiler_config=CompilerConfig(version))
    with pytest.raises(ConfigError, match="two runs with a CompilerConfig each"):
        torchair_dump.get_fx_dump_config(compiler_config=ge)
    fx = torchair_dump.get_fx_dump_config(compiler_config=CompilerConfig(version))
    with pytest.raises(ConfigError, match="two runs with a CompilerConfig each"):
        torchair_dump.get_ge_dump_config(compiler_config=fx)


def test_other_modes_are_refused_for_ge_and_fine_for_fx() -> None:
    given = CompilerConfig("7.2")
    given.mode = "reduce-overhead"
    with pytest.raises(ConfigError, match="mode: expected 'max-autotune'"):
        torchair_dump.get_ge_dump_config(compiler_config=given)
    assert torchair_dump.get_fx_dump_config(compiler_config=given) is given


@pytest.mark.parametrize("make", MAKERS)
def test_missing_torchair_gives_the_install_hint(
    make: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchair", None)
    monkeypatch.setitem(sys.modules, "torch_npu", None)
    with pytest.raises(ModuleNotFoundError, match="install the torch_npu that belongs") as caught:
        make()
    assert isinstance(caught.value, AitCmpError)


def test_torchair_inside_torch_npu_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site"
    package.mkdir()
    (package / "torch_npu.py").write_text(
        "import sys, types\n"
        "from torchair_stand_in import CompilerConfig\n"
        "sys.modules['torchair'] = types.ModuleType('torchair')\n"
        "sys.modules['torchair'].CompilerConfig = lambda: CompilerConfig('7.2')\n"
    )
    monkeypatch.delitem(sys.modules, "torchair", raising=False)
    monkeypatch.delitem(sys.modules, "torch_npu", raising=False)
    monkeypatch.syspath_prepend(str(package))
    importlib.invalidate_caches()
    config = torchair_dump.get_ge_dump_config()
    for name in ("torchair", "torch_npu"):
        monkeypatch.delitem(sys.modules, name)
    assert isinstance(config, CompilerConfig)


def test_torchair_whose_libraries_do_not_load_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site"
    package.mkdir()
    (package / "torchair.py").write_text("raise ImportError('libhccl.so: cannot open')\n")
    monkeypatch.delitem(sys.modules, "torchair", raising=False)
    monkeypatch.syspath_prepend(str(package))
    importlib.invalidate_caches()
    with pytest.raises(TorchairMissingError, match=r"libhccl\.so: cannot open.*set_env\.sh"):
        torchair_dump.get_ge_dump_config()


# --- folders that do not work ----------------------------------------------------------------


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("wrong", [None, 3, b"dump", ["dump"]])
def test_dump_path_of_a_wrong_type_is_refused(make: object, wrong: object) -> None:
    with pytest.raises(TypeError, match="dump_path should be a string") as caught:
        make(dump_path=wrong, compiler_config=CompilerConfig("7.2"))
    assert isinstance(caught.value, ConfigError)


def test_dump_path_with_a_null_character_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected the name of a folder"):
        torchair_dump.get_ge_dump_config("a\0b", compiler_config=CompilerConfig("7.2"))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("dump_path", ["file", "file/below"])
def test_dump_path_that_is_a_file_is_refused(make: object, dump_path: str) -> None:
    Path("file").write_text("")
    config = CompilerConfig("7.2")
    with pytest.raises(OSError, match="a file is in the way, expected a folder"):
        make(dump_path=dump_path, compiler_config=config)
    assert config.dump_config.enable_dump.value == "0"
    assert config.debug.data_dump.type.value is None


def test_folder_that_the_system_refuses_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, mode: int = 0o777, **_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), oct(mode))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError, match="Permission denied; choose a dump_path that"):
        torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))


def test_full_disk_is_found_before_the_run_and_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    config = CompilerConfig("7.2")
    with pytest.raises(OSError, match="No space left on device; choose a dump_path on another"):
        torchair_dump.get_ge_dump_config("dump", compiler_config=config)
    assert list((tmp_path / "dump").iterdir()) == []
    assert config.dump_config.enable_dump.value == "0"


# --- what is told before the run -------------------------------------------------------------


def test_folder_and_free_space_are_told(notices: pytest.LogCaptureFixture) -> None:
    config = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    assert f"GE dump goes to {ge_folder(config)}" in notices.text
    assert f"free on the disk of {ge_folder(config)}" in notices.text


def test_little_space_is_a_warning(
    notices: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 2**30))
    torchair_dump.get_ge_dump_config(compiler_config=CompilerConfig("7.2"))
    assert "WARNING: only 3.0 GiB free" in notices.text
    assert "ait-cmp convert DIR --watch" in notices.text


def test_fx_says_that_the_model_runs_eagerly(notices: pytest.LogCaptureFixture) -> None:
    torchair_dump.get_fx_dump_config(compiler_config=CompilerConfig("7.2"))
    assert "runs eagerly" in notices.text


def test_notices_reach_stderr_where_the_program_has_no_logging(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from torchair_stand_in import CompilerConfig\n"
        "from ait_cmp.dump import torchair_dump\n"
        "torchair_dump.get_fx_dump_config('dump', compiler_config=CompilerConfig('7.2'))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert run.stdout == ""
    assert run.stderr.startswith("ait-cmp: FX dump goes to ")
    assert "free on the disk" in run.stderr


@pytest.mark.parametrize("make", MAKERS)
def test_rank_without_torch_distributed_is_warned_about(
    make: object, notices: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    make(compiler_config=CompilerConfig("7.2"))
    assert "WARNING: RANK=3 and WORLD_SIZE=8 are set" in notices.text
    assert "worldsize1_global_rank0 for every rank" in notices.text


def test_single_rank_is_not_warned_about(
    notices: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    torchair_dump.get_ge_dump_config(compiler_config=CompilerConfig("7.2"))
    assert "RANK" not in notices.text


def test_run_eagerly_and_fx_summary_are_warned_about(notices: pytest.LogCaptureFixture) -> None:
    given = CompilerConfig("7.2")
    given.debug.run_eagerly = True
    given.debug.fx_summary.type = "csv"
    torchair_dump.get_ge_dump_config(compiler_config=given)
    assert "debug.run_eagerly is set" in notices.text
    assert "debug.fx_summary.type is set" in notices.text


# --- describe --------------------------------------------------------------------------------


def test_describe_names_folder_and_command_before_and_after_the_run() -> None:
    config = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    folder = ge_folder(config)
    before = torchair_dump.describe(config)
    assert f"GE dump: {folder}\n  holds no files yet" in before
    assert f"ait-cmp --my-path {folder} --golden-path FX_DUMP_FOLDER" in before
    (folder / "dynamo_original_graph_1_rank_0_pid_1_ts_1.txt").write_text("name: 'graph_1'")
    assert "holds 1 files, 15 B" in torchair_dump.describe(config)


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
