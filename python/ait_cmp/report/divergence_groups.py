"""Divergences of one op of the model: it repeats over ranks, graphs, steps and layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ait_cmp.report.findings import Divergence


class Group(NamedTuple):
    """The same op of the model, wherever it diverges.

    Attributes:
        first: The first of them.
        others: The others, in order.
    """

    first: Divergence
    others: tuple[Divergence, ...]


def group_divergences(divergences: Sequence[Divergence]) -> list[Group]:
    """Divergences by what op of the model they are of, in the order of the first of each."""
    groups: dict[tuple[str, str, str], list[Divergence]] = {}
    for found in divergences:
        groups.setdefault(model_op(found), []).append(found)
    return [Group(members[0], tuple(members[1:])) for members in groups.values()]


def model_op(found: Divergence) -> tuple[str, str, str]:
    """What op of the model a divergence is of, and of which kind it is."""
    return found.kind, found.op_type, found.role or found.op_name


def with_places(divergences: Iterable[Divergence]) -> list[Divergence]:
    """The divergences of a whole run, each with the number of places where its op diverges."""
    known = list(divergences)
    places = Counter(found.op_name for found in known)
    return [found._replace(places=places[found.op_name]) for found in known]


def where(found: Divergence) -> str:
    """ "rank 0 graph_1 token 3"."""
    rank = f"rank {found.rank} " if found.rank >= 0 else ""
    return f"{rank}{found.graph} token {found.token}"


def why_it_counts(found: Divergence) -> str:
    """What an op was given, what it made of it, and the limit that it passed: a sentence."""
    return _WHY[found.kind](found)


def _number(value: float | None) -> str:
    return "nothing comparable" if value is None else f"{value:.3g}"


def _growth(found: Divergence) -> str:
    return (
        f"Its output is off by {_number(found.error)} (relative Euclidean distance); what it was "
        f"given by {_number(found.upstream_error)}: {_number(found.error_growth)} times what it "
        f"can inherit; the limit is {found.limit:g}."
    )


def _block(found: Divergence) -> str:
    return (
        f"The worst block of its output is off by {_number(found.block_error)}; what it was given "
        f"by {_number(found.given_block)}: block {_number(found.block_growth)} times what it can "
        f"inherit; the limit is {found.limit:g}."
    )


def _nonfinite(found: Divergence) -> str:
    del found
    return "NaN or inf stand on one side only of its output; what it was given agrees."


def _exact(found: Divergence) -> str:
    return (
        "All that it reads is equal bit by bit, and its output is off by "
        f"{_number(found.error)}; rounding explains {found.limit:.3g}."
    )


def _edge(found: Divergence) -> str:
    writer = found.writer or "the op before it"
    grew = max(found.error_growth or 0.0, found.block_growth or 0.0) > found.limit
    why = "right when it was written, wrong when it was read"
    if not grew:  # their bytes differ, and no golden side says which is right
        why = "the buffer was overwritten in between"
    return f"What {found.op_name} read is not what {writer} wrote: {why}."


def _replay(found: Divergence) -> str:
    return found.replay or "It does not compute what its type says of its inputs."


_WHY = {
    "growth": _growth,
    "block": _block,
    "nonfinite": _nonfinite,
    "exact": _exact,
    "edge": _edge,
    "replay": _replay,
    "graph": _replay,
}
