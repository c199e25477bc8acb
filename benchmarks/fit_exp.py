"""Coefficients of the float polynomials in csrc/simd/kl-inl.h: `python -m benchmarks.fit_exp`.

Interpolation in Chebyshev nodes, close to the best fit; then rounded to float32, and the error of
the rounded polynomial in exact arithmetic.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def fit(function: Function, reach: float, degree: int) -> NDArray[np.float32]:
    """Coefficients of x^0, x^1, ... for |x| <= reach."""
    series = chebyshev.Chebyshev.interpolate(function, degree, domain=[-reach, reach])
    coefficients: NDArray[np.float64] = series.convert(kind=np.polynomial.Polynomial).coef
    return coefficients.astype(np.float32)


def slope_of_power(r: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2^r - 1) / r by its series: fitted instead of 2^r, so that 2^0 is exactly 1."""
    terms = (math.log(2) ** (k + 1) * r**k / math.factorial(k + 1) for k in range(16))
    return sum(terms, np.zeros_like(r))


def square_rest(d: NDArray[np.float64]) -> NDArray[np.float64]:
    """(expm1(d) - d) / d^2 by its series."""
    return sum((d**k / math.factorial(k + 2) for k in range(20)), np.zeros_like(d))


def _error(
    coefficients: NDArray[np.float32], function: Function, argument: NDArray[np.float64]
) -> float:
    """Largest relative error."""
    values = np.polyval(coefficients[::-1].astype(np.float64), argument)
    return float(np.abs(values / function(argument) - 1).max())


def _text(coefficients: NDArray[np.float32]) -> str:
    return ", ".join(float(c).hex() for c in coefficients)


def main() -> None:
    """Print the polynomials and their largest errors."""
    r = np.linspace(-0.5, 0.5, 20_000)
    power = np.concatenate([np.ones(1, np.float32), fit(slope_of_power, 0.5, 4)])
    print(f"2^r, |r| <= 1/2: {_text(power)} error {_error(power, np.exp2, r):.1e}")
    for reach, degree in ((0.25, 4), (0.5, 5)):
        rest = fit(square_rest, reach, degree)
        error = _error(rest, square_rest, np.linspace(-reach, reach, 20_000))
        print(f"(expm1(d) - d) / d^2, |d| <= {reach}: {_text(rest)} error {error:.1e}")


if __name__ == "__main__":
    main()
