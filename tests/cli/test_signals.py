"""Ctrl-C and SIGTERM at any moment: an exit status, whole rows, and not a word of Python."""

from __future__ import annotations

import csv
import io
import itertools
import random
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from ait_cmp.cli.signals import signals_call
from small_model import ROWS_PER_TOKEN, write_dumps

STATUS = {int(signal.SIGINT): 130, int(signal.SIGTERM): 143}

#: Runs the command, called as the installed one is, for each of some moments "n signal output"
#: in a process of its own, which sends itself the signal at the n-th line of our code after those
#: that take the signals over, and writes what it says to OUTPUT.out and OUTPUT.err. Where n is 0
#: that ends with the line that begins what a signal leaves to be saved, and the number of lines.
#: Prints the exit statuses.
AT_LINE = """
import os, signal, sys
import numpy  # once for all of them
moments, words = sys.argv[1].splitlines(), sys.argv[2:]
statuses = []
for moment in moments:
    n, number, output = moment.split(maxsplit=2)
    if (child := os.fork()) == 0:
        break
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
else:
    print(*statuses)
    sys.exit()
for descriptor, ending in ((1, ".out"), (2, ".err")):
    os.dup2(os.open(output + ending, os.O_WRONLY | os.O_CREAT), descriptor)
n, number = int(n), int(number)
sys.argv = ["/bin/ait-cmp", *words, "--output", output]
n_lines = first_to_save = 0
before = (signal.SIG_DFL, signal.default_int_handler)

def each_line(frame, event, _):
    global n_lines, first_to_save
    if "ait_cmp" not in frame.f_code.co_filename:
        return None
    if event == "line" and signal.getsignal(number) not in before:
        n_lines += 1
        if frame.f_code.co_name == "signals_call":
            first_to_save = first_to_save or n_lines
        if n_lines == n:
            os.kill(os.getpid(), number)
    return each_line

sys.settrace(each_line)
from ait_cmp.cli.main import main
status = main()
sys.settrace(None)
print(first_to_save, n_lines)
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


def words_of(folder: Path) -> list[str]:
    return ["compare", "-mp", str(folder / "ge"), "-gp", str(folder / "fx"), "--jsonl"]


@pytest.mark.parametrize("number", STATUS)
def test_a_signal_leaves_whole_rows_and_the_summary(tmp_path: Path, number: int) -> None:
    write_dumps(tmp_path, tokens=3)
    done = run(AT_STEP, 1, number, *words_of(tmp_path), "-o", tmp_path / "out")
    assert done.returncode == STATUS[signal.Signals(number)], done.stderr
    assert "interrupted" in done.stdout
    assert f"my tensors      {ROWS_PER_TOKEN} = " in done.stdout
    (table,), (objects,) = (tmp_path / "out").glob("*.csv"), (tmp_path / "out").glob("*.jsonl")
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["token_id"] for row in rows] == ["0"] * ROWS_PER_TOKEN
    assert len(objects.read_text(encoding="utf-8").splitlines()) == len(rows)


class Moment(NamedTuple):
    """A signal at a line of ours, and where what came of it lies."""

    line: int
    number: int
    output: Path

    def said(self, ending: str) -> str:
        """What went to stdout (`.out`) or stderr (`.err`)."""
        return Path(f"{self.output}{ending}").read_text(encoding="utf-8")


def interrupted(folder: Path, moments: list[Moment]) -> list[int]:
    """The exit status of a comparison for each moment."""
    told = "\n".join(" ".join(map(str, moment)) for moment in moments)
    done = run(AT_LINE, told, *words_of(folder))
    assert done.returncode == 0, done.stderr
    return list(map(int, done.stdout.split()))


def test_a_signal_at_any_line_of_ours_ends_without_a_traceback(
    tmp_path: Path, n_kills: int
) -> None:
    write_dumps(tmp_path, tokens=1)
    whole = Moment(0, int(signal.SIGINT), tmp_path / "whole")
    assert interrupted(tmp_path, [whole]) == [0], whole.said(".err")
    first_to_save, n_lines = map(int, whole.said(".out").split()[-2:])
    assert n_lines > 10_000
    assert 0 < first_to_save < n_lines
    saving = n_lines - first_to_save
    # At the very start, while steps are compared, while rows are written, near the end.
    fixed = [(0.1, signal.SIGTERM), (0.73, signal.SIGINT), (0.9, signal.SIGTERM)]
    tries = [(1, signal.SIGINT), *((first_to_save + int(at * saving), sig) for at, sig in fixed)]
    pick = random.Random(1)
    numbers = itertools.cycle(STATUS)
    tries += [(pick.randint(1, n_lines), next(numbers)) for _ in range(n_kills // 15)]
    moments = [Moment(line, int(number), tmp_path / str(line)) for line, number in tries]
    for moment, status in zip(moments, interrupted(tmp_path, moments)):
        said = moment.said(".err")
        assert status == STATUS[moment.number], (moment, said)
        assert "Traceback" not in said, (moment, said)
        assert "ait_cmp/" not in said, (moment, said)
        for file in moment.output.glob("*"):
            assert file.read_bytes().endswith(b"\n"), moment
        if summary := re.search(r"my tensors +(\d+) = ", moment.said(".out")):
            assert n_rows_of(moment.output) == [int(summary[1])] * 2, moment


def n_rows_of(output: Path) -> list[int]:
    """Rows of the CSV and of the JSON lines; none where a signal came before the files."""
    tables = [path.read_text(encoding="utf-8") for path in output.glob("*.csv")]
    objects = [path.read_text(encoding="utf-8") for path in output.glob("*.jsonl")]
    n_rows = sum(len(list(csv.DictReader(io.StringIO(text, newline="")))) for text in tables)
    return [n_rows, sum(len(text.splitlines()) for text in objects)]


def test_the_handlers_of_a_program_come_back() -> None:
    def mine(number: int, frame: object) -> None:
        del number, frame

    before = signal.signal(signal.SIGTERM, mine)
    try:
        with signals_call(lambda _: None):
            assert signal.getsignal(signal.SIGTERM) is not mine
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


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
    done = run(program, 1, int(signal.SIGINT), *words_of(tmp_path), "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert f"my tensors      {2 * ROWS_PER_TOKEN} = " in done.stdout
