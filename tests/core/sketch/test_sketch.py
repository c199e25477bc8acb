from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sketch_oracle
from ait_cmp import _core
from reduced_dump import bf16, write_ge

# float32 rounds to this; so do sums of a band of a narrow tensor, before they are added as float64.
ROUNDING = 2.0**-24
# Rows are of 1021 values, bands of 8 rows.
SIZES = [0, 1, 7, 8, 992, 993, 1020, 1021, 1022, 2042, 5000, 8167, 8168, 8169, 16336]


#: Threads take so many values at a time.
CHUNK = 64 * 8 * 1021


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: most of them write a file, read it and need it no more."""
    return tmp_path_factory.mktemp("sketch")


def sketch(folder: Path, values: np.ndarray, **options: Any) -> tuple[Any, ...]:
    path = folder / "values.npy"
    np.save(path, values)
    return _core.sketch(_core.read_npy(path), **options)


@functools.cache
def values_of(size: int, dtype: str = "float32") -> np.ndarray:
    random = np.random.default_rng(size)
    if dtype == "bool":
        values = random.integers(0, 2, size).astype(bool)
    else:
        values = (100 * random.standard_normal(size)).astype(dtype)
    values.flags.writeable = False
    return values


@functools.cache
def written(folder: Path, size: int, dtype: str = "float32") -> Path:
    """A file of such values."""
    path = folder / f"{dtype}_{size}.npy"
    np.save(path, values_of(size, dtype))
    return path


@functools.cache
def hash_of(size: int, dtype: str) -> int:
    return sketch_oracle.content_hash(values_of(size, dtype))


def test_there_are_as_many_buckets_as_the_format_says() -> None:
    assert _core.sketch_buckets == sketch_oracle.BUCKETS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8", "bool"])
def test_statistics_and_hash_are_those_of_numpy(
    folder: Path, isa: str, size: int, dtype: str
) -> None:
    values = values_of(size, dtype)
    read = _core.read_npy(written(folder, size, dtype))
    shape, problem, _, sums, squares, content, _, _ = _core.sketch(read, isa=isa)
    exact = values.astype(np.float64)
    assert (shape, problem) == (values.shape, "")
    assert sums[:4] == (size, 0, 0, 0)
    assert content == hash_of(size, dtype)
    if size > 0:
        assert sums[4:6] == (exact.max(), exact.min())
        bound = size * 2.0**-52
        narrow = dtype not in ("float64", "int64")
        # Of a band, 8 values of a place and 256 squares of a lane are added as float32.
        assert abs(sums[6] - exact.mean()) <= (bound + narrow * 7 * ROUNDING) * np.abs(exact).mean()
        wanted = np.square(exact).sum()
        assert abs(squares - wanted) <= (bound + narrow * 257 * ROUNDING) * wanted


@pytest.mark.parametrize("size", SIZES)
def test_a_tensor_no_larger_than_its_sketch_is_kept_whole(
    folder: Path, isa: str, size: int
) -> None:
    *_, kept, buckets = _core.sketch(_core.read_npy(written(folder, size)), isa=isa)
    assert (kept is None) == (size > sketch_oracle.BUCKETS) == (buckets is not None)
    if kept is not None:
        assert np.array_equal(np.frombuffer(kept), values_of(size))


@pytest.mark.parametrize("size", [1022, 2042, 5000, 8168, 300_000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_buckets_hold_the_signed_sums(folder: Path, isa: str, size: int, dtype: str) -> None:
    values = values_of(size, dtype)
    read = _core.read_npy(written(folder, size, dtype))
    buckets = np.frombuffer(_core.sketch(read, isa=isa)[7])
    error = np.abs(buckets - sketch_oracle.bucket_sums(values))
    rounding = 7 * ROUNDING if dtype == "float32" else 0
    per_bucket = np.bincount(np.arange(size) % sketch_oracle.BUCKETS, np.abs(values))
    assert (error <= rounding * per_bucket + size * 2.0**-52 * np.abs(values).max()).all()


@pytest.mark.parametrize("largest", [1e-45, 2.0**-41, 2.0**-40, 1.0, 2.0**60, 2.0**61, 3e38])
def test_no_sum_overflows_or_vanishes_that_float64_can_hold(
    folder: Path, isa: str, largest: float
) -> None:
    values = (values_of(20_000) / 500).astype(np.float32)
    values[8168:] *= np.float32(largest)
    values[8168] = largest
    _, _, _, sums, squares, _, _, buckets = sketch(folder, values, isa=isa)
    exact = values.astype(np.float64)
    assert sums[4:6] == (exact.max(), exact.min())
    wanted = np.square(exact).sum()
    assert abs(squares - wanted) <= 257 * ROUNDING * wanted
    error = np.abs(np.frombuffer(buckets) - sketch_oracle.bucket_sums(values))
    assert (error <= 7 * ROUNDING * np.abs(exact).max() * 20).all()


@pytest.mark.parametrize("value", [2.0**59, 2.0**60, 2.0**-40])
def test_squares_of_values_alike_neither_overflow_nor_vanish(
    folder: Path, isa: str, value: float
) -> None:
    values = np.full(20_000, value, np.float32)
    squares = sketch(folder, values, isa=isa)[4]
    assert squares == 20_000 * value * value


@pytest.mark.parametrize("value", [0.1, 1000.1])
def test_rounding_of_values_alike_does_not_add_up(folder: Path, isa: str, value: float) -> None:
    values = np.full(300_000, value, np.float32)
    buckets = np.frombuffer(sketch(folder, values, isa=isa)[7])
    error = buckets - sketch_oracle.bucket_sums(values)
    assert np.linalg.norm(error) <= 1e-7 * np.linalg.norm(values.astype(np.float64))


def test_tiny_values_have_a_sum_of_squares(folder: Path, isa: str) -> None:
    values = np.full(20_000, 1e-30, np.float32)
    squares = sketch(folder, values, isa=isa)[4]
    assert squares == pytest.approx(20_000 * float(values[0]) ** 2)


@given(
    st.integers(1022, 3000),
    st.lists(
        st.tuples(st.integers(0, 1021), st.sampled_from([np.nan, np.inf, -np.inf])), min_size=1
    ),
)
def test_values_that_are_not_finite_are_counted_and_add_nothing(
    folder: Path, size: int, bad: list[tuple[int, float]]
) -> None:
    values = np.arange(size, dtype=np.float32)
    for at, value in bad:
        values[at] = value
    _, _, _, sums, squares, content, _, buckets = sketch(folder, values)
    finite = values[np.isfinite(values)].astype(np.float64)
    assert sums[:4] == (
        size,
        np.isnan(values).sum(),
        np.isposinf(values).sum(),
        np.isneginf(values).sum(),
    )
    assert (sums[4], sums[5]) == (finite.max(), finite.min())
    wanted = np.square(finite).sum()
    assert abs(squares - wanted) <= 257 * ROUNDING * wanted
    assert np.array_equal(np.frombuffer(buckets), sketch_oracle.bucket_sums(values))
    assert content == sketch_oracle.content_hash(values)


# Sums of two chunks are the same in any order: three, and the last one is done early.
@pytest.mark.parametrize("size", [3000, 2 * CHUNK + 9_000])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("is_scattered", [False, True])
def test_every_cpu_level_and_thread_count_gives_the_same_bits(
    folder: Path, size: int, dtype: str, is_scattered: bool
) -> None:
    path = written(folder, size, dtype)
    if is_scattered:  # from subnormal numbers to infinities
        path = folder / "scattered.npy"
        n_bytes = size * np.dtype(dtype).itemsize
        np.save(path, np.frombuffer(np.random.default_rng(1).bytes(n_bytes), dtype))
    made = {
        _core.sketch(_core.read_npy(path), isa=isa, threads=threads)
        for isa in _core.isas()
        for threads in (1, 2, 7)
    }
    assert len(made) == 1


@pytest.mark.parametrize("size", [1022, 8168, 300_000])
@pytest.mark.parametrize("bad", [[], [np.nan, np.inf, -np.inf]])
def test_bfloat16_gives_the_same_bits_as_float32(
    folder: Path, isa: str, size: int, bad: list[float]
) -> None:
    values = (values_of(size).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    values[::7] = -0.0
    values[500 : 500 + len(bad)] = bad
    path = write_ge(folder, "Add_1", (), (bf16(values),))
    (narrow,) = _core.read_ge(path).outputs
    assert narrow.dtype == "torch.bfloat16"
    assert _core.sketch(narrow, isa=isa, threads=2) == sketch(folder, values, isa=isa)


def test_a_sketch_sees_every_value_of_a_row_once(folder: Path, isa: str) -> None:
    for dtype in ("float32", "float64"):
        for at in (0, 991, 992, 994, 995, 1020, 1021, 8167, 8168, 16335):
            values = np.zeros(16_336, dtype)
            values[at] = 3
            _, _, _, sums, squares, _, _, buckets = sketch(folder, values, isa=isa)
            assert (sums[4], sums[5], squares) == (3, 0, 9)
            assert np.flatnonzero(np.frombuffer(buckets)).tolist() == [at % 1021]


def test_the_hash_tells_order_and_count_but_not_dtype_and_sign_of_zero(folder: Path) -> None:
    values = values_of(2000)

    def content(changed: np.ndarray) -> int:
        return int(sketch(folder, changed)[5])

    swapped = values.copy()
    swapped[[3, 1900]] = swapped[[1900, 3]]
    assert content(values) == content(values.reshape(40, 50))
    assert content(values.astype(np.float16)) == content(
        values.astype(np.float16).astype(np.float32)
    )
    assert content(np.zeros(9)) == content(-np.zeros(9))
    assert len({content(values), content(swapped), content(np.append(values, 0))}) == 3


@pytest.mark.parametrize("values", [np.zeros(9), np.ones(2000), values_of(2000)])
def test_the_hash_of_values_taken_as_float64_is_another_one(
    folder: Path, values: np.ndarray
) -> None:
    """So that whoever holds hashes against one another need not ask how values were taken."""
    single, double = (sketch(folder, values.astype(name))[5] for name in ("f4", "f8"))
    assert single != double


def test_a_fortran_ordered_or_truncated_array_is_not_read_wrongly(tmp_path: Path) -> None:
    path = tmp_path / "cut.npy"
    np.save(path, values_of(2000))
    path.write_bytes(path.read_bytes()[:-1])
    problem = _core.sketch(_core.read_npy(path))[1]
    assert "7999" in problem or "truncated" in problem or "left" in problem
