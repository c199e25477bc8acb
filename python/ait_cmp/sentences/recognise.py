"""English sentences of a report in another language, found by their words.

A report is made once, in English: CSV, JSON and log stay so, and a page made later has nothing
else. What a person reads is looked up here: a text of the table whose fixed words stand in the
sentence, blanks filled with what stands between. One that is not in the table stays as it is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from re import Pattern
from typing import NamedTuple

from ait_cmp.sentences import LANGUAGES

_BLANK = re.compile(r"\{(\w+)\}")
_COUNTED = re.compile(r"(\d+) (.+)")
_BETWEEN_COUNTS = re.compile(r", (?=\d)")
_BETWEEN_WORDS = re.compile(r", | and ")
# Where a text of several sentences may be parted.
_END = re.compile(r"(?<=[.?!]) (?=[A-Z\d])")


class _Known(NamedTuple):
    """A text of the table.

    Attributes:
        id: Which one.
        pattern: What finds it.
        n_fixed: Letters outside of its blanks.
        is_frame: It has no words of its own, and counts where a part of it is known.
    """

    id: str
    pattern: Pattern[str]
    n_fixed: int
    is_frame: bool


def in_language(text: str, language: str) -> str:
    """A line of a report in a language; English, or unknown, as it is."""
    if language == "en" or not text:
        return text
    indentation = text[: len(text) - len(text.lstrip(" "))]
    texts = LANGUAGES[language]
    return _whole(text, texts) or indentation + _parts(text[len(indentation) :], texts)


def _parts(text: str, texts: Mapping[str, str]) -> str:
    """A text of one sentence or several."""
    found = _whole(text, texts)
    if found is not None:
        return found
    for end in reversed([match.start() for match in _END.finditer(text)]):
        first = _whole(text[:end], texts)
        if first is not None:
            return first + _parts(text[end + 1 :], texts)
    if not text.endswith("."):  # its end may be left out
        found = _whole(f"{text}.", texts)
        if found is not None:
            return found.rstrip("。")
    return _whole(text, texts, frames=True) or text


def _whole(text: str, texts: Mapping[str, str], *, frames: bool = False) -> str | None:
    """The text as one sentence of the table, None if it is none.

    Args:
        text: The text.
        texts: Those of the language.
        frames: Look among those without words of their own, instead: one counts where a part of it
            is known.
    """
    for known in _known():
        found = known.pattern.fullmatch(text) if known.is_frame == frames else None
        if found is None:
            continue
        given = found.groupdict()
        contents = {name: _content(name, part, texts) for name, part in given.items()}
        if not frames or contents != given:
            return _fill(texts[known.id], contents)
    return None


def _fill(text: str, contents: Mapping[str, str]) -> str:
    return _BLANK.sub(lambda blank: contents[blank[1]], text)


def _content(name: str, content: str, texts: Mapping[str, str]) -> str:
    if name == "list":
        return "；".join(_counted(part, texts) for part in _BETWEEN_COUNTS.split(content))
    if name == "words":
        return "、".join(_parts(part, texts) for part in _BETWEEN_WORDS.split(content))
    if name.startswith("part"):
        return _parts(content, texts)
    return content


def _counted(part: str, texts: Mapping[str, str]) -> str:
    """A number and what it counts."""
    found = _COUNTED.fullmatch(part)
    if found is None:
        return _parts(part, texts)
    return f"{found[1]} {_parts(found[2], texts)}"


@functools.cache
def _known() -> tuple[_Known, ...]:
    """Every text of the table, those of most fixed words first: the most telling one is taken."""
    found = []
    for key, text in LANGUAGES["en"].items():
        fixed = _BLANK.sub("", text)
        is_frame = re.search(r"[A-Za-z]", fixed) is None
        if is_frame and "{part" not in text:
            continue  # as `text`, which is anything
        found.append(_Known(key, _pattern(text), len(fixed), is_frame))
    return tuple(sorted(found, key=lambda known: -known.n_fixed))


# Blank -> what it holds, where that is not anything.
_CONTENTS = {"n": r"\d+", "type": r"\S+", "part": ".+?"}
# Anything else is no more than one sentence.
_WORDS = r"(?:(?![.?!] [A-Z]).)+?"


def _pattern(text: str) -> Pattern[str]:
    parts = _BLANK.split(text)
    seen: set[str] = set()
    words = []
    for number, part in enumerate(parts):
        if number % 2 == 0:
            words.append(re.escape(part))
        elif part in seen:
            words.append(f"(?P={part})")
        else:
            seen.add(part)
            kind = "n" if part.startswith("n_") else part
            content = _CONTENTS.get(kind, _WORDS)
            words.append(f"(?P<{part}>{content})")
    return re.compile("".join(words))
