"""The same metrics in plain numpy, in float64: what a short script would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Relative error is 0 where the golden value is not above this (peer and report alike).
SMALL_GOLDEN = 2.0**-23


def compare(x: NDArray[Any], y: NDArray[Any], *, kl: bool = True) -> dict[str, float]:
    """All metric columns of the report for finite data.

    Args:
        x: Tensor under test, any shape, any dtype that numpy knows.
        y: Reference with as many elements.
        kl: With the Kullback-Leibler divergence of the softmaxes.

    Returns:
        Metric by column name.
    """
    a = np.asarray(x, dtype=np.float64).ravel()
    b = np.asarray(y, dtype=np.float64).ravel()
    absolute = np.abs(a - b)
    magnitude = np.abs(b)
    relative = np.zeros_like(absolute)
    np.divide(absolute, magnitude, out=relative, where=magnitude > SMALL_GOLDEN)
    golden_squares = float(b @ b)
    worst = int(np.argmax(absolute))
    result = {
        "cosine_similarity": float(a @ b) / float(np.sqrt(float(a @ a) * golden_squares)),
        "max_relative_error": float(relative.max()),
        "mean_relative_error": float(relative.mean()),
        "max_absolute_error": float(absolute[worst]),
        "mean_absolute_error": float(absolute.mean()),
        "relative_euclidean_distance": float(np.sqrt(float(absolute @ absolute) / golden_squares)),
        "worst_index": float(worst),
        "my_max_value": float(a.max()),
        "my_min_value": float(a.min()),
        "my_mean_value": float(a.mean()),
        "golden_max_value": float(b.max()),
        "golden_min_value": float(b.min()),
        "golden_mean_value": float(b.mean()),
    }
    if kl:
        shifted_a, shifted_b = a - a.max(), b - b.max()
        exp_b = np.exp(shifted_b)
        sum_b = float(exp_b.sum())
        log_ratio = float(np.log(float(np.exp(shifted_a).sum()))) - float(np.log(sum_b))
        result["kl_divergence"] = max(
            0.0, float(exp_b @ (shifted_b - shifted_a)) / sum_b + log_ratio
        )
    return result
