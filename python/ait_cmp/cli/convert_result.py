"""What `ait-cmp convert` prints and returns."""

from __future__ import annotations

import argparse
import json
import threading
from functools import partial
from typing import Callable

from ait_cmp.cli.exit_status import ExitStatus
from ait_cmp.cli.progress import RunningLine
from ait_cmp.cli.signals import signals_call
from ait_cmp.cli.terminal import say
from ait_cmp.convert.folder import convert_dir
from ait_cmp.convert.result import Conversion, left_lines
from ait_cmp.convert.watch import watch_dir


def run_convert(options: argparse.Namespace) -> int:
    """Convert or watch; returns the exit status."""
    convert: Callable[..., Conversion] = convert_dir
    if options.watch:
        convert = partial(watch_dir, interval=options.interval)
    stop = threading.Event()
    line = RunningLine(enabled=not options.no_progress, logs=True)

    def show(state: Conversion) -> None:
        line.show(lambda: state.line(options.folder))

    with signals_call(lambda _: stop.set()) as came:
        try:
            result = convert(
                options.folder,
                info=options.info,
                keep=options.keep,
                force=options.force,
                settle=options.settle,
                threads=options.threads,
                max_rate=options.max_rate,
                stop=stop,
                progress=show,
            )
        finally:
            line.close()
    _report(result, options)
    if came and not options.watch:
        return ExitStatus.of_signal(came[0])
    return ExitStatus.DIFFERENCES if result.left else ExitStatus.OK


def _report(result: Conversion, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(result.as_json()))
    else:
        say(f"{options.folder}: {_headline(result, options.folder)}")
        if result.literals:
            print(f"{result.literals} files hold text or objects, no tensor: left as they are.")
        if result.larger:
            print(
                f"{len(result.larger)} files are smaller than their info files would be: left as "
                "they are (--force converts them)."
            )
        if result.busy:
            print(f"{len(result.busy)} files are in the hands of another converter.")
    if result.folder_is_gone:
        say(f"ait-cmp: {options.folder} is gone; the watch has ended.", to_stderr=True)
    if result.left:
        say(f"ait-cmp: {len(result.left)} files were left as they are:", to_stderr=True)
        for line in left_lines(result.left):
            say(f"  {line}", to_stderr=True)


def _headline(result: Conversion, folder: str) -> str:
    """What was done, or why there was nothing to do."""
    if result.converted or result.left or result.literals or result.busy or result.larger:
        before = f"; {result.already} had been converted before" if result.already else ""
        return result.line(folder) + before
    if result.already:
        return f"nothing to do: all {result.already} files have been converted before"
    return "no dump files found"
