"""The page in a real browser: what it says, filter, sort, clicks, pictures, hostile names."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from made_report import MadeTable, divergence, made_result
from playwright.sync_api import Page

from ait_cmp.cli.demo import unpack_sample
from ait_cmp.compare import compare_dirs
from ait_cmp.report.html import CsvTable
from conftest import OpenPage

FIRST, SECOND = 151, 401
HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "MatMul\u202egnp.exe",
    "red\x1b[31m\x07",
    "$script${report}&amp;<!--<script>",
    "\ud83d\ude00 \udcff \u2028 \u200b",
]


@pytest.fixture
def two(open_page: OpenPage) -> Page:
    """600 rows of which two ops diverge."""
    table = MadeTable(600, {FIRST: 0.09, SECOND: 0.8})
    divergences = [divergence(table, FIRST), divergence(table, SECOND, kind="nonfinite")]
    return open_page(made_result(table, divergences), table)


SHOWN_NAMES = """lines => {
  const heads = [...document.querySelectorAll("#table .head .cell")];
  const place = heads.findIndex(cell => cell.dataset.column === "op_name");
  return lines.map(line => [parseInt(line.style.top), line.children[place].textContent])
    .sort((a, b) => a[0] - b[0]).map(pair => pair[1]);
}"""
COLOURS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4)
    colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  return colours.size;
}"""


def shown_names(page: Page) -> list[str]:
    """What the table has in its column op_name, from above."""
    names = page.locator("#table .line:not(.head)").evaluate_all(SHOWN_NAMES)
    return [str(name) for name in names]


def fill_filter(page: Page, text: str, count: str) -> None:
    page.locator("#filter").fill(text)
    page.locator("#row-count", has_text=re.compile(f"^{count} ")).wait_for()


def colours(page: Page, selector: str) -> int:
    """How many colours a canvas shows."""
    return int(page.locator(selector).evaluate(COLOURS))


def test_the_answer_names_the_culprits(two: Page) -> None:
    assert two.locator("#banner").inner_text() == "2 operators compute something else"
    cards = two.locator(".divergence")
    assert cards.count() == 2
    first = cards.nth(0).inner_text()
    assert "Sigmoid_75" not in first
    assert "Add_75 (Add) = mm_75, layers.6.attn, /models/qwen/modeling_qwen.py:105" in first
    assert "off by 0.09 (relative Euclidean distance); what it was given by 0.004" in first
    assert "NaN or inf stand on one side only" in cards.nth(1).inner_text()
    assert two.locator("#row-count").inner_text() == "600 of 600 rows"


def test_filter_and_sort(two: Page) -> None:
    fill_filter(two, "verdict:fail", "2")
    assert shown_names(two) == ["Add_75", "MatMul_50"]
    fill_filter(two, "-verdict:fail module:attn.q_proj token:0 io:outputs", "13")
    assert set(shown_names(two)) == {f"MatMul_{12 * layer + 1}" for layer in range(13)}
    fill_filter(two, "op:Add_7* red>0.08 token:0 io:outputs", "1")
    fill_filter(two, "verdict:fail", "2")
    two.locator("[data-column=relative_euclidean_distance]").click()
    assert shown_names(two) == ["Add_75", "MatMul_50"]
    two.locator("[data-column=relative_euclidean_distance]").click()
    assert shown_names(two) == ["MatMul_50", "Add_75"]
    two.locator("#filter").fill("colour:red")
    two.locator("#filter-error").wait_for()
    assert "There is no column colour" in two.locator("#filter-error").inner_text()


def test_a_click_on_a_dot_leads_to_its_row(two: Page) -> None:
    box = two.locator("#course-plot canvas").bounding_box()
    assert box is not None
    # The dot as drawn: place FIRST of 600, error 0.09 on a scale from 1e-3 to 10.
    share = (-1.0457574905606752 + 3) / 4
    x = 64 + (FIRST + 0.5) / 600 * (box["width"] - 76)
    top, bottom = 26 + 28, box["height"] - 30 - 28
    two.locator("#course-plot canvas").click(
        position={"x": x, "y": bottom - share * (bottom - top)}
    )
    two.locator("#row-detail").wait_for()
    assert two.locator("#table .line.chosen").count() == 1
    assert "Add_75" in two.locator("#row-detail .heading").inner_text()
    two.locator("#row-detail button").first.click()
    copied = two.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("ait-cmp diff '/dumps/run 1/ge/")
    assert copied.endswith(".npy'")


def test_a_click_on_a_neighbour_leads_to_its_row(two: Page) -> None:
    boxes = two.locator("#neighbourhood .box")
    assert boxes.count() == 9
    assert "Add_75" in two.locator(".box.culprit").inner_text()
    assert two.locator("#neighbourhood path[stroke-width='2.5']").count() == 5  # edges that differ
    boxes.nth(0).click()
    two.locator("#row-detail").wait_for()
    assert "Add_71" in two.locator("#row-detail .heading").inner_text()


