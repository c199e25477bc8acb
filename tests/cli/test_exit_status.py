"""How a command ends where the reason lies neither in the dumps nor in the words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ait_cmp
from ait_cmp import _core
from ait_cmp.cli import show
from ait_cmp.cli.main import main
from ait_cmp.cli.progress import ProgressLine, progress_text
from forked import COMMAND, TO_A_FULL_DISK, Forked
from small_model import write_dumps


def words(root: Path) -> list[str]:
    return ["-mp", str(root / "ge"), "-gp", str(root / "fx"), "-o", str(root / "out")]


def fail(error: BaseException) -> Any:
    def run(_: object) -> int:
        raise error

    return run


def test_an_error_of_the_program_is_one_sentence_and_exit_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(show, "run", fail(RuntimeError("the answer is not 42")))
    assert main(["show", "file"]) == 3
    said = capsys.readouterr().err
    assert "an error of ait-cmp itself: RuntimeError: the answer is not 42" in said
    assert len(said.splitlines()) == 1
    assert main(["show", "file", "--log-level", "debug"]) == 3
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "raise error" in said


def test_no_memory_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(show, "run", fail(MemoryError()))
    assert main(["show", "file"]) == 2
    assert capsys.readouterr().err == "ait-cmp: error: not enough memory\n"


def test_a_cpu_level_that_is_none_is_told(tmp_path: Path, forked: Forked) -> None:
    write_dumps(tmp_path, tokens=1)
    file = next(str(path) for path in (tmp_path / "fx").rglob("*.npy"))
    commands = [
        ["compare", *words(tmp_path)],
        ["convert", str(tmp_path / "ge")],
        ["show", file],
        ["--version"],
    ]
    program = (
        f"from ait_cmp.cli.main import main; print([int(main(words)) for words in {commands!r}])"
    )
    done = forked.run(program, AIT_CMP_ISA="nonsense")
    assert done.out == f"{[2] * len(commands)}\n", done.err
    said = done.err.splitlines()
    assert len(said) == len(commands)
    for line in said:
        assert line.startswith("ait-cmp: error: AIT_CMP_ISA: one of ")
        assert line.endswith("expected, which this machine runs, found nonsense")


def test_the_version_says_the_cpu_level_in_use_the_compiler_and_numpy(forked: Forked) -> None:
    done = forked.run(COMMAND, "--version", AIT_CMP_ISA="base")
    levels = ", ".join(_core.isas())
    assert done.out == (
        f"ait-cmp {ait_cmp.__version__} (CPU level base of {levels}; compiled by {_core.compiler}; "
        f"Python {sys.version.split()[0]}; numpy {np.__version__})\n"
    )
    assert re.match(r"GCC \d+\.\d|.*[Cc]lang.* \d+\.\d", _core.compiler)


# argparse of Python 3.9 lets the error of its own help through.
NO_TRACEBACK = ("", "ait-cmp: error: No space left on device\n")


def test_a_full_disk_is_no_traceback_for_the_version(forked: Forked) -> None:
    assert forked.run(f"{TO_A_FULL_DISK}\n{COMMAND}", "--version").err in NO_TRACEBACK


def test_a_full_disk_is_no_traceback_for_the_help_of_the_module() -> None:
    """In a fresh process, as `python -m ait_cmp`."""
    command = [sys.executable, "-m", "ait_cmp", "--help"]
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": ""},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr in NO_TRACEBACK


def test_a_deleted_current_folder_is_named(tmp_path: Path, forked: Forked) -> None:
    write_dumps(tmp_path, tokens=1)
    folder = tmp_path / "gone"
    folder.mkdir()
    deleted = f"import os; os.chdir({str(folder)!r}); os.rmdir(os.getcwd())"
    done = forked.run(f"{deleted}\n{COMMAND}", *words(tmp_path)[:4])
    assert done.status == 2
    assert done.err.endswith(
        "ait-cmp: error: the current folder has been deleted: change to one that exists\n"
    )


def test_the_progress_line_is_for_people_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with ProgressLine(enabled=True) as progress:
        progress.tell_bytes(0, 5_000_000)
        progress(1234, 5678)
    assert capsys.readouterr().err == "\r\033[K0 B of 5.0 MB, 1234 tensors\r\033[K"
    with ProgressLine(enabled=False) as progress:
        progress(1, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("n_done", "seconds", "text"),
    [
        (1_000_000, 2.0, "1.0 MB of 5.0 MB, 500.0 kB/s, 0:08 left, 7 tensors"),
        (1_000, 1.0, "1.0 kB of 5.0 MB, 1.0 kB/s, 1:23:19 left, 7 tensors"),
        (5_000_000, 1.0, "5.0 MB of 5.0 MB, 5.0 MB/s, 0:00 left, 7 tensors"),
        (0, 1.0, "0 B of 5.0 MB, 7 tensors"),
    ],
)
def test_the_progress_line_tells_bytes_rate_and_time_left(
    n_done: int, seconds: float, text: str
) -> None:
    assert progress_text(n_done, 5_000_000, 7, seconds) == text
