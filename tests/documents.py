"""The documents as tests need them: blocks, headings, links and anchors of a Markdown text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LANGUAGES = ("en", "zh")
# The same document in English and in Chinese.
PAIRS = [
    (ROOT / "README.md", ROOT / "README.zh.md"),
    *((path, ROOT / "docs/zh" / path.name) for path in sorted((ROOT / "docs/en").glob("*.md"))),
]
DOCUMENTS = [
    *(path for pair in PAIRS for path in pair),
    *(ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benchmarks/README.md",
]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMENT = re.compile(r"(^|\s+)(#|//) .*$", re.MULTILINE)


class Block(NamedTuple):
    """A block of code: its language, and its text."""

    language: str
    text: str

    @property
    def code(self) -> str:
        """The text without comments, which have a language of their own."""
        return _COMMENT.sub("", self.text)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(text_of(path))]


def indented_blocks(path: Path) -> list[str]:
    """Formulas, which stand behind four blanks."""
    return re.findall(r"^    .*$", _BLOCK.sub("", text_of(path)), re.MULTILINE)


def headings(path: Path) -> list[tuple[int, str]]:
    """Level and text of every heading."""
    found = _HEADING.findall(_BLOCK.sub("", text_of(path)))
    return [(len(marks), text) for marks, text in found]


def table_sizes(path: Path) -> list[tuple[int, int]]:
    """Lines and columns of every table."""
    tables = re.findall(r"(?:^\|.*\|$\n)+", _BLOCK.sub("", text_of(path)), re.MULTILINE)
    sizes = []
    for table in tables:
        lines = table.splitlines()
        cells = {len(re.findall(r"(?<!\\)\|", line)) - 1 for line in lines}
        assert len(cells) == 1, f"{path}: a table with lines of {cells} cells: {lines[0]}"
        sizes.append((len(lines), cells.pop()))
    return sizes


def anchor(heading: str) -> str:
    """What a link calls a heading, as GitHub makes it."""
    plain = re.sub(r"[^\w\- ]", "", heading.lower())
    return plain.replace(" ", "-")


def links(path: Path) -> list[str]:
    return _LINK.findall(_BLOCK.sub("", text_of(path)))
