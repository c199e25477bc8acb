"""The few lines at the end of a comparison that a tired person reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from ait_cmp.file_kinds import kind_of_named
from ait_cmp.report.comparison import DIFFERENT_STATUSES, EXTREMA_KINDS, Comparison
from ait_cmp.report.row import Row
from ait_cmp.report.verdict import FirstDivergence

# The candidates next to the operator; `first_divergence` in Python has all.
_CANDIDATES_SHOWN = 12


def summary_lines(result: Comparison) -> Iterator[str]:
    """Totals that add up, then where each rank and graph first parts from its golden."""
    counts = result.counts
    by_status = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    yield f"my tensors      {counts.total} = {by_status or 'none'}"
    golden = counts.golden
    yield (
        f"golden tensors  {golden['used'] + golden['unused']} = {golden['used']} used, "
        f"{golden['unused']} not used"
    )
    if counts.matches:
        rules = sorted(counts.matches.items(), key=lambda item: -item[1])
        yield "paired by       " + ", ".join(f"{rule} {number}" for rule, number in rules)
    yield f"verdict         {counts.verdicts['pass']} pass, {counts.verdicts['fail']} fail"
    if counts.estimated:
        kinds = sorted(counts.estimated.items(), key=lambda item: -item[1])
        yield "estimated       " + ", ".join(f"{number} {kind}" for kind, number in kinds)
    yield ""
    for divergence in result.first_divergence:
        yield from _divergence_lines(divergence, result)
    if not result.first_divergence:
        yield from _no_divergence_lines(result)
    yield from _not_compared_lines(result)
    for path in result.csv_paths:
        yield f"report          {path}"
    if result.was_interrupted:
        yield "interrupted: these are the rows done so far"


def _divergence_lines(found: FirstDivergence, result: Comparison) -> Iterator[str]:
    where = f"{found.graph} token {found.token}"
    if found.rank >= 0:
        where = f"rank {found.rank} {where}"
    yield f"FIRST DIVERGENCE in {where}: {found.op_name} ({found.op_type})"
    if found.reason == "nonfinite":
        yield "  NaN or inf stand on one side only of its output; what feeds it agrees."
    else:
        yield (
            f"  Its output is off by {_number(found.error)} (relative Euclidean distance); "
            f"what feeds it by {_number(found.upstream_error)}: {_number(found.error_growth)} "
            "times what it can inherit."
        )
    if len(found.candidates) > 1:
        shown = ", ".join(found.candidates[:_CANDIDATES_SHOWN])
        if len(found.candidates) > _CANDIDATES_SHOWN:
            shown += f" and {len(found.candidates) - _CANDIDATES_SHOWN} before them"
        yield f"  The culprit is one of: {shown}."
    if found.later_failures:
        rows = "row fails" if found.later_failures == 1 else "rows fail"
        yield f"  {found.later_failures} later {rows}: that says nothing new."
    else:
        yield "  No later row is outside the limits: the error is small, but it starts here."
    pair = _worst_output(found, result)
    paths = () if pair is None else (pair.my_data_path, pair.golden_data_path)
    if paths and not any(map(_is_reduced, paths)):
        yield f"  more: ait-cmp diff {' '.join(shlex.quote(_from_here(path)) for path in paths)}"
    yield ""


def _from_here(path: str) -> str:
    """Shorter, where it lies below the current folder."""
    here = f"{Path.cwd()}/"
    return path[len(here) :] if path.startswith(here) else path


def _is_reduced(data_path: str) -> bool:
    """Whether the file, or the file of `{file},outputs,0`, has no values to look at."""
    return any(kind_of_named(path) != "dump" for path in (data_path, data_path.rsplit(",", 2)[0]))


def _worst_output(found: FirstDivergence, result: Comparison) -> Row | None:
    rows = [
        row
        for row in result.rows
        if row.io == "outputs"
        and row.status == "compared"
        and row.my_data_path.startswith(found.file + ",")
    ]
    return max(rows, key=lambda row: row.error_growth or 0.0, default=None)


def _no_divergence_lines(result: Comparison) -> Iterator[str]:
    n_extrema = sum(result.counts.estimated.get(kind, 0) for kind in EXTREMA_KINDS)
    if result.counts.verdicts["fail"]:
        first = next(row for row in result.rows if row.verdict == "fail")
        yield (
            f"First failing row: token {first.token_id}, {first.op_name} ({first.my_op_type}) "
            f"{first.io} {first.index}. No operator stands out against what it inherits."
        )
    elif any(result.counts[status] for status in DIFFERENT_STATUSES):
        yield "Among the tensors that could be compared no operator computes something else."
    elif result.counts["compared"] > n_extrema:
        yield "No operator computes something else: nothing diverges."
    elif n_extrema:
        yield "No minimum or maximum is outside the limits."
    if n_extrema:
        rows = "row compares" if n_extrema == 1 else "rows compare"
        yield f"{n_extrema} {rows} minima and maxima alone: errors between them do not show."
    yield ""


def _not_compared_lines(result: Comparison) -> Iterator[str]:
    """Tensors that have a counterpart, or should have one, and could not be held against it."""
    n_bad = sum(result.counts[status] for status in DIFFERENT_STATUSES)
    if n_bad:
        first = next(row for row in result.rows if row.status in DIFFERENT_STATUSES)
        tensors = "tensor has" if n_bad == 1 else "tensors have"
        # One row stands for a file whose header cannot be read.
        which = f" {first.io} {first.index}" if first.io else ""
        yield (
            f"NOT COMPARED: {n_bad} {tensors} another shape or cannot be read. The first: "
            f"token {first.token_id}, {first.op_name} ({first.my_op_type}){which}: "
            f"{first.cmp_fail_reason}"
        )
        yield ""


def _number(value: float | None) -> str:
    return "nothing comparable" if value is None else f"{value:.3g}"
