"""Planning alone: folders, graph text, headers and pairing, for two sizes of dump."""

from __future__ import annotations

import gc
import shutil
import time
from typing import TYPE_CHECKING

from ait_cmp.compare.plan import make_plan
from ait_cmp.compare.step_pairer import StepPairer
from benchmarks.generate import write_small_files
from benchmarks.machine import usable_cores
from benchmarks.table import Line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_S_PER_FILE = 15 / 100_000


def bench_planning(work: Path, *, n_files: int) -> Iterator[Line]:
    """A tenth of the files, then all of them: seconds a file should stay the same."""
    for count in (n_files // 10, n_files):
        folder = work / "planning"
        dump = write_small_files(folder, n_files=count, ops_per_step=min(1000, count))
        gc.collect()
        gc.disable()  # as compare_dirs does
        start = time.perf_counter()
        threads = usable_cores()
        plan = make_plan(str(dump.my), str(dump.golden), ranks=None, tokens=None)
        pairer = StepPairer(plan, threads)
        n_rows = sum(len(pairer.pair(*keys).rows) for keys in plan.steps)
        seconds = time.perf_counter() - start
        gc.enable()
        verdict = "below" if seconds < LIMIT_S_PER_FILE * count else "ABOVE"
        yield Line(
            group="planning",
            name=f"{count} GE files of 64 bytes of data",
            cache="warm",
            threads=threads,
            seconds=seconds,
            n_rows=n_rows,
            note=f"{seconds / count * 1e6:.0f} us a file, {verdict} the limit of 150",
        )
        shutil.rmtree(folder)
