"""English sentences of a report in another language, found by their words.

A report is made once, in English: CSV, JSON and log stay so, and a page made later has nothing
else. What a person reads is looked up here: a text of the table whose fixed words stand in the
sentence, blanks filled with what stands between. One that is not in the table stays as it is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from re import Pattern
from typing import NamedTuple

from ait_cmp.sentences import LANGUAGES

_BLANK = re.compile(r"\{(\w+)\}")
_COUNTED = re.compile(r"(\d+) (.+)")
_BETWEEN_COUNTS = re.compile(r", (?=\d)")
_BETWEEN_WORDS = re.compile(r", | and ")
# Blanks that hold names or numbers: between them may stand what `list_...` says.
_LISTS = frozenset(
    ("names", "paths", "tasks", "ranks", "steps", "rows", "left", "others", "mine", "theirs")
)
_LIST = "list_"
# Where a text of several sentences may be parted.
_NEXT = r"[A-Z]|(?:my|golden): |[a-z]+_[a-z_]+ "  # how a next one begins: also with a column
_END = re.compile(rf"(?<=[.?!)]) (?=\d|{_NEXT})")


class _Known(NamedTuple):
    """A text of the table.

    Attributes:
        id: Which one.
        pattern: What finds it.
        words: The longest of what stands between its blanks: it is looked for first.
        n_fixed: Letters outside of its blanks.
    """

    id: str
    pattern: Pattern[str]
    words: str
    n_fixed: int


def in_language(text: str, language: str) -> str:
    """A line of a report in a language; English, or unknown, as it is."""
    if language == "en" or not text:
        return text
    texts = LANGUAGES[language]
    told = text.lstrip(" ")
    if told == text:
        return _parts(text, texts)
    whole = _whole(text, texts)  # of some lines the indentation says what they are
    return text[: len(text) - len(told)] + _parts(told, texts) if whole is None else whole


def _parts(text: str, texts: Mapping[str, str]) -> str:
    """A text of one sentence or several; an unknown one stays as it is."""
    found = _one(text, texts)
    if found is not None:
        return found
    for end in reversed([match.start() for match in _END.finditer(text)]):
        first = _one(text[:end], texts)
        if first is not None:
            return first + _parts(text[end + 1 :], texts)
    first, *others = _END.split(text, maxsplit=1)
    if not others:
        return _one(text, texts, frames=True) or text
    told = _parts(first, texts)
    return told + " " * (told == first) + _parts(others[0], texts)


def _one(text: str, texts: Mapping[str, str], *, frames: bool = False) -> str | None:
    """The text as one sentence, whose end may be left out, or added."""
    found = _whole(text, texts, frames=frames)
    if found is not None:
        return found
    bare = text.removesuffix(".")
    found = _whole(f"{text}." if bare == text else bare, texts, frames=frames)
    return None if found is None else found.rstrip("。") + "。" * (bare != text)


def _whole(text: str, texts: Mapping[str, str], *, frames: bool = False) -> str | None:
    """The text as one sentence of the table, None if it is none.

    Args:
        text: The text.
        texts: Those of the language.
        frames: Look among those without words of their own, instead: one counts where a part of it
            is known.
    """
    for known in [known for known in _known(frames) if known.words in text]:
        found = known.pattern.fullmatch(text)
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
    return _listed(content, texts) if name in _LISTS else content


def _listed(content: str, texts: Mapping[str, str]) -> str:
    """Names or numbers, with what stands between them."""
    for known in _between_names():
        content = known.pattern.sub(_filler(texts[known.id]), content)
    return content


def _filler(text: str) -> Callable[[re.Match[str]], str]:
    return lambda found: _fill(text, found.groupdict())


def _counted(part: str, texts: Mapping[str, str]) -> str:
    """A number and what it counts."""
    found = _COUNTED.fullmatch(part)
    if found is None:
        return _parts(part, texts)
    return f"{found[1]} {_parts(found[2], texts)}"


@functools.cache
def _known(frames: bool) -> tuple[_Known, ...]:
    """Every text of the table, those of most fixed words first: the most telling one is taken.

    Args:
        frames: Those without words of their own that have a part; else those with words.
    """
    texts = {key: text for key, text in LANGUAGES["en"].items() if not key.startswith(_LIST)}
    found = (
        _known_as(key, text)
        for key, text in texts.items()
        if frames == (re.search("[A-Za-z]", _BLANK.sub("", text)) is None)
        and ("{part" in text or not frames)
    )
    return tuple(sorted(found, key=lambda known: -known.n_fixed))


@functools.cache
def _between_names() -> tuple[_Known, ...]:
    english = LANGUAGES["en"].items()
    return tuple(_known_as(key, text) for key, text in english if key.startswith(_LIST))


def _known_as(key: str, text: str) -> _Known:
    words = _BLANK.sub("\0", text).split("\0")
    return _Known(key, _pattern(text), max(words, key=len), len("".join(words)))


_SENTENCE = rf"(?:(?![.?!] (?:{_NEXT})).)+?"
# Blank -> what it holds; `n_...` and `part_...` are more of these.
_CONTENTS = {
    "n": r"\d+",
    "type": r"\S+",
    "side": r"\w+",
    "part": ".+?",
    "part_": _SENTENCE,
    "file": r"[^()]+?",
    **dict.fromkeys(("why", "command"), _SENTENCE),
    **dict.fromkeys(("line", "member", "text"), ".*?"),
}
# Anything else is less than a sentence.
_WORDS = rf"(?:(?![.?!] (?:{_NEXT})|[;:] ).)+?"


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
            kind = "n" if part.startswith("n_") else "part_" if part.startswith("part_") else part
            content = _CONTENTS.get(kind, _WORDS)
            words.append(f"(?P<{part}>{content})")
    return re.compile("".join(words))
