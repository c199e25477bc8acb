"""The metrics of the report in NumPy: plain, slow, and each with the error that theory allows.

Values are taken as float64, as the contract says; sums and products are made in long double, whose
own errors are 2048 times smaller than those of float64. x is under test, y is the golden side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Unit roundoff of float64: an operation is off by this share of its result at most.
U = 2.0**-53
#: Unit roundoff of float32: softmax weights of values that fit in float32 are made in it.
U32 = 2.0**-24
#: Share by which sums of errors may be off where their terms are float32.
FLOAT_TERMS = 1e-6
#: Relative errors count where |y| is above this.
TINY = 2.0**-23
#: Largest |x - y| for which the softmax sums of a block are made from a series.
NEAR = 0.25  # kKlNear of csrc/simd/kernels.h
#: Below this expm1(t) - t is made from its series.
SMALL = 1e-2
#: Pairs of a block, and how many of them must be left for it to count.
BLOCK, FEWEST_OF_BLOCK = 512, 64
#: Two values up to this are masks.
MASKED = -1000.0
#: A result below the normal numbers of float64 is off by a spacing of the subnormal ones.
SUBNORMAL = 2.0**-1074
#: A relative distance this small counts as 0: its square is no number of float64 any more.
VANISHING = 2.0**-500

#: dtypes with more than 24 significant bits: their pairs are summed from float64 blocks.
WIDE = {"int32", "uint32", "int64", "uint64", "float64", "complex128"}

Floats = npt.NDArray[np.float64]
Long = npt.NDArray[np.longdouble]


@dataclass(frozen=True)
class Truth:
    """A value and how far a result may be from it."""

    value: float
    bound: float = 0.0


@dataclass(frozen=True)
class Expected:
    """What a comparison has to find; `metrics` by column name, empty without a finite pair."""

    metrics: dict[str, Truth]
    my_nan_count: int
    my_inf_count: int
    golden_nan_count: int
    golden_inf_count: int
    nonfinite_mismatch_count: int
    worst: tuple[int, float, float] | None


def values_of(array: npt.NDArray[Any]) -> Floats:
    """Values in C order as float64; a complex number is two of them."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    return flat.astype(np.float64)


def total(terms: npt.NDArray[Any]) -> np.longdouble:
    """The sum in long double."""
    return np.sum(terms, dtype=np.longdouble)


def mean_of_finite(array: npt.NDArray[Any]) -> Truth:
    """Mean of the finite values: every add rounds once."""
    values = values_of(array)
    finite = values[np.isfinite(values)]
    n = finite.size
    bound = (n + 2) * U * float(total(np.abs(finite)) / n)
    return Truth(float(total(finite) / n), bound + SUBNORMAL)


def expect(my: npt.NDArray[Any], golden: npt.NDArray[Any]) -> Expected:
    """Everything that a comparison of two arrays of equal value count has to find."""
    x, y = values_of(my), values_of(golden)
    x_ok, y_ok = np.isfinite(x), np.isfinite(y)
    both = x_ok & y_ok
    agree = (np.isnan(x) & np.isnan(y)) | (~x_ok & (x == y))
    block = np.flatnonzero(both) // BLOCK
    is_wide = bool({my.dtype.name, golden.dtype.name} & WIDE)
    with np.errstate(over="ignore", under="ignore"):
        metrics = _metrics(x[both], y[both], is_wide=is_wide, is_empty=x.size == 0, block=block)
    return Expected(
        metrics,
        int(np.isnan(x).sum()),
        int(np.isinf(x).sum()),
        int(np.isnan(y).sum()),
        int(np.isinf(y).sum()),
        int((~both & ~agree).sum()),
        worst_of(my, golden),
    )


def worst_of(my: npt.NDArray[Any], golden: npt.NDArray[Any]) -> tuple[int, float, float] | None:
    """Index of the element and values of the first largest absolute error."""
    x, y = values_of(my), values_of(golden)
    both = np.isfinite(x) & np.isfinite(y)
    error = np.zeros_like(x)
    with np.errstate(over="ignore"):
        error[both] = np.abs(x[both] - y[both])
    if not error.any():
        return None
    at = int(np.argmax(error))
    return at // (2 if my.dtype.kind == "c" else 1), float(x[at]), float(y[at])


