"""A real browser, and pages written for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from ait_cmp.report.html import page as html_page

# Without a sandbox of its own, which containers do not grant to root.
_ARGUMENTS = ["--no-sandbox"] if os.geteuid() == 0 else []
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "chromium is needed: nox -s browser says so in words"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def open_file(browser: Browser) -> Iterator[OpenPage]:
    """Opens a page and waits until it is painted.

    When the test ends: no error in the console, and no request but file:, data: and blob:.
    """
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def open_it(path: Path, *, width: int = 1280, height: int = 900, **options: Any) -> Page:
        before = options.pop("before", "")
        context = browser.new_context(
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
            **{"locale": "en-US", **options},
        )
        contexts.append(context)
        if before:
            context.add_init_script(before)
        opened = context.new_page()
        opened.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        opened.on("pageerror", lambda error: said.append(f"error: {error}"))
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(path.as_uri())
        opened.wait_for_selector("html[data-painted]", state="attached")
        return opened

    yield open_it
    for context in contexts:
        context.close()
    assert [line for line in said if line.startswith(("error", "warning"))] == []
    strangers = [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    assert strangers == []


@pytest.fixture
def open_page(open_file: OpenPage, tmp_path: Path) -> OpenPage:
    """Writes a page from a result and a table, and opens it."""

    def open_table(result: dict[str, Any], table: Any, **options: Any) -> Page:
        path = tmp_path / "report.html"
        most = options.pop("most_rows", None)
        text = html_page(result, table, **({} if most is None else {"most_rows": most}))
        path.write_text(text, encoding="utf-8")
        return open_file(path, **options)

    return open_table
