"""What the replay of a suspect takes of the golden side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ait_cmp.replay.evaluate import TypedArray
from ait_cmp.replay.suspects import _golden_tensor
from ait_cmp.tensor_ref import TensorRef


class OneTensor:
    """A step whose tensors are all the same."""

    def tensor(self, _: TensorRef) -> TypedArray:
        return TypedArray("torch.float32", np.zeros((2, 6)))


@pytest.mark.parametrize(
    ("shape", "is_taken"), [((2, 6), True), ((3, 4), True), ((1, 6), False), ((4, 6), False)]
)
def test_a_golden_tensor_of_a_part_of_mine_is_not_that_of_the_whole(
    tmp_path: Path, shape: tuple[int, ...], is_taken: bool
) -> None:
    golden = TensorRef(str(tmp_path / "golden.npy"), "", 0)
    np.save(golden.path, np.arange(np.prod(shape), dtype=np.float32).reshape(shape))
    step: Any = OneTensor()
    found = _golden_tensor(step, TensorRef("mine", "outputs", 0), lambda _: golden)
    assert (found is not None) == is_taken
    if found is not None:
        assert found.array.tolist() == np.arange(12).reshape(2, 6).tolist()
