"""A device layout beside a plain one: a bf16 matrix in FRACTAL_NZ and in ND against fp32 ND."""

from __future__ import annotations

import mmap
import shutil
from functools import partial
from typing import TYPE_CHECKING

from ait_cmp import _core
from ait_cmp.tensor_ref import TensorRef
from benchmarks.core_bench import plain_read
from benchmarks.dump_files import (
    DT_BF16,
    FORMAT_FRACTAL_NZ,
    FORMAT_ND,
    StoredTensor,
    ge_file_start,
    npy_file_start,
    write,
)
from benchmarks.generate import Pool
from benchmarks.machine import usable_cores
from benchmarks.table import Line
from benchmarks.timing import best_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N_COLUMNS = 4096
FRACTAL = 16  # rows and columns of a block of 16-bit values
FORMATS = {"ND": FORMAT_ND, "FRACTAL_NZ": FORMAT_FRACTAL_NZ}


def _write_pair(folder: Path, pool: Pool, fmt: int) -> tuple[Path, Path]:
    shape = (pool.golden.size // N_COLUMNS, N_COLUMNS)
    my, stored_shape = pool.my.reshape(shape), shape
    if fmt == FORMAT_FRACTAL_NZ:
        blocks = my.reshape(shape[0] // FRACTAL, FRACTAL, shape[1] // FRACTAL, FRACTAL)
        my = blocks.transpose(2, 0, 1, 3).copy()
        stored_shape = my.shape
    ge, fx = folder / f"my_{fmt}", folder / "golden.npy"
    tensor = StoredTensor(DT_BF16, stored_shape, my.nbytes, fmt, shape)
    write(str(ge), ge_file_start("op", 1, [], [tensor]), my.data)
    write(str(fx), npy_file_start("<f4", shape), pool.golden.data)
    return ge, fx


def _plain_read(paths: tuple[Path, Path], threads: int) -> None:
    for path in paths:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            plain_read(mapped, threads)


def _compare(job: tuple[TensorRef, TensorRef], threads: int) -> None:
    for _ in _core.Batch([job], threads=threads):
        pass


def bench_formats(work: Path, *, n_elements: int, budget_s: float) -> Iterator[Line]:
    """All columns, with one thread and all; the plain read maps the same files."""
    folder = work / "formats"
    folder.mkdir()
    pool = Pool(n_elements)
    for name, fmt in FORMATS.items():
        paths = _write_pair(folder, pool, fmt)
        job = (TensorRef(str(paths[0]), "outputs", 0), TensorRef(str(paths[1]), "", 0))
        ((result,),) = _core.Batch([job])
        for threads in sorted({1, usable_cores()}):
            yield Line(
                "formats",
                f"bf16 {name} / fp32, {n_elements >> 20} M elements, files, all columns",
                cache="warm",
                threads=threads,
                seconds=best_of(partial(_compare, job, threads), budget_s=budget_s),
                n_bytes=sum(path.stat().st_size for path in paths),
                read_s=best_of(partial(_plain_read, paths, threads), budget_s=budget_s / 2),
                note="" if result[0] == "compared" else f"WRONG: {result[0]}: {result[1]}",
            )
    shutil.rmtree(folder)
