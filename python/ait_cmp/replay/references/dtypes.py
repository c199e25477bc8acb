"""Number types of devices: how they round, how far apart their numbers are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ait_cmp.replay.references.result import Array


class FloatType(NamedTuple):
    """A type of floating-point numbers.

    Attributes:
        bits: Bits of the significand, the hidden one included.
        min_exponent: log2 of the smallest normal number.
        largest: The largest finite number.
        unit: Roundoff by which results in this type are judged: half of the vendor's acceptance
            threshold for single operators on the mean (of float32 all of it).
    """

    bits: int
    min_exponent: int
    largest: float
    unit: float


FLOAT_TYPES = {
    "torch.float16": FloatType(11, -14, 65504.0, 2.0**-11),
    "torch.bfloat16": FloatType(8, -126, 2.0**128 - 2.0**120, 2.0**-8),
    "torch.float32": FloatType(24, -126, float(np.finfo(np.float32).max), 2.0**-13),
    "torch.float64": FloatType(53, -1022, float(np.finfo(np.float64).max), 2.0**-22),
    "torch.float8_e4m3fn": FloatType(4, -6, 448.0, 2.0**-4),
    "torch.float8_e5m2": FloatType(3, -14, 57344.0, 2.0**-3),
}

# The float32 that matrix units take unless they are told otherwise: 11 bits of significand.
HF32_UNIT = 2.0**-12

# Attributes number types as GE does at run time, not as the dump does.
RUN_TIME_DTYPES = {
    0: "torch.float32",
    1: "torch.float16",
    2: "torch.int8",
    3: "torch.int32",
    4: "torch.uint8",
    6: "torch.int16",
    7: "torch.uint16",
    8: "torch.uint32",
    9: "torch.int64",
    10: "torch.uint64",
    11: "torch.float64",
    12: "torch.bool",
    27: "torch.bfloat16",
    29: "torch.int4",
    35: "torch.float8_e5m2",
    36: "torch.float8_e4m3fn",
}

_INTEGER_RANGES = {
    "torch.bool": (0, 1),
    "torch.int4": (-8, 7),
    "torch.int8": (-(2**7), 2**7 - 1),
    "torch.uint8": (0, 2**8 - 1),
    "torch.int16": (-(2**15), 2**15 - 1),
    "torch.uint16": (0, 2**16 - 1),
    "torch.int32": (-(2**31), 2**31 - 1),
    "torch.uint32": (0, 2**32 - 1),
    "torch.int64": (-(2**63), 2**63 - 1),
    "torch.uint64": (0, 2**64 - 1),
}


def integer_range(dtype: str) -> tuple[int, int] | None:
    """Smallest and largest number of an integer type, None for other types."""
    return _INTEGER_RANGES.get(dtype)


def round_to(dtype: str, x: Array) -> Array:
    """Float64 values rounded to a float type, half to even; beyond its numbers infinite.

    Values of a type that is no float type are returned as they are.
    """
    kind = FLOAT_TYPES.get(dtype)
    if kind is None or kind.bits == 53:
        return x
    return _round(x, kind.bits, kind.min_exponent, kind.largest)


def round_to_bits(x: Array, bits: int) -> Array:
    """Float64 values rounded to so many bits of significand, exponents as in float32."""
    return _round(x, bits, -126, np.inf)


def _round(x: Array, bits: int, min_exponent: int, largest: float) -> Array:
    _, exponents = np.frexp(x)  # |x| in [2^(e-1), 2^e)
    last_bit = np.maximum(exponents, min_exponent + 1) - bits
    rounded = np.ldexp(np.rint(np.ldexp(x, -last_bit)), last_bit)
    return np.where(np.abs(rounded) > largest, np.copysign(np.inf, x), rounded)
