"""The option that says how many threads work."""

from __future__ import annotations

import argparse

from ait_cmp.config import MAX_THREADS


def add_thread_option(parser: argparse._ActionsContainer) -> None:
    """Add `--threads`; its number is checked where it is used."""
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help=f"1 to {MAX_THREADS} (default: the cores this process may use)",
    )
