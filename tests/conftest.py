"""Fixtures that many tests share."""

from __future__ import annotations

import os
import signal

# Before numpy is imported: threads of a BLAS that wait for one another cost more than they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from ait_cmp import _core

# A slow machine is no failure: no test depends on time.
# The same inputs in every run, so that a failure belongs to the change at hand; to search for new
# ones: `pytest --hypothesis-profile=search`.
SLOW = [HealthCheck.too_slow]
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.register_profile("search", deadline=None, max_examples=2000, suppress_health_check=SLOW)
# A CPU in software takes a hundred times as long: a few inputs of each kind.
settings.register_profile("emulated", settings.get_profile("same"), max_examples=5)
settings.load_profile("same")


# Where the tests run in the background of a shell Ctrl-C is ignored, and so in what they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often tests end a process at a random moment."""
    parser.addoption("--kills", type=int, default=30, help="kills of a converter; 200 in nox")


@pytest.fixture
def n_kills(request: pytest.FixtureRequest) -> int:
    """How often to end a process at a random moment."""
    return int(request.config.getoption("--kills"))


@pytest.fixture(params=_core.isas())
def isa(request: pytest.FixtureRequest) -> str:
    """Every CPU level that this machine runs."""
    return str(request.param)