def _metrics(
    x: Floats, y: Floats, *, is_wide: bool, is_empty: bool, block: npt.NDArray[np.intp]
) -> dict[str, Truth]:
    """The metrics of finite pairs; `block` says in which block each of them lies."""
    if is_empty:  # as of two equal elements
        x = y = np.ones(1)
        block = np.zeros(1, np.intp)
    if x.size == 0:
        return {}
    # One subtraction and one division, rounded as IEEE 754 says: the maxima are exact.
    error, size = np.abs(x - y), np.abs(y)
    relative = np.divide(error, size, out=np.zeros_like(error), where=size > TINY)
    a, b = x.astype(np.longdouble), y.astype(np.longdouble)
    # A sum of n rounded terms of one sign: n - 1 adds, a subtraction, a division or two. Of values
    # that float32 holds, the terms and short runs of them are float32.
    rounding = (x.size + 5) * U if is_wide else FLOAT_TERMS
    kept = (x > MASKED) | (y > MASKED)
    seen = (a, b, block) if kept.all() else (a[kept], b[kept], block[kept])
    return {
        "cosine_similarity": cosine(a, b),
        "max_relative_error": Truth(float(relative.max())),
        "mean_relative_error": _mean(relative, rounding),
        "max_absolute_error": Truth(float(error.max())),
        "mean_absolute_error": _mean(np.abs(a - b), rounding),
        "kl_divergence": kl_divergence(a, b, is_wide=is_wide),
        "relative_euclidean_distance": relative_distance(a, b, rounding),
        "one_thousandth_err_ratio": share_below(0.001, relative, error, size),
        "five_thousandths_err_ratio": share_below(0.005, relative, error, size),
        "block_error": block_error(*seen, rounding, is_wide=is_wide),
        "bias_z": bias_z(*seen[:2], rounding),
    }


def _mean(terms: npt.NDArray[Any], rounding: float) -> Truth:
    mean = float(total(terms) / terms.size)
    return Truth(mean, rounding * mean + SUBNORMAL)


def share_below(limit: float, relative: Floats, error: Floats, size: Floats) -> Truth:
    """Share of the pairs with error / |y| below the limit; where |y| is tiny, with a tiny error."""
    return Truth(float(np.where(size > TINY, relative < limit, error <= TINY).mean()), U)


def cosine(a: Long, b: Long) -> Truth:
    """sum(ab) / sqrt(sum(a^2) sum(b^2)), 1 if both are all zero, 0 if one is."""
    if not a.any() or not b.any():
        return Truth(float(not a.any() and not b.any()))
    norm = np.sqrt(a @ a) * np.sqrt(b @ b)
    products = a * b
    value = float(total(products) / norm)
    rounding = (a.size + 4) * U
    # The sum of products is off by its terms' share, both norms by half of theirs.
    return Truth(value, rounding * (float(total(np.abs(products)) / norm) + abs(value)))


def relative_distance(a: Long, b: Long, rounding: float) -> Truth:
    """sqrt(sum((a - b)^2) / sum(b^2)); for b all zero 0 if a is too, else infinite."""
    if not b.any():
        return Truth(float("inf") if a.any() else 0.0)
    d = a - b
    value = float(np.sqrt(d @ d) / np.sqrt(b @ b))
    # The root halves the error of the quotient; a difference is rounded before it is squared.
    # Values are scaled by the largest: squares of differences 2^-537 of it vanish.
    return Truth(value, rounding * value + VANISHING)


def block_error(
    a: Long, b: Long, block: npt.NDArray[np.intp], rounding: float, *, is_wide: bool
) -> Truth:
    """The largest root of the mean of e^2 over a block; e = min(1, |a - b| / (|b| + mean |b|)).

    Without pairs of two masks. Blocks count if 64 pairs are left; if none is, what is left is
    gathered into blocks. Of values that float32 holds, a mean below its smallest normal number may
    count as that.
    """
    if a.size == 0:
        return Truth(0.0)
    # Numbers of blocks ascend.
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    counts = np.diff(starts, append=a.size)
    if (counts >= FEWEST_OF_BLOCK).any():
        counting = counts >= FEWEST_OF_BLOCK
    else:
        starts = np.arange(0, a.size, BLOCK)
        counts = np.diff(starts, append=a.size)
        counting = counts > 0
    error, size = np.abs(a - b), np.abs(b)
    means = np.add.reduceat(size, starts) / counts

    def largest(least: float) -> float:
        sizes = size + np.repeat(np.maximum(means, least), counts)
        share = (error > 0).astype(np.longdouble)  # where both sizes are 0
        np.divide(error, sizes, out=share, where=sizes > 0)
        squares = np.square(np.minimum(share, 1, out=share), out=share)
        return float(np.sqrt((np.add.reduceat(squares, starts) / counts)[counting].max()))

    found = largest(0.0)
    least = 0.0 if is_wide else 2.0**-126
    other = largest(least) if (means < least).any() else found
    return Truth(found, rounding * found + VANISHING + abs(found - other))


