"""The page of a real run has its sentences in both languages, and so has one made later."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ait_cmp.cli.demo import unpack_sample
from ait_cmp.cli.main import main

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def report_of(path: Path) -> dict[str, Any]:
    found = re.search(r'id="report">(.*?)</script>', path.read_text(encoding="utf-8"))
    assert found is not None
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_every_sentence_of_the_page_is_there_in_chinese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unpack_sample(tmp_path / "demo")
    folders = [str(tmp_path / "demo" / side) for side in ("ge_wrong", "fx")]
    output = tmp_path / "report"
    assert main([*folders, "--output", str(output), "--html"]) == 1
    (page,) = output.glob("*.html")
    page.rename(tmp_path / "first.html")
    capsys.readouterr()
    assert (
        main(["report", str(output), "--html", str(tmp_path / "later.html"), "--lang", "zh"]) == 1
    )
    assert capsys.readouterr().out.startswith("首个偏差算子")
    for name in ("first.html", "later.html"):
        report = report_of(tmp_path / name)
        chinese = report["chinese"]
        (divergence, *_) = report["result"]["divergences"]
        (output_told,) = report["result"]["outputs"]
        said = [*divergence["sentences"], *report["result"]["reach"], output_told["sentence"]]
        for sentence in (*said, divergence["replay"]):
            assert CHINESE.search(chinese[sentence]), sentence
