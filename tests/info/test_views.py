"""Views of a tensor that a reduced file keeps whole give what numpy gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp.info.tensor import ReducedTensor, with_steps

SHAPE = (3, 4, 5)
VALUES = np.arange(60, dtype=np.float32)


def kept(dtype: str = "torch.float32") -> ReducedTensor:
    return ReducedTensor("sketch", dtype, SHAPE, values=VALUES)


@given(data=st.data())
def test_a_slice_of_kept_values_is_the_slice(data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, 2))
    begin = data.draw(st.integers(0, SHAPE[axis]))
    end = data.draw(st.integers(begin, SHAPE[axis]))
    found = with_steps(kept(), [("slice", (axis, begin, end))])
    expected = VALUES.reshape(SHAPE).take(range(begin, end), axis=axis)
    assert found.shape == expected.shape
    assert found.values is not None
    assert found.values.tolist() == expected.reshape(-1).tolist()
    assert found.sums is not None
    assert found.sums[0] == expected.size
    if expected.size:
        assert found.sums[4:] == (expected.max(), expected.min(), expected.mean(dtype=np.float64))


@pytest.mark.parametrize("index", range(3))
def test_a_selection_of_kept_values_is_the_selection(index: int) -> None:
    found = with_steps(kept(), [("select", (index,)), ("transpose", (1, 0))])
    expected = VALUES.reshape(SHAPE)[index].T
    assert found.shape == (5, 4)
    assert found.values is not None
    assert found.values.tolist() == expected.reshape(-1).tolist()
