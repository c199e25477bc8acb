"""Tensors in memory: GB/s of the compare core beside a plain read of the same buffers."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from ait_cmp import _core
from benchmarks import numpy_baseline
from benchmarks.core_bench import plain_read
from benchmarks.generate import NOISE, SEED, to_bfloat16
from benchmarks.machine import usable_cores
from benchmarks.table import Line
from benchmarks.timing import best_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True)
class Stored:
    """A dtype as it is stored: its number in dumps, and how float64 values become bits."""

    name: str
    number: int
    itemsize: int
    store: Callable[[NDArray[np.float32]], NDArray[Any]]


def _e4m3_values() -> NDArray[np.float32]:
    """The value of each of the 256 codes of float8_e4m3fn; the two NaN codes as 448."""
    code = np.arange(256)
    exponent, mantissa = (code >> 3) & 15, code & 7
    size = np.where(exponent == 0, mantissa * 2.0**-9, (1 + mantissa / 8) * 2.0 ** (exponent - 7.0))
    size[(code & 127) == 127] = 448
    return np.where(code < 128, size, -size).astype(np.float32)


def _to_e4m3(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The next code of equal or smaller magnitude."""
    sizes = _e4m3_values()[:127]
    codes = np.searchsorted(sizes, np.abs(values), side="right") - 1
    return (codes + np.where(values < 0, 128, 0)).astype(np.uint8)


def _to_int8(values: NDArray[np.float32]) -> NDArray[np.int8]:
    return np.clip(np.rint(values * 32), -128, 127).astype(np.int8)


FLOAT32 = Stored("fp32", 1, 4, lambda v: v)
FLOAT16 = Stored("fp16", 2, 2, lambda v: v.astype(np.float16))
BFLOAT16 = Stored("bf16", 27, 2, to_bfloat16)
E4M3 = Stored("fp8 e4m3", 35, 1, _to_e4m3)
INT8 = Stored("int8", 3, 1, _to_int8)
INT64 = Stored("int64", 8, 8, lambda v: np.rint(v * 2**20).astype(np.int64))

PAIRS = (
    (FLOAT32, FLOAT32),
    (BFLOAT16, FLOAT32),
    (FLOAT16, FLOAT16),
    (E4M3, FLOAT32),
    (INT8, INT8),
    (INT64, INT64),
)


@dataclass(frozen=True)
class Buffers:
    """A tensor under test and its reference, as stored."""

    my_dtype: Stored
    my: NDArray[Any]
    golden_dtype: Stored
    golden: NDArray[Any]

    @property
    def name(self) -> str:
        return f"{self.my_dtype.name} / {self.golden_dtype.name}"

    @property
    def n_bytes(self) -> int:
        return self.my.nbytes + self.golden.nbytes


def make_buffers(my: Stored, golden: Stored, n_elements: int) -> Buffers:
    """Near-equal normal data, the pattern of at most 2^22 elements repeated."""
    rng = np.random.default_rng(SEED)
    n_pattern = min(n_elements, 1 << 22)
    y = rng.standard_normal(n_pattern, dtype=np.float32)
    x = y * (1 + np.float32(NOISE) * rng.standard_normal(n_pattern, dtype=np.float32))
    return Buffers(
        my,
        np.resize(my.store(x), n_elements),
        golden,
        np.resize(golden.store(y), n_elements),
    )


def _thread_counts() -> list[int]:
    return sorted({1, usable_cores()})


def _size_text(n_bytes: int) -> str:
    for unit, name in ((GB, "GB"), (MB, "MB"), (KB, "KB")):
        if n_bytes >= unit:
            return f"{n_bytes // unit} {name}"
    return f"{n_bytes} B"


def core_line(
    group: str, buffers: Buffers, *, name: str, threads: int, kl: bool, budget_s: float
) -> Line:
    """Our core on one pair, and the plain read of both buffers with as many threads."""

    def compare() -> str:
        result = _core.compare_buffers(
            buffers.my,
            buffers.my_dtype.number,
            buffers.golden,
            buffers.golden_dtype.number,
            threads=threads,
            kl=kl,
        )
        return str(result[0])

    def read() -> None:
        plain_read(buffers.my, threads)
        plain_read(buffers.golden, threads)

    # Before and after, so that a neighbour's load does not hit one of the two alone.
    read_s = best_of(read, budget_s=budget_s / 4)
    seconds = best_of(compare, budget_s=budget_s)
    read_s = min(read_s, best_of(read, budget_s=budget_s / 4))
    status = compare()
    return Line(
        group,
        name,
        threads=threads,
        seconds=seconds,
        n_bytes=buffers.n_bytes,
        read_s=read_s,
        note="" if status == "compared" else f"WRONG: {status}",
    )


def bench_pairs(*, n_elements: int, budget_s: float) -> Iterator[Line]:
    """Every dtype pair, with and without KL, with one thread and with all."""
    for my, golden in PAIRS:
        buffers = make_buffers(my, golden, n_elements)
        try:
            _core.compare_buffers(buffers.my[:1], my.number, buffers.golden[:1], golden.number)
        except RuntimeError as error:
            yield Line("kernels", buffers.name, note=str(error))
            continue
        for kl in (False, True):
            for threads in _thread_counts():
                columns = "all columns" if kl else "all but KL"
                yield core_line(
                    "kernels",
                    buffers,
                    name=f"{buffers.name}, {n_elements // MB} M elements, {columns}",
                    threads=threads,
                    kl=kl,
                    budget_s=budget_s,
                )


def bench_sizes(*, largest_bytes: int, budget_s: float) -> Iterator[Line]:
    """float32 against float32 from 4 KB a side up to `largest_bytes` a side, all columns."""
    sizes = [size for size in (4 * KB, 64 * KB, MB, 16 * MB, 256 * MB, GB) if size <= largest_bytes]
    for size in sizes:
        buffers = make_buffers(FLOAT32, FLOAT32, size // 4)
        for threads in _thread_counts():
            yield core_line(
                "sizes",
                buffers,
                name=f"{buffers.name}, {_size_text(size)} a side, all columns",
                threads=threads,
                kl=True,
                budget_s=budget_s,
            )


def bench_others(*, n_elements: int, budget_s: float) -> Iterator[Line]:
    """What else there is, on float32 with one thread: numpy, and the cosine of numkong."""
    buffers = make_buffers(FLOAT32, FLOAT32, n_elements)
    read_s = best_of(
        lambda: (plain_read(buffers.my, 1), plain_read(buffers.golden, 1)),
        budget_s=budget_s / 4,
    )
    size = f"{buffers.name}, {n_elements // MB} M elements"
    for kl in (False, True):
        seconds = best_of(
            partial(numpy_baseline.compare, buffers.my, buffers.golden, kl=kl), budget_s=0
        )
        yield Line(
            "others",
            f"numpy in float64: {size}, {'all columns' if kl else 'all but KL'}",
            threads=1,
            seconds=seconds,
            n_bytes=buffers.n_bytes,
            read_s=read_s,
        )
    name = f"numkong, cosine alone: {size}"
    try:
        numkong = importlib.import_module("numkong")
    except ImportError:
        yield Line("others", name, note="not installed: pip install numkong")
        return
    seconds = best_of(lambda: numkong.angular(buffers.my, buffers.golden), budget_s=budget_s)
    yield Line(
        "others",
        name,
        threads=1,
        seconds=seconds,
        n_bytes=buffers.n_bytes,
        read_s=read_s,
        note="one of our 16 values",
    )
