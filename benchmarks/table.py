"""Lines of results, as one table of text, as JSON and as the last result in README.md."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BEGIN_MARK = "<!-- last result: begin -->"
END_MARK = "<!-- last result: end -->"
TRUTH_MARKS = ("<!-- last truth: begin -->", "<!-- last truth: end -->")


@dataclass(frozen=True)
class Line:
    """One measured case; None where a column does not apply.

    Args:
        group: Benchmark that it belongs to, as `--only` names it.
        name: What was compared.
        cache: `warm`, `cold`, or `` for data in memory.
        threads: Worker threads; 0 where the program decides.
        seconds: Least seconds of one call, or of one whole process.
        n_bytes: Bytes of both sides that were gone through.
        read_s: Seconds of a plain read of the same bytes with the same threads in this run.
        n_rows: Rows of the report.
        cpu_s: CPU seconds of the process.
        anon_bytes: Peak anonymous memory of the process.
        note: What a reader must know about this line.
        details: Further figures, for the JSON only.
    """

    group: str
    name: str
    cache: str = ""
    threads: int = 0
    seconds: float | None = None
    n_bytes: int | None = None
    read_s: float | None = None
    n_rows: int | None = None
    cpu_s: float | None = None
    anon_bytes: int | None = None
    note: str = ""
    details: Mapping[str, float] = field(default_factory=dict)

    def with_note(self, note: str) -> Line:
        """The same line with a further note in front."""
        return replace(self, note="; ".join(filter(None, [note, self.note])))

    @property
    def gb_per_s(self) -> float | None:
        """Bytes of both sides per second, in 10^9."""
        return _per_second(self.n_bytes, self.seconds, 1e9)

    @property
    def read_gb_per_s(self) -> float | None:
        """Plain read of the same bytes, in 10^9 bytes per second."""
        return _per_second(self.n_bytes, self.read_s, 1e9)

    @property
    def read_share(self) -> float | None:
        """Speed as a fraction of the plain read: 1 is as fast as reading at all."""
        if self.seconds is None or self.read_s is None:
            return None
        return self.read_s / self.seconds

    @property
    def rows_per_s(self) -> float | None:
        """Rows of the report per second."""
        return _per_second(self.n_rows, self.seconds, 1.0)


def _per_second(amount: int | None, seconds: float | None, unit: float) -> float | None:
    return None if amount is None or not seconds else amount / seconds / unit


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    for limit, factor, unit in ((1e-3, 1e6, "us"), (1.0, 1e3, "ms")):
        if value < limit:
            return f"{value * factor:.1f} {unit}"
    return f"{value:.2f} s "


HEADER = (
    "case", "cache", "threads", "time", "GB/s", "read GB/s", "ratio", "rows/s", "CPU s",
    "anon MB", "note",
)  # fmt: skip
N_LEFT = 2  # columns of text at the left; the note at the right is text too


def _cells(line: Line) -> tuple[str, ...]:
    return (
        line.name,
        line.cache,
        str(line.threads) if line.threads else "",
        _seconds(line.seconds),
        _number(line.gb_per_s, 2),
        _number(line.read_gb_per_s, 2),
        _number(line.read_share, 2),
        _number(line.rows_per_s, 0),
        _number(line.cpu_s, 2),
        _number(None if line.anon_bytes is None else line.anon_bytes / 1e6, 0),
        line.note,
    )


def format_table(lines: Sequence[Line]) -> str:
    """One table in plain text, a heading before each group."""
    rows = [_cells(line) for line in lines]
    widths = [max(map(len, column)) for column in zip(HEADER, *rows)]

    def join(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if i < N_LEFT or i == len(HEADER) - 1 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths))
        ]
        return "  ".join(padded).rstrip()

    out = [join(HEADER), join(["-" * width for width in widths])]
    group = None
    for line, row in zip(lines, rows):
        if line.group != group:
            group = line.group
            out.append(f"[{group}]")
        out.append(join(row))
    return "\n".join(out)


def format_machine(machine: Mapping[str, str]) -> str:
    """One `name: text` a line."""
    width = max(map(len, machine)) + 1
    return "\n".join(f"{name + ':':<{width}} {text}" for name, text in machine.items())


def write_json(
    path: Path, lines: Sequence[Line], machine: Mapping[str, str], run: Mapping[str, str]
) -> None:
    """Everything in the table, with derived figures, in SI units (seconds, bytes)."""
    document = {
        "run": dict(run),
        "machine": dict(machine),
        "lines": [
            {
                **asdict(line),
                "gb_per_s": line.gb_per_s,
                "read_gb_per_s": line.read_gb_per_s,
                "read_share": line.read_share,
                "rows_per_s": line.rows_per_s,
            }
            for line in lines
        ],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def write_readme(path: Path, text: str, marks: tuple[str, str] = (BEGIN_MARK, END_MARK)) -> None:
    """Replace the last result, between its two marks, in a README.

    Raises:
        ValueError: The marks are missing.
    """
    readme = path.read_text(encoding="utf-8")
    before, begin, rest = readme.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        message = f"{path}: the lines {marks[0]} and {marks[1]} are missing"
        raise ValueError(message)
    path.write_text(
        f"{before}{begin}\n```text\n{text}\n```\n{end}{after}",
        encoding="utf-8",
    )
