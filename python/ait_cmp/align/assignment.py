"""The best total assignment of one set of things to another, each used once at most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

Mine = TypeVar("Mine")
Theirs = TypeVar("Theirs")


def best_assignment(
    mine: Sequence[Mine], theirs: Sequence[Theirs], gain: Mapping[tuple[Mine, Theirs], float]
) -> dict[Mine, Theirs]:
    """Pairs with the largest sum of gains (the Hungarian method, cubic in the larger side).

    Args:
        mine: One side.
        theirs: The other side.
        gain: Positive gain of every pair that is allowed; pairs that are missing are never made.

    Returns:
        mine -> theirs; who is left out is missing. Of equal sums always the same one.
    """
    size = max(len(mine), len(theirs))
    cost = [[0.0] * size for _ in range(size)]
    for row, one in enumerate(mine):
        for column, other in enumerate(theirs):
            cost[row][column] = -gain.get((one, other), 0.0)
    chosen = _cheapest_columns(cost)
    return {
        one: theirs[chosen[row]]
        for row, one in enumerate(mine)
        if chosen[row] < len(theirs) and (one, theirs[chosen[row]]) in gain
    }


def _cheapest_columns(cost: Sequence[Sequence[float]]) -> list[int]:
    """The column of every row in the cheapest assignment of a square matrix of costs."""
    size = len(cost)
    row_price, column_price = [0.0] * (size + 1), [0.0] * (size + 1)
    row_of = [size] * (size + 1)  # the last column is where the search for a row starts
    for row in range(size):
        row_of[size] = row
        column, reached, way = size, [False] * (size + 1), [size] * (size + 1)
        slack = [math.inf] * (size + 1)
        while row_of[column] != size:
            reached[column] = True
            at, step, following = row_of[column], math.inf, size
            for other in range(size):
                if reached[other]:
                    continue
                reduced = cost[at][other] - row_price[at] - column_price[other]
                if reduced < slack[other]:
                    slack[other], way[other] = reduced, column
                if slack[other] < step:
                    step, following = slack[other], other
            for other in range(size + 1):
                if reached[other]:
                    row_price[row_of[other]] += step
                    column_price[other] -= step
                else:
                    slack[other] -= step
            column = following
        while column != size:
            row_of[column] = row_of[way[column]]
            column = way[column]
    chosen = [0] * size
    for column in range(size):
        chosen[row_of[column]] = column
    return chosen
