"""The options that say what passes. Their defaults are those of `Limits`."""

from __future__ import annotations

import argparse

from ait_cmp.config import Limits

# Name and meaning; the defaults are shown from `Limits`.
_OPTIONS = {
    "cosine_min": "least cosine similarity",
    "red_max": "largest relative Euclidean distance",
    "growth_max": "largest error of an op over the error it was given",
    "block_growth_max": "the same of its worst block of 512 values",
    "own_growth_max": "largest error of a replayed op in units of its rounding",
    "element_max": "largest error of one element of a replayed op in its own units",
}
_OF_PAIRS = ("cosine_min", "red_max")
_OF_REPLAY = ("own_growth_max", "element_max")


def add_limit_options(parser: argparse._ActionsContainer, *, of_graphs: bool) -> None:
    """Add the limits of one pair, and of ops in a graph if asked for."""
    _add(parser, tuple(_OPTIONS) if of_graphs else _OF_PAIRS)


def add_replay_limits(parser: argparse._ActionsContainer) -> None:
    """Add the limits of replayed ops."""
    _add(parser, _OF_REPLAY)


def _add(parser: argparse._ActionsContainer, names: tuple[str, ...]) -> None:
    for name in names:
        option = "--" + name.replace("_", "-")
        text = f"{_OPTIONS[name]}, {getattr(Limits, name):g}"
        parser.add_argument(option, type=float, metavar="X", help=text)


def limits_of(options: argparse.Namespace) -> Limits:
    """The limits that were given, the others as they are by default."""
    given = {name: getattr(options, name, None) for name in _OPTIONS}
    return Limits(**{name: value for name, value in given.items() if value is not None})
