"""The HTML report without a browser: packed columns, which rows it holds, escaping."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp.errors import FormatError
from ait_cmp.report.html import ComparisonTable, CsvTable, page
from ait_cmp.report.html.columns import TEXT_COLUMNS, ColumnPacker
from ait_cmp.report.html.tables import chosen_rows
from ait_cmp.report.row import COLUMNS, Row

TYPES = {"u8": "u1", "u16": "<u2", "u32": "<u4", "i32": "<i4", "f32": "<f4", "f64": "<f8"}


def unpacked(name: str, portions: Any) -> list[Any]:
    """The cells as a reader of the documented form finds them: texts, numbers, None for empty."""
    column = ColumnPacker(name)
    for cells in portions:
        column.add(cells)
    described, packed = column.packed()
    assert described["name"] == name
    content = gzip.decompress(base64.b64decode(packed))
    n = sum(map(len, portions))
    if described["kind"] == "text":
        (size,) = struct.unpack("<I", content[:4])
        words = json.loads(content[4 : 4 + size])
        return [words[code] for code in unshuffled(content[4 + size :], described, n)]
    values = unshuffled(content, described, n)
    if "empty" in described:
        return [None if value == described["empty"] else value for value in values]
    nan = content[-n:] if described["has_nan"] else bytes(n)
    return [
        None if math.isnan(value) and not is_nan else value for value, is_nan in zip(values, nan)
    ]


def unshuffled(content: bytes, described: dict[str, Any], n: int) -> list[Any]:
    dtype = np.dtype(TYPES[described["type"]])
    planes = np.frombuffer(content[: n * dtype.itemsize], np.uint8).reshape(dtype.itemsize, n)
    return np.ascontiguousarray(planes.T).view(dtype).ravel().tolist()


@given(st.lists(st.lists(st.text(max_size=8), max_size=9), max_size=4))
def test_texts_come_back(portions: list[list[str]]) -> None:
    assert unpacked("op_name", portions) == [cell for cells in portions for cell in cells]


@given(st.lists(st.none() | st.integers(-(2**31), 2**31 - 2), max_size=40))
def test_integers_come_back(cells: list[Any]) -> None:
    assert unpacked("worst_index", [cells]) == cells


@given(st.lists(st.none() | st.floats(), min_size=1, max_size=40))
def test_floats_come_back_with_seven_digits(cells: list[Any]) -> None:
    for found, cell in zip(unpacked("my_worst", [cells]), cells):
        if cell is None or math.isnan(cell) or math.isinf(cell):
            assert repr(found) == repr(cell)
        else:
            assert math.isclose(found, cell, rel_tol=6e-8)


@pytest.mark.parametrize("n_words", [1, 256, 257, 65536, 65537])
def test_as_many_words_as_the_codes_hold(n_words: int) -> None:
    words = [f"{number:x}" for number in range(n_words)]
    assert unpacked("op_name", [words]) == words


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("op_name", ["1", "2e5"], ["1", "2e5"]),
        ("my_metric", ["1", "", "nan", "2.5"], [1.0, None, math.nan, 2.5]),
        ("my_metric", ["1", "three"], ["1", "three"]),
        ("error_growth", ["1.5", "broken", ""], [1.5, math.nan, None]),
        ("index", ["0", "", "255"], [0, None, 255]),
        ("my_metric", ["", ""], ["", ""]),
    ],
)
def test_what_a_column_is(name: str, cells: list[str], expected: list[Any]) -> None:
    assert list(map(repr, unpacked(name, [cells]))) == list(map(repr, expected))


def test_every_column_of_the_report_is_known_as_texts_or_numbers() -> None:
    texts = {
        name for name, kind in Row.__annotations__.items() if not re.search("int|float", str(kind))
    } - {"custom"}
    assert texts == TEXT_COLUMNS & set(COLUMNS)


def table(fails: set[int], n: int) -> Any:
    class Made:
        columns = ("data_id", "verdict", "op_name")

        def rows(self) -> Any:
            return iter([(i, "fail" if i in fails else "pass", f"op_{i}") for i in range(n)])

    return Made()


def ids_of(columns: Any) -> list[int]:
    described, packed = columns[0].packed()
    n = len(columns[0])
    return unshuffled(gzip.decompress(base64.b64decode(packed)), described, n)


def test_all_rows_are_held_where_they_have_room() -> None:
    columns, n = chosen_rows(table({3}, 500), most=500)
    assert n == 500
    assert ids_of(columns) == list(range(500))


def test_of_more_rows_the_failing_ones_their_neighbours_and_a_sample() -> None:
    fails = {0, 700, 701, 9_999}
    columns, n = chosen_rows(table(fails, 10_000), most=300)
    ids = ids_of(columns)
    assert n == 10_000
    assert len(ids) == 300
    assert ids == sorted(set(ids))
    wanted = {k for fail in fails for k in range(fail - 2, fail + 3) if 0 <= k < n}
    assert wanted <= set(ids)
    assert np.diff(ids).max() < 2 * n / 280  # evenly spread


def test_where_nearly_all_fail_a_third_is_left_for_the_sample() -> None:
    columns, _ = chosen_rows(table(set(range(10_000)), 10_000), most=300)
    ids = ids_of(columns)
    assert ids[:200] == list(range(200))
    assert len(ids) == 300
    assert ids[-1] > 9_800


def csv_file(folder: Path, text: str) -> CsvTable:
    path = folder / "report.csv"
    path.write_text(text, encoding="utf-8")
    return CsvTable([path])


def test_a_report_on_disk(tmp_path: Path) -> None:
    head = "data_id,op_name,verdict\n"
    found = csv_file(tmp_path, head + "0,'=cmd,pass\n1,'plain,fail\n2,\"a,b\nc\",pass\n3,cut")
    assert list(found.rows()) == [
        ["0", "=cmd", "pass"],
        ["1", "'plain", "fail"],
        ["2", "a,b\nc", "pass"],
    ]


def test_reports_of_two_ranks_with_other_columns(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("data_id,op_name,verdict\n0,A,pass\n")
    second.write_text("op_name,data_id,verdict,mine\nB,1,fail,7\n")
    found = CsvTable([first, second])
    assert list(found.columns) == ["data_id", "op_name", "verdict", "mine"]
    assert list(found.rows()) == [["0", "A", "pass", ""], ["1", "B", "fail", "7"]]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\0\0\0"])
def test_a_file_that_is_no_report(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match=r"report\.csv: no report of ait-cmp"):
        csv_file(tmp_path, text)


def test_names_cannot_leave_the_data_of_the_page() -> None:
    hostile = "</script><script>alert(1)</script><!--&"
    text = page({"notes": [hostile], "my_path": hostile}, ComparisonTable(COLUMNS, []))
    assert hostile not in text
    assert "alert(1)</script>" not in text
    (report,) = re.findall(r'<script type="application/json" id="report">(.*?)</script>', text)
    assert json.loads(report)["result"]["notes"] == [hostile]


def test_the_page_runs_its_own_script_alone_and_asks_nobody() -> None:
    text = page({}, ComparisonTable(COLUMNS, []))
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0]
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for name, content in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", script)
    links = set(re.findall(r"https?://[^\"' ]+", text))
    assert links == {"http://www.w3.org/2000/svg"}  # the name of SVG, not an address


def test_the_languages_have_the_same_labels() -> None:
    text = page({}, ComparisonTable(COLUMNS, []))
    ((english, chinese),) = re.findall(r"  en: \{(.*?)\n  \},\n  zh: \{(.*?)\n  \},", text, re.S)
    pattern = re.compile(r"(?:^|,) *(\w+): \"", re.MULTILINE)
    assert pattern.findall(english) == pattern.findall(chinese)
    used = set(re.findall(r'data-label="(\w+)"', text)) | set(re.findall(r'\bt\("(\w+)"', text))
    assert used <= set(pattern.findall(english))
