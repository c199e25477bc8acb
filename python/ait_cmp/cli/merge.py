"""`ait-cmp merge`: the reports of several hosts become one; it needs no dump."""

from __future__ import annotations

import argparse
import logging

from ait_cmp.cli.exit_status import EXIT_STATUS_HELP, ExitStatus
from ait_cmp.cli.language import add_language_option, language_of, translated
from ait_cmp.cli.result_options import add_exit_zero_option, add_result_options
from ait_cmp.cli.terminal import say


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `merge`."""
    parser = commands.add_parser(
        "merge",
        help="make one report of the reports of several hosts",
        description="Make one report of those of several hosts, each of other ranks: one summary, "
        "one result.json, the CSV files side by side. The dumps are not needed.",
        epilog=EXIT_STATUS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "reports",
        nargs="+",
        metavar="REPORT_DIR",
        help="folders of reports: of each its newest run",
    )
    parser.add_argument(
        "--output",
        "-o",
        required=True,
        metavar="DIR",
        help="folder of the report of all ranks, made if missing",
    )
    add_result_options(parser)
    add_language_option(parser)
    add_exit_zero_option(parser)


def run(options: argparse.Namespace) -> int:
    """Merge, print the summary; differences are told as `compare` tells them."""
    from ait_cmp.config import expanded
    from ait_cmp.report.json_text import json_line
    from ait_cmp.report.merged_files import merge_reports
    from ait_cmp.report.report_files import output_folder
    from ait_cmp.report.summary import summary_lines

    language = language_of(options)
    result, notes = merge_reports(
        [expanded(path) for path in options.reports],
        output_folder(expanded(options.output)),
        html=options.html,
        command=["ait-cmp", *options.words],
    )
    for note in notes:
        logging.info("%s", note)
    if options.json:
        print(json_line(result.result))
    for line in () if options.json else summary_lines(result):
        say(translated(line, language))
    if result.counts["compared"] == 0:
        say("ait-cmp: error: nothing could be compared; the report says why", to_stderr=True)
        return ExitStatus.USAGE
    differs = result.has_differences and not options.exit_zero
    return ExitStatus.DIFFERENCES if differs else ExitStatus.OK
