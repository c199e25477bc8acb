"""Files that fail at open, stat or read (EIO) are counted and named, or harmless (faults.py)."""

from __future__ import annotations

import io
import os
import sys

import faults
import pytest
from damage import KINDS


def test_a_file_that_fails_is_counted_and_named() -> None:
    done = faults.run_with_shim(["quick"], capture_output=True)
    if done is None:
        pytest.skip("no compiler: the next test lets calls of Python fail")
    assert done.returncode == 0, done.stderr[-3000:]
    first, *lines = done.stdout.splitlines()
    assert first.startswith("calls of Shim")
    assert {line[:16].strip() for line in lines} == {kind.name for kind in KINDS}
    told = [line for line in lines if " told" in line or " nothing compared" in line]
    assert len(told) >= len(lines)


def test_without_a_compiler_calls_of_python_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, name in ((os, "open"), (io, "open"), (os, "stat")):
        monkeypatch.setattr(module, name, getattr(module, name))  # what comes back afterwards
    monkeypatch.setattr(sys, "argv", ["faults.py", "quick"])
    faults.main()
    said = capsys.readouterr().out
    assert said.startswith("calls of PythonCalls")
    # Of what C++ opens Python knows nothing: info files, extrema, statistics, mapping.csv are left.
    assert said.count(" told") >= 6
