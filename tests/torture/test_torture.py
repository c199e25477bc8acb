"""A tenth of what `nox -s torture` damages: files of every kind give rows or a sentence."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from damage import KINDS, Kind, torture


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_files_give_rows_or_a_sentence(tmp_path: Path, kind: Kind) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = torture(kind, tmp_path / "dump", share=0.1, seed=2, compared=31, converted=101)
    assert found["damaged"] > 200
    assert found["compared"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 128 << 10
