"""Fixtures that many tests share."""

from __future__ import annotations

import pytest
from hypothesis import settings

from ait_cmp import _core

# A slow machine is no failure: no test depends on time.
# The same inputs in every run, so that a failure belongs to the change at hand; to search for new
# ones: `pytest --hypothesis-profile=search`.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile("same")


@pytest.fixture(params=_core.isas())
def isa(request: pytest.FixtureRequest) -> str:
    """Every CPU level that this machine runs."""
    return str(request.param)
