"""Error bounds of docs/en/info-format.md, and the edge cases of estimated metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from ait_cmp import _core
from ait_cmp.info.estimate import Estimate, estimate
from ait_cmp.info.tensor import ReducedTensor, sketch_tensor

Array = npt.NDArray[np.float64]
N_TRIALS = 40
ROWS, HIDDEN = 24, 1024
COSINE, RED = "cosine_similarity", "relative_euclidean_distance"


def reduced(folder: Path, values: npt.NDArray[np.generic]) -> ReducedTensor:
    path = folder / "values.npy"
    np.save(path, values)
    return sketch_tensor(_core.read_npy(path), (), 1)


def estimated(
    folder: Path, my: npt.NDArray[np.generic], golden: npt.NDArray[np.generic]
) -> Estimate:
    return estimate(reduced(folder, my), reduced(folder, golden))


def red_of(my: Array, golden: Array) -> float:
    return float(np.linalg.norm(my - golden) / np.linalg.norm(golden))


def cosine_of(my: Array, golden: Array) -> float:
    return float((my * golden).sum() / (np.linalg.norm(my) * np.linalg.norm(golden)))


def noise(random: np.random.Generator) -> Array:
    return 0.01 * random.standard_normal((ROWS, HIDDEN))


def one_channel(random: np.random.Generator) -> Array:
    error = 1e-4 * random.standard_normal((ROWS, HIDDEN))
    error[:, random.integers(HIDDEN)] = random.standard_normal(ROWS)
    return error


def one_row(random: np.random.Generator) -> Array:
    error = np.zeros((ROWS, HIDDEN))
    error[random.integers(ROWS)] = random.standard_normal(HIDDEN)
    return error


def offset(random: np.random.Generator) -> Array:
    return np.full((ROWS, HIDDEN), random.uniform(0.01, 1))


def heavy_tails(random: np.random.Generator) -> Array:
    return np.asarray(random.standard_t(2.5, (ROWS, HIDDEN)))


def diagonal(random: np.random.Generator) -> Array:
    error = np.zeros((ROWS, HIDDEN))
    error[np.arange(ROWS), np.arange(ROWS)] = random.standard_normal(ROWS)
    return error


class Trial(NamedTuple):
    """A golden tensor, its sketch, and the state in which it left the generator."""

    golden: Array
    sketch: ReducedTensor
    state: Mapping[str, Any]


@pytest.fixture(scope="module", params=[False, True])
def trials(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    """The same for all errors; with a channel that dominates or without."""
    folder = tmp_path_factory.mktemp("trials")
    made = []
    for trial in range(N_TRIALS):
        random = np.random.default_rng(trial)
        golden = random.standard_normal((ROWS, HIDDEN))
        if request.param:
            golden[:, random.integers(HIDDEN)] *= 1000
        stored = golden.astype(np.float32)
        sketch = reduced(folder, stored)
        made.append(Trial(stored.astype(np.float64), sketch, random.bit_generator.state))
    return made


@pytest.mark.parametrize("error_of", [noise, one_channel, one_row, offset, heavy_tails, diagonal])
def test_distance_and_cosine_are_within_15_percent_whatever_the_data(
    tmp_path: Path, error_of: Callable[[np.random.Generator], Array], trials: list[Trial]
) -> None:
    random = np.random.default_rng(0)
    red_errors, cosine_errors = [], []
    for golden, sketch, state in trials:
        random.bit_generator.state = state
        my = (golden + error_of(random)).astype(np.float32)
        found = estimate(reduced(tmp_path, my), sketch)
        my = my.astype(np.float64)
        assert found.source == "sketch"
        assert found.metrics is not None
        red_errors.append(found.metrics[RED] / red_of(my, golden) - 1)
        apart = 1 - cosine_of(my, golden)
        if apart > 1e-9:  # the float64 oracle itself has no digits below
            cosine_errors.append((1 - found.metrics[COSINE]) / apart - 1)
    for errors, sigma in ((red_errors, 0.5), (cosine_errors, 1.0)):
        if errors:
            assert np.abs(errors).max() <= 0.15
            # sqrt(2 / p) for squares, half of that for their root; 1.5: a sample of 40
            assert np.std(errors) <= 1.5 * sigma * np.sqrt(2 / _core.sketch_buckets)


def test_estimates_are_unbiased(tmp_path: Path) -> None:
    ratios = []
    for trial in range(100):
        random = np.random.default_rng(trial)
        golden = random.standard_normal(6000).astype(np.float32)
        my = golden + random.standard_normal(6000).astype(np.float32)
        found = estimated(tmp_path, my, golden)
        assert found.metrics is not None
        squares = np.square(my.astype(np.float64) - golden).sum()
        ratios.append(
            (found.metrics[RED] * np.linalg.norm(golden.astype(np.float64))) ** 2 / squares
        )
    assert abs(np.mean(ratios) - 1) <= 4 * np.sqrt(2 / _core.sketch_buckets / len(ratios))


def test_equal_tensors_are_known_to_be_equal_whatever_their_float_types(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal(5000).astype(np.float16)
    for other in (values, values.astype(np.float32)):
        found = estimated(tmp_path, values, other)
        assert found.metrics is not None
        equal = _core.compare_buffers(values, 2, values, 2)[4]
        assert equal is not None
        assert found == Estimate(found.metrics, 0, None, "")
        assert found.metrics.items() <= equal.items()
        assert equal.keys() - found.metrics.keys() <= {"block_error", "bias_z"}


def test_tensors_kept_whole_give_what_the_full_comparison_gives(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    golden = random.standard_normal(1000).astype(np.float32)
    my = golden + random.standard_normal(1000).astype(np.float32)
    found = estimated(tmp_path, my, golden)
    full = _core.compare_buffers(my, 1, golden, 1)
    kept = (found.metrics, found.mismatches, found.worst, found.figures, found.source)
    assert kept == (*full[4:8], "")


def test_the_worst_element_of_complex_tensors_is_counted_in_elements(tmp_path: Path) -> None:
    golden = np.zeros(50, np.complex64)
    my = golden.copy()
    my[31] = 2j
    assert estimated(tmp_path, my, golden).worst == (31, 2.0, 0.0)


@pytest.mark.parametrize(
    ("my", "golden", "cosine", "red"),
    [
        (0.0, 1.0, 0.0, 1.0),
        (1.0, 0.0, 0.0, np.inf),
    ],
)
def test_tensors_of_zeros_have_the_metrics_of_the_contract(
    tmp_path: Path, my: float, golden: float, cosine: float, red: float
) -> None:
    found = estimated(tmp_path, np.full(2042, my, np.float32), np.full(2042, golden, np.float32))
    assert found.metrics is not None
    assert found.metrics[COSINE] == cosine
    assert found.metrics[RED] == pytest.approx(red, rel=0.15)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
def test_values_far_from_1_neither_overflow_nor_vanish(tmp_path: Path, scale: float) -> None:
    random = np.random.default_rng(2)
    golden = random.standard_normal(20_000)
    my = golden + 0.1 * random.standard_normal(20_000)
    found = estimated(tmp_path, my * scale, golden * scale)
    assert found.metrics is not None
    assert found.metrics[RED] == pytest.approx(red_of(my, golden), rel=0.2)
    assert 1 - found.metrics[COSINE] == pytest.approx(1 - cosine_of(my, golden), rel=0.3)


def test_non_finite_values_are_mismatches_as_far_as_counts_tell(tmp_path: Path) -> None:
    golden = np.random.default_rng(3).standard_normal(5000).astype(np.float32)
    my = golden.copy()
    my[:3] = np.nan
    golden[1:3] = np.inf
    assert estimated(tmp_path, my, golden).mismatches == 3
    my[:] = np.nan
    found = estimated(tmp_path, my, golden)
    assert found.metrics == {}
    assert found.mismatches == 5000


def test_an_error_that_passes_by_its_size_says_so(tmp_path: Path) -> None:
    golden = np.random.default_rng(4).standard_normal(5000) * 1e-12
    found = estimated(tmp_path, -golden, golden)
    assert found.metrics is not None
    assert 0 < found.metrics["max_absolute_error"] <= 2.0**-23
