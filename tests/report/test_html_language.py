"""The page of a real run has its sentences in both languages, and so has one made later."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

import ait_cmp
from ait_cmp.cli.main import main
from small_model import MUL, write_dumps

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def report_of(path: Path) -> dict[str, Any]:
    found = re.search(r'id="report">(.*?)</script>', path.read_text(encoding="utf-8"))
    assert found is not None
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_every_sentence_of_the_page_is_there_in_chinese(
    compared: ait_cmp.Comparison,
    reports: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    later = tmp_path / "later.html"
    assert main(["report", str(reports), "--html", str(later), "--lang", "zh"]) == 1
    assert capsys.readouterr().out.startswith("首个偏差算子")
    assert compared.html_path is not None
    for page in (compared.html_path, later):
        report = report_of(page)
        chinese = report["chinese"]
        (divergence, *_) = report["result"]["divergences"]
        (output_told,) = report["result"]["outputs"]
        said = [*divergence["sentences"], *report["result"]["reach"], output_told["sentence"]]
        for sentence in (*said, divergence["replay"]):
            assert CHINESE.search(chinese[sentence]), sentence


def test_reasons_of_damaged_files_are_there_in_chinese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path)
    cut, empty = sorted((tmp_path / "ge").rglob(MUL))
    cut.write_bytes(cut.read_bytes()[:-100])
    empty.write_bytes(b"")
    folders = [str(tmp_path / side) for side in ("ge", "fx")]
    assert main([*folders, "--output", str(tmp_path / "report"), "--html", "--lang", "zh"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (lost,) = [line for line in lines if line.startswith("未比较：")]
    assert re.search(r"待测：声明 \d+ 字节，第 \d+ 字节处只剩 \d+ 字节（文件被截断？）。", lost)
    (page,) = (tmp_path / "report").glob("*.html")
    (report,) = (tmp_path / "report").glob("*.csv")
    chinese = report_of(page)["chinese"]
    with report.open(encoding="utf-8", newline="") as lines_of_report:
        rows = list(csv.DictReader(lines_of_report))
    reasons = {row["cmp_fail_reason"] for row in rows if row["status"] == "unreadable"}
    assert len(reasons) == 2
    assert not any(CHINESE.search(reason) for reason in reasons)  # CSV stays English
    assert all(CHINESE.search(chinese[reason]) for reason in reasons)
    assert chinese[f"{empty}: the file is empty"] == f"{empty}：文件为空"
