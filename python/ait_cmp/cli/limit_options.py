"""The options that say what passes. Their defaults are those of `Limits`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ait_cmp.config import Limits

_OPTIONS = {
    "cosine_min": "least cosine similarity, 0.99",
    "red_max": "largest relative Euclidean distance, 0.05",
    "growth_max": "largest error of an op over the error it got, 3",
}


def add_limit_options(parser: argparse._ActionsContainer, *, of_graphs: bool) -> None:
    """Add the limits of one pair, and of ops in a graph if asked for."""
    for name, text in _OPTIONS.items():
        if of_graphs or name != "growth_max":
            option = "--" + name.replace("_", "-")
            parser.add_argument(option, type=float, metavar="X", help=text)


def limits_of(options: argparse.Namespace) -> Limits:
    """The limits that were given, the others as they are by default."""
    from ait_cmp.config import Limits  # not before it is needed: --help must be quick

    given = {name: getattr(options, name, None) for name in _OPTIONS}
    return Limits(**{name: value for name, value in given.items() if value is not None})
