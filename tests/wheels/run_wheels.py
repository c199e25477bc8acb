"""Runs wheels in new environments: `python tests/wheels/run_wheels.py FOLDER`.

Of every wheel for a Python of this machine: installed as README.md says for a place without a
network, the demo, and the CPU levels of the core against /proc/cpuinfo. With `--suite` all tests in
the environment of this Python.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

from build_wheels import Python, make_environment, pythons_here

ROOT = Path(__file__).resolve().parents[2]
#: What a CPU must say of itself in /proc/cpuinfo. Source: psABI, "Micro-Architecture Levels".
V3_FLAGS = {
    *("abm", "avx", "avx2", "bmi1", "bmi2", "cx16", "f16c", "fma", "lahf_lm", "movbe", "popcnt"),
    *("sse4_2", "xsave"),
}
V4_FLAGS = V3_FLAGS | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}
ANSWER = "FIRST DIVERGENCE in rank 0 graph_1 token 0: MatMul_3 (MatMul)"


def expected_levels() -> list[str]:
    """What `_core.isas()` must be on this machine."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line.startswith("flags")]
    flags = set(lines[0]) if lines else set()
    levels = [name for name, needs in (("v4", V4_FLAGS), ("v3", V3_FLAGS)) if needs <= flags]
    return [*levels, "base"]


def demo(command: list[str | Path], folder: Path, environment: dict[str, str]) -> str:
    """The report of the demo as text; its answer must be the known one."""
    before = set(folder.rglob("*.csv"))
    done = subprocess.run(
        [*command, "demo", "--folder", folder], capture_output=True, text=True, env=environment
    )
    if done.returncode != 0 or ANSWER not in done.stdout:
        sys.exit(f"{command} demo: {done.returncode}\n{done.stdout}{done.stderr}")
    (report,) = set(folder.rglob("*.csv")) - before
    return report.read_text(encoding="utf-8")


def recipe(start: str, python: Python) -> str:
    """The one command of README.md that begins with `start`, for another Python than its 3.11."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith(start)]
    return line.replace("cp311", python.tag).replace("3.11", "{}.{}".format(*python.version))


def run_recipe(command: str, interpreter: Path, wheels: Path, folder: Path) -> None:
    """A command of README.md, run in `folder`; it finds `wheels` as build/wheels, and our pip."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "build").exists():
        (folder / "build").mkdir()
        (folder / "build" / "wheels").symlink_to(wheels)
    environment = {
        **os.environ,
        "PATH": f"{interpreter.parent}:{os.environ['PATH']}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_QUIET": "1",
    }
    subprocess.run(["bash", "-c", command], check=True, cwd=folder, env=environment)


def installed(interpreter: Path) -> set[str]:
    """The packages of an environment."""
    command = [interpreter, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {line.split("==")[0] for line in done.stdout.splitlines()}


def run(wheel: Path, python: Python, folder: Path) -> Path:
    """Installs `wheel`, runs its demo, asks for its CPU levels; the interpreter."""
    interpreter = make_environment(python, folder / python.tag)
    before = installed(interpreter)
    for start in ("pip download --dest offline build/", "pip install --no-index"):
        run_recipe(recipe(start, python), interpreter, wheel.parent, folder / f"in-{python.tag}")
    if (added := installed(interpreter) - before) != {"ait-cmp", "numpy"}:
        sys.exit(f"{wheel.name}: ait-cmp and numpy expected, installed {sorted(added)}")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    demo([interpreter.parent / "ait-cmp"], folder / f"demo-{python.tag}", environment)
    asked = [interpreter, "-c", "from ait_cmp import _core; print(*_core.isas())"]
    levels = subprocess.run(asked, check=True, capture_output=True, text=True, env=environment)
    if levels.stdout.split() != expected_levels():
        sys.exit(f"{wheel.name}: CPU levels {levels.stdout}, /proc/cpuinfo: {expected_levels()}")
    print(f"{wheel.name}: demo and CPU levels {levels.stdout.strip()}", flush=True)
    return interpreter


def main() -> None:
    """Run all; `--suite` for the tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--suite", action="store_true", help="all tests with this Python")
    options = parser.parse_args()
    n_run = 0
    for python in pythons_here():
        ending = f"-{python.tag}-{python.tag}-*{platform.machine()}.whl"
        for wheel in options.folder.glob(f"ait_cmp-*{ending}"):
            interpreter = run(wheel.resolve(), python, options.folder.resolve() / "run")
            n_run += 1
            if options.suite and python.version == sys.version_info[:2]:
                needs = [interpreter, "-m", "pip", "install", "--quiet", f"{wheel.resolve()}[test]"]
                subprocess.run(needs, check=True)
                environment = {**os.environ, "PYTHONPATH": ""}
                tests = [interpreter, "-m", "pytest", "-q"]
                subprocess.run(tests, check=True, cwd=ROOT, env=environment)
    if n_run == 0:
        sys.exit(f"{options.folder}: no wheel for a Python of this machine")


if __name__ == "__main__":
    main()
