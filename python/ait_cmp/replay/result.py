"""What a replay found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ait_cmp.replay.edges import EdgeDifference
from ait_cmp.replay.rows import ReplayRow
from ait_cmp.replay.verdict import STATUSES, Status

# Blocks of one kind that the summary shows.
_MAX_SHOWN = 10


@dataclass(frozen=True)
class WrongOp:
    """An op that does not compute what its type says of its inputs.

    Attributes:
        row: The row of its worst output.
        n_right_before: Replayed ops before it in its step that are right.
        cause: What its output equals instead, and where it is off; a sentence or "".
    """

    row: ReplayRow
    n_right_before: int
    cause: str = ""

    @property
    def sentence(self) -> str:
        """What to tell."""
        row = self.row
        n_right = self.n_right_before
        before = f"; the {n_right} ops before it are right" if n_right else ""
        more = f" {self.cause}" if self.cause else ""
        what = "what its members say" if row.kind == "fused" else article(row.op_type)
        return (
            f"{row.op_name} ({row.op_type}) does not compute {what} of its inputs: "
            f"{row.reason}{before}.{more}"
        )


def article(type_: str) -> str:
    """A type with its article."""
    return f"{'an' if type_[:1] in 'AEIOU' else 'a'} {type_}"


@dataclass
class Replay:
    """Result of a replay.

    Attributes:
        rows: One per output of every file.
        wrong: Ops that are wrong, in execution order.
        edges: Inputs that are not what their producers wrote.
        notes: What a reader should know.
        csv_paths: The CSV files.
        was_interrupted: Whether Ctrl-C ended it early.

    Example:
        >>> print(ait_cmp.replay("ait-cmp-demo/ge", tokens=0).summary())
        123 outputs: 123 right, 0 wrong, 0 not replayed
        Every operator behind 123 of 123 outputs computes what its inputs say.
    """

    rows: list[ReplayRow] = field(default_factory=list)
    wrong: list[WrongOp] = field(default_factory=list)
    edges: list[EdgeDifference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    csv_paths: list[Path] = field(default_factory=list)
    was_interrupted: bool = False

    @property
    def counts(self) -> dict[Status, int]:
        """Status -> number of rows; they add up to the number of rows."""
        found = Counter(row.status for row in self.rows)
        return {status: found[status] for status in STATUSES}

    @property
    def not_replayed(self) -> dict[str, int]:
        """Reason -> number of rows, the most frequent first."""
        reasons = Counter(row.reason for row in self.rows if row.status == "not_replayed")
        return dict(reasons.most_common())

    @property
    def has_findings(self) -> bool:
        """Whether an op is wrong or an edge differs."""
        return bool(self.wrong or self.edges)

    def summary(self) -> str:
        """The result in words."""
        return "\n".join(_summary(self))

    def to_json(self, version: str, command: Sequence[str]) -> str:
        """The result for scripts."""
        content: dict[str, Any] = {
            "version": version,
            "command": list(command),
            "counts": self.counts,
            "wrong": [{**_finite(one.row), "sentence": one.sentence} for one in self.wrong],
            "edges": [{**edge._asdict(), "sentence": edge.sentence} for edge in self.edges],
            "not_replayed": self.not_replayed,
            "notes": self.notes,
            "csv": [str(path) for path in self.csv_paths],
        }
        return json.dumps(content, indent=2, ensure_ascii=False)


def _finite(row: ReplayRow) -> dict[str, Any]:
    """A row as JSON takes it: numbers that are none as text."""
    return {
        name: str(value) if isinstance(value, float) and abs(value) == float("inf") else value
        for name, value in row._asdict().items()
    }


def _summary(result: Replay) -> list[str]:
    counts = result.counts
    n = len(result.rows)
    lines = [
        f"{n} outputs: {counts['right']} right, {counts['wrong']} wrong, "
        f"{counts['not_replayed']} not replayed"
    ]
    lines += ["", *_wrong_lines(result)] if result.wrong else []
    lines += ["", *_edge_lines(result)] if result.edges else []
    if not result.has_findings and counts["right"]:
        lines.append(
            f"Every operator behind {counts['right']} of {n} outputs computes what its inputs say."
        )
    reasons = result.not_replayed
    if reasons:
        lines += ["", "Not replayed:"]
        lines += [f"  {count:6d}  {reason}" for reason, count in list(reasons.items())[:_MAX_SHOWN]]
        lines += _more(len(reasons), "reasons")
    lines += [f"note: {note}" for note in result.notes]
    if result.was_interrupted:
        lines.append("Interrupted: what was done until then is told above.")
    return lines + [f"rows: {path}" for path in result.csv_paths]


def _wrong_lines(result: Replay) -> list[str]:
    alike = _off_alike(result)
    told = {type_ for type_, _ in alike}
    lines = [sentence for _, sentence in alike]
    alone = [one for one in result.wrong if one.row.op_type not in told]
    lines += [one.sentence for one in alone[:_MAX_SHOWN]]
    return lines + _more(len(alone), "wrong ops")


def _off_alike(result: Replay) -> list[tuple[str, str]]:
    """Types of which every op is off alike: one formula, not many bugs."""
    by_type: dict[str, list[WrongOp]] = {}
    for one in result.wrong:
        by_type.setdefault(one.row.op_type, []).append(one)
    found = []
    for type_, wrong in by_type.items():
        n_right = sum(row.op_type == type_ and row.status == "right" for row in result.rows)
        errors = [one.row.own_error or 0.0 for one in wrong]
        if len(wrong) >= 4 and not n_right and max(errors) <= 4 * min(errors):
            middle = sorted(errors)[len(errors) // 2]
            sentence = (
                f"every {type_} of this dump ({len(wrong)}) is off by about {middle:.2g}: another "
                "formula than ours, or the device (--reference overrides ours)"
            )
            found.append((type_, sentence))
    return found


def _edge_lines(result: Replay) -> list[str]:
    lines = [f"{edge.op_name}: {edge.sentence}." for edge in result.edges[:_MAX_SHOWN]]
    return lines + _more(len(result.edges), "inputs")


def _more(count: int, what: str) -> list[str]:
    return [f"and {count - _MAX_SHOWN} more {what}"] if count > _MAX_SHOWN else []
