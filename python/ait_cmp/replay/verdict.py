"""Right or wrong: the limits on the statistics of one output, and the words for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from ait_cmp.config import Limits
from ait_cmp.replay.evaluate import Sums

Status = Literal["right", "wrong", "not_replayed"]
STATUSES: tuple[Status, ...] = get_args(Status)

# A mean error so many standard deviations from zero, and so large in units, is no rounding to
# nearest: a factor of 0.3 %, or truncation.
BIAS_SIGMAS = 6.0
BIAS_UNITS = 0.5


@dataclass(frozen=True)
class OutputVerdict:
    """What is known of one output.

    Attributes:
        status: Whether it is what its inputs say.
        reason: Why it is wrong, or not replayed; of one that is right a remark, or "".
        own_error: Relative Euclidean distance from the reference.
        own_growth: The same in units of honest rounding.
        worst_units: Largest error of an element, in its units.
        n_wrong: Elements beyond the limit (of exact kinds: that differ).
        n_elements: Elements of the output.
        bias: Mean error away from zero of the larger half of the elements, in units.
        nonfinite_count: Elements where one side alone is not finite, or in another way.
        kind: Kind of the reference, "exact" where every difference counts.
    """

    status: Status
    reason: str = ""
    own_error: float | None = None
    own_growth: float | None = None
    worst_units: float | None = None
    n_wrong: int | None = None
    n_elements: int = 0
    bias: float | None = None
    nonfinite_count: int | None = None
    kind: str = ""


def not_replayed(reason: str) -> OutputVerdict:
    """An output that is not judged, and why."""
    return OutputVerdict("not_replayed", reason)


def judge(sums: Sums, limits: Limits, n_elements: int, *, has_bias: bool = True) -> OutputVerdict:
    """The verdict on one output.

    Args:
        sums: What was found.
        limits: What honest rounding may do.
        n_elements: Elements of the output.
        has_bias: Whether its elements round each on their own, so that a mean says something.
    """
    errors = sums.errors
    bias, sigmas = errors.bias if has_bias and sums.kind != "exact" else (0.0, 0.0)
    is_exact = sums.kind == "exact"
    is_wrong = (
        errors.n_nonfinite > 0
        or (is_exact and errors.n_different > 0)
        or errors.own_growth > limits.own_growth_max
        or errors.worst_units > limits.element_max
        or (abs(sigmas) > BIAS_SIGMAS and abs(bias) > BIAS_UNITS)
    )
    verdict = OutputVerdict(
        status="wrong" if is_wrong else "right",
        own_error=errors.own_error,
        own_growth=0.0 if errors.own_error == 0 else errors.own_growth,
        worst_units=errors.worst_units,
        n_wrong=errors.n_different if is_exact else errors.n_above + errors.n_nonfinite,
        n_elements=n_elements,
        bias=bias,
        nonfinite_count=errors.n_nonfinite,
        kind=sums.kind,
    )
    if not is_wrong:
        remark = "consistent with HF32" if sums.is_hf32 else ""
        return _with_reason(
            verdict, remark or _remark(errors.n_elements - errors.n_judged, n_elements)
        )
    return _with_reason(verdict, _why_wrong(verdict, limits))


def _remark(n_left: int, n_elements: int) -> str:
    if not n_left:
        return ""
    return f"{n_left} of {n_elements} elements are not judged: what they hold is not defined"


def _with_reason(verdict: OutputVerdict, reason: str) -> OutputVerdict:
    return OutputVerdict(**{**verdict.__dict__, "reason": reason})


def _why_wrong(verdict: OutputVerdict, limits: Limits) -> str:
    assert verdict.own_error is not None
    assert verdict.own_growth is not None
    n_wrong, n = verdict.n_wrong, verdict.n_elements
    if verdict.nonfinite_count:
        return f"{verdict.nonfinite_count} of {n} elements are NaN or infinite where none is due"
    off = f"off by {verdict.own_error:.2g}"
    if verdict.kind == "exact":
        return f"{off}: {n_wrong} of {n} elements differ, where none may"
    if verdict.own_growth > limits.own_growth_max:
        return f"{off}, {_times(verdict.own_growth)} its rounding, {n_wrong} of {n} elements"
    assert verdict.worst_units is not None
    if verdict.worst_units > limits.element_max:
        times = _times(verdict.worst_units)
        return f"{off}; {n_wrong} of {n} elements are off by up to {times} their rounding"
    assert verdict.bias is not None
    side = "large" if verdict.bias > 0 else "small"
    return f"{off}, all alike: its values are too {side} by {abs(verdict.bias):.2g} roundings"


def _times(units: float) -> str:
    return "infinitely many times" if math.isinf(units) else f"{units:.3g} times"
