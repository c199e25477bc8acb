"""The tool that people have today, in a virtual environment of its own, on the same folders."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.table import Line
from benchmarks.timing import ProcessRun, run_process

PEER_VERSION = "26.2.0"
TORCH_VERSION = "2.13.0"
PEER_NOTE = "header parser supplied by the harness, which favours the peer"
# mindstudio-probe goes in without its dependencies: most of them serve other commands.
REQUIREMENTS = (
    f"torch=={TORCH_VERSION}", "numpy", "pandas", "einops", "matplotlib", "openpyxl", "packaging",
    "psutil", "pytz", "pyyaml", "tqdm", "protobuf", "ml_dtypes", "setuptools<81",
)  # fmt: skip


def cache_folder() -> Path:
    """Where the environment is kept: `$AIT_CMP_BENCH_CACHE`, else below the user's cache."""
    named = os.environ.get("AIT_CMP_BENCH_CACHE")
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "ait-cmp-benchmarks"


def _environment() -> Path:
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    return cache_folder() / f"peer-{PEER_VERSION}-torch-{TORCH_VERSION}-py{version}"


def find_python(*, build: bool) -> tuple[Path | None, str]:
    """The peer's Python, and if there is none, why.

    Args:
        build: Make the environment (once, minutes) when it is missing.
    """
    folder = _environment()
    python, stamp = folder / "bin/python", folder / "complete"
    if stamp.is_file():
        return python, ""
    if not build:
        return None, "its environment is not built yet: `python -m benchmarks full` builds it"
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [*pip, *REQUIREMENTS],
        [*pip, "--no-deps", f"mindstudio-probe=={PEER_VERSION}"],
    ):
        print("building the peer's environment:", *command, file=sys.stderr)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            return None, f"`{' '.join(command[:4])} ...` failed: {lines[-1][:160]}"
    stamp.touch()
    return python, ""


def run_peer(python: Path, my: Path, golden: Path, work: Path) -> ProcessRun:
    """One whole run of the peer; its report lands in `work`/report."""
    return run_process(
        [
            str(python),
            str(Path(__file__).with_name("peer_runner.py")),
            str(my),
            str(golden),
            str(work / "report"),
        ],
        log_dir=work,
        environment={"TORCH_DEVICE_BACKEND_AUTOLOAD": "0"},
    )


def count_rows(report: Path) -> int:
    """Rows in all CSV files of a folder (the peer's cells hold no line breaks)."""
    return sum(
        max(0, len(path.read_text(encoding="utf-8").splitlines()) - 1)
        for path in report.glob("*.csv")
    )


def peer_line(run: ProcessRun, report: Path, *, name: str, n_bytes: int, ours_s: float) -> Line:
    """The line of one run of the peer; `ours_s` is our time on the same folders."""
    inside = re.search(r"seconds in compare: ([\d.]+)", run.stderr)
    if run.exit_code or not inside:
        reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
        return Line("peer", name, note=f"failed (exit {run.exit_code}): {reason[:120]}")
    in_compare_s = float(inside.group(1))
    times = run.wall_s / ours_s
    return Line(
        "peer",
        name,
        cache="warm",
        seconds=run.wall_s,
        n_bytes=n_bytes,
        n_rows=count_rows(report),
        cpu_s=run.cpu_s,
        anon_bytes=run.peak_anon_bytes,
        note=f"ait-cmp is {times:.1f} times faster (whole process); "
        f"{in_compare_s:.1f} s of it in compare: {in_compare_s / ours_s:.1f} times; {PEER_NOTE}",
        details={"times_faster": times, "in_compare_s": in_compare_s},
    )
