"""Fixtures that many tests share."""

from __future__ import annotations

import pytest
from hypothesis import settings

from ait_cmp import _core

# A slow machine is no failure: no test depends on time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(params=_core.isas())
def isa(request: pytest.FixtureRequest) -> str:
    """Every CPU level that this machine runs."""
    return str(request.param)
