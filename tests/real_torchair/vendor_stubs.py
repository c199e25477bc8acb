"""Empty vendor libraries, so that torch_npu and its torchair load on a machine without CANN.

The libraries of the wheel link against CANN (libge_runner.so, libhccl.so, ...). Importing
torch_npu, filling a CompilerConfig, converting FX to GE graphs and running eagerly call nothing
there that matters: every function of CANN becomes one that returns 0.

usage: python vendor_stubs.py FOLDER    writes the libraries, prints LD_LIBRARY_PATH for them
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

# A function that returns 0, by machine.
_RETURN_0 = {
    "x86_64": ("@function", "xor %eax, %eax"),
    "aarch64": ("%function", "mov x0, #0"),
}


class NotPossibleError(Exception):
    """This machine cannot have the stubs."""


def build(folder: Path) -> list[Path]:
    """Write the missing libraries of torch_npu into `folder`.

    Returns:
        The folders of LD_LIBRARY_PATH with which torch_npu loads.

    Raises:
        NotPossibleError: Other system than Linux on x86-64 or arm64, or torch_npu not installed.
        CalledProcessError: The C compiler fails.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _RETURN_0:
        msg = (
            f"torch_npu has wheels for Linux on x86-64 and arm64, this is {sys.platform} {machine}"
        )
        raise NotPossibleError(msg)
    site = Path(sysconfig.get_paths()["purelib"])
    package, torch_lib = site / "torch_npu", site / "torch" / "lib"
    users = [*package.rglob("*.so")]
    if not users:
        msg = f"no libraries of torch_npu in {site}"
        raise NotPossibleError(msg)
    libraries = [*users, *torch_lib.glob("*.so*"), *_system_libraries(users)]
    present = {path.name for path in libraries}
    missing = sorted({name for path in users for name in _needed(path)} - present)
    defined = {name for path in libraries for name in _defined(path)}
    wanted = {name for path in users for name in _undefined(path)}
    source = folder / "stubs.s"
    folder.mkdir(parents=True, exist_ok=True)
    source.write_text(_assembly(sorted(wanted - defined), machine))
    for name in missing:
        subprocess.run(
            ["gcc", "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", folder / name, source],
            check=True,
        )
    return [folder, torch_lib, package / "lib"]


def _output(*command: object) -> Iterator[str]:
    run = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=True
    )
    return iter(run.stdout.splitlines())


def _needed(path: Path) -> Iterator[str]:
    """Names of the libraries that a library links against."""
    for line in _output("readelf", "-d", path):
        found = re.search(r"\(NEEDED\).*\[(.*)\]", line)
        if found:
            yield found[1]


def _system_libraries(users: Iterable[Path]) -> Iterator[Path]:
    """Libraries of the system that some of `users` load."""
    found = {
        match[1]
        for path in users
        for line in _output("ldd", path)
        if (match := re.search(r"(/\S+) \(0x", line))
    }
    return (Path(path) for path in sorted(found))


def _defined(path: Path) -> Iterator[str]:
    """Names of the symbols that a library offers."""
    for line in _output("nm", "-D", "--defined-only", path):
        yield line.split()[-1].split("@")[0]


def _undefined(path: Path) -> Iterator[str]:
    """Names of the symbols that a library must find, but for weak ones and those of Python.

    Symbols with a version ("memcpy@GLIBC_2.2.5") belong to the system.
    """
    for line in _output("nm", "-D", "--undefined-only", path):
        kind, name = line.split()[-2:]
        if kind not in "wv" and "@" not in name and not name.startswith(("Py", "_Py")):
            yield name


def _assembly(names: Iterable[str], machine: str) -> str:
    kind, return_0 = _RETURN_0[machine]
    lines = ['.section .note.GNU-stack,"",%progbits', ".text"]
    for name in names:
        lines += [f".globl {name}", f".type {name}, {kind}", f"{name}:", return_0, "ret"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(":".join(str(path) for path in build(Path(sys.argv[1]).absolute())))
