"""What the README shows is what a newcomer gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ait_cmp.cli.main import main

README = Path(__file__).parent.parent / "README.md"


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def without_places_and_times(text: str) -> str:
    """Absolute folders and the time in a report's name differ from run to run."""
    text = re.sub(r"(?<=[ '])/[^ ,']*?/(?=ait-cmp-demo)", "", text)
    return re.sub(r"_\d{14}(?=\.csv)", "_TIME", text).strip()


def test_the_demo_prints_what_the_readme_shows(
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It finds the dumps where it would unpack them: the fixture `sample` has done so."""
    (tmp_path / "ait-cmp-demo").mkdir()
    for dump in sample.iterdir():
        (tmp_path / "ait-cmp-demo" / dump.name).symlink_to(dump)
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    printed = without_places_and_times(capsys.readouterr().out)
    shown = [without_places_and_times(block) for block in blocks("text")]
    assert printed in shown
