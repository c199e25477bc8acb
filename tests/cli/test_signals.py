"""Ctrl-C and SIGTERM at any moment: an exit status, whole rows, and not a word of Python."""

from __future__ import annotations

import csv
import io
import itertools
import random
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ait_cmp.cli.signals import signals_call
from forked import Forked, forked_from
from small_model import ROWS_PER_TOKEN, write_dumps

STATUS = {int(signal.SIGINT): 130, int(signal.SIGTERM): 143}

#: What is loaded before the programs start: nothing of ours, which is loaded as a command loads it.
OF_OTHERS = (
    *("argparse", "ast", "concurrent.futures", "csv", "dataclasses", "datetime", "difflib", "gzip"),
    *("hashlib", "html", "importlib.resources", "json", "logging", "numpy.typing", "queue"),
    *("socket", "tempfile", "traceback", "typing", "unicodedata", "urllib.parse"),
)

#: Runs the command, called as the installed one is, with the words "n signal output ...": sends
#: itself the signal at the n-th line of our code after those that take the signals over. Where n is
#: 0 that ends with the line that begins what a signal leaves to be saved, and the number of lines.
AT_LINE = """
import os, signal, sys
from _signal import getsignal  # the other one makes an enum of what it finds
from ait_cmp.cli.main import main
n, number = map(int, sys.argv[1:3])
sys.argv = ["/bin/ait-cmp", *sys.argv[3:]]
n_lines = first_to_save = 0
before = (signal.SIG_DFL, signal.default_int_handler)

def each_line(frame, event, _):
    global n_lines, first_to_save
    if "ait_cmp" not in frame.f_code.co_filename:
        return None
    if event == "line" and getsignal(number) not in before:
        n_lines += 1
        if frame.f_code.co_name == "signals_call":
            first_to_save = first_to_save or n_lines
        if n_lines == n:
            sys.settrace(None)
            os.kill(os.getpid(), number)
            return None
    return each_line

sys.settrace(each_line)
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


@pytest.fixture(scope="module")
def fresh() -> Iterator[Forked]:
    """Runs text of a program in a process that has nothing of ours."""
    with forked_from(*OF_OTHERS, is_whole=True) as programs:
        yield programs


def words_of(folder: Path) -> list[str]:
    return ["compare", "-mp", str(folder / "ge"), "-gp", str(folder / "fx"), "--jsonl", "-o"]


@pytest.mark.parametrize("number", STATUS)
def test_a_signal_leaves_whole_rows_and_the_summary(
    tmp_path: Path, number: int, forked: Forked
) -> None:
    write_dumps(tmp_path, tokens=3)
    done = forked.run(AT_STEP, 1, number, *words_of(tmp_path), tmp_path / "out")
    assert done.status == STATUS[signal.Signals(number)], done.err
    assert "interrupted" in done.out
    assert f"my tensors      {ROWS_PER_TOKEN} = " in done.out
    (table,), (objects,) = (tmp_path / "out").glob("*.csv"), (tmp_path / "out").glob("*.jsonl")
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["token_id"] for row in rows] == ["0"] * ROWS_PER_TOKEN
    assert len(objects.read_text(encoding="utf-8").splitlines()) == len(rows)


def test_a_signal_at_any_line_of_ours_ends_without_a_traceback(
    tmp_path: Path, n_kills: int, fresh: Forked
) -> None:
    write_dumps(tmp_path, tokens=1)
    whole = fresh.run(AT_LINE, 0, signal.SIGINT.value, *words_of(tmp_path), tmp_path / "whole")
    assert whole.status == 0, whole.err
    first_to_save, n_lines = map(int, whole.out.split()[-2:])
    assert n_lines > 10_000
    assert 0 < first_to_save < n_lines
    saving = n_lines - first_to_save
    # At the very start, while steps are compared, while rows are written, near the end.
    fixed = [(0.1, signal.SIGTERM), (0.73, signal.SIGINT), (0.9, signal.SIGTERM)]
    tries = [(1, signal.SIGINT), *((first_to_save + int(at * saving), sig) for at, sig in fixed)]
    pick = random.Random(1)
    numbers = itertools.cycle(STATUS)
    tries += [(pick.randint(1, n_lines), next(numbers)) for _ in range(n_kills // 15)]
    for line, number in tries:
        output = tmp_path / str(line)
        done = fresh.run(AT_LINE, line, int(number), *words_of(tmp_path), output)
        assert done.status == STATUS[number], (line, number, done.err)
        assert "Traceback" not in done.err, (line, number, done.err)
        assert "ait_cmp/" not in done.err, (line, number, done.err)
        for file in output.glob("*"):
            assert file.read_bytes().endswith(b"\n"), (line, number)
        if summary := re.search(r"my tensors +(\d+) = ", done.out):
            assert n_rows_of(output) == [int(summary[1])] * 2, (line, number)


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


def test_a_program_that_uses_us_keeps_its_signals(fresh: Forked) -> None:
    program = (
        "import signal, sys\n"
        "before = [signal.getsignal(n) for n in (2, 15)], sys.excepthook\n"
        "import ait_cmp.cli.main\n"
        "ait_cmp.cli.main.main(['show', '/nothing'])\n"
        "assert before == ([signal.getsignal(n) for n in (2, 15)], sys.excepthook)\n"
    )
    assert fresh.run(program).status == 0


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path, forked: Forked) -> None:
    write_dumps(tmp_path, tokens=2)
    program = "import signal; signal.signal(2, signal.SIG_IGN)\n" + AT_STEP
    done = forked.run(program, 1, signal.SIGINT.value, *words_of(tmp_path), tmp_path / "out")
    assert done.status == 0, done.err
    assert f"my tensors      {2 * ROWS_PER_TOKEN} = " in done.out
