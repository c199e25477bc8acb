"""How everything here is timed: functions in this process, and whole child processes."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MIN_ROUNDS = 5
SAMPLE_INTERVAL_S = 0.004


def best_of(
    function: Callable[[], object], *, rounds: int = MIN_ROUNDS, budget_s: float = 0.25
) -> float:
    """Least seconds of one call, over at least `rounds` calls and at least `budget_s` seconds.

    A call shorter than 50 us is repeated in a loop, so that the clock does not count.
    """
    start = time.perf_counter()
    function()
    first_s = time.perf_counter() - start
    repeats = max(1, int(50e-6 / max(first_s, 1e-9)))
    best_s = first_s
    end = time.perf_counter() + budget_s
    done = 0
    while done < rounds or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(repeats):
            function()
        best_s = min(best_s, (time.perf_counter() - start) / repeats)
        done += 1
    return best_s


@dataclass(frozen=True)
class ProcessRun:
    """One child process, from its start to its end.

    Args:
        wall_s: Seconds between start and end.
        cpu_s: User and system seconds of the process and the children it waited for.
        peak_anon_bytes: Largest anonymous resident memory seen, sampled every 4 ms;
            pages of mapped files are not in it.
        exit_code: Exit status; negative for a signal.
        stdout: Standard output as text.
        stderr: Standard error as text.
    """

    wall_s: float
    cpu_s: float
    peak_anon_bytes: int
    exit_code: int
    stdout: str
    stderr: str


def anonymous_bytes(pid: int) -> int:
    """Anonymous resident memory of a process; 0 when it has ended or Linux does not tell."""
    try:
        with Path(f"/proc/{pid}/status").open(encoding="utf-8", errors="replace") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


def run_process(
    command: Sequence[str],
    *,
    log_dir: Path,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 1800.0,
) -> ProcessRun:
    """Run a command to its end; its output goes through two files in `log_dir`.

    Raises:
        subprocess.TimeoutExpired: It ran longer than `timeout_s` and was killed.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    out_path, err_path = log_dir / "stdout.txt", log_dir / "stderr.txt"
    peak = 0
    with out_path.open("wb") as out, err_path.open("wb") as err:
        start = time.perf_counter()
        with subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
        ) as child:
            while True:
                ended, status, usage = os.wait4(child.pid, os.WNOHANG)
                wall_s = time.perf_counter() - start
                if ended:
                    child.returncode = os.waitstatus_to_exitcode(status)
                    break
                if wall_s > timeout_s:
                    child.kill()
                    raise subprocess.TimeoutExpired(list(command), timeout_s)
                peak = max(peak, anonymous_bytes(child.pid))
                time.sleep(SAMPLE_INTERVAL_S)
    return ProcessRun(
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_anon_bytes=peak,
        exit_code=child.returncode,
        stdout=out_path.read_text(encoding="utf-8", errors="replace"),
        stderr=err_path.read_text(encoding="utf-8", errors="replace"),
    )


def drop_from_cache(paths: Iterable[Path]) -> None:
    """Ask the kernel to forget the pages of files (names and inodes stay known)."""
    os.sync()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
