"""`ait-cmp columns`: what every column of the reports means."""

from __future__ import annotations

import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `columns`."""
    parser = commands.add_parser(
        "columns",
        help="what every column of the reports means",
        description="Print what every column of the reports means, as a Markdown table.",
    )
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language (en)")


def run(options: argparse.Namespace) -> int:
    """Print both tables."""
    from ait_cmp.report.columns import COMPARE_COLUMNS, column_lines
    from ait_cmp.report.replay_columns import REPLAY_COLUMNS

    for title, columns in (("compare", COMPARE_COLUMNS), ("replay", REPLAY_COLUMNS)):
        print(f"## {title}\n")
        for line in column_lines(columns, options.lang):
            print(line)
        print()
    return 0
