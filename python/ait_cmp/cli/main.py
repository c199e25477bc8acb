"""The command line: parses, calls one function, prints, returns the exit status."""

from __future__ import annotations

import argparse
import codecs
import io
import logging
import os
import sys
from collections.abc import Sequence

from ait_cmp.cli import columns, compare, convert, demo, diff, replay, show
from ait_cmp.cli.exit_status import ExitStatus
from ait_cmp.errors import AitCmpError

# Modules with add_parser(subparsers) and run(arguments) -> exit status.
_COMMANDS = {
    "compare": compare,
    "replay": replay,
    "convert": convert,
    "show": show,
    "diff": diff,
    "columns": columns,
    "demo": demo,
}
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
        return ExitStatus.USAGE
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
        status = int(_COMMANDS[options.command].run(options))
        if sys.stdout is not None:  # closed before the start (`ait-cmp ... >&-`): nothing to tell
            sys.stdout.flush()
        return status
    except AitCmpError as error:
        print(f"ait-cmp: error: {error}", file=sys.stderr)
    except BrokenPipeError:  # `ait-cmp ... | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.BROKEN_PIPE
    except OSError as error:
        what = error.strerror or str(error)
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"ait-cmp: error: {where}{what}", file=sys.stderr)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    return ExitStatus.USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ait-cmp",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
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
