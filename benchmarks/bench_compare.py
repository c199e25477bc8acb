"""Whole runs of the command: generated dumps, in a process of its own, and the peer beside it."""

from __future__ import annotations

import csv
import mmap
import os
import re
import shutil
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import peer
from benchmarks.core_bench import plain_read
from benchmarks.generate import Dump, write_layer_stack, write_one_tensor, write_small_files
from benchmarks.machine import usable_cores
from benchmarks.table import Line
from benchmarks.timing import ProcessRun, drop_from_cache, run_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMORY_LIMIT_BYTES = 100_000_000
SMALL_FILE_BYTES = 1 << 20


def run_ait_cmp(dump: Dump, work: Path, *, threads: int) -> ProcessRun:
    """`ait-cmp` on a dump; the report lands in `work`/report, which is made anew."""
    report = work / "report"
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir(parents=True)
    return run_process(
        [
            *(
                sys.executable,
                "-c",
                "import sys; from ait_cmp.cli.main import main; sys.exit(main())",
            ),
            *("--my-path", str(dump.my), "--golden-path", str(dump.golden)),
            *("--output", str(report), "--threads", str(threads)),
            *("--no-progress", "--log-level", "debug"),
        ],
        log_dir=work,
    )


def phases(stderr: str) -> dict[str, float]:
    """Seconds by phase from the last `phases: planning=0.1 waiting=0.2 ...` line."""
    found = re.findall(r"phases:(.*)", stderr)
    return (
        {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", found[-1])}
        if found
        else {}
    )


def check_report(report: Path, dump: Dump) -> str:
    """What is wrong with the report of a dump whose every tensor has a near-equal partner."""
    n_rows = n_compared = n_passed = 0
    for path in report.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                n_rows += 1
                n_compared += row["status"] == "compared"
                n_passed += row["verdict"] == "pass"
    if n_rows == n_compared == n_passed == dump.n_rows:
        return ""
    return f"WRONG: {n_rows} rows, {n_compared} compared, {n_passed} pass; expected {dump.n_rows}"


def read_plainly(dump: Dump, *, threads: int) -> float:
    """Seconds to open every data file and read it: large ones mapped, with all threads."""
    paths = [str(path) for path in dump.data_files()]
    start = time.perf_counter()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        size = os.fstat(descriptor).st_size
        if size < SMALL_FILE_BYTES:
            os.read(descriptor, size)
        else:
            with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as mapped:
                plain_read(mapped, threads)
        os.close(descriptor)
    return time.perf_counter() - start


def dump_line(
    group: str, name: str, dump: Dump, work: Path, *, cold: bool, threads: int, rounds: int
) -> Line:
    """Best of `rounds` whole runs on a dump, and the plain read of its files the same way."""
    files = list(dump.data_files()) if cold else []
    runs, reads_s, rounds_to_do = [], [], rounds + (0 if cold else 1)
    for _ in range(rounds_to_do):
        drop_from_cache(files)
        reads_s.append(read_plainly(dump, threads=threads))
        drop_from_cache(files)
        runs.append(run_ait_cmp(dump, work, threads=threads))
        if runs[-1].exit_code:
            break
    best = min(runs, key=lambda run: run.wall_s)
    if runs[-1].exit_code:
        last = (runs[-1].stderr.strip().splitlines() or ["no message"])[-1]
        return Line(group, name, note=f"exit status {runs[-1].exit_code}: {last[:120]}")
    split = phases(best.stderr)
    notes = [
        check_report(work / "report", dump),
        ", ".join(f"{phase} {seconds:.2f} s" for phase, seconds in split.items()),
        f"{dump.n_files} files",
    ]
    return Line(
        group,
        name,
        cache="cold" if cold else "warm",
        threads=threads,
        seconds=best.wall_s,
        n_bytes=dump.n_bytes,
        read_s=min(reads_s),
        n_rows=dump.n_rows,
        cpu_s=best.cpu_s,
        anon_bytes=max(run.peak_anon_bytes for run in runs),
        note="; ".join(filter(None, notes)),
        details=split,
    )


def bench_dump(
    group: str, name: str, dump: Dump, work: Path, *, rounds: int, python: Path | None
) -> Iterator[Line]:
    """Warm with one thread and all, cold with all, and the peer once if it is there."""
    all_cores = usable_cores()
    warm = dump_line(group, name, dump, work, cold=False, threads=all_cores, rounds=rounds)
    yield warm
    if all_cores > 1:
        yield dump_line(group, name, dump, work, cold=False, threads=1, rounds=rounds)
    yield dump_line(group, name, dump, work, cold=True, threads=all_cores, rounds=rounds)
    if python is not None and warm.seconds is not None:
        peer_work = work / "peer"
        run = peer.run_peer(python, dump.my, dump.golden, peer_work)
        yield peer.peer_line(
            run,
            peer_work / "report",
            name=f"mindstudio-probe {peer.PEER_VERSION}: {name}",
            n_bytes=dump.n_bytes,
            ours_s=warm.seconds,
        )


def bench_layers(
    work: Path, *, n_bytes: int, largest_hidden: int, rounds: int, python: Path | None
) -> Iterator[Line]:
    """A dump like that of a real layer stack."""
    folder = work / "layers"
    dump = write_layer_stack(folder, n_bytes=n_bytes, largest_hidden=largest_hidden)
    name = f"layer stack, bf16 / fp32, hidden {largest_hidden} to 64, {dump.n_bytes / 1e9:.2f} GB"
    yield from bench_dump("layers", name, dump, folder, rounds=rounds, python=python)
    shutil.rmtree(folder)


def bench_small(work: Path, *, n_files: int, rounds: int, python: Path | None) -> Iterator[Line]:
    """A dump of many small files."""
    folder = work / "small"
    dump = write_small_files(folder, n_files=n_files)
    name = f"{n_files} GE files of 64 bytes of data"
    yield from bench_dump("small", name, dump, folder, rounds=rounds, python=python)
    shutil.rmtree(folder)


def bench_memory(work: Path, *, n_bytes: int) -> Iterator[Line]:
    """Anonymous memory that two large files need."""
    folder = work / "memory"
    dump = write_one_tensor(folder, n_bytes=n_bytes)
    name = f"fp32 / fp32, two files of {n_bytes >> 20} MB"
    line = dump_line("memory", name, dump, folder, cold=False, threads=usable_cores(), rounds=1)
    if line.anon_bytes is not None:
        verdict = "below" if line.anon_bytes < MEMORY_LIMIT_BYTES else "ABOVE"
        line = line.with_note(f"{verdict} the limit of {MEMORY_LIMIT_BYTES // 10**6} MB")
    yield line
    shutil.rmtree(folder)
