"""The few lines at the end of a comparison that a tired person reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ait_cmp.file_kinds import kind_of_named
from ait_cmp.report.divergence_groups import Group, group_divergences, where, why_it_counts
from ait_cmp.report.findings import DifferingInput, Divergence
from ait_cmp.report.graph_outputs import GraphOutput
from ait_cmp.sentences import say
from ait_cmp.terms import DIFFERENT_STATUSES, EXTREMA_KINDS

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison

# No more than fits on a screen.
_MOST_LINES = 25
# The candidates next to the operator; `divergences` in Python has all.
_CANDIDATES_SHOWN = 12
_GROUPS_SHOWN = 10
_REMARKS_SHOWN = 3
_NAMES_SHOWN = 3
_REPORTS_SHOWN = 2
# Lines of counts that give way first where there is much to say.
_GIVE_WAY = ("paired by", "estimated", "golden tensors", "unmatched", "verdict")


def summary_lines(result: Comparison, *, beside: bool = False) -> Iterator[str]:
    """Whether inputs differ, what diverges, what reaches the outputs, what was not compared.

    Args:
        result: What was found.
        beside: For a file beside the reports: they are called by their names, dumps by their whole
            paths, wherever the current folder is.
    """
    groups = group_divergences(result.divergences)
    head = [*_unread_lines(result), *_input_lines(result), *_refused_lines(result)]
    head += _overwritten_lines(result)
    if groups:
        head += _divergence_lines(groups[0], result, beside=beside)
    else:
        head += _no_divergence_lines(result)
    tail = [*_output_lines(result), *_count_lines(result), *_baseline_lines(result)]
    tail += _report_lines(result, beside=beside)
    tail = _fitting(tail, _MOST_LINES - len(head) - min(len(groups[1:]), 1))
    room = min(_GROUPS_SHOWN, _MOST_LINES - len(head) - len(tail) - 1)
    yield from head
    yield from _other_lines(groups[1:], max(room, 0))
    yield from tail


def _fitting(lines: list[str], room: int) -> list[str]:
    """The lines without those that give way, as many as do not fit."""
    for words in _GIVE_WAY:
        if len(lines) > room:
            lines = [line for line in lines if not line.startswith(words)]
    return lines


def _input_lines(result: Comparison) -> Iterator[str]:
    if not result.inputs_differ:
        return
    more = len(result.inputs_differ) - 1
    others = f", and {more} more" if more else ""
    yield (
        f"INPUTS DIFFER: {_input(result.inputs_differ[0])}{others}: the two runs were not given "
        "the same data."
    )


def _unread_lines(result: Comparison) -> Iterator[str]:
    if result.unread:
        more = len(result.unread) - 1
        yield f"NOT READ: {result.unread[0]}" + (f" And {more} more." if more else "")


def input_sentence(found: DifferingInput) -> str:
    """Which input differs."""
    return f"{_input(found)}: the two runs were not given the same data."


def _input(found: DifferingInput) -> str:
    dtype = found.dtype[len("torch.") :] if found.dtype.startswith("torch.") else found.dtype
    reader = f", first read by {found.reader} input {found.slot}" if found.reader else ""
    return f"{found.name} ({dtype} {found.shape}){reader}"


def _refused_lines(result: Comparison) -> Iterator[str]:
    if result.refused:
        more = len(result.refused) - 1
        yield f"REFUSED: {result.refused[0]}" + (f" And {more} more." if more else "")


def _overwritten_lines(result: Comparison) -> Iterator[str]:
    for sentence in result.overwritten[:_NAMES_SHOWN]:
        yield f"OVERWRITTEN: {sentence}"
    more = len(result.overwritten) - _NAMES_SHOWN
    if more > 0:
        yield f"             and {more} more"


def _divergence_lines(group: Group, result: Comparison, *, beside: bool) -> Iterator[str]:
    found = group.first
    yield (
        f"FIRST DIVERGENCE in {where(found)}: {found.op_name} ({found.op_type})"
        f"{_in_the_model(found)}"
    )
    for sentence in sentences_of(group):
        yield f"  {sentence}"
    paths = (found.my_tensor, found.golden)
    if all(paths) and not any(map(_is_reduced, paths)):
        words = [path if beside else _from_here(path) for path in paths]
        for path in result.csv_paths:
            if len(result.csv_paths) == 1 or f"_rank{found.rank}_" in path.name:
                words += ["--report", path.name if beside else _from_here(str(path.absolute()))]
        yield f"  more: ait-cmp diff {' '.join(map(shlex.quote, words))}"


def _in_the_model(found: Divergence) -> str:
    """Where the op comes from in the user's model, as far as the capture tells."""
    source = found.source.rpartition("/")[2]
    told = [found.fx_node and f"FX node {found.fx_node}", found.module, source]
    return "".join(f", {one}" for one in told if one)


