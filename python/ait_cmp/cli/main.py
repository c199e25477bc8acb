"""The command line: parses, calls one function, prints, returns the exit status."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import errno
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ait_cmp.cli import columns, compare, convert, demo, diff, merge, replay, report, show
from ait_cmp.cli.exit_status import EXIT_STATUS_HELP, ExitStatus
from ait_cmp.cli.terminal import LogFormatter, say
from ait_cmp.errors import AitCmpError

# Modules with add_parser(subparsers) and run(arguments) -> exit status.
_COMMANDS = {
    "compare": compare,
    "replay": replay,
    "report": report,
    "merge": merge,
    "convert": convert,
    "show": show,
    "diff": diff,
    "columns": columns,
    "demo": demo,
}
_LOG_LEVELS = ("debug", "info", "warning", "error")
_LLM = (
    "ait-cmp: error: no command 'llm' here: what `ait llm compare` does is "
    "`ait-cmp compare --my-path GE --golden-path FX`"
)
_DESCRIPTION = f"""\
Compare the tensor dump of a PyTorch graph-mode run (torchair, Ascend GE) with a golden dump and
name the operator where they part. `compare` is the default command;
`ait-cmp compare --help` lists its options.

{EXIT_STATUS_HELP}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _run(words)
        if sys.stdout is not None:  # closed before the start (`ait-cmp ... >&-`): nothing to tell
            sys.stdout.flush()
        return status
    except AitCmpError as error:
        return _error(str(error))
    except BrokenPipeError:  # `ait-cmp ... | head`: nobody reads on
        _drop_stdout()
        return ExitStatus.BROKEN_PIPE
    except OSError as error:
        _flush_quietly()
        return _error(_os_error_text(error))
    except MemoryError:
        return _error("not enough memory")
    except KeyboardInterrupt as stop:
        return ExitStatus.of_signal(stop.args[0] if stop.args else signal.SIGINT)
    except Exception as error:  # whatever else goes wrong must not look like a result
        return _bug(error)


def _run(words: list[str]) -> int:
    if not words:
        _parser().print_help(sys.stderr)
        return ExitStatus.USAGE
    if words[0] == "llm":
        say(_LLM, to_stderr=True)
        return ExitStatus.USAGE
    given = list(words)
    if _begins_compare(words[0]):
        words.insert(0, "compare")
    try:
        options = _parser().parse_args(words)
    except SystemExit:  # help or version was printed, or what is wrong
        _flush_quietly()
        raise
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path that is no UTF-8 is printed as the bytes that it is, so that it can be copied.
        is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")
    options.words = given
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter("ait-cmp: %(message)s"))
    logging.basicConfig(level=options.log_level.upper(), handlers=[handler], force=True)
    return int(_COMMANDS[options.command].run(options))


def _flush_quietly() -> None:
    """What is printed before the end; a full disk is not worth a word here."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _drop_stdout()


def _drop_stdout() -> None:
    """Nothing more can be written there: Python must not try it again when it ends."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _error(text: str) -> int:
    say(f"ait-cmp: error: {text}", to_stderr=True)
    return ExitStatus.USAGE


def _os_error_text(error: OSError) -> str:
    what = error.strerror or str(error)
    if error.filename is None and error.errno != errno.ENOENT:
        return what
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the current folder has been deleted: change to one that exists"
    return what if error.filename is None else f"{error.filename}: {what}"


def _bug(error: Exception) -> int:
    """One sentence; the traceback for those who want to look for it."""
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    logging.debug("the traceback", exc_info=error)
    say(
        f"ait-cmp: an error of ait-cmp itself: {what}. Nothing is said about the dumps; please "
        "report it with what --log-level debug prints.",
        to_stderr=True,
    )
    return ExitStatus.BUG


def _begins_compare(word: str) -> bool:
    """Whether the command was left out: an option, or a folder of a dump.

    Any other word is a command, perhaps a misspelt one.
    """
    if word.startswith("-"):
        return word not in {"-h", "--help", "--version"}
    return word not in _COMMANDS and (os.sep in word or Path(word).is_dir())


@cache
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ait-cmp",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action=_Version,
        help="show the version, the CPU level in use, the compiler and numpy, and exit",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in _COMMANDS.items():
        command.add_parser(commands)
        commands.choices[name].add_argument(
            "--log-level",
            "-l",
            choices=_LOG_LEVELS,
            default="info",
            help="default: info; 'debug' also tells the golden tensors that no row used, and "
            "where an error of the program came from",
        )
    return parser


class _Version(argparse.Action):
    """--version: loads the extension only when asked."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version
        from platform import python_version

        from ait_cmp import __version__, _core

        facts = [f"CPU level {_core.isa_in_use()} of {', '.join(_core.isas())}"]
        facts += [f"compiled by {_core.compiler}", f"Python {python_version()}"]
        with contextlib.suppress(PackageNotFoundError):  # help of any kind needs no numpy
            facts.append(f"numpy {version('numpy')}")
        with contextlib.suppress(OSError):  # a full disk is not worth a word, as with --help
            print(f"ait-cmp {__version__} ({'; '.join(facts)})")
        parser.exit()