def test_pictures_of_a_divergence(two: Page) -> None:
    assert colours(two, "#heat-map canvas") > 20
    assert colours(two, "#histogram canvas") > 3
    assert two.locator("#worst tbody tr").count() == 10
    assert two.locator("#worst td").first.inner_text() == "[0, 4, 40]"
    two.locator("#heat-map canvas").hover(position={"x": 100, "y": 100})
    assert "largest error" in two.locator("#heat-map .tip").inner_text()
    two.locator("#detail-next").click()
    assert "Divergence 2 of 2: MatMul_50" in two.locator("#detail-title").inner_text()


def test_languages_themes_and_paper(two: Page) -> None:
    two.locator("#languages button", has_text="中文").click()
    assert "2 个算子的计算结果与标杆不同" in two.locator("#banner").inner_text()
    assert two.locator("html").get_attribute("lang") == "zh-CN"
    assert two.locator("#rows h2").inner_text() == "全部行"
    two.locator("#themes button", has_text="深色").click()
    assert two.locator("html").get_attribute("data-theme") == "dark"
    two.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert two.locator("html").get_attribute("data-theme") == "light"
    assert two.locator("#table .line:not(.head)").count() == 300
    two.evaluate("dispatchEvent(new Event('afterprint'))")
    assert two.locator("html").get_attribute("data-theme") == "dark"
    assert len(two.pdf()) > 50_000


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB", "de-DE"])
def test_the_language_of_the_browser(open_page: OpenPage, locale: str) -> None:
    table = MadeTable(100, {})
    page = open_page(made_result(table, []), table, locale=locale)
    heading = "结论" if locale == "zh-CN" else "Answer"
    assert page.locator("#answer h2").inner_text() == heading


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentences_and_tooltips_are_in_the_language_of_the_page(
    open_page: OpenPage, language: str
) -> None:
    table = MadeTable(100, {})
    result = made_result(table, [])
    result["reach"] = ["468 of 564 tensors could be compared.", "Nobody knows this <b>one</b>."]
    page = open_page(result, table, locale="zh-CN" if language == "zh" else "en-US")
    told = page.locator("#reach").inner_text()
    title = page.locator("[data-column=op_name]").first.get_attribute("title") or ""
    if language == "zh":
        assert "564 个张量中有 468 个可以比较。" in told
        assert title.startswith("op_name\n算子在图中的名字")
    else:
        assert "468 of 564 tensors could be compared." in told
        assert title.startswith("op_name\nName of the operator in the graph")
    assert "Nobody knows this <b>one</b>." in told


def test_reasons_are_in_the_language_of_the_page_and_found_in_both(
    open_page: OpenPage, tmp_path: Path
) -> None:
    unpack_sample(tmp_path / "demo")
    cut, empty, *_ = sorted((tmp_path / "demo/ge_wrong").rglob("MatMul.*"))
    cut.write_bytes(cut.read_bytes()[:-100])
    empty.write_bytes(b"")
    folders = (tmp_path / "demo/ge_wrong", tmp_path / "demo/fx")
    found = compare_dirs(*folders, output=tmp_path, threads=1)
    page = open_page({}, CsvTable(found.csv_paths), locale="zh-CN")
    for word in ('reason:"the file is empty"', "reason:文件为空"):
        fill_filter(page, "reason:nothing_like_this", "0")
        fill_filter(page, word, "1")
        (line,) = page.locator("#table .line:not(.head)").all()
        assert f"{empty}：文件为空" in line.inner_text()
    page.locator("#table .line:not(.head)").first.click()
    assert f"{empty}：文件为空" in page.locator("#row-detail").inner_text()
    page.locator("#copy-csv").click()
    assert f"{empty}: the file is empty" in page.evaluate("navigator.clipboard.readText()")


def test_columns_are_chosen_and_copied(two: Page) -> None:
    fill_filter(two, "verdict:fail", "2")
    two.locator("#choose-columns").click()
    for name in ("my_shape", "worst_index"):
        two.locator("#column-choice label").get_by_text(name, exact=True).click()
    # Drawn with the next frame.
    two.locator("[data-column=worst_index]").wait_for(state="attached")
    two.locator("[data-column=my_shape]").wait_for(state="detached")
    two.locator("#copy-csv").click()
    head, *lines = two.evaluate("navigator.clipboard.readText()").splitlines()
    assert "worst_index" in head.split(",")
    assert len(lines) == 2
    assert ",Add_75," in lines[0]


