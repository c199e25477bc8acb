"""`ait-cmp convert`: its options."""

from __future__ import annotations

import argparse

from ait_cmp.cli.thread_option import add_thread_option
from ait_cmp.config import INFO_KIND, SETTLE_S, WATCH_INTERVAL_S

_DESCRIPTION = """\
Replace every dump file below DIR by an info file of a few kilobytes a tensor. Two folders of info
files are compared with the same command as two dumps. An original is removed only when its info
file is complete and on the disk.

exit status: 0 all converted, 1 some files had to be left as they are, 2 bad usage or full disk,
130 interrupted (not with --watch, where Ctrl-C is the way to end)"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `convert`."""
    parser = commands.add_parser(
        "convert",
        help="replace dump files by info files of a few kilobytes",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", help="a dump, at any level of its tree")
    parser.add_argument(
        "--watch", action="store_true", help="go on while a model writes, until Ctrl-C or SIGTERM"
    )
    parser.add_argument(
        "--info",
        choices=("sketch", "min_max"),
        default=INFO_KIND,
        help="sketch: statistics, hash and a sketch from which cosine and distance are estimated; "
        "min_max: two numbers a tensor (default: %(default)s)",
    )
    parser.add_argument("--keep", action="store_true", help="leave the dump files where they are")
    parser.add_argument(
        "--force",
        action="store_true",
        help="convert files, too, that are smaller than their info files",
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=SETTLE_S,
        metavar="S",
        help="seconds without a change after which a file counts as written whose size does not "
        "say so (default: %(default)g)",
    )
    parser.add_argument(
        "--interval",
        type=float,
        default=WATCH_INTERVAL_S,
        metavar="S",
        help="seconds between two looks at the folder, where changes are not notified "
        "(default: %(default)g)",
    )
    add_thread_option(parser)
    parser.add_argument("--max-rate", type=float, metavar="MB/s", help="read no faster than this")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--no-progress", action="store_true", help="no running line on stderr")


def run(options: argparse.Namespace) -> int:
    """Convert, print the result, return the exit status."""
    from ait_cmp.cli.convert_result import run_convert

    return run_convert(options)
