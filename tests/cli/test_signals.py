"""Ctrl-C and SIGTERM at any moment: an exit status, whole rows, and not a word of Python."""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from small_model import ROWS_PER_TOKEN, write_dumps

STATUS = {int(signal.SIGINT): 130, int(signal.SIGTERM): 143}

#: Runs the command, and sends itself a signal at the n-th line of our code after those which
#: take the signals over; prints the number of lines where n is 0. A process of its own, called
#: as the installed command is.
AT_LINE = """
import os, signal, sys
n, number = int(sys.argv[1]), int(sys.argv[2])
sys.argv = ["/bin/ait-cmp", *sys.argv[3:]]
n_lines = 0
before = (signal.SIG_DFL, signal.default_int_handler)

def each_line(frame, event, _):
    global n_lines
    if "ait_cmp" not in frame.f_code.co_filename:
        return None
    if event == "line" and signal.getsignal(number) not in before:
        n_lines += 1
        if n_lines == n:
            os.kill(os.getpid(), number)
    return each_line

sys.settrace(each_line)
from ait_cmp.cli.main import main
status = main()
sys.settrace(None)
print(n_lines)
sys.exit(status)
"""

#: Sends itself a signal when the step `token` is about to be compared.
AT_STEP = """
import os, sys
token, number = int(sys.argv[1]), int(sys.argv[2])
from ait_cmp.compare import pipeline
start = pipeline.Pipeline._start

def start_and_interrupt(self, my_key, golden_key, step):
    if my_key.step == token:
        os.kill(os.getpid(), number)
    return start(self, my_key, golden_key, step)

pipeline.Pipeline._start = start_and_interrupt
from ait_cmp.cli.main import main
sys.exit(main(sys.argv[3:]))
"""


def run(program: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def words_of(folder: Path, output: Path) -> list[str]:
    sides = ["-mp", str(folder / "ge"), "-gp", str(folder / "fx"), "-o", str(output)]
    return ["compare", *sides, "--jsonl"]


@pytest.mark.parametrize("number", STATUS)
def test_a_signal_leaves_whole_rows_and_the_summary(tmp_path: Path, number: int) -> None:
    write_dumps(tmp_path, tokens=3)
    done = run(AT_STEP, 1, number, *words_of(tmp_path, tmp_path / "out"))
    assert done.returncode == STATUS[signal.Signals(number)], done.stderr
    assert "interrupted" in done.stdout
    assert f"my tensors      {ROWS_PER_TOKEN} = " in done.stdout
    (table,), (objects,) = (tmp_path / "out").glob("*.csv"), (tmp_path / "out").glob("*.jsonl")
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["token_id"] for row in rows] == ["0"] * ROWS_PER_TOKEN
    assert len(objects.read_text(encoding="utf-8").splitlines()) == len(rows)


@pytest.mark.parametrize("number", STATUS)
def test_a_signal_at_any_line_of_ours_ends_without_a_traceback(
    tmp_path: Path, number: int, n_kills: int
) -> None:
    write_dumps(tmp_path, tokens=2)
    whole = run(AT_LINE, 0, number, *words_of(tmp_path, tmp_path / "whole"))
    assert whole.returncode == 0, whole.stderr
    n_lines = int(whole.stdout.split()[-1])
    pick = random.Random(number)
    assert n_lines > 10_000
    moments = [1, *(pick.randint(1, n_lines) for _ in range(n_kills // 10))]
    for moment in moments:
        out = tmp_path / str(moment)
        done = run(AT_LINE, moment, number, *words_of(tmp_path, out))
        assert done.returncode == STATUS[signal.Signals(number)], (moment, done)
        assert "Traceback" not in done.stderr, (moment, done.stderr)
        assert "ait_cmp/" not in done.stderr, (moment, done.stderr)
        for file in out.glob("*"):
            assert file.read_bytes().endswith(b"\n"), moment


def test_a_program_that_uses_us_keeps_its_signals() -> None:
    program = (
        "import signal, sys\n"
        "before = [signal.getsignal(n) for n in (2, 15)], sys.excepthook\n"
        "import ait_cmp.cli.main\n"
        "ait_cmp.cli.main.main(['show', '/nothing'])\n"
        "assert before == ([signal.getsignal(n) for n in (2, 15)], sys.excepthook)\n"
    )
    assert run(program).returncode == 0


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=2)
    program = "import signal; signal.signal(2, signal.SIG_IGN)\n" + AT_STEP
    done = run(program, 1, int(signal.SIGINT), *words_of(tmp_path, tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert f"my tensors      {2 * ROWS_PER_TOKEN} = " in done.stdout
