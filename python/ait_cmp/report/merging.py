"""Comparisons of parts of a dump -> the comparison of all of it, in whatever grouping."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ait_cmp.errors import ConfigError
from ait_cmp.report.divergence_groups import with_places
from ait_cmp.report.exhibits import Where, where_of
from ait_cmp.report.findings import Divergence
from ait_cmp.report.packed_texts import PackedTexts
from ait_cmp.report.row import Row
from ait_cmp.report.rows_in_parts import RowsInParts
from ait_cmp.report.tally import merged_tally

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison, Counts, RunFacts

# What a comparison has a list of, each with its rank and graph: they stand in this order.
_BY_GRAPH = ("suspects", "inputs_differ", "states_differ", "outputs")


def merged(parts: Sequence[Comparison]) -> Comparison:
    """One comparison of all ranks; the parts stay as they are.

    Raises:
        ConfigError: Two of them have the same rank, or other limits, or other own metrics.
    """
    names = [_name(part) for part in parts]
    check_fit(parts, names)
    return put_together(parts)


def _name(part: Comparison) -> str:
    """What a message calls a comparison."""
    return "the comparison" if part.run is None else f"the comparison of {part.run.my_path}"


def check_fit(parts: Sequence[Comparison], names: Sequence[str]) -> None:
    """Raise if parts cannot be put together.

    Args:
        parts: Comparisons.
        names: What a message calls each of them.

    Raises:
        ConfigError: The first misfit, a sentence.
    """
    first, first_name = parts[0], names[0]
    seen: dict[int, str] = {}
    for part, name in zip(parts, names):
        for misfit in (_other_limit, _other_metrics, _other_baseline):
            why = misfit(part, first)
            if why:
                message = f"{name} and {first_name} do not fit together: {why}"
                raise ConfigError(message)
        for rank in part.counts.ranks:
            if rank in seen and rank >= 0:
                message = f"rank {rank} is in {seen[rank]} and in {name}: give each rank once"
                raise ConfigError(message)
            seen.setdefault(rank, name)
    if -1 in seen and len(parts) > 1:
        message = f"{seen[-1]} tells no ranks (its dump has no rank folders): it cannot be one of "
        message += "several"
        raise ConfigError(message)


def _other_limit(part: Comparison, first: Comparison) -> str:
    if part.run is None or first.run is None:
        return ""
    limits, others = vars(part.run.limits), vars(first.run.limits)
    told = [f"{name} is {limits[name]:g} and {others[name]:g}" for name in limits]
    differ = [text for text, name in zip(told, limits) if limits[name] != others[name]]
    return ", ".join(differ)


def _other_metrics(part: Comparison, first: Comparison) -> str:
    names, others = list(part.custom_names), list(first.custom_names)
    if names == others:
        return ""
    return f"own metrics are {', '.join(names) or 'none'} and {', '.join(others) or 'none'}"


def _other_baseline(part: Comparison, first: Comparison) -> str:
    if (part.baseline is None) == (first.baseline is None):
        return ""
    return "one of them was held against a baseline"


def put_together(parts: Sequence[Comparison]) -> Comparison:
    """Parts that fit, also graphs of one rank, as one comparison without forms of its own."""
    whole = type(parts[0])(_rows_of(parts))
    whole.custom_names = parts[0].custom_names
    for part in parts:
        whole.counts.merge(part.counts)
        for what, number in part.replayed.items():
            whole.replayed[what] = whole.replayed.get(what, 0) + number
        for where, exhibit in part.exhibits.items():
            whole.exhibits[where] = exhibit
        whole.pictures.update(part.pictures)
        whole.n_ops += part.n_ops
        whole.n_ops_without_file += part.n_ops_without_file
        whole.n_ops_in_other_steps += part.n_ops_in_other_steps
        whole.unwritten = [*whole.unwritten, *part.unwritten]
    whole.unused_golden = PackedTexts(text for part in parts for text in part.unused_golden)
    whole.tally = merged_tally([part.tally for part in parts])
    _count_golden(whole.counts, parts, whole)
    for name in _BY_GRAPH:
        found = [one for part in parts for one in getattr(part, name)]
        setattr(whole, name, sorted(found, key=lambda one: (one.rank, one.graph)))
    whole.divergences = with_places(
        sorted(
            (found for part in parts for found in part.divergences),
            key=lambda found: (found.rank, found.graph),
        )
    )
    whole.has_graph_text = all(part.has_graph_text for part in parts)
    whole.was_interrupted = any(part.was_interrupted for part in parts)
    whole.counts.ranks = dict(sorted(whole.counts.ranks.items()))
    paths = [item for part in parts for item in zip(part.counts.ranks, part.csv_paths)]
    whole.csv_paths = [path for _, path in sorted(paths, key=lambda item: item[0])]
    whole.baseline = _baseline(parts)
    whole.run = _run(parts, whole)
    whole.tell()
    return whole


def _count_golden(counts: Counts, parts: Sequence[Comparison], whole: Comparison) -> None:
    """A golden step that one host does not meet is met by another one."""
    counts.golden["unused"] += whole.tally.golden.n_unmet
    counts.golden["unused"] -= sum(part.tally.golden.n_unmet for part in parts)


class _KnownPlaces(Container[Divergence]):
    """Divergences that a baseline has."""

    def __init__(self, places: frozenset[Where]) -> None:
        self._places = places

    def __contains__(self, found: object) -> bool:
        return isinstance(found, Divergence) and where_of(found) in self._places


def known_places(places: frozenset[Where]) -> Container[Divergence]:
    """A baseline that has these."""
    return _KnownPlaces(places)


def _baseline(parts: Sequence[Comparison]) -> Container[Divergence] | None:
    if parts[0].baseline is None:
        return None
    known = (
        where_of(found)
        for part in parts
        for found in part.divergences
        if part.baseline is not None and found in part.baseline
    )
    return _KnownPlaces(frozenset(known))


def _run(parts: Sequence[Comparison], whole: Comparison) -> RunFacts | None:
    runs = [part.run for part in parts if part.run is not None]
    if not runs:
        return None
    mine = {run.my_path for run in whole.tally.runs}
    golden = {run.golden_path for run in whole.tally.runs}
    return replace(
        runs[0],
        my_path=mine.pop() if len(mine) == 1 else "",
        golden_path=golden.pop() if len(golden) == 1 else "",
        started=min(run.started for run in runs),
        command=None,
    )


def _rows_of(parts: Sequence[Comparison]) -> Sequence[Row]:
    runs: list[tuple[int, Sequence[Row], range]] = []
    for part in parts:
        begin = 0
        # A comparison on the command line has let its rows go.
        for rank, number in part.counts.ranks.items() if part.rows else ():
            runs.append((rank, part.rows, range(begin, begin + number)))
            begin += number
    return RowsOfRanks([(rows, part) for _, rows, part in sorted(runs, key=lambda run: run[0])])


class RowsOfRanks(RowsInParts):
    """Rows of several sequences one after the other, a part of each."""

    def __init__(self, parts: Sequence[tuple[Sequence[Row], range]]) -> None:
        super().__init__()
        self._parts = parts
        self._ends = list(itertools.accumulate(len(part) for _, part in parts))

    def _row_of(self, part: int, number: int) -> Row:
        rows, places = self._parts[part]
        return rows[places[number]]

    def __iter__(self) -> Iterator[Row]:
        return (rows[number] for rows, part in self._parts for number in part)
