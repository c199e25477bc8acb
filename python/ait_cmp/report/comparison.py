"""What a comparison found, as plain data that merges in any grouping."""

from __future__ import annotations

import datetime
import html
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ait_cmp import _core
from ait_cmp.config import Limits
from ait_cmp.report.divergence_groups import group_divergences
from ait_cmp.report.exhibits import Exhibits, Where
from ait_cmp.report.findings import (
    DifferingInput,
    Divergence,
    Suspect,
    first_of_each_graph,
)
from ait_cmp.report.graph_outputs import GraphOutput
from ait_cmp.report.notes import texts_of
from ait_cmp.report.packed_texts import PackedTexts
from ait_cmp.report.row import COLUMNS, Row, column
from ait_cmp.report.tally import OneRun, Tally
from ait_cmp.terms import DIFFERENT_STATUSES, STATUSES, VERDICTS, MissKind

if TYPE_CHECKING:
    import pandas


_NAMES_SHOWN = 3


class Counts(dict[str, int]):
    """Status -> number of tensors of the my side; every status of the contract is a key.

    Attributes:
        golden: "used" and "unused" -> number of tensors of the golden side.
        verdicts: "pass", "inherited" and "fail" -> number of rows.
        matches: Rule -> number of rows that it paired.
        misses: Kind of miss -> number of unmatched rows; together they are all of them.
        estimated: What estimated metrics were made from -> number of rows.
        without_block: Rows that were compared and have no block_error.
        failing_modules: First two levels of a module -> number of its failing rows.
        ranks: Rank -> number of its rows, in the order of the report.
    """

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(STATUSES, 0))
        self.golden: dict[str, int] = {"used": 0, "unused": 0}
        self.verdicts: dict[str, int] = dict.fromkeys(VERDICTS, 0)
        self.matches: dict[str, int] = {}
        self.misses: dict[str, int] = {}
        self.estimated: dict[str, int] = {}
        self.without_block = 0
        self.failing_modules: dict[str, int] = {}
        self.ranks: dict[int, int] = {}

    def add(self, rank: int, rows: _core.StepRows, misses: Mapping[int, MissKind]) -> None:
        """Count the rows of a step; `misses` says why a row is unmatched."""
        statuses, verdicts = column(rows, "status"), column(rows, "verdict")
        self.ranks[rank] = self.ranks.get(rank, 0) + len(rows)
        for words, numbers in (
            (statuses, self),
            (verdicts, self.verdicts),
            (column(rows, "match"), self.matches),
            (column(rows, "estimated"), self.estimated),
        ):
            for key, number in Counter(words).items():
                if key:
                    numbers[key] = numbers.get(key, 0) + number
        if "fail" in verdicts:
            for verdict, module in zip(verdicts, column(rows, "module")):
                if verdict == "fail":
                    name = ".".join((module or "").split(".")[:2])
                    self.failing_modules[name] = self.failing_modules.get(name, 0) + 1
        for row, kind in misses.items():
            if row < len(statuses) and statuses[row] == "unmatched":
                self.misses[kind] = self.misses.get(kind, 0) + 1
        self.without_block += sum(
            status == "compared" and error is None
            for status, error in zip(statuses, column(rows, "block_error"))
        )

    def merge(self, other: Counts) -> None:
        """Add the counts of another part of the dump."""
        for mine, theirs in (
            (self, other),
            (self.golden, other.golden),
            (self.verdicts, other.verdicts),
            (self.matches, other.matches),
            (self.misses, other.misses),
            (self.estimated, other.estimated),
            (self.failing_modules, other.failing_modules),
        ):
            for key, number in theirs.items():
                mine[key] = mine.get(key, 0) + number
        for rank, number in other.ranks.items():
            self.ranks[rank] = self.ranks.get(rank, 0) + number
        self.without_block += other.without_block

    @property
    def total(self) -> int:
        """Tensors of the my side."""
        return sum(self.values())


@dataclass(frozen=True)
class RunFacts:
    """What was asked for.

    Attributes:
        my_path: The folder under test, absolute.
        golden_path: The reference.
        limits: What counts as equal.
        started: Seconds since the epoch.
        command: The words of the command line, None if called from Python.
    """

    my_path: str
    golden_path: str
    limits: Limits
    started: float
    command: Sequence[str] | None = None

    @property
    def time(self) -> str:
        """When it began: local time with offset, ISO 8601."""
        return datetime.datetime.fromtimestamp(self.started).astimezone().isoformat("T", "seconds")


