"""What the tests of the references share: calling one, and holding it against torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ait_cmp.replay.references import REFERENCES, Given, Value, bind

Array = np.ndarray[Any, Any]
DTYPES = {"f": "torch.float64", "i": "torch.int64", "b": "torch.bool"}

many = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
SEEDS = st.integers(0, 2**31)


def run(
    type_: str,
    inputs: dict[str, Any],
    attributes: dict[str, Any] | None = None,
    *,
    out_shapes: Sequence[tuple[int, ...]] = (),
    outputs: Sequence[Array] = (),
    out_dtypes: Sequence[str] = (),
    form: int = 0,
) -> list[Array]:
    """What our reference gives for inputs named as in `input_desc`."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    fed = [(name, array.shape) for name, array in arrays.items()]
    binding = bind(REFERENCES[type_], fed, attributes or {})
    dtypes = {
        name: DTYPES.get(next(iter(arrays.values())).dtype.kind, "torch.float64")
        for name in binding.positions
    }
    known = Given(dtypes, out_dtypes, out_shapes, outputs)
    result = binding.evaluate(dict(enumerate(arrays.values())), known, form)
    parts = (
        list(result)
        if isinstance(result, (tuple, list)) and not isinstance(result, Value)
        else [result]
    )
    return [np.asarray(part.value) if isinstance(part, Value) else part for part in parts]


def assert_same(found: Sequence[Any], expected: Any) -> None:
    """Equal to 1e-6 of the largest value, exactly for integers and flags."""
    wanted = list(expected) if isinstance(expected, (tuple, list)) else [expected]
    assert len(found) >= len(wanted)
    for ours, theirs in zip(found, wanted):
        array = theirs.numpy()
        assert ours.shape == array.shape
        if array.dtype.kind in "iub":
            np.testing.assert_array_equal(ours, array)
        else:
            np.testing.assert_allclose(ours, array, rtol=1e-6, atol=1e-9)


def normal(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def both(x: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x))


def positive(x: Array) -> Array:
    return np.abs(x) + 0.1


def plain(x: Array) -> Array:
    return x


def unit(x: Array) -> Array:
    return np.tanh(x)
