"""The command line: parses, calls one function, prints, returns the exit status."""

from __future__ import annotations

import argparse
import codecs
import gc
import io
import logging
import os
import sys
from collections.abc import Sequence

from ait_cmp.cli import convert, demo, diff, show
from ait_cmp.cli.limit_options import add_limit_options, limits_of
from ait_cmp.errors import AitCmpError

EXIT_OK = 0
EXIT_DIFFERENCES = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

_LOG_LEVELS = ("debug", "info", "warning", "error")
# Modules with add_parser(subparsers) and run(arguments) -> exit status.
_COMMANDS = {"convert": convert, "show": show, "diff": diff, "demo": demo}
_DESCRIPTION = """\
Compare the tensor dump of a PyTorch graph-mode run (torchair, Ascend GE) with a golden dump and
name the operator where they part. `compare` is the default command;
`ait-cmp compare --help` lists its options.

exit status: 0 everything compared is within limits, 1 differences, 2 bad usage or nothing could
be compared, 130 interrupted"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        _parser().print_help(sys.stderr)
        return EXIT_USAGE
    # A word that is no option is a command, perhaps a misspelt one.
    if words[0].startswith("-") and words[0] not in {"-h", "--help", "--version"}:
        words.insert(0, "compare")
    options = _parser().parse_args(words)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path that is no UTF-8 is printed as the bytes that it is, so that it can be copied.
        is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")
    logging.basicConfig(
        level=getattr(options, "log_level", "info").upper(),
        format="ait-cmp: %(message)s",
        stream=sys.stderr,
        force=True,
    )
    try:
        run = _COMMANDS[options.command].run if options.command in _COMMANDS else run_compare
        status = int(run(options))
        if sys.stdout is not None:  # closed before the start (`ait-cmp ... >&-`): nothing to tell
            sys.stdout.flush()
        return status
    except AitCmpError as error:
        print(f"ait-cmp: error: {error}", file=sys.stderr)
    except BrokenPipeError:  # `ait-cmp ... | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        what = error.strerror or str(error)
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"ait-cmp: error: {where}{what}", file=sys.stderr)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return EXIT_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ait-cmp",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_compare(commands)
    for command in _COMMANDS.values():
        command.add_parser(commands)
    return parser


class _Version(argparse.Action):
    """--version: loads the extension only when asked."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from ait_cmp import __version__

        print(f"ait-cmp {__version__}")
        parser.exit()


def add_compare(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `compare`."""
    parser = commands.add_parser(
        "compare",
        help="compare two dump folders (the default command)",
        description="Compare a GE dump with an FX dump, or with another GE dump.",
    )
    required = parser.add_argument_group("the two dumps (any level of their trees)")
    required.add_argument(
        "--my-path", "--my_path", "-mp", required=True, metavar="DIR", help="dump under test (GE)"
    )
    required.add_argument(
        "--golden-path",
        "--golden_path",
        "-gp",
        required=True,
        metavar="DIR",
        help="reference: an FX dump, or a GE dump without fusion",
    )
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--rank",
        "-r",
        type=int,
        nargs="+",
        metavar="R",
        help="only these ranks (default: all common)",
    )
    what.add_argument(
        "--token", type=int, nargs="+", metavar="T", help="only these steps, counted from 0"
    )
    what.add_argument(
        "--op", nargs="+", metavar="GLOB", help="only ops whose name fits, for example 'MatMul*'"
    )
    what.add_argument(
        "--custom-algorithms",
        "-alg",
        nargs="+",
        default=(),
        metavar="FILE.py:FUNC",
        help="metrics of your own: FUNC(golden, my) -> (value, message)",
    )
    limits = parser.add_argument_group("what passes")
    add_limit_options(limits, of_graphs=True)
    how = parser.add_argument_group("how")
    how.add_argument(
        "--output",
        "-o",
        default=".",
        metavar="DIR",
        help="folder of the CSV reports, made if missing (default: the current folder)",
    )
    how.add_argument(
        "--threads", type=int, metavar="N", help="default: the cores this process may use"
    )
    how.add_argument(
        "--access",
        choices=("auto", "map", "read"),
        default="auto",
        help="how files are read: 'read' (pread) for network file systems or dumps being written",
    )
    how.add_argument(
        "--log-level",
        "-l",
        choices=_LOG_LEVELS,
        default="info",
        help="default: info; 'debug' lists the golden tensors that no row used",
    )
    how.add_argument("--no-progress", action="store_true", help="no progress line on stderr")
    how.add_argument(
        "--exit-zero", action="store_true", help="exit 0 also when there are differences"
    )


def run_compare(options: argparse.Namespace) -> int:
    """Compare, print the summary, return the exit status."""
    from ait_cmp.cli.progress import ProgressLine
    from ait_cmp.cli.summary import summary_lines
    from ait_cmp.compare import Phases, compare_dirs

    gc.disable()  # a process that makes tuples and ends has nothing for it to find
    phases = Phases()
    with ProgressLine(enabled=not options.no_progress) as progress:
        result = compare_dirs(
            options.my_path,
            options.golden_path,
            output=options.output,
            threads=options.threads,
            ranks=options.rank,
            tokens=options.token,
            ops=options.op,
            custom_algorithms=options.custom_algorithms,
            limits=limits_of(options),
            progress=progress,
            access=options.access,
            phases=phases,
        )
    for note in result.notes:
        logging.info("%s", note)
    for tensor in result.unused_golden:
        logging.debug("golden tensor not used: %s", tensor)
    logging.debug(
        "phases: planning=%.3f waiting=%.3f writing=%.3f",
        phases.planning,
        phases.waiting,
        phases.writing,
    )
    for line in summary_lines(result):
        print(line)
    if result.was_interrupted:
        return EXIT_INTERRUPTED
    if result.counts["compared"] == 0:
        why = "; the report says why" if result.rows else ""
        print(f"ait-cmp: error: nothing could be compared{why}", file=sys.stderr)
        return EXIT_USAGE
    return EXIT_DIFFERENCES if result.has_differences and not options.exit_zero else EXIT_OK
