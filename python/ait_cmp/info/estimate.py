"""Metrics of two tensors of which at least one is reduced.

The formulas and their error bounds are in docs/en/info-format.md.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core
from ait_cmp.info.reduce import extrema_of
from ait_cmp.info.results import METRICS, Figures, MetricValues, Sums, Worst, result_of
from ait_cmp.info.tensor import ReducedTensor
from ait_cmp.sentences import Sentence, say
from ait_cmp.terms import Estimated

# Numbers of the dump's OutputDataType enum.
_FLOAT32 = 1
_FLOAT64 = 12
_NAN = math.nan
# Of tensors whose pairs nobody looks at, even equal ones have none of these.
_OF_PAIRS_ALONE = frozenset({"block_error", "bias_z"})
# Spacing of float32 at 1: errors up to it pass whatever the other metrics say.
_TINY_ERROR = 2.0**-23


class Estimate(NamedTuple):
    """What two tensors say of each other.

    Attributes:
        metrics: None if nothing can be said.
        mismatches: Pairs with NaN or Inf that differ in kind; of estimates at least so many, None
            if that is not known.
        worst: The largest absolute error, None if all are equal or it is not known.
        source: "" for exact metrics, else what they were estimated from.
        sentence: What the report has to say of it, or None.
        figures: What the verdict needs besides; None unless both tensors were kept whole.
    """

    metrics: MetricValues | None
    mismatches: int | None
    worst: Worst | None
    source: Estimated
    sentence: Sentence | None = None
    figures: Figures | None = None


def estimate(my: ReducedTensor, golden: ReducedTensor) -> Estimate:
    """Metrics of two tensors with values and of equal count, as exact as the two sides allow."""
    same_order = my.keeps_order and golden.keeps_order
    if same_order and my.values is not None and golden.values is not None:
        return _compare_values(my, golden)
    is_equal = my.content is not None and my.content == golden.content
    if is_equal and (same_order or my.steps == golden.steps):
        return Estimate(_equal_metrics(my), 0, None, "")
    if same_order and my.buckets is not None and golden.buckets is not None:
        return _from_sketches(my, golden)
    return _from_extrema(my, golden)


def _equal_metrics(tensor: ReducedTensor) -> MetricValues:
    assert tensor.sums is not None
    if tensor.sums.n and tensor.sums.n_finite == 0:
        return {}
    return {
        metric.name: metric.of_equal for metric in METRICS if metric.name not in _OF_PAIRS_ALONE
    }


def _compare_values(my: ReducedTensor, golden: ReducedTensor) -> Estimate:
    found = result_of(_core.compare_buffers(*_buffer(my), *_buffer(golden)))
    worst = found.worst
    assert my.shape is not None
    if worst is not None and my.n_values == 2 * math.prod(my.shape):
        worst = worst._replace(index=worst.index // 2)
    return Estimate(found.metrics, found.n_mismatch, worst, "", figures=found.figures)


def _buffer(tensor: ReducedTensor) -> tuple[NDArray[Any], int]:
    assert tensor.values is not None
    return tensor.values, _FLOAT64 if tensor.is_wide else _FLOAT32


def _from_sketches(my: ReducedTensor, golden: ReducedTensor) -> Estimate:
    assert my.sums is not None
    assert golden.sums is not None
    assert my.buckets is not None
    assert golden.buckets is not None
    mismatches = _fewest_mismatches(my.sums, golden.sums)
    if 0 in (my.sums.n_finite, golden.sums.n_finite):
        return Estimate({}, mismatches, None, "sketch")
    # Near 1, so that no square overflows or vanishes.
    exponent = math.frexp(max(np.abs(my.buckets).max(), np.abs(golden.buckets).max()))[1]
    x, y = np.ldexp(my.buckets, -exponent), np.ldexp(golden.buckets, -exponent)
    xx, yy = _square_sum(my, x, exponent), _square_sum(golden, y, exponent)
    dd = float(np.square(x - y).sum())
    if xx == 0 or yy == 0:
        cosine = 1.0 if xx == yy else 0.0
    else:
        apart = np.square(x / math.sqrt(xx) - y / math.sqrt(yy)).sum()
        cosine = max(-1.0, 1.0 - float(apart) / 2)
    red = 0.0 if dd == 0 else math.inf if yy == 0 else math.sqrt(dd / yy)
    # No element differs by more than all of them together.
    bound = math.ldexp(math.sqrt(dd), exponent)
    metrics: MetricValues = {"cosine_similarity": cosine, "relative_euclidean_distance": red}
    if bound <= _TINY_ERROR:
        metrics["max_absolute_error"] = bound
    return Estimate(metrics, mismatches, None, "sketch")


def _square_sum(tensor: ReducedTensor, buckets: Any, exponent: int) -> float:
    """Sum of squares over 4^exponent; where float64 could not hold it, from the buckets."""
    squares = tensor.sum_squares
    if squares is not None and (squares == 0 or 2.0**-960 < squares < math.inf):
        is_zero = tensor.sums is not None and tensor.sums.max == tensor.sums.min == 0
        if squares > 0 or is_zero:
            return math.ldexp(squares, -2 * exponent)
    return float(np.square(buckets).sum())


def _fewest_mismatches(my: Sums, golden: Sums) -> int | None:
    """However NaN and Inf are placed, at least so many of them have no equal on the other side."""
    if my.n_finite is None or golden.n_finite is None:
        return None
    agree = sum(
        min(x or 0, y or 0)
        for x, y in (
            (my.n_nan, golden.n_nan),
            (my.n_positive_inf, golden.n_positive_inf),
            (my.n_negative_inf, golden.n_negative_inf),
        )
    )
    return max(0, (my.n or 0) - agree - min(my.n_finite, golden.n_finite))


def _from_extrema(my: ReducedTensor, golden: ReducedTensor) -> Estimate:
    """[min, max] of both sides as two tensors of two elements, as the replaced tool has it."""
    assert my.sums is not None
    assert golden.sums is not None
    sources = {my.source, golden.source}
    source: Estimated = "stats" if "stats" in sources else "min_max"
    sentence = None if sources & {"stats", "min_max"} else say("extrema_compared")
    ignores_nan = source == "stats"
    x = np.array(_extrema(my, ignores_nan))
    y = np.array(_extrema(golden, ignores_nan))
    found = result_of(_core.compare_buffers(x, _FLOAT64, y, _FLOAT64, kl=False))
    assert found.metrics is not None
    known = ("cosine_similarity", "max_absolute_error", "relative_euclidean_distance")
    metrics = {name: found.metrics[name] for name in known if name in found.metrics}
    counted = _fewest_mismatches(my.sums, golden.sums)
    mismatches = max(found.n_mismatch, counted or 0) or counted
    means = my.sums.mean, golden.sums.mean
    # The mean of |x - y| is no smaller than the difference of the means; likewise the maximum.
    if None not in means:
        metrics["mean_absolute_error"] = abs((means[0] or 0.0) - (means[1] or 0.0))
    return Estimate(metrics, mismatches, None, source, sentence)


def _extrema(tensor: ReducedTensor, ignores_nan: bool) -> tuple[float, float]:
    assert tensor.sums is not None
    sums = tensor.sums
    if tensor.source in ("min_max", "stats"):
        return (_NAN if sums.min is None else sums.min), (_NAN if sums.max is None else sums.max)
    if not ignores_nan or sums.n_nan == sums.n:
        return extrema_of(tensor)
    return extrema_of(replace(tensor, sums=sums._replace(n_nan=0)))
