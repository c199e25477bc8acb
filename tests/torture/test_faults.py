"""Files that fail at open, stat or read (EIO) are counted and named, or harmless (faults.py)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from damage import KINDS


def test_a_file_that_fails_is_counted_and_named() -> None:
    command = [sys.executable, str(Path(__file__).with_name("faults.py")), "quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    first, *lines = done.stdout.splitlines()
    has_compiler = any(map(shutil.which, ("cc", "gcc", "clang")))
    assert first.startswith("calls of Shim" if has_compiler else "calls of PythonCalls")
    assert {line[:16].strip() for line in lines} == {kind.name for kind in KINDS}
    told = [line for line in lines if " told" in line or " nothing compared" in line]
    # Of what C++ opens Python knows nothing: info files, extrema, statistics, mapping.csv are left.
    assert len(told) >= (len(lines) if has_compiler else 6)


def test_without_a_compiler_calls_of_python_fail() -> None:
    program = "import faults, sys; sys.argv[1:] = ['quick']; faults.main()"
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {folder!r}); {program}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("calls of PythonCalls")
    assert done.stdout.count(" told") >= 6
