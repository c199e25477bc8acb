"""Makes the folder of the stick: each program is captured, then its cases are written."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import torch

from benchmarks.truth import build, capture, programs
from benchmarks.truth.write import Store

BF16, FP16 = torch.bfloat16, torch.float16
STDS = (1.0, 4.0, 15.0, 30.0, 62.0)

MakeProgram = Callable[[], capture.Program]
MakePlans = Callable[[str, build.Captured], Iterable[build.Plan]]

#: Name -> how the program is made.
PROGRAMS: dict[str, MakeProgram] = {
    "middle-bf16": partial(programs.middle_layers, BF16),
    "first-bf16": partial(programs.first_layers, BF16),
    "middle-fp16": partial(programs.middle_layers, FP16),
    "decode-bf16": partial(programs.decode, BF16),
    "minilm-fp16": partial(programs.minilm, FP16),
    "minilm-bf16": partial(programs.minilm, BF16),
    "w8a8-fp16": partial(programs.w8a8, FP16),
    "w8a8-bf16": partial(programs.w8a8, BF16),
    "w8a16-bf16": partial(programs.w8a16, BF16),
    "moe-bf16": partial(programs.moe, BF16),
    "moe-fp16": partial(programs.moe, FP16),
    **{
        f"attention-{kind}-{std:g}-{name}": partial(
            programs.attention, dtype, std, fused=kind == "fused"
        )
        for kind in ("decomposed", "fused")
        for std in STDS
        for name, dtype in (("bf16", BF16), ("fp16", FP16))
    },
}
QUICK = ("middle-bf16", "decode-bf16", "w8a8-fp16", "moe-bf16", "attention-decomposed-15-bf16")
#: Programs without planted bugs: attention chains that are there for false alarms.
WITHOUT_BUGS = tuple(
    name for name in PROGRAMS if name.startswith("attention-") and "-15-bf16" not in name
)


def make(folder: Path, *, quick: bool, only: Sequence[str], processes: int) -> None:
    """Write programs/ and cases/ anew for the chosen programs."""
    names = list(only) or list(QUICK if quick else PROGRAMS)
    work = partial(_make_named, folder, quick=quick)
    # A process a program: torchair must be fresh, and what a program keeps in memory goes.
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for line in pool.imap_unordered(work, names, chunksize=1):
            print(line, file=sys.stderr, flush=True)


def _make_named(folder: Path, name: str, *, quick: bool) -> str:
    start = time.perf_counter()
    plans = partial(build.plans, quick=quick, with_bugs=name not in WITHOUT_BUGS)
    n_cases = make_program(folder, name, PROGRAMS[name], plans)
    return f"{name}: {n_cases} cases in {time.perf_counter() - start:.0f} s"


def make_program(folder: Path, name: str, program: MakeProgram, plans: MakePlans) -> int:
    """Capture a program into programs/{name} and write its cases; returns how many."""
    place, cases = folder / "programs" / name, folder / "cases"
    shutil.rmtree(place, ignore_errors=True)
    for old in cases.glob(f"{name}.*"):
        shutil.rmtree(old)
    store = Store(place / "store")
    capture.capture(program(), place)
    store.link_tree(place / capture.FX)
    torch.set_num_threads(1)
    captured = build.Captured.read(place)
    writer = build.Writer(captured, cases, place / capture.FX, store)
    n_cases = sum(writer.write(plan) for plan in plans(name, captured))
    store.forget()
    return n_cases
