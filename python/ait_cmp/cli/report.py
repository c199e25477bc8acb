"""`ait-cmp report`: the HTML page of reports that lie on a disk; it needs no dump."""

from __future__ import annotations

import argparse
from pathlib import Path

from ait_cmp.cli.exit_status import EXIT_STATUS_HELP, ExitStatus
from ait_cmp.cli.language import add_language_option, language_of, translated
from ait_cmp.cli.result_options import add_exit_zero_option
from ait_cmp.cli.terminal import say


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `report`."""
    parser = commands.add_parser(
        "report",
        help="make the HTML page of reports that were written before",
        description="Make one HTML page of reports; their result.json is read where it lies "
        "beside them. The dump is not needed.",
        epilog=EXIT_STATUS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "reports",
        nargs="+",
        metavar="REPORT_DIR|CSV",
        help="CSV reports (of several ranks), or folders of them: of each its newest run",
    )
    parser.add_argument(
        "--html", metavar="FILE", help="the page (default: beside the first report)"
    )
    add_language_option(parser)
    add_exit_zero_option(parser)


def run(options: argparse.Namespace) -> int:
    """Write the page, say where it is; differences are told as `compare` tells them."""
    from ait_cmp.config import expanded
    from ait_cmp.report.html import CsvTable, page
    from ait_cmp.report.merged_files import check_rows
    from ait_cmp.report.report_files import write_whole
    from ait_cmp.report.result.reading import read_reports

    language = language_of(options)
    reports = read_reports([expanded(path) for path in options.reports])
    table = CsvTable(reports.csv_paths)
    path = expanded(options.html) if options.html else _beside(reports.csv_paths[0])
    content = page(reports.result, table).encode("utf-8")
    promised = {one.get("name"): one.get("rows") for one in reports.result.get("csv", [])}
    for csv_path, n_rows in table.n_rows.items():
        check_rows(csv_path, n_rows, promised.get(csv_path.name, n_rows))
    write_whole(path.absolute(), content)
    for note in reports.notes:
        say(translated(note, language))
    for line in reports.result.get("summary", [])[:1]:
        say(translated(str(line), language))
    say(translated(f"page            {path}", language))
    differs = reports.has_differences and not options.exit_zero
    return ExitStatus.DIFFERENCES if differs else ExitStatus.OK


def _beside(csv_path: Path) -> Path:
    return csv_path.with_suffix(".html")
