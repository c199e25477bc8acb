"""`ait-cmp convert`: its options."""

from __future__ import annotations

import argparse

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
        default="sketch",
        help="sketch: statistics, hash and a sketch from which cosine and distance are estimated "
        "(default); min_max: two numbers a tensor",
    )
    parser.add_argument("--keep", action="store_true", help="leave the dump files where they are")
    parser.add_argument(
        "--settle",
        type=float,
        default=5.0,
        metavar="S",
        help="seconds without a change after which a file counts as written whose size does not "
        "say so (5)",
    )
    parser.add_argument(
        "--interval",
        type=float,
        default=1.0,
        metavar="S",
        help="seconds between two looks at the folder, where changes are not notified (1)",
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help="default: the cores this process may use"
    )
    parser.add_argument("--max-rate", type=float, metavar="MB/s", help="read no faster than this")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--no-progress", action="store_true", help="no running line on stderr")


def run(options: argparse.Namespace) -> int:
    """Convert, print the result, return the exit status."""
    from ait_cmp.cli.convert_result import run_convert

    return run_convert(options)