def sentences_of(group: Group) -> list[str]:
    """What is said of a divergence."""
    found = group.first
    told = [why_it_counts(found), *found.remarks[:_REMARKS_SHOWN]]
    if found.replay and found.kind not in ("replay", "graph"):
        told.append(found.replay)
    if len(found.candidates) > 1:
        shown = ", ".join(found.candidates[:_CANDIDATES_SHOWN])
        if len(found.candidates) > _CANDIDATES_SHOWN:
            shown += f" and {len(found.candidates) - _CANDIDATES_SHOWN} before them"
        told.append(f"The culprit is one of: {shown}.")
    if group.others:
        told.append(f"The same {_places(group.others)}.")
    return [*told, _later(found.later_failures)]


def _later(n_failures: int) -> str:
    if not n_failures:
        return "No later row is outside the limits."
    rows = "row is" if n_failures == 1 else "rows are"
    return f"{n_failures} later {rows} outside the limits, as can follow from it."


def _places(others: Sequence[Divergence]) -> str:
    """Where else an op diverges: the first few of them, and how many."""
    names = [f"{found.op_name} in {where(found)}" for found in others[:_NAMES_SHOWN]]
    more = len(others) - len(names)
    places = "place" if len(others) == 1 else "places"
    return f"at {len(others)} other {places}: {'; '.join(names)}" + (" ..." if more else "")


def _other_lines(groups: Sequence[Group], room: int) -> Iterator[str]:
    """A line each for the operators that diverge, too."""
    for group in groups[:room]:
        found = group.first
        more = f"; {len(group.others)} more places" if group.others else ""
        remark = f"; {found.remarks[0]}" if found.remarks else ""
        yield (
            f"ALSO DIVERGES {found.op_name} ({found.op_type}) in {where(found)}: "
            f"{_in_short(found)}{remark}{more}"
        )
    if len(groups) > room:
        yield f"... and {len(groups) - room} more operators that diverge: see the report"


def _in_short(found: Divergence) -> str:
    if found.kind == "block":
        return f"block {_number(found.block_growth)} times what it was given"
    if found.kind == "growth":
        return f"{_number(found.error_growth)} times what it was given"
    if found.kind == "exact":
        return f"equal inputs, output off by {_number(found.error)}"
    if found.kind == "nonfinite":
        return "NaN or inf on one side only"
    return why_it_counts(found).rstrip(".")


def _from_here(path: str) -> str:
    """Shorter, where it lies below the current folder."""
    here = f"{Path.cwd()}/"
    return path[len(here) :] if path.startswith(here) else path


def _is_reduced(data_path: str) -> bool:
    """Whether the file, or the file of `{file},outputs,0`, has no values to look at."""
    return any(kind_of_named(path) != "dump" for path in (data_path, data_path.rsplit(",", 2)[0]))


def _no_divergence_lines(result: Comparison) -> Iterator[str]:
    """The all-clear carries its reach."""
    n_extrema = sum(result.counts.estimated.get(kind, 0) for kind in EXTREMA_KINDS)
    n_compared = result.counts["compared"]
    if result.unproven:
        yield _failing_line(result.unproven)
    elif result.inputs_differ:
        yield "No operator is proven wrong: on other data little can be told."
    elif n_compared > n_extrema:
        yield (
            f"No operator among the {n_compared} of {result.counts.total} tensors that could be "
            "compared computes something else."
        )
    elif n_extrema:
        yield "No minimum or maximum is outside the limits."
    yield from _extrema_lines(result)
    yield from _reach_lines(result)


def _extrema_lines(result: Comparison) -> Iterator[str]:
    n_extrema = sum(result.counts.estimated.get(kind, 0) for kind in EXTREMA_KINDS)
    if n_extrema:
        rows = "row compares" if n_extrema == 1 else "rows compare"
        yield f"{n_extrema} {rows} minima and maxima alone: errors between them do not show."


def _reach_lines(result: Comparison) -> Iterator[str]:
    """Ops that no file could tell about, by reason."""
    if not result.n_ops_without_file:
        return
    why = "not asked for (dump_layer, dump_step), or not in the final graph."
    if result.n_ops_in_other_steps:
        n_never = result.n_ops_without_file - result.n_ops_in_other_steps
        why = f"{result.n_ops_in_other_steps} in some steps only, {n_never} in no step: {why}"
    n_ops = f"{result.n_ops_without_file} of the {result.n_ops} ops"
    yield f"{n_ops} of the graphs have no file: {why}"


def reach_sentences(result: Comparison) -> list[str]:
    """How far the answer reaches."""
    counts = result.counts
    said = [
        f"{counts['compared']} of {counts.total} tensors could be compared.",
        *_extrema_lines(result),
        *_reach_lines(result),
        *_not_compared_lines(result),
        *result.left_out,
    ]
    if not result.has_graph_text:
        said.append("No graph text: whatever was written earlier counts as what an op was given.")
    return said


def _failing_line(unproven: Mapping[str, int]) -> str:
    names = list(unproven)
    shown = ", ".join(names[:_NAMES_SHOWN]) + (" ..." if len(names) > _NAMES_SHOWN else "")
    n_rows = sum(unproven.values())
    rows = "row is" if n_rows == 1 else "rows are"
    return (
        f"No operator is proven wrong, but {n_rows} {rows} outside the limits by more than "
        f"they were given: {shown}."
    )