def bias_z(a: Long, b: Long, rounding: float) -> Truth:
    """sum(|a| - |b|) / sqrt(sum((a - b)^2)), without pairs of two masks; 0 if all are equal."""
    d = a - b
    norm = np.sqrt(d @ d)
    if norm == 0:
        return Truth(0.0)
    size_a, size_b = np.abs(a), np.abs(b)
    shift = size_a - size_b
    value, bound = float(total(shift) / norm), rounding * float(total(np.abs(shift)) / norm)
    if norm <= VANISHING * max(1.0, size_a.max(), size_b.max()):  # may count as equal
        bound += abs(value)
    return Truth(value, bound)


def kl_divergence(a: Long, b: Long, *, is_wide: bool) -> Truth:
    """sum p (log p - log q), p = softmax(b), q = softmax(a).

    With t = log q - log p this is sum (q - p - p t), since p and q both sum to 1: every term is
    positive, p (expm1(t) - t), whose series keeps those of small t exact.
    """
    d = a - b
    size = np.abs(d)
    p, log_sum_b = _softmax(b)
    # Near ones need no q: it is p exp(t).
    q, log_sum_a = _softmax(a) if size.max() > NEAR else (p, log_sum_b)
    if size.max() <= 1:
        t = d - np.log1p(p @ d + p @ _expm1_minus(d))
        terms = p * _expm1_minus(t)
    else:
        t = d - (log_sum_a - log_sum_b)
        small = np.abs(t) < SMALL
        terms = q - p - p * t
        terms[small] = p[small] * _expm1_minus(t[small])
    value = float(total(terms))
    return Truth(value, _kl_bound(a, b, p, q, size, abs(float(log_sum_a)), is_wide=is_wide))


def _softmax(values: Long) -> tuple[Long, np.longdouble]:
    """Weights that sum to 1, and the logarithm of the sum of exp(values)."""
    largest = values.max()
    weights = values - largest
    np.exp(weights, out=weights)
    weight = total(weights)
    weights /= weight
    return weights, largest + np.log(weight)


#: 1/9!, 1/8!, ... 1/2!
_SERIES = [1 / np.longdouble(math.factorial(k)) for k in range(9, 1, -1)]


def _expm1_minus(t: Long) -> Long:
    """expm1(t) - t; of small t by its series: the first term left out is below 1e-19 of the sum."""
    result = np.full_like(t, _SERIES[0])
    for factor in _SERIES[1:]:
        result *= t
        result += factor
    result *= t
    result *= t
    large = np.flatnonzero(np.abs(t) >= SMALL)
    if large.size:
        result[large] = np.expm1(t[large]) - t[large]
    return result


def _kl_bound(
    a: Long, b: Long, p: Long, q: Long, size: Long, log_sum_a: float, *, is_wide: bool
) -> float:
    """How far sums of rounded weights may be from the truth; `size` is |a - b|.

    A weight exp(t), t <= 0, is off by |t| roundoffs (t itself is rounded, or its multiple of ln 2)
    and a handful from the polynomial. In near blocks, d^2 / 2 and higher terms are summed with such
    weights in p and q alike, so that only their own error counts; in far blocks two logarithms and
    the mean of d cancel each other.
    """
    n = a.size
    roundoff = U if is_wide else U32
    # Of the wide kernels: exp of degree 9 (expm1(d) - d of degree 9 is a thousand times closer).
    series = 7e-12 if is_wide else 3e-7
    depth_b = b.max() - b
    weight_error = float(p @ (depth_b + 6)) * roundoff + series
    once, square = p * size, size * size
    squares, spread = float(p @ square), float(total(once))
    own = float((p * (depth_b + 6)) @ square) * roundoff + squares * series
    cubes = float(once @ square) * (8 * U32 if not is_wide else 0.0)
    rounding = (n + 16) * U * (squares + spread * spread) + 4 * U * spread
    near = 2 * (own + weight_error * squares) + cubes + rounding
    if size.max() <= NEAR:
        return near + SUBNORMAL
    distance = float(total(np.abs(p - q)))
    logs = log_sum_a + abs(float(b.max())) + float(np.log(n))
    depths = float((p + once) @ depth_b) + float(q @ (a.max() - a))
    far = U * ((n + 16) * (1 + spread) + 2 * logs + depths)
    # Near blocks beside far ones: their weights are off in p and q by the same share.
    return near + 2 * far + 2 * weight_error * (distance + 2 * spread) + SUBNORMAL
