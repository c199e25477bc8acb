"""Every dtype in ND and the usual ones in FRACTAL_NZ, against fp32 in ND: files, warm cache.

`python -m benchmarks.bench_layouts [--elements N] [--threads T]`; GB/s are of both files, and the
last column is what a plain read of the same files takes.
"""

from __future__ import annotations

import argparse
import mmap
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ait_cmp import _core
from ait_cmp.info.results import DTYPES, DType, result_of
from benchmarks.core_bench import plain_read
from benchmarks.dump_files import (
    FORMAT_FRACTAL_NZ,
    FORMAT_ND,
    StoredTensor,
    ge_file_start,
    npy_file_start,
    write,
)
from benchmarks.timing import best_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_COLUMNS = 4096
H0 = 16
# Elements that are generated; a tensor repeats them.
N_DRAWN = 1 << 18
# C0 of FRACTAL_NZ by dtype.
BLOCKED = {"DT_FLOAT16": 16, "DT_BF16": 16, "DT_INT8": 32, "DT_INT4": 64, "DT_FLOAT": 16}
WIDE_INTEGERS = 1 << 20
SEED = 11
# Largest error of a float64 that the fp32 side rounds.
ROUNDED = 1e-6


@dataclass(frozen=True)
class Measured:
    """One comparison: bytes of both files, seconds, seconds of a plain read."""

    n_bytes: int
    seconds: float
    read_s: float


def _draw(name: str, bits: int, numpy_name: str) -> NDArray[np.uint8]:
    """Bytes of N_DRAWN finite elements."""
    rng = np.random.default_rng(SEED)
    if bits < 8:
        return rng.integers(0, 256, N_DRAWN * bits // 8, np.uint8)
    if bits == 8:
        every = np.arange(256, dtype=np.uint8)
        values = _core.decode(every, _number(name), (256,))[0]
        return rng.choice(
            every[np.isfinite(values) & (np.abs(values.astype(float)) < 1e4)], N_DRAWN
        )
    reals = rng.standard_normal(N_DRAWN * (2 if numpy_name.startswith("complex") else 1))
    if name == "DT_BF16":
        return (reals.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    if name == "DT_COMPLEX32":
        return reals.astype(np.float16).view(np.uint8)
    if numpy_name.startswith("complex"):
        return reals.astype(np.float32 if bits == 64 else np.float64).view(np.uint8)
    if "int" in numpy_name:
        top = min(WIDE_INTEGERS, 2 ** (bits - 1) - 1)
        return rng.integers(0, top, N_DRAWN).astype(numpy_name).view(np.uint8)
    return reals.astype(numpy_name).view(np.uint8)


def _number(name: str) -> int:
    return next(dtype.number for dtype in DTYPES if dtype.name == name)


def _blocked(data: NDArray[np.uint8], bits: int, rows: int, c0: int) -> NDArray[np.uint8]:
    """The bytes of a matrix in ND as FRACTAL_NZ."""
    run = c0 * bits // 8
    blocks = data.reshape(rows // H0, H0, N_COLUMNS // c0, run)
    return np.ascontiguousarray(blocks.transpose(2, 0, 1, 3)).reshape(-1)


def _read_plain(paths: list[Path], threads: int) -> None:
    for path in paths:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            plain_read(mapped, threads)


def _compare(job: Any, threads: int) -> None:
    for results in _core.Batch([job], threads=threads, access="map"):
        for result in map(result_of, results):
            if (
                result.status != "compared"
                or result.metrics is None
                or result.metrics["max_absolute_error"] > ROUNDED
            ):
                message = f"WRONG: {result}"
                raise SystemExit(message)


def _measure(folder: Path, row: DType, n_elements: int, fmt: int, threads: int) -> Measured:
    number, name, bits, components = row.number, row.name, row.bits, row.components
    rows = n_elements // N_COLUMNS // components
    shape = (rows, N_COLUMNS)
    data = np.resize(_draw(name, bits, row.numpy), rows * N_COLUMNS * bits // 8)
    values = _core.decode(data, number, shape)[0]
    golden = values if components == 2 else values.astype(np.float32)
    stored = data
    stored_shape: tuple[int, ...] = shape
    if fmt == FORMAT_FRACTAL_NZ:
        c0 = BLOCKED[name]
        stored = _blocked(data, bits, rows, c0)
        stored_shape = (N_COLUMNS // c0, rows // H0, H0, c0)
    paths = [folder / "my", folder / "golden.npy"]
    tensor = StoredTensor(number, stored_shape, stored.nbytes, fmt, shape)
    write(str(paths[0]), ge_file_start("op", 1, [], [tensor]), stored.data)
    kind = golden.dtype.str
    write(str(paths[1]), npy_file_start(kind, shape), golden.data)
    del data, values, golden, stored
    job = ((str(paths[0]), "outputs", 0, ()), (str(paths[1]), "", 0, ()))
    measured = Measured(
        sum(path.stat().st_size for path in paths),
        best_of(partial(_compare, job, threads), rounds=3, budget_s=0.2),
        best_of(partial(_read_plain, paths, threads), rounds=3, budget_s=0.1),
    )
    for path in paths:
        path.unlink()
    return measured


def bench_layouts(
    work: Path, *, n_elements: int, threads: int, names: list[str] | None
) -> Iterator[str]:
    """One line for a dtype in ND, and one more in FRACTAL_NZ where it is usual."""
    yield (
        f"{n_elements >> 20} M elements, {threads} thread(s); G/s = 10^9 elements per second\n"
        f"{'dtype':<20}{'format':<12}{'GB/s':>7}{'G/s':>7}{'of read':>9}{'of ND':>7}{'of fp16':>9}"
    )
    half_s = None
    rows = sorted(DTYPES, key=lambda row: row.name != "DT_FLOAT16")
    for row in rows:
        name, bits = row.name, row.bits
        if row.numpy == "" or name == "DT_RESOURCE" or (names and name not in names):
            continue
        plain_s = None
        for fmt in (FORMAT_ND, FORMAT_FRACTAL_NZ):
            if fmt == FORMAT_FRACTAL_NZ and name not in BLOCKED:
                continue
            m = _measure(work, row, n_elements, fmt, threads)
            half_s = half_s or m.seconds
            plain_s = plain_s or m.seconds
            yield (
                f"{name:<20}{'ND' if fmt == FORMAT_ND else 'FRACTAL_NZ':<12}"
                f"{m.n_bytes / m.seconds / 1e9:>7.2f}{n_elements / m.seconds / 1e9:>7.3f}"
                f"{m.read_s / m.seconds:>9.2f}{plain_s / m.seconds:>7.2f}{half_s / m.seconds:>9.2f}"
                f"   {bits} bits"
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=int, default=64 << 20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtypes", nargs="+", metavar="NAME", help="only these, DT_INT4")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="ait-cmp-layouts-"))
    try:
        for line in bench_layouts(
            work,
            n_elements=options.elements,
            threads=options.threads,
            names=options.dtypes,
        ):
            print(line, flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
