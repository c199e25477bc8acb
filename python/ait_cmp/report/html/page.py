"""The page: a template, filled with styles, script, result and columns."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from itertools import islice
from string import Template
from typing import Any

from ait_cmp.report.columns import COMPARE_COLUMNS
from ait_cmp.report.html.columns import ColumnPacker
from ait_cmp.report.html.tables import MOST_ROWS, Table, chosen_rows
from ait_cmp.sentences.recognise import in_language

# In the order in which they stand in the page.
_SCRIPTS = (
    "labels.js", "dom.js", "data.js", "answer.js", "filter.js", "table.js", "course.js",
    "detail.js", "main.js",
)  # fmt: skip
# Fields of a result that hold a sentence, or a list of them.
_SENTENCES = frozenset({"sentence", "sentences", "replay", "reach", "notes", "errors_note"})
# Reasons of rows that a page has in Chinese, too: most rows share theirs.
_MOST_REASONS = 2000
# Column -> language -> what its tooltip says.
_MEANINGS = {
    column.name: {"en": column.tooltip("en"), "zh": column.tooltip("zh")}
    for column in COMPARE_COLUMNS
}
# Ends a script element or begins a comment in it; in JSON these are the same texts.
_MARKUP = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def page(result: Mapping[str, Any], table: Table, *, most_rows: int = MOST_ROWS) -> str:
    """The report as one HTML text that needs no network.

    Args:
        result: The content of result.json.
        table: The rows.
        most_rows: Of more rows the page holds those that matter and a sample.
    """
    columns, n_rows = chosen_rows(table, most_rows)
    packed = [column.packed() for column in columns]
    shown = {name: part for name, part in result.items() if name != "merge"}
    report = {
        "result": shown,
        "rows": len(columns[0]),
        "all_rows": n_rows,
        "columns": [described for described, _ in packed],
        "meanings": _MEANINGS,
        "chinese": _chinese([*_sentences(shown), *_reasons(columns)]),
    }
    elements = (
        f'<script type="text/plain" id="column-{number}">{content.decode()}</script>'
        for number, (_, content) in enumerate(packed)
    )
    style = _file("page.css")
    script = '"use strict";\n(() => {\n' + "".join(map(_file, _SCRIPTS)) + "})();\n"
    return Template(_file("page.html")).substitute(
        style=style,
        style_hash=_source_hash(style),
        script=script,
        script_hash=_source_hash(script),
        report=_script_json(report),
        columns="\n".join(elements),
    )


def _chinese(texts: Iterable[str]) -> dict[str, str]:
    told = {text: in_language(text, "zh") for text in texts}
    return {text: chinese for text, chinese in told.items() if chinese != text}


def _reasons(columns: Iterable[ColumnPacker]) -> Iterator[str]:
    """Those of the rows: the first that are not alike."""
    for column in columns:
        if column.name == "cmp_fail_reason":
            yield from islice(column.words, _MOST_REASONS)


def _sentences(content: object) -> Iterator[str]:
    """Every sentence of a result: in lists, and under the names that hold one."""
    if isinstance(content, Mapping):
        for name, part in content.items():
            if name in _SENTENCES:
                yield from [part] if isinstance(part, str) else _texts(part)
            yield from _sentences(part)
    elif isinstance(content, (list, tuple)):
        for part in content:
            yield from _sentences(part)


def _texts(part: object) -> list[str]:
    found = part if isinstance(part, (list, tuple)) else ()
    return [text for text in found if isinstance(text, str)]


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _source_hash(text: str) -> str:
    """What a Content-Security-Policy calls the only script, or style, that may be used."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _script_json(value: object) -> str:
    """JSON in ASCII that cannot end the element it stands in."""
    text = json.dumps(value, allow_nan=False)
    for mark, escaped in _MARKUP.items():
        text = text.replace(mark, escaped)
    return text
