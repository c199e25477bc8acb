"""Runs programs in children of one process that has loaded what they need.

An interpreter with numpy and ait_cmp takes longer to start than most programs of tests to run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

#: Loads modules; for each line of stdin a child that runs its program, as `python -c` would. Says
#: the number of its process, and its exit status.
SERVER = """
import atexit, gc, importlib, json, os, sys, threading, traceback
is_whole, *names = sys.argv[1:]
list(map(importlib.import_module, names))
gc.freeze()
for line in sys.stdin:
    if (child := os.fork()) == 0:
        break
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
program, sys.argv[1:], environment, *paths = json.loads(line)
os.environ.update(environment)
for descriptor, path in enumerate([os.devnull, *paths]):
    opened = os.open(path, os.O_WRONLY if descriptor else os.O_RDONLY)
    os.dup2(opened, descriptor)
    os.close(opened)

def run():
    exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})

if is_whole:
    run()
    sys.exit()
status = 0
try:
    run()
except SystemExit as ended:
    is_number = ended.code is None or isinstance(ended.code, int)
    status = ended.code or 0 if is_number else print(ended.code, file=sys.stderr) or 1
except BaseException:
    traceback.print_exc()
    status = 1
threading._shutdown()
atexit._run_exitfuncs()
for stream in filter(None, (sys.stdout, sys.stderr)):
    try:
        stream.flush()
    except OSError as error:
        status = 120
        os.write(2, f"Exception ignored at exit: {error}\\n".encode())
os._exit(status)  # taking an interpreter down costs more than most programs
"""


#: The command line as the installed one calls it.
COMMAND = "import sys; from ait_cmp.cli.main import main; sys.exit(main())"
#: Before it: a stdout that takes nothing.
TO_A_FULL_DISK = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"


class Ended(NamedTuple):
    """What a program did: exit status (below 0: the signal that killed it), stdout, stderr.

    Bytes that are no UTF-8 are those of `os.fsdecode`.
    """

    status: int
    out: str
    err: str


class Running:
    """A program that may still run."""

    def __init__(self, pid: int, server: subprocess.Popen[str], paths: list[Path]) -> None:
        self.pid = pid
        self.has_ended = False
        self._server = server
        self._paths = paths

    def wait(self) -> Ended:
        """Wait for its end."""
        status = int(_line_of(self._server))
        self.has_ended = True
        return Ended(
            status,
            *(path.read_text(encoding="utf-8", errors="surrogateescape") for path in self._paths),
        )


class Forked:
    """Starts programs, one at a time."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server = server
        self._paths = [folder / "out", folder / "err"]
        self._last: Running | None = None

    def run(self, program: str, *words: object, **environment: str) -> Ended:
        """Run text of a program with its words."""
        return self.start(program, *words, **environment).wait()

    def start(self, program: str, *words: object, **environment: str) -> Running:
        """Start text of a program with its words; the next one only after its end."""
        self.end()
        for path in self._paths:
            path.write_bytes(b"")
        environment = {"AIT_CMP_ISA": os.environ.get("AIT_CMP_ISA", ""), **environment}
        asked = [program, list(map(str, words)), environment, *map(str, self._paths)]
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        self._last = Running(int(_line_of(self._server)), self._server, self._paths)
        return self._last

    def end(self) -> None:
        """Kill what a test that failed left behind."""
        if self._last is not None and not self._last.has_ended:
            os.kill(self._last.pid, signal.SIGKILL)
            self._last.wait()


@contextmanager
def forked_from(*modules: str, is_whole: bool = False) -> Iterator[Forked]:
    """Programs start with these modules; what tests can import they can, too.

    What is loaded cannot have asked for a CPU level: while it is, the one that is named is none.

    Args:
        modules: What is loaded.
        is_whole: Whether the interpreter of a program is taken down as that of any program is.
            Otherwise its threads, what it registered and what it prints come to their end.
    """
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "AIT_CMP_ISA": "nonsense"}
    environment.pop("PYTHONUNBUFFERED", None)  # what is not written before the end is tested
    command = [sys.executable, "-c", SERVER, "whole" * is_whole, *modules]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            # Ctrl-C is for the tests: they close its stdin.
            command,
            stdin=pipe,
            stdout=pipe,
            text=True,
            env=environment,
            start_new_session=True,
        ) as server,
    ):
        programs = Forked(server, Path(folder))
        try:
            yield programs
        finally:
            programs.end()


def _line_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    return server.stdout.readline()
