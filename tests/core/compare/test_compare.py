"""One pair of tensors in the core: the same bits on every CPU and with any number of threads."""

from __future__ import annotations

import functools
import math
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp import _core
from ait_cmp.info.results import result_of
from make_dump import DTYPE_NUMBERS, Dump, DumpTensor, tensor_of
from oracle import mean_of_finite, worst_of

THREADS = [1, 2, 7]
BF16 = 27
#: More than one chunk of 2^18 values, and a tail that fills neither a block nor a lane group.
LARGE = 2 * 2**18 + 1027


def bits_of(value: Any) -> Any:
    """Floats as their eight bytes: NaN equals NaN, and 0 differs from -0."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, (tuple, list)):
        return tuple(map(bits_of, value))
    if isinstance(value, dict):
        return tuple(map(bits_of, value.items()))
    return value


def compare(
    my: npt.NDArray[Any], golden: npt.NDArray[Any], *, threads: int = 1, isa: str = ""
) -> tuple[Any, ...]:
    def number(values: npt.NDArray[Any]) -> int:
        return DTYPE_NUMBERS.get(values.dtype.name, BF16)

    return _core.compare_buffers(
        np.ascontiguousarray(my).view(np.uint8),
        number(my),
        np.ascontiguousarray(golden).view(np.uint8),
        number(golden),
        threads=threads,
        isa=isa,
    )


@functools.cache
def noisy_floats(n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Near and far blocks, NaN and infinities in some, zeros of both signs."""
    rng = np.random.default_rng(1)
    golden = rng.standard_normal(n)
    my = golden + rng.standard_normal(n) * rng.choice([0, 1e-6, 0.5], n // 512 + 1).repeat(512)[:n]
    for side in (my, golden):
        side[rng.integers(0, n, 3)] = rng.choice([np.nan, np.inf, -np.inf], 3)
        side[rng.integers(0, n, 20)] = rng.choice([0.0, -0.0], 20)
        side.flags.writeable = False
    return my, golden


def noisy_pair(name: str, n: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Such values in a type of their own."""
    my, golden = noisy_floats(n)
    if name.startswith(("int", "uint")):
        with np.errstate(invalid="ignore"):
            return (100 * np.nan_to_num(my, posinf=1, neginf=1)).astype(name), (
                100 * np.nan_to_num(golden, posinf=1, neginf=1)
            ).astype(name)
    dtype = ml_dtypes.bfloat16 if name == "bfloat16" else name
    return my.astype(dtype), golden.astype(dtype)


@pytest.mark.parametrize(
    "name", ["float64", "float32", "float16", "bfloat16", "int8", "int32", "int64"]
)
def test_cpu_levels_and_threads_give_the_same_bits(name: str) -> None:
    my, golden = noisy_pair(name, LARGE)
    found = {
        bits_of(compare(my, golden, threads=threads, isa=isa))
        for isa in _core.isas()
        for threads in THREADS
    }
    assert len(found) == 1


@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16"])
def test_every_way_to_sum_a_block_gives_the_same_bits(name: str) -> None:
    """Softmax sums are made with the other sums or apart: that is up to level and last block."""
    rng = np.random.default_rng(21)
    dtype = ml_dtypes.bfloat16 if name == "bfloat16" else name
    blocks = []
    for index in range(24):
        golden = rng.standard_normal(512)
        my = golden * (1 + 1e-3 * rng.standard_normal(512))
        if index % 5 == 0:
            my += 2 * rng.standard_normal(512)  # far
        if index % 7 == 3:
            golden[:100] = my[:100] = -3e4  # without weight
        if index % 6 == 1:
            golden += 0.2 * index  # new largest values
            my += 0.2 * index
        if index % 6 == 4:
            golden[5], my[5] = 12.0, 12.125  # most of the weight
        if index == 20:
            my[9] = math.nan
        blocks.append((my, golden))
    my, golden = (np.concatenate(side).astype(dtype)[:-3] for side in zip(*blocks))
    assert len({bits_of(compare(my, golden, isa=isa)) for isa in _core.isas()}) == 1


@pytest.mark.parametrize("n", [1, 7, 8, 9, 15, 16, 17, 511, 512, 513])
@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16", "uint8"])
def test_cpu_levels_give_the_same_bits_for_every_tail(name: str, n: int) -> None:
    my, golden = noisy_pair(name, n)
    assert len({bits_of(compare(my, golden, isa=isa)) for isa in _core.isas()}) == 1


#: Zeros, the smallest numbers, ones, the largest, infinities and NaN of both signs and each size.
EDGES = np.array(
    [
        *(0, 1, 0x80000000, 0x3C003C00, 0x3F800000, 0xBFF00000, 0x7BFF7BFF, 0x7F7FFFFF),
        *(0x7C00FC00, 0x7F800000, 0xFF800000, 0x7FF00000, 0xFFF00000, 0x7E007E00, 0x7FC00000),
        0xFFFFFFFF,
    ],
    np.uint32,
)


@given(st.binary(min_size=8, max_size=300), st.sampled_from(["float32", "float16", "float64"]))
def test_cpu_levels_give_the_same_bits_for_any_bits(drawn: bytes, name: str) -> None:
    """A quarter of the words are edges."""
    words = np.frombuffer(drawn[: len(drawn) // 8 * 8], np.uint32)
    words = np.where(words % 4 == 0, EDGES[(words >> 2) % EDGES.size], words)
    my, golden = (np.tile(side, 2).view(name) for side in np.split(words, 2))
    assert len({bits_of(compare(my, golden, isa=isa)) for isa in _core.isas()}) == 1


@pytest.mark.parametrize("name", ["float64", "float32", "float16"])
def test_every_cpu_level_finds_extrema_and_mean(isa: str, name: str) -> None:
    my, golden = noisy_pair(name, 3 * 512 + 5)
    result = compare(my, golden, isa=isa)
    for values, (_, _, sums) in zip((my, golden), result[2:4]):
        finite = values[np.isfinite(values)].astype(np.float64)
        truth = mean_of_finite(values)
        n, n_nan, n_positive, n_negative, largest, smallest, mean = sums
        assert (n, n_nan) == (values.size, np.isnan(values).sum())
        assert (n_positive, n_negative) == ((values == np.inf).sum(), (values == -np.inf).sum())
        assert (largest, smallest) == (finite.max(), finite.min())
        assert abs(mean - truth.value) <= truth.bound


def test_the_mean_of_huge_values_is_finite() -> None:
    huge = np.full(3000, 1.5e308)
    huge[::3] = 1e308
    alone = np.array([np.nan] * 3000)
    truth = mean_of_finite(huge)
    for golden in (huge, alone):
        mean = compare(huge, golden)[2][2][6]
        assert abs(mean - truth.value) <= truth.bound


def test_counts_of_nonfinite_values_stand_in_the_reason() -> None:
    my = np.array([np.nan, np.inf, 1.0], np.float32)
    golden = np.array([np.nan, -np.inf, np.nan], np.float32)
    status, reason = compare(my, golden)[:2]
    assert status == "compared"
    assert reason == (
        "golden_data includes NAN or inf. (2 NaN, 0 inf, 1 -inf of 3) "
        "my_data includes NAN or inf. (1 NaN, 1 inf, 0 -inf of 3)"
    )


def test_integers_that_may_be_rounded_are_noted() -> None:
    exact = np.array([2**53 - 1])
    assert compare(exact, -exact)[1] == ""
    for rounded in (2**53 + 1, -(2**53) - 1, 2**60):
        assert "2^53 or beyond" in compare(np.array([rounded]), exact)[1]
        assert "2^53 or beyond" in compare(exact, np.array([rounded]))[1]


def test_another_shape_of_as_many_elements_is_compared_and_noted() -> None:
    values = np.arange(6, dtype=np.float32)
    found = result_of(_core.compare_buffers(values, 1, values, 1, x_shape=(2, 3), y_shape=(6,)))
    assert (found.status, found.n_mismatch, found.worst) == ("compared", 0, None)
    assert found.my is not None
    assert found.golden is not None
    assert (found.my.shape, found.golden.shape) == ((2, 3), (6,))
    assert found.reason == "Shapes differ, element counts agree: my (2, 3), golden (6,)."
    assert found.metrics["cosine_similarity"] == 1.0


def test_another_number_of_elements_is_a_shape_mismatch_with_statistics() -> None:
    status, reason, my, golden, metrics, *_ = compare(np.ones(3), np.zeros(4))
    assert (status, metrics) == ("shape_mismatch", None)
    assert reason == "data shape doesn't match. (my (3,), golden (4,))"
    assert (my[2][6], golden[2][6]) == (1.0, 0.0)


def test_an_unknown_cpu_level_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=_core.isas()[-1]):
        compare(np.ones(1), np.ones(1), isa="v99")


@functools.cache
def shifted_files(folder: Path, shift: int) -> tuple[str, str]:
    """Two sides of two outputs: float32, the same as float64. The header grows with the shift."""
    paths = []
    for side, values in zip(("my", "golden"), noisy_pair("float32", 20_011)):
        name = "a" * (shift if side == "my" else 3 * shift)
        dump = Dump(
            inputs=(DumpTensor(4, (1,), b"\x01", None, (1,)),),
            outputs=(tensor_of(values), tensor_of(values.astype(np.float64))),
            op_name=name,
        )
        path = folder / f"Add.{side}.1.2.{shift}"
        path.write_bytes(dump.file_bytes())
        paths.append(str(path))
    return paths[0], paths[1]


@functools.cache
def bits_in_memory(name: str) -> Any:
    """What the tensors of the files give where they lie at their own size."""
    my, golden = (side.astype(name) for side in noisy_pair("float32", 20_011))
    return bits_of(compare(my, golden)[4:])


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shifted")


@pytest.mark.parametrize("access", ["map", "read"])
@pytest.mark.parametrize("shift", range(8))
def test_tensors_may_lie_at_any_byte(shifted: Path, shift: int, access: str, isa: str) -> None:
    """The header grows by a byte at a time; the file is too large to be copied at open."""
    paths = shifted_files(shifted, shift)
    jobs = [tuple((path, "outputs", k, ()) for path in paths) for k in (0, 1)]
    results = [row for rows in _core.Batch(jobs, access=access, isa=isa) for row in rows]
    assert bits_of(results[0][4:]) == bits_in_memory("float32")
    assert bits_of(results[1][4:]) == bits_in_memory("float64")


def test_the_worst_element_of_a_later_chunk_has_its_place_in_the_tensor() -> None:
    golden = np.zeros(LARGE, np.float32)
    my = golden.copy()
    my[[2**18 + 5, LARGE - 1]] = 2.0
    worst = compare(my, golden, threads=2)[6]
    assert worst == (2**18 + 5, 2.0, 0.0)
    assert worst_of(my, golden) == worst


def figures(my: Any, golden: Any) -> Any:
    """What the verdict is told of two float32 tensors beside their metrics."""
    return result_of(compare(np.float32(my), np.float32(golden))).figures


@pytest.mark.parametrize("infinite_first", [True, False])
@pytest.mark.parametrize(
    ("infinite", "finite", "n"),
    [(np.inf, 65504, 1), (-np.inf, -65504, 1), (np.inf, -65504, 0), (-np.inf, 65504, 0)],
)
def test_only_an_infinity_of_the_same_sign_is_saturation(
    infinite: float, finite: float, n: int, infinite_first: bool
) -> None:
    sides = [[infinite, 1], [finite, 1]]
    my, golden = sides if infinite_first else sides[::-1]
    float16 = 1
    saturated = figures(my, golden)["saturated"]
    assert sum(count for types, count in saturated if types & float16) == n


@pytest.mark.parametrize("fits", [(True, True), (True, False), (False, True), (False, False)])
def test_each_side_says_itself_whether_bfloat16_holds_its_values(fits: tuple[bool, bool]) -> None:
    my, golden = ([1.5, -3.0 if one else 1 + 2.0**-20] for one in fits)
    found = figures(my, golden)
    assert (found["my_fits_bf16"], found["golden_fits_bf16"]) == fits
