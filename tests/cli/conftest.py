"""Fixtures of the tests of commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.cli.demo import unpack_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    unpack_sample(folder)
    return folder
