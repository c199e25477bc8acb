"""`ait-cmp compare`, the default command: two dump folders."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from ait_cmp.cli.exit_status import EXIT_STATUS_HELP, ExitStatus
from ait_cmp.cli.language import add_language_option, language_of, translated
from ait_cmp.cli.limit_options import add_limit_options, limits_of
from ait_cmp.cli.number_list import joined, numbers_of
from ait_cmp.cli.result_options import add_exit_zero_option, add_result_options
from ait_cmp.cli.signals import interrupt, signals_call
from ait_cmp.cli.terminal import say
from ait_cmp.cli.thread_option import add_thread_option
from ait_cmp.config import ACCESS
from ait_cmp.terms import REPLAY_MODES

if TYPE_CHECKING:
    from ait_cmp.compare.engine import Engine


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `compare`."""
    parser = commands.add_parser(
        "compare",
        help="compare two dump folders (the default command)",
        description="Compare a GE dump with an FX dump, or with another GE dump.",
        epilog=EXIT_STATUS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    required = parser.add_argument_group("the two dumps (any level of their trees)")
    required.add_argument(
        "folders", nargs="*", metavar="GE FX", help="the two folders without option names"
    )
    required.add_argument(
        "--my-path",
        "--my_path",
        "--target-path",
        "--target_path",
        "-mp",
        metavar="DIR",
        help="dump under test (GE)",
    )
    required.add_argument(
        "--golden-path",
        "--golden_path",
        "-gp",
        metavar="DIR",
        help="reference: an FX dump, or a GE dump without fusion",
    )
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--rank",
        "-r",
        type=numbers_of,
        nargs="+",
        metavar="R",
        help="only these ranks (default: all common)",
    )
    what.add_argument(
        "--token",
        type=numbers_of,
        nargs="+",
        metavar="T",
        help="only these steps, counted from 0: 0 1, 0,1, 0-3",
    )
    what.add_argument(
        "--op",
        nargs="+",
        metavar="GLOB",
        help="only ops whose name, FX node, type or module fits: 'MatMul_*' mm_3 '*.mlp.*'",
    )
    what.add_argument(
        "--pair",
        nargs="+",
        default=(),
        metavar="MY=GOLDEN",
        help="folders of ranks, graphs or steps that meet, whatever else their names say",
    )
    what.add_argument(
        "--golden-token-offset",
        type=int,
        metavar="N",
        help="my step s meets golden step s + N (my 5, 6 against golden 0, 1: -5)",
    )
    what.add_argument(
        "--no-padding",
        action="store_true",
        help="do not compare the leading rows alone where my side is padded (8 rows against 5)",
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
    replay = parser.add_argument_group("operators recomputed from their own dumped inputs")
    replay.add_argument(
        "--replay",
        choices=REPLAY_MODES,
        default="suspects",
        help="which: 'suspects' (those that diverge or may), all or none (default: %(default)s)",
    )
    replay.add_argument(
        "--reference",
        nargs="+",
        default=(),
        metavar="FILE.py",
        help="references of your own: def MyOp(x1, x2, *, eps=1e-6): return y",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--output",
        "-o",
        default=".",
        metavar="DIR",
        help="folder of the CSV reports, made if missing (default: the current folder)",
    )
    how.add_argument(
        "--jsonl", action="store_true", help="write the rows as JSON lines, too, beside the CSV"
    )
    add_result_options(how)
    add_thread_option(how)
    how.add_argument(
        "--access",
        choices=("auto", "map", "read"),
        default=ACCESS,
        help="how files are read: 'read' (pread) for network file systems or dumps being "
        "written (default: %(default)s)",
    )
    add_language_option(how)
    how.add_argument(
        "--baseline",
        metavar="RESULT.json",
        help="of an earlier run: exit 1 only for operators that diverge and did not there",
    )
    how.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="compare on the workers of this dask scheduler, each rank where its files are "
        "(pip install 'ait-cmp[dask]')",
    )
    how.add_argument("--no-progress", action="store_true", help="no progress line on stderr")
    add_exit_zero_option(how)


def _folders(options: argparse.Namespace) -> tuple[str, str]:
    """The two folders, named by options or by their order."""
    from ait_cmp.config import expanded
    from ait_cmp.errors import ConfigError

    given = list(options.folders)
    mine = options.my_path or (given.pop(0) if given else None)
    golden = options.golden_path or (given.pop(0) if given else None)
    if mine is None or golden is None or given:
        message = "two folders expected: ait-cmp GE FX, or --my-path GE --golden-path FX"
        if isinstance(options.html, str) and expanded(options.html).is_dir():
            message += (
                f"; --html took {options.html} as its file: write --html last, or --html=FILE"
            )
        if given:
            message += f"; not understood: {' '.join(given)}"
        raise ConfigError(message)
    if expanded(mine).resolve() == expanded(golden).resolve():
        message = f"{mine}: this folder was given for both sides, which tells nothing"
        raise ConfigError(message)
    return mine, golden


def _workers(address: str | None) -> AbstractContextManager[Engine | None]:
    """Whose workers compare: those of a cluster, or None: threads of this process."""
    if address is None:
        return nullcontext()
    from ait_cmp.distribute.dask_engine import dask_engine

    return dask_engine(address)


def run(options: argparse.Namespace) -> int:
    """Compare, print the summary, return the exit status."""
    from ait_cmp.cli.progress import ProgressLine
    from ait_cmp.compare import compare_dirs
    from ait_cmp.report.json_text import json_line
    from ait_cmp.report.summary import summary_lines

    my_path, golden_path = _folders(options)
    language = language_of(options)
    gc.disable()  # a process that makes tuples and ends has nothing for it to find
    shown, workers = ProgressLine(enabled=not options.no_progress), _workers(options.dask)
    with signals_call(interrupt) as came, shown as progress, workers as executor:
        result = compare_dirs(
            my_path,
            golden_path,
            output=options.output,
            threads=options.threads,
            ranks=joined(options.rank),
            tokens=joined(options.token),
            ops=options.op,
            pairs=options.pair,
            golden_token_offset=options.golden_token_offset,
            padding=not options.no_padding,
            custom_algorithms=options.custom_algorithms,
            limits=limits_of(options),
            replay=options.replay,
            references=options.reference,
            jsonl=options.jsonl,
            html=options.html,
            baseline=options.baseline,
            command=["ait-cmp", *options.words],
            progress=progress,
            access=options.access,
            executor=executor,
            keep_rows=False,
        )
    for note in result.notes:
        logging.info("%s", note)
    for tensor in result.unused_golden:
        logging.debug("golden tensor not used: %s", tensor)
    if options.json:
        print(json_line(result.result))
    for line in () if options.json else summary_lines(result):
        say(translated(line, language))
    for sentence in result.unwritten:
        say(f"ait-cmp: error: {sentence}", to_stderr=True)
    if came or result.was_interrupted:
        return ExitStatus.of_signal(came[0] if came else signal.SIGINT)
    if result.counts["compared"] == 0:
        why = "; the report says why" if result.counts.total else ""
        say(f"ait-cmp: error: nothing could be compared{why}", to_stderr=True)
        return ExitStatus.USAGE
    if result.unwritten:
        return ExitStatus.USAGE
    differs = result.has_differences and not options.exit_zero
    return ExitStatus.DIFFERENCES if differs else ExitStatus.OK
