"""A comparison that several files look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ait_cmp
from shared_files import unchanged


@pytest.fixture(scope="session")
def compared(
    sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ait_cmp.Comparison]:
    """The wrong dump of the sample against golden, with report and page: not to be changed."""
    folder = tmp_path_factory.mktemp("compared")
    result = ait_cmp.compare_dirs(
        sample / "ge_wrong", sample / "fx", output=folder, html=True, command=["ait-cmp", "a b"]
    )
    for _ in unchanged(folder):
        yield result


@pytest.fixture
def reports(compared: ait_cmp.Comparison, tmp_path: Path) -> Path:
    """Its files in a folder of their own, without the page."""
    folder = tmp_path / "reports"
    folder.mkdir()
    for path in compared.csv_paths[0].parent.iterdir():
        if path.suffix != ".html":
            (folder / path.name).write_bytes(path.read_bytes())
    return folder
