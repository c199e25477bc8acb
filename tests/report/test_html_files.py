"""The page as a file: written by a comparison, or later from the reports alone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import ait_cmp
from ait_cmp.cli.main import main
from small_model import write_dumps


def shown(page: Path) -> dict[str, Any]:
    """What a page was given."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="report">(.*?)</script>', text, re.S)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


def test_a_comparison_writes_it_beside_its_report(compared: ait_cmp.Comparison) -> None:
    path = compared.html_path
    assert path is not None
    assert path.name == compared.csv_paths[0].name.replace("rank0_", "").replace(".csv", ".html")
    told = shown(path)
    whole = json.loads(json.dumps(compared.result))
    del whole["merge"]  # what only `ait-cmp merge` reads
    assert told["result"] == whole
    assert told["rows"] == len(compared.rows)
    assert f"page            {path}" in compared.summary()


def test_it_goes_to_the_file_that_is_named(tmp_path: Path) -> None:
    write_dumps(tmp_path / "dumps", tokens=1)
    page = tmp_path / "here.html"
    page.write_text("older")
    result = ait_cmp.compare_dirs(tmp_path / "dumps/ge", tmp_path / "dumps/fx", html=page)
    assert (result.html_path, result.csv_paths, result.result_path) == (page, [], None)
    assert shown(page)["result"]["divergences"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dumps", "here.html"]


@pytest.mark.parametrize(
    ("html", "problem"), [(True, "no output folder"), (".", "is a folder")], ids=["none", "folder"]
)
def test_without_a_file_name_there_is_no_page(sample: Path, html: Any, problem: str) -> None:
    with pytest.raises(ait_cmp.ConfigError, match=problem):
        ait_cmp.compare_dirs(sample / "ge", sample / "fx", html=html)


@pytest.mark.parametrize("by_folder", [True, False])
def test_report_makes_the_same_page_without_the_dump(
    compared: ait_cmp.Comparison,
    reports: Path,
    by_folder: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (table,) = reports.glob("*.csv")
    assert main(["report", str(reports if by_folder else table)]) == 1
    printed = capsys.readouterr().out
    assert "FIRST DIVERGENCE in rank 0 graph_1 token 0: MatMul_3" in printed
    (page,) = reports.glob("*.html")
    assert f"page            {page}" in printed
    assert compared.html_path is not None
    mine, theirs = shown(page), shown(compared.html_path)
    assert mine["result"] == theirs["result"]
    assert [column["name"] for column in mine["columns"]] == [
        column["name"] for column in theirs["columns"]
    ]


def test_of_several_runs_the_newest_is_taken(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (table,) = reports.glob("*.csv")
    (result,) = reports.glob("*.json")
    later = json.loads(result.read_text())
    later["has_differences"] = False
    (reports / "ait_cmp_report_29991231235959_2.csv").write_bytes(table.read_bytes())
    (reports / "ait_cmp_result_29991231235959_2.json").write_text(json.dumps(later))
    assert main(["report", str(reports), "--html", str(reports / "page.html")]) == 0
    note = f"{reports}: of 2 runs the newest, 29991231235959_2, is taken."
    assert note in capsys.readouterr().out
    assert shown(reports / "page.html")["result"]["notes"][0] == note


def test_reports_of_several_hosts_are_one_page(reports: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(reports, other)
    page = tmp_path / "page.html"
    assert main(["report", str(reports), str(other), "--html", str(page), "--exit-zero"]) == 0
    (table,) = reports.glob("*.csv")
    (path,) = reports.glob("*.json")
    one, both = json.loads(path.read_text()), shown(page)["result"]
    assert len(both["divergences"]) == 2 * len(one["divergences"]) == 2
    assert both["divergence_count"] == 2 * one["divergence_count"]
    for what, numbers in one["counts"].items():
        assert both["counts"][what] == {name: 2 * number for name, number in numbers.items()}
    assert both["failing_modules"] == [{"module": "", "rows": 8}]
    assert shown(page)["all_rows"] == 2 * one["csv"][0]["rows"]


def test_rows_alone_are_a_page_too(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = reports.glob("*.json")
    one = json.loads(path.read_text())
    path.unlink()
    assert main(["report", str(reports)]) == 1
    assert "no result.json beside the reports" in capsys.readouterr().out
    (page,) = reports.glob("*.html")
    told = shown(page)["result"]
    assert told["counts"]["status"] == {k: n for k, n in one["counts"]["status"].items() if n}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "found no JSON"),
        (b"[" * 100_000, "found no JSON"),
        (b"[]", 'expected ("format": "ait-cmp result")'),
        (b'{"format": "ait-cmp result", "version": 2}', "version 1 of result.json expected"),
        (
            b'{"format": "ait-cmp result", "version": 1, "divergences": 3}',
            "divergences: a list expected",
        ),
    ],
    ids=["no JSON", "deep", "list", "later", "no list"],
)
def test_a_damaged_result_is_told(
    reports: Path, content: bytes, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = reports.glob("*.json")
    path.write_bytes(content)
    assert main(["report", str(reports)]) == 2
    told = capsys.readouterr().err
    assert str(path) in told
    assert problem in told


@pytest.mark.parametrize(
    ("name", "problem"),
    [("", "no report of ait-cmp"), ("missing.csv", "no such file"), ("other.csv", "no report of")],
)
def test_what_is_no_report_is_told(
    tmp_path: Path, name: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.csv").write_text("a,b\n")
    assert main(["report", str(tmp_path / name)]) == 2
    assert problem in capsys.readouterr().err


def test_a_report_that_was_cut_is_refused(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (table,) = reports.glob("*.csv")
    content = table.read_bytes()
    table.write_bytes(content[: content.index(b"\n", 3000) + 1])
    assert main(["report", str(reports)]) == 2
    assert "rows expected, as its result.json says, found" in capsys.readouterr().err
    assert list(reports.glob("*.html")) == []
