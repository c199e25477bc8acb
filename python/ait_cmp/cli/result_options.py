"""Options of the commands that end with a report: its page, its JSON, the exit status."""

from __future__ import annotations

import argparse


def add_result_options(parser: argparse._ActionsContainer) -> None:
    """Options `--html` and `--json`."""
    parser.add_argument(
        "--html",
        nargs="?",
        const=True,
        default=False,
        metavar="FILE",
        help="write the report as one HTML page, too: to FILE, or beside the CSV",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the content of result.json in place of the summary",
    )


def add_exit_zero_option(parser: argparse._ActionsContainer) -> None:
    """Option `--exit-zero`."""
    parser.add_argument(
        "--exit-zero", action="store_true", help="exit 0 also when there are differences"
    )
