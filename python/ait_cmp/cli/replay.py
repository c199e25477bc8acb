"""`ait-cmp replay`: its options."""

from __future__ import annotations

import argparse
import signal
import sys

from ait_cmp.cli.exit_status import ExitStatus
from ait_cmp.cli.language import add_language_option, language_of, translated
from ait_cmp.cli.limit_options import add_replay_limits, limits_of
from ait_cmp.cli.progress import ProgressLine
from ait_cmp.cli.signals import interrupt, signals_call
from ait_cmp.cli.terminal import say
from ait_cmp.cli.thread_option import add_thread_option

_DESCRIPTION = """\
Recompute every operator of a GE dump from its own dumped inputs, and say which of them does not
compute what its type says. No golden dump is needed, and nothing is inherited.

exit status: 0 all that was replayed is right and every tensor is what its producer wrote, 1 not,
2 bad usage or nothing could be replayed, 130 interrupted"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `replay`."""
    parser = commands.add_parser(
        "replay",
        help="recompute every operator from its own dumped inputs",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dump", metavar="DUMP", help="a GE dump, at any level of its tree")
    parser.add_argument(
        "--op", nargs="+", metavar="GLOB", help="only ops whose name fits, 'MatMul_*'"
    )
    parser.add_argument("--token", nargs="+", type=int, metavar="T", help="only these steps")
    parser.add_argument("--rank", nargs="+", type=int, metavar="R", help="only these ranks")
    parser.add_argument("--output", default=".", metavar="DIR", help="folder of the CSV (here)")
    parser.add_argument(
        "--reference",
        nargs="+",
        default=(),
        metavar="FILE.py",
        help="functions named as the type, def MyOp(x1, *, eps=1e-6); they override ours",
    )
    parser.add_argument(
        "--export",
        metavar="DIR",
        help="write inputs, output and reference of the wrong ops (or those of --op) as .npy, with "
        "a script that computes them again",
    )
    add_replay_limits(parser)
    add_thread_option(parser)
    add_language_option(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--no-progress", action="store_true", help="no running line on stderr")


def run(options: argparse.Namespace) -> int:
    """Replay, print the result, return the exit status."""
    from ait_cmp import __version__
    from ait_cmp.replay.run import replay

    language = language_of(options)
    with signals_call(interrupt) as came, ProgressLine(enabled=not options.no_progress) as progress:
        result = replay(
            options.dump,
            ops=options.op,
            tokens=options.token,
            ranks=options.rank,
            output=options.output,
            references=options.reference,
            limits=limits_of(options),
            threads=options.threads,
            progress=progress,
            export=options.export,
        )
    text = result.to_json(__version__, sys.argv[1:]) if options.json else result.summary()
    for line in text.split("\n"):
        say(line if options.json else translated(line, language))
    if came or result.was_interrupted:
        return ExitStatus.of_signal(came[0] if came else signal.SIGINT)
    if result.has_findings:
        return ExitStatus.DIFFERENCES
    return ExitStatus.OK if result.counts["right"] else ExitStatus.USAGE
