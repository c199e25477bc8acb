"""Tensor parallelism of different sizes on the two sides: shards are compared with wholes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

Shape = Sequence[int]

# Of the tensors whose shapes differ, so many must differ by one factor in one axis.
_MOST = 0.8
# Fewer tensors than this may differ so by chance.
_MIN_TENSORS = 3
_MOST_RANKS = 1024


# (parts of which a my tensor is one, parts of which golden is one) -> tensors; (1, 1): any others.
Factors = Counter[tuple[int, int]]


def shard_sentence(shapes: Mapping[tuple[str, str], int]) -> str:
    """One sentence if one side holds shards of the other's tensors, else "".

    Args:
        shapes: (my, golden) shapes of tensors that could not be compared for them, as a report
            writes them (`[1, 16, 128]`) -> how many tensors have them.
    """
    return factor_sentence(count_factors(shapes))


def count_factors(shapes: Mapping[tuple[str, str], int]) -> Factors:
    """How shapes differ, counted."""
    factors: Factors = Counter()
    for (mine, golden), number in shapes.items():
        is_known = bool(mine and golden)
        factors[_factor(json.loads(mine), json.loads(golden)) if is_known else (1, 1)] += number
    return factors


def factor_sentence(factors: Factors) -> str:
    """The sentence of counted shapes, "" for none."""
    total = sum(factors.values())
    parted = [(-number, factor) for factor, number in factors.items() if factor != (1, 1)]
    if not parted:
        return ""
    number, (my_parts, golden_parts) = min(parted)
    number = -number
    if number < max(_MIN_TENSORS, _MOST * total):
        return ""
    side, other, parts = (
        ("my", "golden", my_parts) if my_parts > 1 else ("golden", "my", golden_parts)
    )
    return (
        f"{number} tensors of the {side} side are 1/{parts} of the {other} ones in one axis: it "
        f"ran with {parts} times as many tensor-parallel ranks. Shards cannot be held against "
        "wholes; dump both sides with the same tensor parallelism."
    )


def _factor(mine: Shape, golden: Shape) -> tuple[int, int]:
    """(parts of which mine is one, parts of which golden is one); (1, 1) for any other pair."""
    if len(mine) != len(golden):
        return 1, 1
    axes = [(m, g) for m, g in zip(mine, golden) if m != g]
    if len(axes) != 1:
        return 1, 1
    m, g = axes[0]
    if m > 0 and g % m == 0 and 1 < g // m <= _MOST_RANKS:
        return g // m, 1
    if g > 0 and m % g == 0 and 1 < m // g <= _MOST_RANKS:
        return 1, m // g
    return 1, 1
