"""Rotary position embeddings: pairs of channels turned by an angle."""

from __future__ import annotations

import numpy as np

from ait_cmp.replay.references.dtypes import FLOAT_TYPES
from ait_cmp.replay.references.result import Array, Given, RefusedError, Value, references


def _turned_half(x: Array) -> Array:
    """(a, b) -> (-b, a), a and b the halves of the last axis."""
    first, second = np.split(x, 2, axis=-1)
    return np.concatenate([-second, first], axis=-1)


def _turned_pairs(x: Array) -> Array:
    """(a0, b0, a1, b1 ...) -> (-b0, a0, -b1, a1 ...)."""
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    return np.stack([-pairs[..., 1], pairs[..., 0]], axis=-1).reshape(x.shape)


_TURNS = {"half": _turned_half, "interleave": _turned_pairs}


def _rotate(x: Array, cos: Array, sin: Array, mode: str, dtype: str) -> Value:
    """x cos + turned(x) sin; each product may be rounded to the dtype before they are added."""
    if mode not in _TURNS:
        message = f"rotary mode {mode} is not known"
        raise RefusedError(message)
    straight, turned = x * cos, _TURNS[mode](x) * sin
    unit = FLOAT_TYPES[dtype].unit if dtype in FLOAT_TYPES else 0.0
    return Value(straight + turned, slack=unit * (np.abs(straight) + np.abs(turned)))


def _rotary_mul(x: Array, r1: Array, r2: Array, *, mode: str = "half", given: Given) -> Value:
    return _rotate(x, r1, r2, mode, given.dtypes["x"])


def _apply_rotary(
    query: Array,
    key: Array,
    cos: Array,
    sin: Array,
    *,
    layout: int = 1,
    rotary_mode: str = "half",
    given: Given,
) -> tuple[Value, Value]:
    if layout not in (1, 2, 3):  # BSND, SBND, BNSD: cos and sin broadcast in all of them
        message = f"layout {layout} is not known"
        raise RefusedError(message)
    if cos.shape[-1] != query.shape[-1]:
        message = f"cos has {cos.shape[-1]} channels, query {query.shape[-1]}: part of it is turned"
        raise RefusedError(message)
    return (
        _rotate(query, cos, sin, rotary_mode, given.dtypes["query"]),
        _rotate(key, cos, sin, rotary_mode, given.dtypes["key"]),
    )


def _interleave_rope(x: Array, cos: Array, sin: Array, *, given: Given) -> Value:
    """Pairs (a0, b0, a1, b1 ...) are brought into halves, then turned."""
    halves = np.concatenate([x[..., 0::2], x[..., 1::2]], axis=-1)
    return _rotate(halves, cos, sin, "half", given.dtypes["x"])


ROTARY = references(
    "rotary",
    {
        "RotaryMul": _rotary_mul,
        "RotaryPositionEmbedding": lambda x, cos, sin, *, mode=0, given: _rotate(
            x, cos, sin, {0: "half", 1: "interleave"}.get(mode, str(mode)), given.dtypes["x"]
        ),
        "ApplyRotaryPosEmb": _apply_rotary,
        "InterleaveRope": _interleave_rope,
    },
)
