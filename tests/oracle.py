"""The metrics of the report in NumPy: plain, slow, and each with the error that theory allows.

Values are taken as float64, as the contract says; sums and products are made in long double, whose
own errors are 2048 times smaller than those of float64. x is under test, y is the golden side.
"""

from __future__ import annotations

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
        worst = _worst(x, y, both, 2 if my.dtype.kind == "c" else 1)
    return Expected(
        metrics,
        int(np.isnan(x).sum()),
        int(np.isinf(x).sum()),
        int(np.isnan(y).sum()),
        int(np.isinf(y).sum()),
        int((~both & ~agree).sum()),
        worst,
    )


def _worst(
    x: Floats, y: Floats, both: npt.NDArray[np.bool_], components: int
) -> tuple[int, float, float] | None:
    """Index of the element and values of the first largest absolute error."""
    error = np.zeros_like(x)
    error[both] = np.abs(x[both] - y[both])
    if not error.any():
        return None
    at = int(np.argmax(error))
    return at // components, float(x[at]), float(y[at])


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
    error = np.abs(x - y)
    relative = np.zeros_like(error)
    np.divide(error, np.abs(y), out=relative, where=np.abs(y) > TINY)
    # A sum of n rounded terms of one sign: n - 1 adds, a subtraction, a division or two. Of values
    # that float32 holds, the terms and short runs of them are float32.
    rounding = (x.size + 5) * U if is_wide else FLOAT_TERMS
    return {
        "cosine_similarity": cosine(x, y),
        "max_relative_error": Truth(float(relative.max())),
        "mean_relative_error": _mean(relative, rounding),
        "max_absolute_error": Truth(float(error.max())),
        "mean_absolute_error": _mean(np.abs(x.astype(np.longdouble) - y), rounding),
        "kl_divergence": kl_divergence(x, y, is_wide=is_wide),
        "relative_euclidean_distance": relative_distance(x, y, rounding),
        "one_thousandth_err_ratio": share_below(0.001, error, y),
        "five_thousandths_err_ratio": share_below(0.005, error, y),
        "block_error": block_error(x, y, block, rounding, is_wide=is_wide),
        "bias_z": bias_z(x, y, rounding),
    }


def _mean(terms: npt.NDArray[Any], rounding: float) -> Truth:
    mean = float(total(terms) / terms.size)
    return Truth(mean, rounding * mean + SUBNORMAL)


def share_below(limit: float, error: Floats, y: Floats) -> Truth:
    """Share of the pairs with error / |y| below the limit; where |y| is tiny, with a tiny error."""
    size = np.abs(y)
    relative = np.divide(error, size, out=np.full_like(error, np.inf), where=size > TINY)
    return Truth(float(np.where(size > TINY, relative < limit, error <= TINY).mean()), U)


def cosine(x: Floats, y: Floats) -> Truth:
    """sum(xy) / sqrt(sum(x^2) sum(y^2)), 1 if both are all zero, 0 if one is."""
    if not x.any() or not y.any():
        return Truth(float(not x.any() and not y.any()))
    a, b = x.astype(np.longdouble), y.astype(np.longdouble)
    norm = np.sqrt(total(a * a)) * np.sqrt(total(b * b))
    value = float(total(a * b) / norm)
    rounding = (x.size + 4) * U
    # The sum of products is off by its terms' share, both norms by half of theirs.
    return Truth(value, rounding * (float(total(np.abs(a * b)) / norm) + abs(value)))


def relative_distance(x: Floats, y: Floats, rounding: float) -> Truth:
    """sqrt(sum((x - y)^2) / sum(y^2)); for y all zero 0 if x is too, else infinite."""
    a, b = x.astype(np.longdouble), y.astype(np.longdouble)
    if not y.any():
        return Truth(float("inf") if x.any() else 0.0)
    value = float(np.sqrt(total((a - b) ** 2)) / np.sqrt(total(b * b)))
    # The root halves the error of the quotient; a difference is rounded before it is squared.
    # Values are scaled by the largest: squares of differences 2^-537 of it vanish.
    return Truth(value, rounding * value + VANISHING)


def block_error(
    x: Floats, y: Floats, block: npt.NDArray[np.intp], rounding: float, *, is_wide: bool
) -> Truth:
    """The largest root of the mean of e^2 over a block; e = min(1, |x - y| / (|y| + mean |y|)).

    Pairs of two masks are left out. Blocks count if 64 pairs are left; if none is, what is left is
    gathered into blocks. Of values that float32 holds, a mean below its smallest normal number may
    count as that.
    """
    kept = (x > MASKED) | (y > MASKED)
    a, b, block = x[kept].astype(np.longdouble), y[kept].astype(np.longdouble), block[kept]
    # Numbers of blocks ascend.
    groups = np.split(np.arange(block.size), np.flatnonzero(np.diff(block)) + 1)
    groups = [group for group in groups if group.size >= FEWEST_OF_BLOCK]
    if not groups:
        groups = [np.arange(at, min(at + BLOCK, a.size)) for at in range(0, a.size, BLOCK)]
    largest, other = (
        max((float(_block_error(a[group], b[group], least)) for group in groups), default=0.0)
        for least in (0.0, 0.0 if is_wide else 2.0**-126)
    )
    return Truth(largest, rounding * largest + VANISHING + abs(largest - other))


