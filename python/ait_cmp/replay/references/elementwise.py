"""Formulas of one element: the result is rounded once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ait_cmp.replay.references.result import Array, Formula, Value, references

_SQRT_HALF = math.sqrt(0.5)
_SQRT_TWO_OVER_PI = math.sqrt(2.0 / math.pi)


def erf(x: Array) -> Array:
    """The error function of float64 values."""
    flat = [math.erf(value) for value in np.asarray(x, np.float64).reshape(-1).tolist()]
    return np.array(flat, dtype=np.float64).reshape(np.shape(x))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def log1p_exp(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _exp(x: Array, *, base: float = -1.0, scale: float = 1.0, shift: float = 0.0) -> Value:
    power = (x * scale + shift) * (1.0 if base == -1.0 else math.log(base))
    value = np.exp(power)
    # The exponent itself is a rounded float32.
    return Value(value, terms=value * np.abs(power))


def _log(x: Array, *, base: float = -1.0, scale: float = 1.0, shift: float = 0.0) -> Value:
    value = np.log(x * scale + shift) / (1.0 if base == -1.0 else math.log(base))
    return Value(value, terms=1.0)


def _pow(x1: Array, x2: Array) -> Array | Value:
    if _are_integers(x1, x2):
        return np.power(x1, x2)
    value = np.power(x1, x2)
    grown = np.abs(x2 * np.log(np.abs(x1)))
    return Value(value, terms=np.where(np.isfinite(grown), np.abs(value) * grown, 0.0))


def _are_integers(*arrays: Array) -> bool:
    return all(np.asarray(array).dtype.kind in "iub" for array in arrays)


def _divide(x1: Array, x2: Array) -> Array | Value:
    """True division; of integers the quotient, which is judged where signs agree or it is whole."""
    if not _are_integers(x1, x2):
        return np.asarray(np.true_divide(x1, x2))
    quotient, rest = np.divmod(x1, np.where(x2 == 0, 1, x2))
    return Value(quotient, slack=np.where((x2 == 0) | ((quotient < 0) & (rest != 0)), np.inf, 0.0))


def _floor_divide(x1: Array, x2: Array) -> Array | Value:
    if _are_integers(x1, x2):
        return Value(np.floor_divide(x1, np.where(x2 == 0, 1, x2)), slack=_if(x2 == 0, np.inf))
    return Value(np.floor(np.true_divide(x1, x2)), slack=_if(_is_near_whole(x1, x2), 1.0))


def _floor_mod(x1: Array, x2: Array) -> Array | Value:
    if _are_integers(x1, x2):
        return Value(np.mod(x1, np.where(x2 == 0, 1, x2)), slack=_if(x2 == 0, np.inf))
    value = np.where(np.isinf(x2), np.where(x1 * x2 < 0, x2, x1), np.mod(x1, x2))
    return Value(value, terms=np.abs(x1), slack=_if(_is_near_whole(x1, x2), np.abs(x2)))


def _mod(x1: Array, x2: Array) -> Value:
    """The remainder with the sign of x1."""
    if _are_integers(x1, x2):
        return Value(np.fmod(x1, np.where(x2 == 0, 1, x2)), slack=_if(x2 == 0, np.inf))
    slack = _if(_is_near_whole(x1, x2), np.abs(x2))
    return Value(np.fmod(x1, x2), terms=np.abs(x1), slack=slack)


def _is_near_whole(x1: Array, x2: Array) -> Array:
    """Where a float32 quotient may round to a whole number that the exact one is not."""
    quotient = np.true_divide(x1, x2)
    return np.asarray(np.abs(quotient - np.rint(quotient)) <= np.abs(quotient) * 2.0**-22)


def _if(condition: Array, value: Any) -> Array:
    return np.where(condition, value, 0.0)


def _clip(x: Array, clip_value_min: Array, clip_value_max: Array) -> Array:
    return np.minimum(np.maximum(x, clip_value_min), clip_value_max)


def _gelu_erf(x: Array) -> Value:
    # 1 + erf cancels for negative x in float32.
    return Value(0.5 * x * (1.0 + erf(x * _SQRT_HALF)), terms=np.abs(x))


def _gelu_tanh(x: Array) -> Value:
    inner = _SQRT_TWO_OVER_PI * (x + 0.044715 * x**3)
    return Value(x * sigmoid(2.0 * inner), terms=np.abs(x))


def _gelu_v2_erf(x: Array, *, approximate: str = "none") -> Value:
    return _gelu_erf(x) if approximate == "none" else _gelu_tanh(x)


def _gelu_v2_tanh(x: Array, *, approximate: str = "none") -> Value:
    return _gelu_tanh(x) if approximate == "none" else _gelu_erf(x)


def swish(x: Array, *, scale: float = 1.0) -> Array:
    """x times the sigmoid of scale x."""
    return x * sigmoid(scale * x)


def _softplus(x: Array) -> Value:
    return Value(log1p_exp(x), terms=1.0)


def _softplus_v2(x: Array, *, beta: float = 1.0, threshold: float = 20.0) -> Value:
    return Value(np.where(x * beta > threshold, x, log1p_exp(x * beta) / beta), terms=1.0)


def _mish(x: Array) -> Value:
    return Value(x * np.tanh(log1p_exp(x)), terms=np.abs(x))


def _elu(x: Array, *, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Value:
    below = alpha * np.expm1(np.minimum(x * input_scale, 0.0))
    return Value(scale * np.where(x > 0, x, below), terms=np.where(x > 0, 0.0, abs(alpha * scale)))


def _hard_sigmoid(input_x: Array, *, alpha: float = 0.16666666, beta: float = 0.5) -> Value:
    value = np.clip(alpha * input_x + beta, 0.0, 1.0)
    return Value(value, terms=np.where(value == 1.0, 0.0, np.abs(alpha * input_x) + abs(beta)))


def _hard_swish(x: Array) -> Value:
    return Value(x * np.clip(x + 3.0, 0.0, 6.0) / 6.0, terms=np.abs(x))


def _circular(function: Any) -> Formula:
    """A function of an angle, whose float32 is reduced to one turn first."""

    def formula(x: Array) -> Value:
        return Value(function(x), terms=1.0 + np.abs(x))

    return formula


def _near_one(function: Any) -> Formula:
    """A function with a root near 1, where float32 arguments are coarse."""

    def formula(x: Array) -> Value:
        return Value(function(x), terms=1.0)

    return formula


def _sum_of(x1: Array, x2: Array) -> Array:
    return np.logical_or(x1, x2) if _are_flags(x1, x2) else x1 + x2


def _product_of(x1: Array, x2: Array) -> Array:
    return np.logical_and(x1, x2) if _are_flags(x1, x2) else x1 * x2


def _are_flags(*arrays: Array) -> bool:
    return all(np.asarray(array).dtype == np.bool_ for array in arrays)


def _add_n(x: list[Array]) -> Value:
    return Value(sum(x[1:], x[0]), terms=sum(np.abs(item) for item in x), n_terms=len(x))


def _lerp(start: Array, end: Array, weight: Array) -> Value:
    return Value(start + weight * (end - start), terms=np.abs(start) + np.abs(weight * end))


def _addcmul(input_data: Array, x1: Array, x2: Array, value: Array) -> Value:
    product = value * x1 * x2
    return Value(input_data + product, terms=np.abs(input_data) + np.abs(product))


def _addcdiv(input_data: Array, x1: Array, x2: Array, value: Array) -> Value:
    quotient = value * x1 / x2
    return Value(input_data + quotient, terms=np.abs(input_data) + np.abs(quotient))


def _axpy(x1: Array, x2: Array, *, alpha: float = 1.0) -> Value:
    return _axpy_v2(x1, x2, np.float64(alpha))


def _axpy_v2(x1: Array, x2: Array, alpha: Any) -> Value:
    if _are_integers(x1, x2):
        return Value(x1 + np.asarray(alpha).astype(np.int64) * x2)
    return Value(x1 + alpha * x2, terms=np.abs(x1) + np.abs(alpha * x2))


def _sxpy(x1: Array, x2: Array, alpha: Any = 1) -> Value:
    return _axpy_v2(x1, x2, -np.asarray(alpha))


def _scale_by(x: Array, value: float) -> Array:
    return x * (int(value) if _are_integers(x) else value)


def _shift_by(x: Array, value: float) -> Array:
    return x + (int(value) if _are_integers(x) else value)


def _squared_difference(x1: Array, x2: Array) -> Array:
    return np.asarray(np.square(x1 - x2))


def _div_no_nan(x1: Array, x2: Array) -> Array:
    return np.where(x2 == 0, 0.0, np.true_divide(x1, np.where(x2 == 0, 1.0, x2)))


def _reciprocal(x: Array) -> Array:
    return np.asarray(1.0 / x)


def _leaky_relu(x: Array, *, negative_slope: float = 0.0) -> Array:
    return np.where(x > 0, x, negative_slope * x)


ELEMENTWISE = references(
    "elementwise",
    {
        "Add": _sum_of,
        "AddV2": _sum_of,
        "AddN": _add_n,
        "Sub": lambda x1, x2: x1 - x2,
        "Mul": _product_of,
        "Div": _divide,
        "RealDiv": _divide,
        "DivNoNan": _div_no_nan,
        "Maximum": lambda x1, x2: np.maximum(x1, x2),
        "Minimum": lambda x1, x2: np.minimum(x1, x2),
        "Pow": _pow,
        "FloorDiv": _floor_divide,
        "FloorMod": _floor_mod,
        "Mod": _mod,
        "SquaredDifference": _squared_difference,
        "Muls": lambda x, *, value: _scale_by(x, value),
        "Adds": lambda x, *, value: _shift_by(x, value),
        "Axpy": _axpy,
        "AxpyV2": _axpy_v2,
        "Sxpy": _sxpy,
        "Addcmul": _addcmul,
        "Addcdiv": _addcdiv,
        "Lerp": _lerp,
        "ClipByValue": _clip,
        "ClipByValueV2": _clip,
        "Rsqrt": lambda x: 1.0 / np.sqrt(x),
        "Sqrt": lambda x: np.sqrt(x),
        "Square": lambda x: np.square(x),
        "Neg": lambda x: -x,
        "Abs": lambda x: np.abs(x),
        "Sign": lambda x: np.sign(x),
        "Exp": _exp,
        "Expm1": lambda x: np.expm1(x),
        "Log": _log,
        "Log1p": lambda x: np.log1p(x),
        "Reciprocal": _reciprocal,
        "Sigmoid": sigmoid,
        "LogSigmoid": lambda x: Value(-log1p_exp(-x), terms=1.0),
        "Tanh": lambda x: np.tanh(x),
        "Sinh": lambda x: np.sinh(x),
        "Cosh": lambda x: np.cosh(x),
        "Cos": _circular(np.cos),
        "Sin": _circular(np.sin),
        "Tan": lambda x: Value(np.tan(x), terms=(1.0 + np.tan(x) ** 2) * (1.0 + np.abs(x))),
        "Acos": _near_one(np.arccos),
        "Asin": lambda x: np.arcsin(x),
        "Atan": lambda x: np.arctan(x),
        "Atan2": lambda x1, x2: np.arctan2(x1, x2),
        "Erf": erf,
        "Floor": lambda x: np.floor(x),
        "Ceil": lambda x: np.ceil(x),
        "Round": lambda x: np.rint(x),
        "Rint": lambda x: np.rint(x),
        "Trunc": lambda input_x: np.trunc(input_x),
        "FusedMulAdd": lambda x1, x2, x3: _axpy_v2(x3, x1, x2),
        "Relu": lambda x: np.maximum(x, 0),
        "Relu6": lambda x: np.clip(x, 0, 6),
        "LeakyRelu": _leaky_relu,
        "Elu": _elu,
        "Mish": _mish,
        "HardSwish": _hard_swish,
        "HardSigmoid": _hard_sigmoid,
        "Swish": swish,
        "FastGelu": lambda x: x * sigmoid(1.702 * x),
        "Softplus": _softplus,
        "SoftplusV2": _softplus_v2,
        # torchair maps both forms of aten.gelu to Gelu, so either may be meant.
        "Gelu": (_gelu_erf, _gelu_tanh),
        "GeluV2": (_gelu_v2_erf, _gelu_v2_tanh),
    },
)


def swiglu(x: Array, dim: int = -1, is_left: bool = True) -> Array:
    """silu of one half times the other half."""
    first, second = np.split(x, 2, axis=dim)
    return np.asarray(swish(first) * second if is_left else swish(second) * first)


def glu(x: Array, *, dim: int = -1) -> Array:
    """One half times the sigmoid of the other half."""
    first, second = np.split(x, 2, axis=dim)
    return np.asarray(first * sigmoid(second))


GATED = references("gated", {"SwiGlu": lambda x, *, dim=-1: swiglu(x, dim), "GLU": glu})
