"""What pairing asks of the values of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ait_cmp.pairing.readers import core_readers
from ait_cmp.tensor_ref import TensorRef

# More than a window of values that are compared at a time: the last one ends with the tensor.
COUNT = 5000


def save(path: Path, n_values: int, *, changed: int | None = None) -> TensorRef:
    values = np.arange(n_values, dtype=np.float32)
    if changed is not None:
        values[changed] += 1
    np.save(path, values)
    return TensorRef(str(path), "", 0)


@pytest.mark.parametrize(
    ("n_values", "changed", "expected"),
    [(COUNT, None, True), (COUNT + 1, None, False), (COUNT - 1, None, False), (COUNT, 0, False)],
)
def test_equal_tensors_have_equally_many_values(
    tmp_path: Path, n_values: int, changed: int | None, expected: bool
) -> None:
    first = save(tmp_path / "first.npy", COUNT)
    second = save(tmp_path / "second.npy", n_values, changed=changed)
    assert core_readers(1).are_equal(first, second, COUNT) is expected
