"""`python -m benchmarks [quick|full]`: one table on stdout, one JSON file on request."""

from __future__ import annotations

import argparse
import datetime
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from benchmarks import (
    bench_compare,
    bench_convert,
    bench_formats,
    bench_graph_text,
    bench_growth,
    bench_kernels,
    bench_planning,
    bench_replay,
    bench_scale,
    floor,
    machine,
    peer,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

README = Path(__file__).with_name("README.md")


@dataclass(frozen=True)
class Profile:
    """How large everything is; `quick` is done in a minute, `full` in some."""

    n_elements: int
    largest_bytes: int
    budget_s: float
    graph_bytes: int
    stack_bytes: int
    largest_hidden: int
    n_small_files: int
    scale_rows: tuple[int, ...]
    scale_ranks: tuple[int, ...]
    memory_bytes: int
    replay_bytes: int
    rounds: int
    builds_peer: bool


QUICK = Profile(
    n_elements=4 << 20,
    largest_bytes=16 << 20,
    budget_s=0.2,
    graph_bytes=5_000_000,
    stack_bytes=100_000_000,
    largest_hidden=1024,
    n_small_files=5_000,
    scale_rows=(10_000, 30_000, 100_000),
    scale_ranks=(1, 10, 100),
    memory_bytes=64 << 20,
    replay_bytes=16 << 20,
    rounds=2,
    builds_peer=False,
)
FULL = Profile(
    n_elements=64 << 20,
    largest_bytes=1 << 30,
    budget_s=0.5,
    graph_bytes=50_000_000,
    stack_bytes=2_000_000_000,
    largest_hidden=4096,
    n_small_files=100_000,
    scale_rows=(10_000, 100_000, 300_000, 1_000_000),
    scale_ranks=(1, 10, 100, 1000),
    memory_bytes=1 << 30,
    replay_bytes=300 << 20,
    rounds=4,
    builds_peer=True,
)
PROFILES = {"quick": QUICK, "full": FULL}


def _groups(
    profile: Profile, work: Path, python: Path | None
) -> dict[str, Callable[[], Iterator[table.Line]]]:
    """Group name -> the benchmark that yields its lines."""
    return {
        "kernels": lambda: bench_kernels.bench_pairs(
            n_elements=profile.n_elements, budget_s=profile.budget_s
        ),
        "sizes": lambda: bench_kernels.bench_sizes(
            largest_bytes=profile.largest_bytes, budget_s=profile.budget_s
        ),
        "others": lambda: bench_kernels.bench_others(
            n_elements=profile.n_elements // 4, budget_s=profile.budget_s
        ),
        "formats": lambda: bench_formats.bench_formats(
            work, n_elements=profile.n_elements, budget_s=profile.budget_s
        ),
        "graph": lambda: bench_graph_text.bench_graph_text(work, n_bytes=profile.graph_bytes),
        "layers": lambda: bench_compare.bench_layers(
            work,
            n_bytes=profile.stack_bytes,
            largest_hidden=profile.largest_hidden,
            rounds=profile.rounds,
            python=python,
        ),
        "small": lambda: bench_compare.bench_small(
            work, n_files=profile.n_small_files, rounds=profile.rounds, python=python
        ),
        "planning": lambda: bench_planning.bench_planning(work, n_files=profile.n_small_files),
        "growth": lambda: bench_growth.bench_growth(work, scale=profile.n_small_files / 100_000),
        "scale": lambda: bench_scale.bench_scale(
            work, rows=profile.scale_rows, ranks=profile.scale_ranks, rounds=profile.rounds // 2
        ),
        "convert": lambda: bench_convert.bench_convert(
            work,
            n_bytes=profile.stack_bytes,
            largest_hidden=profile.largest_hidden,
            rounds=profile.rounds,
        ),
        "replay": lambda: bench_replay.bench(work, n_bytes=profile.replay_bytes),
        "memory": lambda: bench_compare.bench_memory(work, n_bytes=profile.memory_bytes),
    }


GROUP_NAMES = (
    "kernels",
    "sizes",
    "others",
    "formats",
    "graph",
    "layers",
    "small",
    "planning",
    "growth",
    "scale",
    "convert",
    "replay",
    "memory",
)
PEER_GROUPS = {"layers", "small"}


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "profile",
        nargs="?",
        choices=[*sorted(PROFILES), *GROUP_NAMES],
        default="quick",
        help="or one group, quick",
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=GROUP_NAMES, default=GROUP_NAMES
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where dumps are made and deleted")
    parser.add_argument("--no-peer", action="store_true", help="leave the replaced tool out")
    parser.add_argument(
        "--floor", action="store_true", help="only check that the kernels still vectorise"
    )
    parser.add_argument(
        "--write-readme", action="store_true", help="put the result into benchmarks/README.md"
    )
    options = parser.parse_args(arguments)
    if options.profile in GROUP_NAMES:
        options.profile, options.only = "quick", [options.profile]
    return options


def _measure(options: argparse.Namespace, work: Path) -> list[table.Line]:
    profile = PROFILES[options.profile]
    python, reason = None, "left out by --no-peer"
    if not options.no_peer and PEER_GROUPS & set(options.only):
        python, reason = peer.find_python(build=profile.builds_peer)
    lines: list[table.Line] = []
    for name, bench in _groups(profile, work, python).items():
        if name not in options.only:
            continue
        for line in bench():
            print(f"  {name}: {line.name}", file=sys.stderr)
            lines.append(line)
    if python is None and PEER_GROUPS & set(options.only):
        lines.append(table.Line("peer", f"mindstudio-probe {peer.PEER_VERSION}", note=reason))
    order = [*GROUP_NAMES, "peer"]
    return sorted(lines, key=lambda line: order.index(line.group))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print and write; 1 when a kernel is below its floor."""
    options = _parse(arguments)
    if options.floor:
        return 0 if floor.check_floors() else 1
    if options.work is not None:
        options.work.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="ait-cmp-bench-", dir=options.work))
    start = time.perf_counter()
    try:
        lines = _measure(options, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    run = {
        "profile": options.profile,
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
        "seconds": f"{time.perf_counter() - start:.0f}",
    }
    described = machine.describe()
    text = f"{table.format_machine({**run, **described})}\n\n{table.format_table(lines)}"
    print(text)
    if options.json is not None:
        table.write_json(options.json, lines, described, run)
    if options.write_readme:
        table.write_readme(README, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