def _output_lines(result: Comparison) -> Iterator[str]:
    """What reaches the ends of the graphs, the worst of all steps."""
    sentences = _output_sentences(result.outputs)
    if sentences:
        yield f"model outputs   {sentences[0]}"


def output_sentences(result: Comparison) -> list[str]:
    """What reaches the ends of each graph, the worst of its steps."""
    graphs: dict[tuple[int, str], list[GraphOutput]] = {}
    for output in result.outputs:
        graphs.setdefault((output.rank, output.graph), []).append(output)
    return [sentence for outputs in graphs.values() for sentence in _output_sentences(outputs)]


def _output_sentences(outputs: Sequence[GraphOutput]) -> list[str]:
    """One on the worst of them, none where none could be compared."""
    known = [output for output in outputs if output.error is not None]
    if not known:
        return []
    worst = max(known, key=lambda output: output.error or 0.0)
    choices = [output for output in known if output.argmax_differs is not None]
    told = ""
    if choices:
        most = max(output.argmax_differs or 0.0 for output in choices)
        told = f"; the largest element of the last axis is another one in {most:.3g} of positions"
    return [
        f"off by {_number(worst.error)} at most, cosine {_number(worst.cosine)} "
        f"({worst.op_name}, {worst.graph} token {worst.token}){told}"
    ]


def _count_lines(result: Comparison) -> Iterator[str]:
    """Totals that add up."""
    counts = result.counts
    by_status = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    yield f"my tensors      {counts.total} = {by_status or 'none'}"
    if counts.misses:
        kinds = most_first(counts.misses)
        told = ", ".join(f"{number} {say(f'miss_{kind}').text()}" for kind, number in kinds)
        yield f"unmatched       {counts['unmatched']} = {told}"
    golden = counts.golden
    yield (
        f"golden tensors  {golden['used'] + golden['unused']} = {golden['used']} used, "
        f"{golden['unused']} not used"
    )
    if counts.matches:
        rules = most_first(counts.matches)
        yield "paired by       " + ", ".join(f"{rule} {number}" for rule, number in rules)
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in counts.verdicts.items())
    yield f"verdict         {verdicts}"
    yield from _replay_lines(result.replayed)
    if counts.estimated:
        kinds = most_first(counts.estimated)
        yield "estimated       " + ", ".join(f"{number} {kind}" for kind, number in kinds)
    if counts.without_block:
        rows = "row has" if counts.without_block == 1 else "rows have"
        yield f"                {counts.without_block} compared {rows} no block_error"
    if not result.has_graph_text:
        yield "no graph text   whatever was written earlier counts as what an op was given"
    yield from _not_compared_lines(result)
    for sentence in result.left_out:
        yield f"                {sentence}"


def _replay_lines(replayed: Mapping[str, int]) -> Iterator[str]:
    """How many ops were recomputed from their own inputs, and what came of it."""
    n_ops = sum(replayed.values())
    if not n_ops:
        return
    names = {"wrong": "wrong", "right": "right", "not_replayed": "not possible"}
    told = [f"{replayed[key]} {name}" for key, name in names.items() if replayed.get(key)]
    if replayed.get("left_out"):
        told.append(f"{replayed['left_out']} left out, more than a comparison takes (--replay all)")
    yield f"replayed        {n_ops} {'op' if n_ops == 1 else 'ops'} = {', '.join(told)}"


def _not_compared_lines(result: Comparison) -> Iterator[str]:
    """Tensors that have a counterpart, or should have one, and could not be held against it."""
    n_bad = sum(result.counts[status] for status in DIFFERENT_STATUSES)
    if n_bad:
        tensors = "tensor has" if n_bad == 1 else "tensors have"
        first = result.tally.not_compared
        which = "" if first is None else f" The first: {first.text}"
        yield f"NOT COMPARED: {n_bad} {tensors} another shape or cannot be read.{which}"


def _baseline_lines(result: Comparison) -> Iterator[str]:
    if result.baseline is None:
        return
    new = list(dict.fromkeys(found.op_name for found in result.new_divergences))
    n_known = len(result.divergences) - len(result.new_divergences)
    shown = ", ".join(new[:_NAMES_SHOWN]) + (" ..." if len(new) > _NAMES_SHOWN else "")
    told = f"{len(new)} new: {shown}" if new else "no operator diverges that did not before"
    yield f"baseline        {n_known} known divergences; {told}"


def _report_lines(result: Comparison, *, beside: bool) -> Iterator[str]:
    for path in result.csv_paths[:_REPORTS_SHOWN]:
        yield f"report          {path.name if beside else path}"
    more = len(result.csv_paths) - _REPORTS_SHOWN
    if more > 0:
        yield f"                and {more} more beside it"
    if result.html_path is not None:
        yield f"page            {result.html_path}"
    if result.was_interrupted:
        yield "interrupted: these are the rows done so far"


def most_first(numbers: Mapping[str, int]) -> list[tuple[str, int]]:
    """What is counted, the most of it first; of equal numbers by name."""
    return sorted(numbers.items(), key=lambda item: (-item[1], item[0]))


def _number(value: float | None) -> str:
    return "nothing comparable" if value is None else f"{value:.3g}"
