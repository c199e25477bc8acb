"""The genuine torchair on the CPU; only what needs the device is left out.

Run by `nox -s torchair`, which makes the environment: torch and torch_npu of one version, and
empty vendor libraries (vendor_stubs.py) in LD_LIBRARY_PATH.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import cpu_device
import pytest
import torch


def pytest_report_header() -> str:
    """Print what the suite ran on."""
    names = ("torch", "torch_npu", "protobuf", "numpy", "ait-cmp")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return f"real torchair: {versions}, Python {platform.python_version()}"


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test: its own folder, no compiled graphs left over, one rank, no device."""
    monkeypatch.chdir(tmp_path)
    for name in ("RANK", "WORLD_SIZE", "TORCH_COMPILE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    cpu_device.leave_out_engine(monkeypatch.setattr)
    torch.manual_seed(0)
    torch._dynamo.reset()
    with torch.no_grad():
        yield
    assert os.environ.get("RANK") is None
