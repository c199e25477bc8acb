"""What the sentences at the end of a run are made of, kept so that parts of a dump can be merged.

Every record knows its rank and graph, and what is a number is added up: parts give the same in
whatever grouping they are merged, and the same as one run over all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ait_cmp.discover.runs import number_ranges
from ait_cmp.report.notes import (
    Note,
    ZeroTensors,
    in_order,
    texts_of,
    where_of_note,
    zero_sentences,
)
from ait_cmp.report.row import Row, column
from ait_cmp.report.shards import Factors, count_factors, factor_sentence
from ait_cmp.terms import DIFFERENT_STATUSES

if TYPE_CHECKING:
    from ait_cmp._core import StepRows


class Op(NamedTuple):
    """An op of a graph, in whatever step."""

    rank: int
    graph: str
    name: str


class UnmetStep(NamedTuple):
    """A golden step that no my-side step meets.

    Attributes:
        rank: Its rank.
        graph: Its graph.
        step: Its number.
        tensors: Tensors that it holds.
    """

    rank: int
    graph: str
    step: int
    tensors: int


class OneRun(NamedTuple):
    """A run of ait-cmp that a report is made of.

    Attributes:
        ranks: Ranks that it compared.
        time: When it began: local time with offset, ISO 8601.
        my_path: The folder under test.
        golden_path: The reference.
        cpu_level: Instruction set of the kernels.
        command: The words of its command line, None if it was called from Python.
    """

    ranks: tuple[int, ...]
    time: str
    my_path: str
    golden_path: str
    cpu_level: str
    command: tuple[str, ...] | None


@dataclass
class GoldenSeen:
    """What a run saw of the golden dump; what one host does not meet another one may.

    Attributes:
        ranks: Ranks of the golden dump.
        alone: Those that no my rank meets.
        unmet: Steps that no my step meets.
    """

    ranks: set[int] = field(default_factory=set)
    alone: set[int] = field(default_factory=set)
    unmet: list[UnmetStep] = field(default_factory=list)

    def merged(self, other: GoldenSeen) -> GoldenSeen:
        """Unmet is what everybody who saw its rank says so of."""

        def is_left(rank: int, mine: bool, theirs: bool) -> bool:
            seen = [at for at, side in ((mine, self), (theirs, other)) if rank in side.ranks]
            return all(seen)

        alone = {
            rank
            for rank in self.alone | other.alone
            if is_left(rank, rank in self.alone, rank in other.alone)
        }
        mine, theirs = set(self.unmet), set(other.unmet)
        unmet = [
            step
            for step in sorted(mine | theirs)
            if is_left(step.rank, step in mine, step in theirs)
        ]
        return GoldenSeen(self.ranks | other.ranks, alone, unmet)

    @property
    def n_unmet(self) -> int:
        """Tensors of the steps that nothing meets."""
        return sum(step.tensors for step in self.unmet)


@dataclass
class Tally:
    """Numbers and sentences of a run, by rank and graph.

    Attributes:
        unproven: Op -> its rows that fail though nothing says that it is wrong.
        not_compared: The first row that should have been compared and could not, as a sentence.
        shapes: Of rows whose shapes differ: how they do -> how many.
        zeros: Side -> tensors that are all zero on this side alone.
        notes: Sentences on what was chosen, left out, or looks wrong.
        unread: Sentences on what could not be read and has no row.
        refused: Sentences on graph texts of another model.
        overwritten: Sentences on watched outputs that something else wrote over.
        golden: What was seen of the golden dump.
        runs: The runs that it is made of, in the order of their ranks.
    """

    unproven: Counter[Op] = field(default_factory=Counter)
    not_compared: Note | None = None
    shapes: Factors = field(default_factory=Counter)
    zeros: dict[str, ZeroTensors] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    unread: list[Note] = field(default_factory=list)
    refused: list[Note] = field(default_factory=list)
    overwritten: list[Note] = field(default_factory=list)
    golden: GoldenSeen = field(default_factory=GoldenSeen)
    runs: list[OneRun] = field(default_factory=list)

    def add(self, rows: StepRows) -> None:
        """Take what could not be compared of a judged step; its rows are not kept."""
        statuses = column(rows, "status")
        if self.not_compared is None:
            different = (at for at, status in enumerate(statuses) if status in DIFFERENT_STATUSES)
            first = next(different, None)
            if first is not None:
                self.not_compared = note_of_not_compared(Row._make(rows[first]))
        if "shape_mismatch" in statuses:
            shapes = zip(statuses, column(rows, "my_shape"), column(rows, "golden_shape"))
            self.shapes += count_factors(
                Counter(
                    (mine, golden) for status, mine, golden in shapes if status == "shape_mismatch"
                )
            )

    @property
    def left_out(self) -> list[str]:
        """What no row tells: ranks that only golden has, shards that met wholes."""
        said = []
        if self.golden.alone:
            ranks = number_ranges(sorted(self.golden.alone))
            said.append(f"Ranks that only the golden dump has: {ranks}.")
        shards = factor_sentence(self.shapes)
        return [*said, shards] if shards else said

    def all_notes(self) -> list[str]:
        """Every sentence, in order, with those that numbers give."""
        zeros = [Note("zeros", -1, "", text) for text in zero_sentences(self.zeros)]
        return texts_of([*self.notes, *zeros])


def note_of_not_compared(row: Row) -> Note:
    """What the summary says of the first row that could not be compared and should have been."""
    # One row stands for a file whose header cannot be read.
    which = f" {row.io} {row.index}" if row.io else ""
    text = f"token {row.token_id}, {row.op_name} ({row.my_op_type}){which}: {row.cmp_fail_reason}"
    return Note("rows", row.rank, row.graph, text)


def merged_tally(tallies: Sequence[Tally]) -> Tally:
    """The tally of parts together: no two of them have the same graph of a rank."""
    whole = Tally()
    golden = [tally.golden for tally in tallies]
    if golden:
        whole.golden = golden[0]
        for seen in golden[1:]:
            whole.golden = whole.golden.merged(seen)
    for tally in tallies:
        whole.shapes.update(tally.shapes)
        for side, found in tally.zeros.items():
            known = whole.zeros.get(side)
            whole.zeros[side] = found if known is None else known.merged(found)
    unproven = (item for tally in tallies for item in tally.unproven.items())
    for op, number in sorted(unproven, key=lambda item: item[0][:2]):
        whole.unproven[op] += number
    first = [tally.not_compared for tally in tallies if tally.not_compared is not None]
    whole.not_compared = min(first, key=where_of_note, default=None)
    for name in ("notes", "unread", "refused", "overwritten"):
        notes = [note for tally in tallies for note in getattr(tally, name)]
        setattr(whole, name, list(in_order(notes)))
    whole.runs = sorted((run for tally in tallies for run in tally.runs), key=lambda run: run.ranks)
    return whole
