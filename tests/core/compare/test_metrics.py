"""Metrics of two arrays against the reference in oracle.py."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ait_cmp
from ait_cmp import Metrics, ShapeError, _core, compare_arrays
from metric_fields import FILES, with_fields
from oracle import Expected, expect

Array = npt.NDArray[Any]

PLAIN = [
    "float64", "float32", "float16", "bfloat16", "int8", "uint8", "int16", "uint16", "int32",
    "uint32", "int64", "uint64", "bool", "float8_e5m2", "float8_e4m3fn",
]  # fmt: skip
COMPLEX = ["complex64", "complex128"]
SIZES = [1, 2, 7, 8, 9, 511, 512, 513, 1025]
HUGE = [
    1e200,
    -1e200,
    1e308,
    -1e308,
    5e-324,
    1e-200,
    1.7976931348623157e308,
    2.2250738585072014e-308,
]
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-45, 1.1754942e-38, 3.4028234663852886e38]
EDGES = {"cosine_similarity": (-1.0, 1.0), "bias_z": (-math.inf, math.inf)}
METRICS = [name for name, *_ in _core.metrics]
EQUAL = {name: of_equal for name, *_, of_equal in _core.metrics}


def dtype_of(name: str) -> np.dtype[Any]:
    return np.dtype(getattr(ml_dtypes, name, None) or name)


@functools.cache
def random_values(name: str, n: int, seed: int) -> Array:
    """Values all over the range of integers and bool, around 1 for floats; not to be changed."""
    values = _random_values(name, n, seed)
    values.flags.writeable = False
    return values


def _random_values(name: str, n: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    dtype = dtype_of(name)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, n, dtype, endpoint=True)
    if dtype.kind == "b":
        return rng.integers(0, 2, n).astype(bool)
    if dtype.kind == "c":
        return (rng.standard_normal(n) + 1j * rng.standard_normal(n)).astype(dtype)
    return rng.standard_normal(n).astype(dtype)


def check(found: Metrics, expected: Expected) -> None:
    """Every metric is within what theory allows, every count and the worst element are exact."""
    for name, truth in expected.metrics.items():
        value = getattr(found, name)
        assert value is not None, name
        low, high = EDGES.get(name, (0.0, math.inf))
        assert low <= value <= high, name
        if math.isinf(truth.value):
            assert value == truth.value, name
        else:
            assert abs(value - truth.value) <= truth.bound, (name, value, truth)
    if not expected.metrics:
        assert {getattr(found, name) for name in METRICS} == {None}
    for name in Expected.__dataclass_fields__:
        if name.endswith("count"):
            assert getattr(found, name) == getattr(expected, name), name
    worst = (found.worst_index, found.my_worst, found.golden_worst)
    assert worst == (expected.worst or (None, None, None))


def test_the_fields_of_metrics_are_those_of_the_table() -> None:
    """Else `python tests/metric_fields.py` writes them."""
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert with_fields(text) == text, path.name


def test_the_reference_computes_every_metric() -> None:
    values = np.arange(3.0)
    assert list(expect(values, values).metrics) == METRICS
    assert list(expect(values[:0], values[:0]).metrics) == METRICS


@pytest.mark.parametrize("golden_name", PLAIN)
@pytest.mark.parametrize("my_name", PLAIN)
def test_every_pair_of_dtypes_agrees_with_numpy(my_name: str, golden_name: str) -> None:
    my, golden = random_values(my_name, 1025, 1), random_values(golden_name, 1025, 2)
    check(compare_arrays(my, golden), expect(my, golden))


@pytest.mark.parametrize("golden_name", COMPLEX)
@pytest.mark.parametrize("my_name", COMPLEX)
def test_complex_numbers_are_compared_as_pairs(my_name: str, golden_name: str) -> None:
    my, golden = random_values(my_name, 513, 1), random_values(golden_name, 513, 2)
    check(compare_arrays(my, golden), expect(my, golden))


# The last one has three chunks, three pairs in the third.
@pytest.mark.parametrize(
    ("name", "n"),
    [
        *itertools.product(["float64", "float32", "float16", "bfloat16"], SIZES),
        ("float64", (1 << 19) + 3),
        ("bfloat16", (1 << 19) + 3),
    ],
)
def test_near_tensors_of_every_size_agree_with_numpy(name: str, n: int) -> None:
    golden = random_values(name, n, n)
    noise = np.random.default_rng(n + 1).standard_normal(n)
    my = (golden.astype(np.float64) * (1 + 1e-3 * noise)).astype(golden.dtype)
    check(compare_arrays(my, golden), expect(my, golden))


@pytest.mark.parametrize("name", [*PLAIN, *COMPLEX])
def test_no_elements_on_both_sides_are_equal(name: str) -> None:
    empty = np.zeros((0, 3), dtype_of(name))
    check(compare_arrays(empty, empty), expect(empty, empty))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", [*PLAIN, *COMPLEX])
def test_equal_tensors_are_exactly_equal(name: str, n: int) -> None:
    values = random_values(name, n, 3)
    is_zero = not values.astype(np.complex128).any()
    found = compare_arrays(values, values.copy())
    assert {name: getattr(found, name) for name in METRICS} == EQUAL, is_zero
    assert found.worst_index is None


ROWS = [
    # golden, my, cosine, max and mean relative, max and mean absolute error, RED
    ([1, 2, 3], [1, 2, 4], 17 / math.sqrt(294), 1 / 3, 1 / 9, 1.0, 1 / 3, math.sqrt(1 / 14)),
    ([0, 0], [0, 0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ([0, 0], [1, 1], 0.0, 0.0, 0.0, 1.0, 1.0, math.inf),
    ([1, 1], [0, 0], 0.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    ([0, 1], [5, 1], 1 / math.sqrt(26), 0.0, 0.0, 5.0, 2.5, 5.0),
    ([1], [3], 1.0, 2.0, 2.0, 2.0, 2.0, 2.0),
    ([1, -1], [-1, 1], -1.0, 2.0, 2.0, 2.0, 2.0, 2.0),
]


@pytest.mark.parametrize(("name", "rounding"), [("float32", 1e-7), ("float64", 4 * 2**-53)])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_the_table_of_edges_holds(row: tuple[Any, ...], name: str, rounding: float) -> None:
    golden, my = np.array(row[0], name), np.array(row[1], name)
    found = compare_arrays(my, golden)
    kept = (*found[:5], found.relative_euclidean_distance)
    assert kept == pytest.approx(row[2:], rel=rounding, abs=0)
    check(found, expect(my, golden))


PEER_KL = [
    # golden, my, KL as the replaced tool reports it: made in float32, off by 2^-22 or so
    ([1, 2, 3], [1, 2, 4], 0.0969991683959961),
    ([0, 1], [5, 1], 2.3601810932159424),
    ([1e-8, 1], [1, 1], 0.11094415187835693),
    ([1, -1], [-1, 1], 1.5231883525848389),
    ([1], [3], 0.0),
]


@pytest.mark.parametrize(("golden", "my", "peer"), PEER_KL)
def test_kl_is_that_of_the_replaced_tool(golden: Any, my: Any, peer: float) -> None:
    found = compare_arrays(np.array(my, np.float32), np.array(golden, np.float32))
    assert found.kl_divergence == pytest.approx(peer, abs=2**-22 * 4, rel=2**-22 * 4)


@pytest.mark.parametrize("spread", [1e-6, 1e-5, 1e-4, 1e-2])
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_a_small_kl_keeps_six_digits(name: str, spread: float) -> None:
    rng = np.random.default_rng(5)
    golden = rng.standard_normal(4096).astype(name)
    my = (golden + spread * rng.standard_normal(4096)).astype(name)
    truth = expect(my, golden).metrics["kl_divergence"]
    found = compare_arrays(my, golden).kl_divergence
    assert truth.value < spread**2
    assert found == pytest.approx(truth.value, rel=1e-6, abs=0)


@pytest.mark.parametrize("shift", [1.0, 50.0, 1e4])
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_kl_does_not_mind_where_the_values_lie(name: str, shift: float) -> None:
    rng = np.random.default_rng(6)
    golden = (rng.standard_normal(2000) + shift).astype(name)
    my = (golden + 0.5 * rng.standard_normal(2000)).astype(name)
    check(compare_arrays(my, golden), expect(my, golden))


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_blocks_near_and_far_mix_in_one_kl(name: str) -> None:
    rng = np.random.default_rng(7)
    golden = 3 * rng.standard_normal(8 * 512)
    noise = rng.standard_normal(8 * 512) * np.repeat([1e-5, 2.0] * 4, 512)
    my, golden = (golden + noise).astype(name), golden.astype(name)
    check(compare_arrays(my, golden), expect(my, golden))


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("peak", [20.0, 25.0, 30.0])
def test_a_kl_under_one_large_weight_keeps_its_digits(name: str, peak: float) -> None:
    # Nearly all of the sums of d and of d^2 cancels: the others weigh exp(-peak) or so.
    rng = np.random.default_rng(8)
    golden = rng.standard_normal(3 * 512)
    golden[700] = peak
    noise = 0.01 * rng.standard_normal(golden.size)
    noise[700] = 0.2
    my, golden = (golden + noise).astype(name), golden.astype(name)
    truth = expect(my, golden).metrics["kl_divergence"].value
    assert truth < 1e-4 * 0.2**2
    assert compare_arrays(my, golden).kl_divergence == pytest.approx(truth, rel=1e-5, abs=1e-16)


def test_a_mask_of_the_lowest_floats_has_no_weight() -> None:
    rng = np.random.default_rng(9)
    golden = rng.standard_normal(2 * 512 + 9).astype(np.float32)
    golden[100:600] = golden[-20:] = np.finfo(np.float32).min
    my = golden.copy()
    my[:50] += np.float32(0.01)
    check(compare_arrays(my, golden), expect(my, golden))


def test_a_kl_of_peaks_far_apart_is_their_distance() -> None:
    my, golden = np.array([0.0, 1000.0]), np.array([1000.0, 0.0])
    assert compare_arrays(my, golden).kl_divergence == 1000.0


def test_a_mask_of_minus_infinity_on_both_sides_is_no_difference() -> None:
    rng = np.random.default_rng(8)
    golden = rng.standard_normal(1024).astype(np.float32)
    golden[::3] = -np.inf
    my = golden * np.float32(1.001)
    found = compare_arrays(my, golden)
    check(found, expect(my, golden))
    assert (found.nonfinite_mismatch_count, found.my_inf_count) == (0, 342)


def test_nan_against_infinity_is_a_mismatch() -> None:
    my = np.array([np.nan, np.inf, -np.inf, np.nan, 1.0])
    golden = np.array([np.nan, np.inf, np.inf, np.inf, np.nan])
    found = compare_arrays(my, golden)
    check(found, expect(my, golden))
    assert found.nonfinite_mismatch_count == 3


def test_the_first_of_the_largest_errors_is_the_worst_element() -> None:
    golden = np.zeros(2000, np.float32)
    my = golden.copy()
    my[[700, 701, 1999]] = [3.0, -3.0, 3.0]
    found = compare_arrays(my, golden)
    assert (found.worst_index, found.my_worst, found.golden_worst) == (700, 3.0, 0.0)


def test_integers_beyond_2_to_53_are_compared_as_float64() -> None:
    my, golden = np.array([2**53 + 1, 5]), np.array([2**53, 4])
    found = compare_arrays(my, golden)
    assert (found.max_absolute_error, found.worst_index) == (1.0, 1)


def test_the_largest_unsigned_integer_is_no_negative_number() -> None:
    my, golden = np.array([2**64 - 1], np.uint64), np.array([2.0**64])
    assert compare_arrays(my, golden).max_absolute_error == 0.0


HUGE_PAIRS = [
    ([1e200, 2e200], [1e200, 1e200]),
    ([1e308, -1e308], [-1e308, 1e308]),
    ([1e308] * 600, [1.5e308] * 600),
    ([5e-324], [1e-323]),
    ([1e-200, 0.0], [0.0, 0.0]),
    ([0.0, 0.0], [1e-200, 0.0]),
    ([1e-170, 2e-170], [1e-170, 2.0000000000000003e-170]),
    ([1e-140, 2e-140], [1e-140, 2.0000000000000003e-140]),
    ([1e300, 1e-300], [1e-300, 1e300]),
    ([1e300, 1.0], [1.0, 1.0]),
    ([0.0, 1e308], [1e-45, 1e308]),
    ([np.inf, 2e-200, 1.0], [1.0, 1e-200, np.nan]),
    ([1e300, 2e-200, np.nan], [np.inf, 1e-200, 1e300]),
]


@pytest.mark.parametrize(("my_values", "golden_values"), HUGE_PAIRS)
def test_squares_neither_overflow_nor_vanish(my_values: Any, golden_values: Any) -> None:
    my, golden = np.array(my_values), np.array(golden_values)
    expected = expect(my, golden)
    # Relative errors and KL of such values may exceed float64 on the way; they are no squares.
    for name in ("kl_divergence", "mean_relative_error", "max_relative_error"):
        expected.metrics.pop(name, None)
    check(compare_arrays(my, golden), expected)


def pairs(name: str, values: list[float]) -> st.SearchStrategy[tuple[Array, Array]]:
    """Two float arrays with any of `values` in any place, alike or not."""

    def pair(
        n: int,
        seed: int,
        scale: float,
        error: float,
        places: tuple[list[int], list[int]],
        everywhere: tuple[float | None, float | None],
    ) -> tuple[Array, Array]:
        rng = np.random.default_rng(seed)
        golden = scale * rng.standard_normal(n)
        my = golden * (1 + error * rng.standard_normal(n))
        for side, at_and_value, one in zip((my, golden), places, everywhere):
            for number in at_and_value:
                at, value = divmod(number, len(values))
                side[at % n] = values[value]
            if one is not None:
                side[...] = one
        with np.errstate(over="ignore"):
            return my.astype(name), golden.astype(name)

    # A place and what stands there in one number: half as much to draw.
    places = st.lists(st.integers(0, SIZES[-1] * len(values) - 1), max_size=8)
    everywhere = st.none() | st.sampled_from(values)
    return st.builds(
        pair,
        st.sampled_from(SIZES),
        st.integers(0, 2**32 - 1),
        st.sampled_from([1.0, 1e-3, 30.0]),
        st.sampled_from([0.0, 1e-6, 1e-2, 1.0]),
        st.tuples(places, places),
        st.tuples(everywhere, everywhere),
    )


@given(pairs("float32", [*SPECIAL, 1.0, -100.0]))
def test_any_special_value_may_stand_anywhere(pair: tuple[Array, Array]) -> None:
    check(compare_arrays(*pair), expect(*pair))


@given(pairs("float64", [*SPECIAL, *HUGE]))
@example((np.array([np.inf, 2e-200, 1.0]), np.array([1.0, 1e-200, np.nan])))
@example((np.array([5e-324, -0.13]), np.array([0.0, 0.0])))
@example((np.array([0.0, -0.13]), np.array([5e-324, 0.0])))
@example((np.array([1e-323, 1e308]), np.array([5e-324, 0.0])))
@example((np.array([1e-323, 0.0]), np.array([1e-320, 1e308])))
def test_any_huge_value_may_stand_anywhere(pair: tuple[Array, Array]) -> None:
    expected = expect(*pair)
    expected.metrics.pop("kl_divergence", None)
    for name in ("mean_relative_error", "mean_absolute_error"):
        mean = expected.metrics.get(name)
        if mean is not None and math.isinf(mean.value * pair[0].size):
            expected.metrics.pop(name)  # the sum is beyond float64, the mean may not be
    check(compare_arrays(*pair), expected)


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize("parts", [200, 1000])
def test_an_error_of_exactly_the_limit_is_not_below_it(name: str, parts: int) -> None:
    golden = np.tile(np.array([parts, -parts, 2 * parts], name), 400)
    my = golden + np.sign(golden).astype(name)  # 1 / parts, 1 / parts, half of it
    found = compare_arrays(my, golden)
    shares = found.one_thousandth_err_ratio, found.five_thousandths_err_ratio
    assert shares == ((0.0, 1 / 3) if parts == 200 else (1 / 3, 1.0))


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("n", [3, 15, 16, 512, 700])
def test_errors_beside_a_tiny_golden_value_are_close_up_to_the_spacing_at_1(
    name: str, n: int
) -> None:
    golden = np.full(n, 2.0**-23, name)
    golden[::2] = 0
    for error, share in ((2.0**-23, 1.0), (2.0**-23 * (1 + 2.0**-23), 0.0)):
        found = compare_arrays((golden + error).astype(name), golden)
        assert found.five_thousandths_err_ratio == found.one_thousandth_err_ratio
        exact = (golden.astype(np.float64) + error).astype(name) - golden.astype(np.float64)
        assert found.one_thousandth_err_ratio == np.mean(np.abs(exact) <= 2.0**-23)
        assert found.one_thousandth_err_ratio == share or name == "float32"


@given(pairs("float32", [math.nan, math.inf, -math.inf, 0.0, 1e-45, 88.0]))
def test_kl_is_never_negative_and_zero_for_equal_tensors(pair: tuple[Array, Array]) -> None:
    my, golden = pair
    kl = compare_arrays(my, golden).kl_divergence
    assert kl is None or kl >= 0
    assert compare_arrays(my, my.copy()).kl_divergence in (0.0, None)


def test_another_element_count_is_refused_with_both_shapes() -> None:
    with pytest.raises(ShapeError, match=r"my has shape \(2,\), golden \(3, 1\)"):
        compare_arrays(np.zeros(2), np.zeros((3, 1)))


def test_a_complex_against_a_real_array_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"data shape doesn't match"):
        compare_arrays(np.zeros(3, np.complex64), np.zeros(3, np.float32))


def test_an_array_without_numbers_is_refused() -> None:
    with pytest.raises(TypeError, match="numeric dtype expected, found <U1"):
        compare_arrays(np.array(["a"]), np.zeros(1))


def test_byte_order_and_memory_order_do_not_matter() -> None:
    values = np.arange(6.0).reshape(2, 3)
    other = np.asfortranarray(values.astype(">f8"))
    assert compare_arrays(other, values).max_absolute_error == 0.0
    assert ait_cmp.compare_arrays(values[:, ::2], values[:, ::-2][:, ::-1]).cosine_similarity == 1.0
