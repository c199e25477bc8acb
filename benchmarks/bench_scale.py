"""How memory and time grow with rows, and time with ranks: whole runs of the command."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.bench_compare import check_report, phases, run_ait_cmp
from benchmarks.generate import Dump, write_ranks, write_small_files
from benchmarks.machine import usable_cores
from benchmarks.table import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Three times as many rows may take so many times as much memory; 10^6 rows so much.
MOST_MEMORY_OF_THREE = 1.3
MOST_MEMORY_BYTES = 300_000_000
MOST_S_A_RANK = 0.03
ROWS_A_RANK = 50


def bench_scale(
    work: Path, *, rows: Sequence[int], ranks: Sequence[int], rounds: int
) -> Iterator[Line]:
    """A line for each number of rows, and for each number of ranks."""
    folder = work / "scale"
    peaks: dict[int, int] = {}
    for n_rows in rows:
        dump = write_small_files(folder, n_files=n_rows)
        line = _best(f"{n_rows} rows in {dump.n_files} files", dump, folder, rounds)
        peaks[n_rows] = line.anon_bytes or 0
        yield line.with_note(_memory_note(n_rows, peaks))
        shutil.rmtree(folder)
    for n_ranks in ranks:
        dump = write_ranks(folder, n_ranks=n_ranks, n_rows=ROWS_A_RANK)
        line = _best(f"{n_ranks} ranks of {ROWS_A_RANK} rows", dump, folder, rounds)
        yield line.with_note(_rank_note(n_ranks, line.seconds))
        shutil.rmtree(folder)


def _best(name: str, dump: Dump, work: Path, rounds: int) -> Line:
    """The quickest of some runs, with the largest peak of them."""
    threads = usable_cores()
    runs = [run_ait_cmp(dump, work, threads=threads) for _ in range(rounds)]
    best = min(runs, key=lambda run: run.wall_s)
    if runs[-1].exit_code:
        last = (runs[-1].stderr.strip().splitlines() or ["no message"])[-1]
        return Line("scale", name, note=f"exit status {runs[-1].exit_code}: {last[:120]}")
    split = phases(best.stderr)
    notes = [
        check_report(work / "report", dump),
        ", ".join(f"{phase} {seconds:.2f} s" for phase, seconds in split.items()),
    ]
    return Line(
        group="scale",
        name=name,
        cache="warm",
        threads=threads,
        seconds=best.wall_s,
        n_bytes=dump.n_bytes,
        n_rows=dump.n_rows,
        cpu_s=best.cpu_s,
        anon_bytes=max(run.peak_anon_bytes for run in runs),
        note="; ".join(filter(None, notes)),
        details=split,
    )


def _memory_note(n_rows: int, peaks: dict[int, int]) -> str:
    if n_rows >= 1_000_000:
        verdict = "below" if peaks[n_rows] < MOST_MEMORY_BYTES else "ABOVE"
        return f"{verdict} the limit of {MOST_MEMORY_BYTES // 10**6} MB"
    told = []
    for fewer, peak in peaks.items():
        if 3 * fewer <= n_rows < 4 * fewer and peak:
            times = peaks[n_rows] / peak
            verdict = "below" if times < MOST_MEMORY_OF_THREE else "ABOVE"
            told.append(
                f"{times:.2f} times the memory of {fewer} rows, {verdict} the limit of "
                f"{MOST_MEMORY_OF_THREE}"
            )
    return "; ".join(told)


def _rank_note(n_ranks: int, seconds: float | None) -> str:
    if seconds is None:
        return ""
    told = f"{1000 * seconds / n_ranks:.1f} ms a rank"
    if n_ranks < 100:  # most of it is the start of the process
        return told
    verdict = "below" if seconds < MOST_S_A_RANK * n_ranks else "ABOVE"
    return f"{told}, {verdict} the limit of {1000 * MOST_S_A_RANK:.0f}"
