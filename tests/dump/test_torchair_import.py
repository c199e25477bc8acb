"""The CompilerConfig that is given, or found in torchair."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from torchair_stand_in import CompilerConfig

from ait_cmp.dump import torchair_dump
from ait_cmp.dump.errors import TorchairMissingError
from ait_cmp.errors import AitCmpError, ConfigError

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
