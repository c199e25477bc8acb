"""View steps on tensors of any device layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import storage_layouts as write
from ait_cmp import FormatError, _core
from storage_layouts import assert_same_array, decode, values

ND, ZZ, NZ = 2, 28, 29
NAN = float("nan")

Array = NDArray[Any]

STEP_KINDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=4)


def random_steps(array: Array, seeds: list[int]) -> tuple[Array, tuple[Any, ...]]:
    """View steps and what NumPy makes of them."""
    steps: list[Any] = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        kind = rng.integers(0, 7)
        if kind == 0 and array.ndim > 1:
            index = int(rng.integers(0, array.shape[0]))
            steps.append(("select", (index,)))
            array = array[index]
        elif kind >= 5 and array.ndim:
            axis = int(rng.integers(0, array.ndim))
            begin = int(rng.integers(0, array.shape[axis]))
            end = int(rng.integers(begin + 1, array.shape[axis] + 1))
            steps.append(("slice", (axis, begin, end)))
            array = array.take(range(begin, end), axis)
        elif kind <= 2:
            axes = tuple(int(axis) for axis in rng.permutation(array.ndim))
            steps.append(("transpose", axes))
            array = array.transpose(axes)
        else:
            dims: list[int] = []
            left = array.size
            while left > 1 and len(dims) < 4:
                divisors = [d for d in range(1, left + 1) if left % d == 0]
                dims.append(int(rng.choice(divisors)))
                left //= dims[-1]
            dims.append(left)
            steps.append(("reshape", tuple(dims)))
            array = array.reshape(dims)
    return array, tuple(steps)


@given(st.lists(st.integers(1, 7), min_size=2, max_size=4), STEP_KINDS)
def test_any_chain_of_view_steps_is_followed(shape: list[int], seeds: list[int]) -> None:
    logical = values(tuple(shape))
    expected, steps = random_steps(logical, seeds)
    for storage, format_number in (
        (logical, ND),
        (write.fractal_nz(logical, 3, 4, NAN), NZ),
        (write.fractal_zz(logical, 2, 3, NAN), ZZ),
    ):
        array, _, _ = decode(storage, format_number, logical.shape, steps=steps)
        assert_same_array(array, expected)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (("reshape", (5, 5)), r"cannot view shape \(4, 6\) as \(5, 5\): another element count"),
        (("reshape", (5, -1)), "another element count"),
        (("transpose", (0, 0)), r"cannot transpose shape \(4, 6\) by \(0, 0\)"),
        (("transpose", (0,)), "cannot transpose"),
        (("select", (4,)), r"cannot select \(4,\) along the first dimension of shape \(4, 6\)"),
        (("select", (-1,)), "cannot select"),
        (("slice", (2, 0, 1)), r"cannot take the slice \(axis, begin, end\) \(2, 0, 1\) of shape"),
        (("slice", (-1, 0, 1)), "cannot take the slice"),
        (("slice", (1, 3, 7)), "cannot take the slice"),
        (("slice", (1, 3, 2)), "cannot take the slice"),
        (("slice", (1, -1, 2)), "cannot take the slice"),
        (("slice", (1, 2)), "cannot take the slice"),
        (("slice", ()), "cannot take the slice"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(step: tuple[Any, ...], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        decode(values((4, 6)), ND, None, steps=(step,))


def test_a_slice_of_no_elements_has_a_shape() -> None:
    steps = (("slice", (1, 2, 2)), ("transpose", (1, 0)))
    assert decode(values((4, 6)), ND, None, steps=steps)[0].shape == (0, 4)


@pytest.mark.parametrize("shape", [(3, 70000), (2000, 48)])
def test_a_slice_of_a_large_blocked_tensor_comes_back(shape: tuple[int, int]) -> None:
    logical = values(shape)
    begin, end = shape[1] // 3, shape[1] - 5
    steps = (("slice", (1, begin, end)), ("slice", (0, 1, 3)))
    array = decode(write.fractal_nz(logical, 16, 16, NAN), NZ, shape, steps=steps)[0]
    np.testing.assert_array_equal(array, logical[1:3, begin:end])


def test_the_bytes_of_a_slice_are_read_in_its_own_shape() -> None:
    whole = values((4, 6))
    array, note, _ = decode(whole[:3], ND, None, steps=(("stored", (3, 6)),))
    assert_same_array(array, whole[:3])
    assert note == ""
    tensor = _core.decode(whole[:3].tobytes(), 1, (4, 6), steps=(("stored", (3, 6)),))
    assert_same_array(tensor[0], whole[:3])


def test_a_slice_that_is_stored_shorter_than_it_says_is_refused() -> None:
    with pytest.raises(FormatError, match="short tensor"):
        _core.decode(values((2, 6)).tobytes(), 1, (4, 6), steps=(("stored", (3, 6)),))


def test_the_shape_of_the_stored_bytes_comes_first_or_not_at_all() -> None:
    steps = (("reshape", (6, 4)), ("stored", (6, 4)))
    with pytest.raises(FormatError, match="only be the first"):
        decode(values((4, 6)), ND, None, steps=steps)


def test_a_tensor_of_no_elements_has_its_shape_and_can_be_viewed() -> None:
    empty = np.empty((0, 4), np.float32)
    assert decode(empty, ND, None)[0].shape == (0, 4)
    assert decode(empty, ND, None, steps=(("transpose", (1, 0)),))[0].shape == (4, 0)
    assert decode(empty, NZ, (0, 7))[0].shape == (0, 7)
