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
