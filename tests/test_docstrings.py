"""Public names say what they take and give; their examples run on the demo as they stand there."""

from __future__ import annotations

import doctest
import functools
import importlib
import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ait_cmp
from ait_cmp.compare import torchair_acc_cmp

# Errors say all in their name, and one name is another.
WITHOUT_EXAMPLE = {"AitCmpError", "ConfigError", "FormatError", "ShapeError", "FirstDivergence"}
NAMES = sorted(set(ait_cmp.__all__) - WITHOUT_EXAMPLE - {"__version__"})


def public(name: str) -> Any:
    if name == "replay":  # the package that can be called
        return importlib.import_module("ait_cmp.replay.run").replay
    return getattr(ait_cmp, name)


#: The package as examples see it; several of them begin with the same comparison.
PACKAGE = SimpleNamespace(**{name: getattr(ait_cmp, name) for name in ait_cmp.__all__})
PACKAGE.compare_dirs = functools.cache(ait_cmp.compare_dirs)


def run_examples(thing: Any, name: str) -> int:
    """Run the examples of a docstring; how many there were."""
    test = doctest.DocTestParser().get_doctest(
        inspect.getdoc(thing) or "", {"ait_cmp": PACKAGE}, name, None, None
    )
    said: list[str] = []
    done = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(
        test, out=said.append
    )
    assert not done.failed, "".join(said)
    return done.attempted


@pytest.mark.parametrize("name", NAMES)
def test_examples_of_public_names_run(
    name: str, beside_sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(beside_sample)
    assert run_examples(public(name), name) > 0


def test_the_example_of_scripts_of_the_replaced_tool_runs(
    beside_sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(beside_sample)
    parse = torchair_acc_cmp.parse_torchair_dump_data
    assert run_examples(parse, "parse_torchair_dump_data") > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_and_field_is_told(name: str) -> None:
    thing = public(name)
    told = inspect.getdoc(thing) or ""
    names = thing._fields if hasattr(thing, "_fields") else inspect.signature(thing).parameters
    for one in names:
        assert f"{one}: " in told, one
    if inspect.isfunction(thing):
        assert "Returns:" in told
        assert "Raises:" in told