def one_run(run: RunFacts, ranks: Sequence[int]) -> OneRun:
    """What a report keeps of a run on this machine."""
    return OneRun(
        tuple(ranks),
        run.time,
        run.my_path,
        run.golden_path,
        _core.isa_in_use(),
        None if run.command is None else tuple(run.command),
    )


@dataclass(repr=False)
class Comparison:
    """The result of compare_dirs.

    Attributes:
        rows: One per tensor of every GE file of the my side, in the order of the report; none where
            they were not to be kept.
        counts: Status -> number of tensors, with the golden side's beside it.
        divergences: Every op that computes something else, an entry an op and step, in order.
        suspects: Ops that are not proven to; their replay could tell.
        inputs_differ: Graph inputs and constants that differ: the runs had other data.
        states_differ: Graph inputs that differ as what ran before may make them.
        outputs: What reached the ends of the graphs, step by step.
        exhibits: What the pictures of the first divergences need.
        unproven: Op -> its rows that fail though nothing says that it is wrong.
        replayed: "wrong", "right", "not_replayed" and "left_out" -> ops that replay was asked of.
        unread: Sentences on folders and files that could not be read and have no row.
        refused: Sentences on graph texts of another model, whose rows are not compared.
        overwritten: Sentences on watched outputs that something else wrote over (watch mode).
        left_out: Sentences on what no row tells: golden ranks alone, shards against wholes.
        n_ops: Ops of all graphs that compute something.
        n_ops_without_file: Those that no file of the fullest step of their graph holds.
        n_ops_in_other_steps: Of these, those that files of other steps hold.
        has_graph_text: Whether graph texts say what the ops of all compared steps read.
        csv_paths: The report files written, one per rank; empty without an output folder.
        jsonl_paths: The same rows as JSON lines, where they were asked for.
        result_path: The file of `result`; None without an output folder.
        html_path: The page, where it was asked for.
        notes: Sentences on what was chosen, left out, or looks wrong with the capture.
        unused_golden: Paths (and tensors) of the golden side that no row used.
        custom_names: Names of the custom algorithms, in the order of their cells in `Row.custom`.
        unwritten: Sentences on report files that could not be written, or not whole.
        run: What was asked for; None of a comparison that was put together by hand.
        baseline: Divergences that are known from an earlier run; None: none was given.
        was_interrupted: True if Ctrl-C ended the comparison; rows then hold what was done.
        tally: What sentences are made of, by rank and graph.
        pictures: Of merged reports what result.json holds of each divergence beside its cells.

    Example:
        >>> result = ait_cmp.compare_dirs("ait-cmp-demo/ge_wrong", "ait-cmp-demo/fx")
        >>> result.has_differences, result.counts.verdicts
        (True, {'pass': 464, 'inherited': 0, 'fail': 4})
        >>> [row.op_name for row in result.rows if row.verdict == "fail" and row.io == "outputs"]
        ['MatMul_3', 'MatMul_3']
    """

    rows: Sequence[Row] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    divergences: list[Divergence] = field(default_factory=list)
    suspects: list[Suspect] = field(default_factory=list)
    inputs_differ: list[DifferingInput] = field(default_factory=list)
    states_differ: list[DifferingInput] = field(default_factory=list)
    outputs: list[GraphOutput] = field(default_factory=list)
    exhibits: Exhibits = field(default_factory=Exhibits, repr=False)
    unproven: dict[str, int] = field(default_factory=dict)
    replayed: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    n_ops: int = 0
    n_ops_without_file: int = 0
    n_ops_in_other_steps: int = 0
    has_graph_text: bool = True
    csv_paths: list[Path] = field(default_factory=list)
    jsonl_paths: list[Path] = field(default_factory=list)
    result_path: Path | None = None
    html_path: Path | None = None
    notes: list[str] = field(default_factory=list)
    unused_golden: Sequence[str] = field(default_factory=PackedTexts)
    custom_names: Sequence[str] = ()
    unwritten: list[str] = field(default_factory=list)
    was_interrupted: bool = False
    run: RunFacts | None = None
    baseline: Container[Divergence] | None = None
    tally: Tally = field(default_factory=Tally, repr=False)
    pictures: dict[Where, dict[str, Any]] = field(default_factory=dict, repr=False)

    def tell(self) -> None:
        """Fill in the sentences that the tally gives, when nothing more is added to it."""
        tally = self.tally
        self.notes = tally.all_notes()
        self.unread, self.refused, self.overwritten = (
            texts_of(notes) for notes in (tally.unread, tally.refused, tally.overwritten)
        )
        self.left_out = tally.left_out
        unproven: Counter[str] = Counter()
        for op, number in tally.unproven.items():
            unproven[op.name] += number
        self.unproven = dict(unproven)

    @property
    def first_divergence(self) -> list[Divergence]:
        """The earliest divergence of every rank and graph; the same objects."""
        return first_of_each_graph(self.divergences)

    @property
    def new_divergences(self) -> list[Divergence]:
        """Those of ops that the baseline does not have; without a baseline all."""
        known = self.baseline
        return [found for found in self.divergences if known is None or found not in known]

    @property
    def has_differences(self) -> bool:
        """Whether anything differs, or could not be held against its golden.

        With a baseline: whether an op diverges that did not before.
        """
        if self.baseline is not None:
            return bool(self.new_divergences)
        bad = sum(self.counts[status] for status in DIFFERENT_STATUSES)
        found = (self.divergences, self.inputs_differ, self.refused, self.overwritten, self.unread)
        return bool(self.counts.verdicts["fail"] or bad or any(found))

    @cached_property
    def result(self) -> dict[str, Any]:
        """What docs/en/result-format.md describes; the tensors of divergences are read for it."""
        from ait_cmp.report.result.content import content_of

        return content_of(self)

    def __getstate__(self) -> dict[str, Any]:
        self.draw()
        return dict(vars(self))

    def draw(self) -> None:
        """Look at the tensors of divergences now: where the result goes they may not be."""
        from ait_cmp.report.result.content import pictures_of

        self.pictures.update(pictures_of(self))
        self.exhibits = Exhibits()

    def merge(self, other: Comparison) -> Comparison:
        """This comparison and one of other ranks as one; both stay as they are.

        Merged in any grouping, comparisons give the same.

        Args:
            other: Of ranks that this one has not, with the same limits and own metrics.

        Raises:
            ConfigError: They do not fit together.
        """
        from ait_cmp.report.merging import merged

        return merged([self, other])

    def summary(self) -> str:
        """What `ait-cmp` prints at the end."""
        from ait_cmp.report.summary import summary_lines

        return "\n".join(summary_lines(self))

    def to_html(self) -> str:
        """The report as one HTML text that needs no network."""
        from ait_cmp.report.html import ComparisonTable, page

        return page(self.result, ComparisonTable([*COLUMNS, *self.custom_names], self.rows))

    def __repr__(self) -> str:
        """The answer on one line; the rows are not for a prompt."""
        found = group_divergences(self.divergences)
        names = ", ".join(group.first.op_name for group in found[:_NAMES_SHOWN])
        more = f" and {len(found) - _NAMES_SHOWN} more" if len(found) > _NAMES_SHOWN else ""
        told = f"diverges: {names}{more}" if found else "nothing diverges"
        inputs = "inputs differ; " if self.inputs_differ else ""
        n_compared, verdicts = self.counts["compared"], self.counts.verdicts
        return (
            f"<Comparison: {inputs}{told}; {n_compared} of {self.counts.total} tensors compared, "
            f"{verdicts['fail']} fail>"
        )

    def _repr_html_(self) -> str:
        """The summary, for a notebook; `to_html()` is the whole page."""
        from ait_cmp.report.summary import summary_lines

        first, *others = map(html.escape, summary_lines(self))
        return f'<div class="ait-cmp"><p><b>{first}</b></p><pre>{chr(10).join(others)}</pre></div>'

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a pandas DataFrame with the CSV's columns; pandas is imported only here."""
        import pandas

        cells = [(*row[:-1], *row.custom) for row in self.rows]
        return pandas.DataFrame(cells, columns=[*COLUMNS, *self.custom_names])
