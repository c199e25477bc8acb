"""Which step of a graph meets which: by the values that the graph was given, else by number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ait_cmp.discover.runs import number_ranges

# Steps of the my side whose inputs are looked at; all golden steps are looked at for each.
_LOOKED_AT = 6

# (my step, golden step) -> whether the two were given the same values; None if nothing tells.
Agreement = Callable[[int, int], "bool | None"]


class StepMatch(NamedTuple):
    """Steps that meet.

    Attributes:
        golden_of: My step -> golden step.
        note: Sentence if they do not meet by number, else "".
    """

    golden_of: dict[int, int]
    note: str


def match_steps(
    mine: Sequence[int],
    theirs: Sequence[int],
    agree: Agreement | None,
    offset: int | None,
    empty: tuple[Collection[int], Collection[int]] = ((), ()),
) -> StepMatch:
    """Pair the steps of two graphs.

    Args:
        mine: Steps of my graph in order.
        theirs: Steps of the golden graph in order.
        agree: Tells by values; None if only numbers are known.
        offset: My step s meets golden step s + offset because the user says so.
        empty: Steps of mine and of theirs whose folders hold nothing: runs that were not dumped.
    """
    if offset is not None:
        return StepMatch(_shifted(mine, theirs, offset), "")
    by_number = StepMatch(_shifted(mine, theirs, 0), "")
    if _are_counted_anew(mine, theirs, empty):
        unknown = StepMatch(dict(zip(mine, theirs)), _empty_note(mine, theirs))
    else:
        unknown = by_number
    if agree is None or not mine or not theirs:
        return unknown
    if list(mine) == list(theirs) == [mine[0]]:
        return by_number
    looked_at = _spread(mine)
    known: dict[tuple[int, int], bool | None] = {}

    def votes(golden_of: Mapping[int, int]) -> int:
        """Steps looked at that agree, less those that do not."""
        answers = [_ask(agree, known, step, golden_of[step]) for step in looked_at & set(golden_of)]
        return answers.count(True) - answers.count(False)

    n_met = len(looked_at & set(by_number.golden_of))
    if n_met == len(looked_at) and votes(by_number.golden_of) == n_met:
        return by_number
    best, best_votes = unknown, max(votes(by_number.golden_of), 0)
    if best_votes > 0:
        best = by_number
    for candidate in _candidates(mine, theirs, looked_at, agree, known):
        if votes(candidate.golden_of) > best_votes:
            best, best_votes = candidate, votes(candidate.golden_of)
    return best


def _are_counted_anew(
    mine: Sequence[int], theirs: Sequence[int], empty: tuple[Collection[int], Collection[int]]
) -> bool:
    """Whether as many steps have other numbers because runs in between were not dumped."""
    if len(mine) != len(theirs) or len(mine) < 2 or list(mine) == list(theirs):
        return False
    return any(empty) and all(
        steps[-1] - steps[0] < len(steps) + len(gaps)
        and set(range(steps[0], steps[-1] + 1)) <= {*steps, *gaps}
        for steps, gaps in zip((mine, theirs), empty)
    )


def _empty_note(mine: Sequence[int], theirs: Sequence[int]) -> str:
    return (
        f"{_meetings(dict(zip(mine, theirs)))}: the step folders between them are empty, "
        "those steps were not dumped."
    )


def proposed_offset(mine: Sequence[int], theirs: Sequence[int]) -> int:
    """The offset that brings the first steps of two graphs together."""
    return theirs[0] - mine[0]


def _ask(
    agree: Agreement, known: dict[tuple[int, int], bool | None], step: int, other: int
) -> bool | None:
    if (step, other) not in known:
        known[step, other] = agree(step, other)
    return known[step, other]


def _candidates(
    mine: Sequence[int],
    theirs: Sequence[int],
    looked_at: Iterable[int],
    agree: Agreement,
    known: dict[tuple[int, int], bool | None],
) -> list[StepMatch]:
    """Shifts by a number, or along the order, that bring steps of equal values together."""
    position_of = {step: position for position, step in enumerate(mine)}
    equal = [
        (step, position)
        for step in sorted(looked_at)
        for position, other in enumerate(theirs)
        if _ask(agree, known, step, other)
    ]
    shifts = dict.fromkeys(theirs[position] - step for step, position in equal)
    moves = dict.fromkeys(position - position_of[step] for step, position in equal)
    found = [StepMatch(_shifted(mine, theirs, n), _shift_note(mine, theirs, n)) for n in shifts]
    return found + [_in_order(mine, theirs, move) for move in moves]


def _shifted(mine: Iterable[int], theirs: Iterable[int], offset: int) -> dict[int, int]:
    there = set(theirs)
    return {step: step + offset for step in mine if step + offset in there}


def _in_order(mine: Sequence[int], theirs: Sequence[int], move: int) -> StepMatch:
    golden_of = {
        step: theirs[position + move]
        for position, step in enumerate(mine)
        if 0 <= position + move < len(theirs)
    }
    why = "there the values of the graph's inputs agree."
    return StepMatch(golden_of, f"{_meetings(golden_of)}: {why}")


def _meetings(golden_of: Mapping[int, int]) -> str:
    pairs = [f"{step} meets {other}" for step, other in golden_of.items()]
    return f"my step {', '.join(pairs[:4])}" + (" and so on" if len(pairs) > 4 else "")


def _shift_note(mine: Sequence[int], theirs: Sequence[int], offset: int) -> str:
    met = _shifted(mine, theirs, offset)
    return (
        f"my steps {number_ranges(met)} meet the golden steps {number_ranges(met.values())}: there "
        "the values of the graph's inputs agree."
    )


def _spread(steps: Sequence[int]) -> set[int]:
    """A few steps from the first to the last."""
    if len(steps) <= _LOOKED_AT:
        return set(steps)
    return {steps[i * (len(steps) - 1) // (_LOOKED_AT - 1)] for i in range(_LOOKED_AT)}