def test_numbers_are_shown_as_they_are(open_page: OpenPage) -> None:
    table = MadeTable(60, {})
    shown = {0.0: "0", 0.25: "0.25", 1e-9: "1e-9", float("inf"): "inf", float("nan"): "nan"}
    for row, value in zip(table.data, [*shown, ""]):
        row["error_growth"] = value
    page = open_page(made_result(table, []), table)
    place = page.locator("#table .head .cell").evaluate_all(
        "cells => cells.findIndex(cell => cell.dataset.column === 'error_growth')"
    )
    cells = page.locator(f"#table .line:not(.head) .cell:nth-child({place + 1})")
    assert cells.all_inner_texts()[:6] == [*shown.values(), ""]


def test_names_are_data(open_page: OpenPage) -> None:
    table = MadeTable(60, {})
    for row, name in zip(table.data[21:], HOSTILE):
        row.update(op_name=name, fx_node=name, module=name, source=name, cmp_fail_reason=name)
    divergences = [
        divergence(table, 21 + n, candidates=[name, name], replay=name, graph=name, my=name)
        for n, name in enumerate(HOSTILE)
    ]
    result = made_result(table, divergences)
    result.update(notes=HOSTILE, inputs_differ=HOSTILE, my_path=HOSTILE[0], command=HOSTILE)
    page = open_page(result, table)
    assert page.title() == "ait-cmp report"
    assert page.locator("img").count() == 0
    assert page.locator("#notes li").first.text_content() == HOSTILE[0]
    assert "MatMul\\u202egnp.exe" in page.locator("#divergence-2").inner_text()
    assert "red\\x1b[31m\\x07" in page.locator("#divergence-3").inner_text()
    assert "\U0001f600 \\udcff \\u2028 \\u200b" in page.locator("#divergence-5").inner_text()
    for number in range(len(HOSTILE)):
        page.locator(f"#divergence-{number} button").first.click()
        page.locator(f"#divergence-{number} button").nth(1).click()
        page.locator("#row-detail").wait_for()
    page.locator("#filter").fill(HOSTILE[0].split("=")[0])
    assert page.title() == "ait-cmp report"


def test_a_browser_that_cannot_unpack(open_page: OpenPage) -> None:
    table = MadeTable(60, {31: 0.9})
    page = open_page(
        made_result(table, [divergence(table, 31)]),
        table,
        before="delete window.DecompressionStream",
    )
    assert "no DecompressionStream" in page.locator("#unsupported").inner_text()
    assert page.locator("#table").is_hidden()
    assert page.locator(".divergence").count() == 1
    page.locator(".divergence button").nth(1).click()


def test_a_sample_of_many_rows(open_page: OpenPage) -> None:
    table = MadeTable(3000, {1501: 0.9})
    page = open_page(made_result(table, [divergence(table, 1501)]), table, most_rows=500)
    assert "The report has 3 000 rows. This page holds 500" in page.locator("#sampled").inner_text()
    page.locator(".divergence button").nth(1).click()
    page.locator("#row-detail").wait_for()
    ids = page.locator("#table .line:not(.head) .cell:first-child").all_inner_texts()
    assert {"1499", "1500", "1501", "1502", "1503"} <= set(ids)


def test_100_000_rows(open_page: OpenPage, tmp_path: Path, capsys: Any) -> None:
    table = MadeTable(100_000, {25_001: 0.09, 66_667: 0.8})
    divergences = [divergence(table, 25_001), divergence(table, 66_667)]
    start = time.perf_counter()
    page = open_page(made_result(table, divergences), table, width=1920, height=1080)
    seconds = time.perf_counter() - start
    painted = int(page.locator("html").get_attribute("data-painted") or 0)
    size = (tmp_path / "report.html").stat().st_size / 1e6
    heap = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    with capsys.disabled():
        print(
            f"\n100 000 rows: {size:.1f} MB, painted after {painted} ms (aim 5000), "
            f"heap {heap:.0f} MB; written and opened in {seconds:.1f} s"
        )
    assert size < 20
    assert "100 000 of 100 000 rows" in page.locator("#row-count").inner_text()
    fill_filter(page, "verdict:fail", "2")
    assert shown_names(page) == ["MatMul_12500", "MatMul_8333"]


def test_the_demo(open_page: OpenPage, tmp_path: Path) -> None:
    unpack_sample(tmp_path / "demo")
    found = compare_dirs(
        tmp_path / "demo/ge_wrong", tmp_path / "demo/fx", output=tmp_path, threads=1
    )
    table = CsvTable(found.csv_paths)
    page = open_page({"counts": {"status": dict(found.counts)}}, table)
    assert page.locator("#row-count").inner_text() == "564 of 564 rows"
    fill_filter(page, "op:MatMul_3 io:outputs", "2")
    assert shown_names(page) == ["MatMul_3", "MatMul_3"]