def _block_error(x: Long, y: Long, least: float) -> np.longdouble:
    error = np.abs(x - y)
    size = np.abs(y) + max(np.abs(y).mean(), np.longdouble(least))
    share = np.where(error > 0, 1, 0).astype(np.longdouble)  # where both sizes are 0
    np.divide(error, size, out=share, where=size > 0)
    return np.sqrt(np.square(np.minimum(share, 1)).mean())


def bias_z(x: Floats, y: Floats, rounding: float) -> Truth:
    """sum(|x| - |y|) / sqrt(sum((x - y)^2)) over what no mask covers; 0 if all are equal."""
    kept = (x > MASKED) | (y > MASKED)
    a, b = x[kept].astype(np.longdouble), y[kept].astype(np.longdouble)
    norm = np.sqrt(total(np.square(a - b)))
    if norm == 0:
        return Truth(0.0)
    shift = np.abs(a) - np.abs(b)
    value, bound = float(total(shift) / norm), rounding * float(total(np.abs(shift)) / norm)
    if norm <= VANISHING * max(1.0, np.abs(a).max(), np.abs(b).max()):  # may count as equal
        bound += abs(value)
    return Truth(value, bound)


def kl_divergence(x: Floats, y: Floats, *, is_wide: bool) -> Truth:
    """sum p (log p - log q), p = softmax(y), q = softmax(x).

    With t = log q - log p this is sum (q - p - p t), since p and q both sum to 1: every term is
    positive, and the series of expm1(t) - t keeps those of small t exact.
    """
    a, b = x.astype(np.longdouble), y.astype(np.longdouble)
    log_sum_x, log_sum_y = _log_sum_exp(a), _log_sum_exp(b)
    p, q = np.exp(b - log_sum_y), np.exp(a - log_sum_x)
    d = a - b
    shift = log_sum_x - log_sum_y
    if np.abs(d).max() <= 1:
        shift = np.log1p(total(p * np.expm1(d)))
    t = d - shift
    small = np.abs(t) < 1e-2
    terms = q - p - p * t
    terms[small] = p[small] * _expm1_minus(t[small])
    value = float(total(terms))
    return Truth(value, _kl_bound(x, y, p, q, d, is_wide=is_wide))


def _log_sum_exp(values: Long) -> np.longdouble:
    largest = values.max()
    return largest + np.log(total(np.exp(values - largest)))


def _expm1_minus(t: Long) -> Long:
    """expm1(t) - t for |t| < 0.01: the first term left out is below 1e-19 of the sum."""
    result = np.zeros_like(t)
    term = t.copy()
    for k in range(2, 10):
        term = term * t / k
        result += term
    return result


def _kl_bound(x: Floats, y: Floats, p: Long, q: Long, d: Long, *, is_wide: bool) -> float:
    """How far sums of rounded weights may be from the truth.

    A weight exp(t), t <= 0, is off by |t| roundoffs (t itself is rounded, or its multiple of ln 2)
    and a handful from the polynomial. In near blocks, d^2 / 2 and higher terms are summed with such
    weights in p and q alike, so that only their own error counts; in far blocks two logarithms and
    the mean of d cancel each other.
    """
    n = x.size
    roundoff = U if is_wide else U32
    # Of the wide kernels: exp of degree 9 (expm1(d) - d of degree 9 is a thousand times closer).
    series = 7e-12 if is_wide else 3e-7
    long_x, long_y = x.astype(np.longdouble), y.astype(np.longdouble)
    depth_y, depth_x = long_y.max() - long_y, long_x.max() - long_x
    size = np.abs(d)
    weight_error = float(total(p * (depth_y + 6))) * roundoff + series
    squares, spread = float(total(p * d * d)), float(total(p * size))
    own = float(total(p * (depth_y + 6) * d * d)) * roundoff + squares * series
    cubes = float(total(p * size**3)) * (8 * U32 if not is_wide else 0.0)
    rounding = (n + 16) * U * (squares + spread * spread) + 4 * U * spread
    near = 2 * (own + weight_error * squares) + cubes + rounding
    if np.abs(d).max() <= NEAR:
        return near + SUBNORMAL
    distance = float(total(np.abs(p - q)))
    logs = abs(float(_log_sum_exp(long_x))) + abs(float(y.max())) + float(np.log(n))
    depths = float(total(p * depth_y * (1 + size))) + float(total(q * depth_x))
    far = U * ((n + 16) * (1 + spread) + 2 * logs + depths)
    # Near blocks beside far ones: their weights are off in p and q by the same share.
    return near + 2 * far + 2 * weight_error * (distance + 2 * spread) + SUBNORMAL
