"""The table of columns is complete, in both languages, and the documents are made from it."""

from __future__ import annotations

import json
import re

import pytest

from ait_cmp.cli.main import main
from ait_cmp.replay.rows import ReplayRow
from ait_cmp.report.columns import COMPARE_COLUMNS, Language
from ait_cmp.report.html import ComparisonTable, page
from ait_cmp.report.replay_columns import REPLAY_COLUMNS
from ait_cmp.report.row import COLUMNS, Row


@pytest.mark.parametrize("column", [*COMPARE_COLUMNS, *REPLAY_COLUMNS], ids=lambda c: c.name)
def test_a_column_has_both_languages(column: object) -> None:
    assert column.en.endswith(".")
    assert column.zh.endswith("。")
    assert bool(column.normal) == bool(column.normal_zh)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_prints_a_line_for_every_column(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["columns", "--lang", language]) == 0
    lines = capsys.readouterr().out.splitlines()
    for column in (*COMPARE_COLUMNS, *REPLAY_COLUMNS):
        assert any(line.startswith(f"| `{column.name}` |") for line in lines)


def test_every_column_of_a_replay_is_explained_in_its_order() -> None:
    assert tuple(column.name for column in REPLAY_COLUMNS) == ReplayRow._fields


def test_every_column_of_a_comparison_is_explained_in_its_order() -> None:
    assert tuple(column.name for column in COMPARE_COLUMNS) == COLUMNS


def test_the_docstrings_of_a_row_are_those_of_the_table() -> None:
    for column in COMPARE_COLUMNS:
        told = getattr(Row, column.name).__doc__
        assert told.startswith(column.en)
        assert f"{column.name}: {told}" in (Row.__doc__ or "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_has_every_meaning_for_its_tooltips(language: Language) -> None:
    text = page({}, ComparisonTable(COLUMNS, []))
    found = re.search(r'id="report">(.*?)</script>', text)
    assert found is not None
    meanings = json.loads(found[1])["meanings"]
    assert {name: told[language] for name, told in meanings.items()} == {
        column.name: column.tooltip(language) for column in COMPARE_COLUMNS
    }
