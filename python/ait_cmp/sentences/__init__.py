"""Sentences of reports: ids with arguments, and the one table that makes texts of them.

`en.py` has the English texts that have ids of their own, `en_report.py` those of summaries,
divergences and replays, `en_rows.py` of notes and rows, `en_files.py` of damaged files,
`en_replay.py` of ops that are not replayed; another language is other files, with the same ids and
blanks (`recognise`). The core says sentences by their ids, too (`csrc/compare/sentence.h`). It gets
the English texts when it is imported, and refuses those that lack one of its sentences or name
other blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ait_cmp.sentences import (
    en,
    en_files,
    en_replay,
    en_report,
    en_rows,
    zh,
    zh_files,
    zh_replay,
    zh_report,
    zh_rows,
)

# Language -> id -> text.
LANGUAGES: dict[str, Mapping[str, str]] = {
    "en": {
        **en.TEXTS,
        **en_report.TEXTS,
        **en_rows.TEXTS,
        **en_files.TEXTS,
        **en_replay.TEXTS,
    },
    "zh": {
        **zh.TEXTS,
        **zh_report.TEXTS,
        **zh_rows.TEXTS,
        **zh_files.TEXTS,
        **zh_replay.TEXTS,
    },
}
_BLANK = re.compile(r"\{(\w+)\}")


class Blank(NamedTuple):
    """A blank of a sentence: its name, and what fills it."""

    name: str
    content: str


class Sentence(NamedTuple):
    """A sentence of a report.

    Attributes:
        id: Which one.
        arguments: Its blanks, filled.
    """

    id: str
    arguments: tuple[Blank, ...] = ()

    def text(self, language: str = "en") -> str:
        """The sentence in a language.

        Raises:
            KeyError: There is no such language, sentence, or argument.
        """
        arguments = dict(self.arguments)
        return _BLANK.sub(lambda blank: arguments[blank[1]], LANGUAGES[language][self.id])


def say(sentence_id: str, **arguments: object) -> Sentence:
    """The sentence with these arguments."""
    return Sentence(
        sentence_id, tuple(Blank(name, str(value)) for name, value in arguments.items())
    )


def blanks_of(text: str) -> set[str]:
    """Names of the blanks of a text."""
    return set(_BLANK.findall(text))


def text_of(sentences: Iterable[Sentence], language: str = "en") -> str:
    """The sentences one after the other."""
    return " ".join(sentence.text(language) for sentence in sentences)
