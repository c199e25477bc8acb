"""Command line of the measuring stick."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.truth import run


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="make the dumps")
    both = commands.add_parser("all", help="make the dumps and compare them")
    again = commands.add_parser("run", help="compare the dumps and print the table")
    for command in (build, both):
        command.add_argument("--quick", action="store_true", help="fewer programs and cases")
        command.add_argument("--only", nargs="+", metavar="PROGRAM", default=[])
    for command in (again, both):
        command.add_argument("--filter", nargs="+", metavar="GLOB", default=["*"])
        command.add_argument("--replay", choices=["suspects", "all", "none"], default="suspects")
        command.add_argument("--answers", type=Path, help="folder of answers.json, details.txt")
        command.add_argument("--write-readme", action="store_true")
        command.add_argument("--ablate", action="store_true", help="without each rule in turn")
        command.add_argument("--every", type=int, help="only every Nth case (--ablate: 4, else 1)")
    for command in (build, again, both):
        command.add_argument("folder", type=Path)
        command.add_argument("--processes", type=int, default=2)
    fixed = commands.add_parser("fixed", help="make the archive of the ordinary tests again")
    fixed.add_argument("archive", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, run, or make the fixed dumps."""
    options = _parse(arguments)
    if options.command in ("build", "all"):
        from benchmarks.truth import make

        make.make(
            options.folder,
            quick=options.quick,
            only=options.only,
            processes=options.processes,
        )
    if options.command == "fixed":
        from benchmarks.truth import fixed

        fixed.make_fixed(options.archive)
    return run.run(options) if options.command in ("run", "all") else 0


if __name__ == "__main__":
    sys.exit(main())
