"""Every step of the continuous integration as one command: `nox -s lint tests asan torchair bench`."""

from __future__ import annotations

from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.sessions = ["lint", "tests"]


@nox.session
def tests(session: nox.Session) -> None:
    """Install the package with its test needs and run the tests."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure: `nox -s bench -- full --json result.json`; quick without arguments."""
    session.install(".[bench]")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def asan(session: nox.Session) -> None:
    """Feed damaged files to every reader under the address and undefined-behaviour sanitizers."""
    session.install("cmake", "ninja", "numpy")
    build = session.create_tmp()
    options = ["-DAIT_FUZZ=ON", "-DAIT_WERROR=ON", "-DAIT_SANITIZE=address,undefined"]
    session.run("cmake", "-S", ".", "-B", build, "-G", "Ninja", *options)
    session.run("cmake", "--build", build, "--target", "fuzz_files")
    session.run("python", "tests/fuzz/make_corpus.py", f"{build}/corpus")
    session.run(f"{build}/fuzz_files", *(session.posargs or ["20000"]), f"{build}/corpus")


@nox.session
def torchair(session: nox.Session) -> None:
    """Run the dump helpers on the genuine torchair, on the CPU (2 minutes, 0.5 GB of packages).

    Ends with an error that begins NOT RUN where the packages or the platform are not to be had.
    """
    version = "2.13.0"
    cpu_index = "https://download.pytorch.org/whl/cpu"
    try:
        try:
            session.install(f"torch=={version}+cpu")
        except CommandFailed:
            session.install(f"torch=={version}", "--index-url", cpu_index)
        # torch_npu asks for the torch of PyPI with its CUDA packages; this is what else it needs.
        session.install("--no-deps", f"torch_npu=={version}")
        session.install("numpy", "packaging", "protobuf", "psutil", "pyyaml", "pytest")
    except CommandFailed:
        session.error(f"NOT RUN: torch {version} (CPU) or torch_npu {version} cannot be installed")
    session.install(".")
    stubs = Path(session.create_tmp()) / "vendor_stubs"
    try:
        printed = session.run("python", "tests/real_torchair/vendor_stubs.py", stubs, silent=True)
    except CommandFailed:
        session.error("NOT RUN: the empty vendor libraries cannot be built, see above")
    session.run(
        "pytest",
        "tests/real_torchair",
        *session.posargs,
        env={"LD_LIBRARY_PATH": str(printed).split()[-1]},
    )
