"""The four statistics of a replayed output against numpy, and what enters them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp._core import ErrorSums

U = 2.0**-11


def sums(
    y: Any, reference: Any, extra: Any = None, *, saturation: float = np.inf, floor: float = 0.0
) -> ErrorSums:
    found = ErrorSums(roundoff=U, floor=floor, saturation=saturation, element_max=16.0)
    allowed = None if extra is None else np.asarray(extra, np.float64)
    found.add(np.asarray(y, np.float64), np.asarray(reference, np.float64), allowed)
    return found


@given(seed=st.integers(0, 2**31), n=st.integers(1, 600), has_extra=st.booleans())
def test_sums_are_those_of_numpy(seed: int, n: int, has_extra: bool) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=n) * 2.0 ** rng.integers(-20, 20, n)
    y = reference * (1.0 + U * rng.normal(size=n) * rng.choice([0, 1, 30], n))
    extra = np.abs(rng.normal(size=n)) if has_extra else None
    unit = U * np.abs(reference) + (0.0 if extra is None else extra)
    found = sums(y, reference, extra)
    error = np.abs(y - reference)
    assert found.n_elements == found.n_judged == n
    assert found.n_different == np.count_nonzero(error)
    assert found.n_above == np.count_nonzero(error / unit > 16)
    assert found.worst_units == np.max(error / unit)
    if found.worst_units:
        assert found.worst_index == np.argmax(error / unit)
    distance = np.linalg.norm(error)
    assert found.own_error == pytest.approx(distance / np.linalg.norm(reference), rel=1e-12)
    assert found.own_growth == pytest.approx(distance / np.linalg.norm(unit), rel=1e-12)


@given(seed=st.integers(0, 2**31), cut=st.integers(0, 500))
def test_parts_give_the_bits_of_the_whole(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=500)
    y = reference + U * rng.normal(size=500)
    whole, parts = sums(y, reference), sums(y[:cut], reference[:cut])
    parts.add(y[cut:], reference[cut:])
    for name in ("own_error", "own_growth", "worst_units", "worst_index", "bias", "n_above"):
        assert getattr(whole, name) == getattr(parts, name)


def test_rounding_to_nearest_has_no_bias_and_truncation_has_one() -> None:
    reference = np.random.default_rng(0).normal(size=20000)
    nearest = reference.astype(np.float16).astype(np.float64)
    towards_zero = np.where(
        np.abs(nearest) > np.abs(reference),
        np.nextafter(nearest.astype(np.float16), np.float16(0)).astype(np.float64),
        nearest,
    )
    units, sigmas = sums(nearest, reference).bias
    assert abs(units) < 0.05
    assert abs(sigmas) < 6
    units, sigmas = sums(towards_zero, reference).bias
    assert -0.8 < units < -0.5
    assert sigmas < -6


def test_equal_values_that_are_rounded_alike_show_no_bias() -> None:
    reference = np.full(5000, 1.0 + 0.9 * U)
    assert sums(np.full(5000, 1.0), reference).bias == (0.0, 0.0)


def test_the_larger_half_tells_the_bias() -> None:
    rng = np.random.default_rng(1)
    small, large = rng.uniform(1, 2, 3000), rng.uniform(100, 200, 3000)
    reference = np.concatenate([small, large])
    y = np.concatenate([small * (1 - 2 * U), large])
    assert sums(y, reference).bias == (0.0, 0.0)
    units, sigmas = sums(np.concatenate([small, large * (1 - 2 * U)]), reference).bias
    assert units == pytest.approx(-2.0, rel=1e-6)
    assert sigmas < -6


def test_elements_that_are_not_judged_enter_nothing() -> None:
    found = sums([5.0, 1.0], [1.0, 1.0], [np.inf, 0.0])
    assert (found.n_elements, found.n_judged, found.n_different) == (2, 1, 0)
    assert found.own_error == found.own_growth == found.worst_units == 0.0


@pytest.mark.parametrize(
    ("y", "reference", "n_nonfinite"),
    [
        (np.nan, np.nan, 0),
        (np.inf, np.inf, 0),
        (np.inf, -np.inf, 1),
        (np.nan, 1.0, 1),
        (1.0, np.nan, 1),
        (np.inf, 1.0, 1),
        (np.inf, 70000.0, 0),
        (65504.0, 70000.0, 0),
        (65504.0, np.inf, 0),
        (-65504.0, np.inf, 1),
        (np.inf, 65000.0, 1),
    ],
)
def test_saturation_is_no_error_and_other_infinities_are(
    y: float, reference: float, n_nonfinite: int
) -> None:
    found = sums([y, 1.0], [reference, 1.0], saturation=65504.0 * (1 - 4 * U))
    assert found.n_nonfinite == n_nonfinite
    assert found.own_error == 0.0


def test_a_value_where_zero_is_due_is_infinitely_wrong_unless_within_the_floor() -> None:
    assert sums([1e-3], [0.0]).worst_units == np.inf
    assert sums([2.0**-25], [0.0], floor=2.0**-25).worst_units == 1.0


def test_arrays_of_other_sizes_are_refused() -> None:
    found = ErrorSums(roundoff=U, floor=0.0, saturation=np.inf, element_max=16.0)
    with pytest.raises(ValueError, match="arrays of one size"):
        found.add(np.zeros(2), np.zeros(3))
