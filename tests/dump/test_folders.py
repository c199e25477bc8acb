"""Dump folders that do not work, folders of ranks, and what is told before the run."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from torchair_stand_in import CompilerConfig, ge_folder

from ait_cmp.dump import torchair_dump
from ait_cmp.errors import ConfigError

MAKERS = [torchair_dump.get_ge_dump_config, torchair_dump.get_fx_dump_config]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("wrong", [None, 3, b"dump", ["dump"]])
def test_dump_path_of_a_wrong_type_is_refused(make: object, wrong: object) -> None:
    with pytest.raises(TypeError, match="dump_path should be a string") as caught:
        make(dump_path=wrong, compiler_config=CompilerConfig("7.2"))
    assert isinstance(caught.value, ConfigError)


def test_dump_path_with_a_null_character_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected the name of a folder"):
        torchair_dump.get_ge_dump_config("a\0b", compiler_config=CompilerConfig("7.2"))


def test_home_of_an_unknown_user_is_refused() -> None:
    for argument in ("dump_path", "fusion_switch_file"):
        with pytest.raises(ConfigError, match=f"{argument}: '~no.such.user/x'"):
            torchair_dump.get_ge_dump_config(
                **{argument: "~no.such.user/x"}, compiler_config=CompilerConfig("7.2")
            )


def test_home_of_the_user_is_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    config = torchair_dump.get_ge_dump_config("~/dump", compiler_config=CompilerConfig("7.2"))
    assert ge_folder(config).parent == tmp_path / "home" / "dump"


def test_too_long_a_name_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="dump_path: .*File name too long"):
        torchair_dump.get_ge_dump_config("x" * 300, compiler_config=CompilerConfig("7.2"))


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


def test_folder_and_free_space_are_told(notices: pytest.LogCaptureFixture) -> None:
    config = torchair_dump.get_ge_dump_config("dump", compiler_config=CompilerConfig("7.2"))
    assert f"GE dump goes to {ge_folder(config)}" in notices.text
    assert f"free on the disk of {ge_folder(config)}" in notices.text


def test_little_space_is_a_warning(
    notices: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 10**9))
    torchair_dump.get_ge_dump_config(compiler_config=CompilerConfig("7.2"))
    assert "WARNING: only 3.0 GB free" in notices.text
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


class SharedStore(dict):
    """The two calls of a torch.distributed store that do not wait."""

    def add(self, key: str, amount: int) -> int:
        self[key] = self.get(key, 0) + amount
        return self[key]

    def compare_set(self, key: str, _expected: str, desired: str) -> bytes:
        return self.setdefault(key, desired).encode()


def test_ranks_of_torch_distributed_share_the_folder_of_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notices: pytest.LogCaptureFixture
) -> None:
    store = SharedStore()
    dist = SimpleNamespace(
        is_available=lambda: True,
        is_initialized=lambda: True,
        get_world_size=lambda: 2,
        distributed_c10d=SimpleNamespace(_get_default_store=lambda: store),
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(distributed=dist))
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    folders = {}
    for rank in (0, 1):
        dist.get_rank = lambda rank=rank: rank
        for call in (1, 2):
            config = torchair_dump.get_ge_dump_config("d", compiler_config=CompilerConfig("7.2"))
            folders[rank, call] = ge_folder(config)
    assert folders[0, 1] == folders[1, 1]
    assert folders[0, 2] == folders[1, 2]
    assert {*(tmp_path / "d").iterdir()} == {folders[0, 1], folders[0, 2]}
    assert "not initialised" not in notices.text


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
