"""Builds manylinux_2_17 wheels with zig as the compiler: `nox -s wheels`.

`python tests/wheels/build_wheels.py SDIST FOLDER` builds what the source package holds, for both
machines and every Python from 3.9 on that is here with its headers; `--here` for this Python on
this machine. Each machine has one build tree: the core is compiled once, csrc/bind once a Python.

For aarch64 the headers of a Python of this machine serve, pyconfig.h too: both machines are 64 bits
wide, little-endian, and what differs in it (assembler of the interpreter) no module looks at.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

MACHINES = ("x86_64", "aarch64")
GLIBC = "2.17"  # manylinux2014
OLDEST = (3, 9)
#: Variables that are meant for other builds.
OTHERS = ("SKBUILD_", "CMAKE_")

_ASK = """
import sys, sysconfig, pathlib
has_headers = pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file()
is_usual = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
print(*sys.version_info[:2], int(has_headers and is_usual))
"""


class Python(NamedTuple):
    """An interpreter with headers."""

    version: tuple[int, int]
    path: Path

    @property
    def tag(self) -> str:
        """`cp39`."""
        return "cp{}{}".format(*self.version)


def asked(path: Path) -> Python | None:
    """The Python at `path`; None if it is too old or has no headers."""
    done = subprocess.run([path, "-c", _ASK], capture_output=True, text=True)
    words = done.stdout.split()
    if done.returncode != 0 or words[2] != "1":
        return None
    version = (int(words[0]), int(words[1]))
    return Python(version, path) if version >= OLDEST else None


def pythons_here() -> list[Python]:
    """One Python a version: this one, those on the PATH, those of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [Path(folder) for folder in os.get_exec_path()]
    paths = [path for folder in folders for path in sorted(folder.glob("python3.[0-9]*[0-9]"))]
    paths += sorted(pyenv.glob("versions/3.*/bin/python3"))
    found: dict[tuple[int, int], Python] = {}
    for python in filter(None, map(asked, [Path(sys.executable), *paths])):
        found.setdefault(python.version, python)
    return [found[version] for version in sorted(found)]


def make_environment(python: Python, folder: Path) -> Path:
    """A new environment; its interpreter."""
    subprocess.run([python.path, "-m", "venv", "--clear", folder], check=True)
    return folder / "bin" / "python"


def make_backend(interpreter: Path, folder: Path) -> None:
    """What builds a wheel, in a folder for every Python.

    scikit-build-core throws a build tree away that another copy of it made.
    """
    command = [interpreter, "-m", "pip", "install", "--quiet", "--target", folder]
    command += ["--platform", "any", "--only-binary", ":all:", "scikit-build-core", "pybind11>=3"]
    subprocess.run(command, check=True)


def unpacked(sdist: Path, folder: Path) -> Path:
    """The folder in the source package, unpacked."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder)
    return folder / sdist.name[: -len(".tar.gz")]


def zig_environment(machine: str, cache: Path) -> dict[str, str]:
    """What makes CMake, pip and the tag of a wheel take zig and its target.

    Without symbols (-s) from the first call on: zig builds its C++ library once for every answer.
    """
    compiler = f"{sys.executable} -m ziglang c++ -target {machine}-linux-gnu.{GLIBC} -s"
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(OTHERS)},
        "CXX": compiler,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # cmake, ninja
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "ZIG_GLOBAL_CACHE_DIR": str(cache),
        "_PYTHON_HOST_PLATFORM": f"linux-{machine}",
    }


def build_wheel(
    source: Path, python: Path, machine: str, version: tuple[int, int], scratch: Path
) -> Path:
    """A wheel with the tag of this system; repairwheel gives it the one of the glibc it needs."""
    suffix = ".cpython-{}{}-{}-linux-gnu.so".format(*version, machine)
    settings = {
        "build-dir": str(scratch / f"build-{machine}"),
        "install.strip": "false",  # -s did that, and the strip of this machine reads its own
        "cmake.define.AIT_WERROR": "ON",
        "cmake.define.CMAKE_SYSTEM_NAME": "Linux",
        "cmake.define.CMAKE_SYSTEM_PROCESSOR": machine,
        "cmake.define.PYTHON_MODULE_EXTENSION": suffix,
        # pybind11 forgets the suffix when a build tree comes to another Python.
        "cmake.define.PYBIND11_PYTHON_EXECUTABLE_LAST": str(python),
    }
    out = scratch / "raw"
    shutil.rmtree(out, ignore_errors=True)
    command = [python, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", out]
    for key, value in settings.items():
        command += ["--config-settings", f"{key}={value}"]
    environment = zig_environment(machine, scratch / "zig")
    environment["PYTHONPATH"] = str(scratch / "backend")
    subprocess.run([*command, source], check=True, env=environment)
    (wheel,) = out.glob("*.whl")
    return wheel


def compiled_core(build: Path) -> dict[str, int]:
    """When each object of the core and its kernels was written."""
    objects = (*build.rglob("ait_core.dir/**/*.o"), *build.rglob("ait_kernels_*/**/*.o"))
    return {str(path.relative_to(build)): path.stat().st_mtime_ns for path in objects}


def build(sdist: Path, folder: Path, machines: list[str], pythons: list[Python]) -> None:
    """All wheels into `folder`."""
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    for old in folder.glob("*.whl"):
        old.unlink()
    source = unpacked(sdist, scratch)
    compiled: dict[str, dict[str, int]] = {}
    for python in pythons:
        interpreter = make_environment(python, scratch / python.tag)
        if not (scratch / "backend").exists():  # by the oldest Python, which needs most
            make_backend(interpreter, scratch / "backend")
        for machine in machines:
            print(f"--- {python.tag} {machine}", flush=True)
            raw = build_wheel(source, interpreter, machine, python.version, scratch)
            repair = [sys.executable, "-m", "repairwheel", raw, "-o", folder]
            subprocess.run(repair, check=True)
            core = compiled_core(scratch / f"build-{machine}")
            if not core or compiled.setdefault(machine, core) != core:
                sys.exit(f"{machine}: the core was compiled again for {python.tag}")


def main() -> None:
    """Build; `--here` for this Python and machine alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sdist", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--here", action="store_true", help="this Python on this machine")
    options = parser.parse_args()
    pythons, machines = pythons_here(), list(MACHINES)
    if options.here:
        pythons = [one for one in pythons if one.version == sys.version_info[:2]]
        machines = [platform.machine()]
    print("for", *(python.tag for python in pythons), "on", *machines, flush=True)
    build(options.sdist.resolve(), options.folder.resolve(), machines, pythons)


if __name__ == "__main__":
    main()
