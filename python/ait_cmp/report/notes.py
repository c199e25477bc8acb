"""Sentences of a report, and where they stand, in whatever order its parts come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ait_cmp.terms import NOTE_PLACES, NotePlace


class Note(NamedTuple):
    """A sentence, and where it stands among the others.

    Attributes:
        place: Who says it.
        rank: Rank that it is about; of a whole run its first one.
        graph: Graph that it is about, "" for all of the rank.
        text: The sentence.
    """

    place: NotePlace
    rank: int
    graph: str
    text: str


class ZeroTensors(NamedTuple):
    """Tensors whose elements are all zero on one side only.

    Attributes:
        number: How many.
        rank: Rank of the first of them.
        graph: Its graph.
        first: What it is.
    """

    number: int
    rank: int
    graph: str
    first: str

    def merged(self, other: ZeroTensors) -> ZeroTensors:
        """Both together: the first of all; of one graph that of this one."""
        first = min(self, other, key=lambda zeros: zeros[1:3])
        return first._replace(number=self.number + other.number)


def zero_sentences(zeros: Mapping[str, ZeroTensors]) -> list[str]:
    """Warnings of tensors that are all zero on one side ("my", "golden") only."""
    return [
        f"Tensors that are all zero on the {side} side only: {zeros[side].number}, the first is "
        f"{zeros[side].first}: an operator that did not write its result, or memory that was "
        "free when it was dumped?"
        for side in ("my", "golden")
        if side in zeros
    ]


def texts_of(notes: Iterable[Note]) -> list[str]:
    """The sentences in order."""
    return [note.text for note in in_order(notes)]


def in_order(notes: Iterable[Note]) -> Iterator[Note]:
    """By place, rank and graph; what is said twice stands where it is said first."""
    seen: set[tuple[str, str]] = set()
    for note in sorted(notes, key=where_of_note):
        if (note.place, note.text) not in seen:
            seen.add((note.place, note.text))
            yield note


def where_of_note(note: Note) -> tuple[int, int, str]:
    """What notes are sorted by."""
    return NOTE_PLACES.index(note.place), note.rank, note.graph
