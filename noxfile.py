"""Every step of the continuous integration as one command: `nox -s lint tests asan torchair bench`."""

from __future__ import annotations

import nox

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
