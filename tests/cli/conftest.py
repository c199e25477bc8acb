"""Commands in processes of their own at the price of a fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

#: Loads Python, numpy and the package once. For each question, a line of JSON, a child goes on with
#: stdout and stderr in files, runs a program to its end and leaves its exit status. Forked here,
#: where nothing has a thread yet: the process of the tests has.
#: The end is that of Python (threads, functions at exit, what is not written yet) but for the last
#: step, which takes every module apart: that costs ten times as much as the rest.
STARTED = """
import atexit, json, os, sys
status = 1

def end():
    global status
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError as error:
            status = 120
            os.write(2, f"Exception ignored at exit: {error}\\n".encode())
    os._exit(status)

atexit.register(end)  # the first one is called last
import ait_cmp.cli.main
import ait_cmp.cli.columns, ait_cmp.compare, ait_cmp.convert.folder, ait_cmp.replay, numpy
print("started", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if (child := os.fork()) == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    status = 0
    sys.exit()
for descriptor, path in enumerate(asked["files"]):
    os.dup2(file := os.open(path, os.O_RDWR | os.O_CREAT), descriptor)
    os.close(file)
os.environ.update(asked["env"])
sys.argv = ["ait-cmp", *asked["words"]]
try:
    exec(asked["program"], {"__name__": "__main__"})
except SystemExit as ended:
    status = int(ended.code or 0)
"""

#: The command line as the installed one calls it.
COMMAND = "import sys; from ait_cmp.cli.main import main; sys.exit(main())"


class Ended(NamedTuple):
    """What a process left."""

    returncode: int
    stdout: bytes
    stderr: bytes


@pytest.fixture(scope="session")
def started() -> Iterator[subprocess.Popen[str]]:
    """The process that forks. What it loads asks for no CPU level, as it names one that is none."""
    command = [sys.executable, "-c", STARTED]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environment = {**os.environ, "AIT_CMP_ISA": "nonsense"}
    environment.pop("PYTHONUNBUFFERED", None)  # what is not written before the end is tested
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        yield process


@pytest.fixture
def forked(started: subprocess.Popen[str], new_folders: Iterator[Path]) -> Callable[..., Ended]:
    """Runs the command line with these words, after a line or two that prepare its process.

    `stdout` is where it writes; left out, a file that is read.
    """

    def run(*words: str, before: str = "", stdout: str = "", **env: str) -> Ended:
        out, err = (f"{next(new_folders)}.{name}" for name in ("out", "err"))
        question = {
            "files": [os.devnull, stdout or out, err],
            "env": {"AIT_CMP_ISA": os.environ.get("AIT_CMP_ISA", ""), **env},
            "words": words,
            "program": f"{before}\n{COMMAND}",
        }
        assert started.stdin is not None
        assert started.stdout is not None
        print(json.dumps(question), file=started.stdin, flush=True)
        status = int(started.stdout.readline())
        return Ended(status, b"" if stdout else Path(out).read_bytes(), Path(err).read_bytes())

    return run
