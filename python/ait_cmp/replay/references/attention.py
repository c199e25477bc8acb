"""Dense attention: softmax(q k^T scale + mask) v for every batch and head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ait_cmp.replay.references.dtypes import FLOAT_TYPES
from ait_cmp.replay.references.result import (
    Array,
    Given,
    NotJudged,
    RefusedError,
    Value,
    numbers_of,
    references,
)

# Compressed masks (sparse modes 2 to 4) have this many rows and columns.
_COMPRESSED_MASK = 2048
# Scores that are computed at once.
_SCORES = 2**20
_HALVES = frozenset({"torch.float16", "torch.bfloat16"})
# What "no bound" is given as: the converters' defaults are near 2^31.
_NO_BOUND = 2**31 - 2**16


class _Heads(NamedTuple):
    """Queries, keys or values as (batch, heads, tokens, channels)."""

    array: Array
    layout: str

    def back(self, array: Array) -> Array:
        """An array of that order in the layout that the op has."""
        if self.layout in ("BNSD", "BNSD_BSND"):
            return array if self.layout == "BNSD" else np.swapaxes(array, 1, 2)
        swapped = np.swapaxes(array, 1, 2)
        return swapped.reshape(*swapped.shape[:2], -1) if self.layout == "BSH" else swapped


def _heads(x: Array, layout: str, n_heads: int) -> _Heads:
    if layout in ("BNSD", "BNSD_BSND") and x.ndim == 4:
        return _Heads(x, layout)
    if layout == "BSND" and x.ndim == 4:
        return _Heads(np.swapaxes(x, 1, 2), layout)
    if layout == "BSH" and x.ndim == 3:
        parts = x.reshape(*x.shape[:2], n_heads, -1)
        return _Heads(np.swapaxes(parts, 1, 2), layout)
    message = f"input_layout {layout} of {x.ndim} dimensions is not known (BSH, BSND, BNSD are)"
    raise RefusedError(message)


class _Mask(NamedTuple):
    """Which keys a query may see.

    Attributes:
        hidden: (1 or batch, 1 or heads, queries, keys) of bool; None hides nothing.
        shift: Query i sees keys up to i + shift; None: all.
        query_lengths: Queries that count, per batch; None: all.
        key_lengths: Keys that count, per batch; None: all.
    """

    hidden: Array | None
    shift: int | None
    query_lengths: list[int] | None
    key_lengths: list[int] | None

    def of(self, batch: int, head: int, rows: slice, n_keys: int) -> Array:
        """Hidden keys (queries, keys) of some queries of one batch and head."""
        hidden = np.zeros((rows.stop - rows.start, n_keys), dtype=np.bool_)
        if self.hidden is not None:
            some = self.hidden
            hidden |= some[batch % some.shape[0], head % some.shape[1], rows]
        if self.shift is not None:
            hidden |= _causal((rows.stop - rows.start, n_keys), self.shift + rows.start)
        if self.key_lengths is not None:
            hidden[:, self.key_lengths[batch] :] = True
        return hidden


def _lengths(value: Any, n_batch: int, n_tokens: int) -> list[int] | None:
    if value is None or np.size(value) == 0:
        return None
    numbers = numbers_of(value)
    numbers = numbers * n_batch if len(numbers) == 1 else numbers
    if len(numbers) < n_batch or any(not 0 <= n <= n_tokens for n in numbers):
        message = f"sequence lengths {numbers[:4]} do not fit {n_batch} batches of {n_tokens}"
        raise RefusedError(message)
    return numbers[:n_batch]


def _full_mask(mask: Array, shape: tuple[int, int]) -> Array:
    """A mask of the size of the scores as (batch, heads, queries, keys) of bool."""
    if mask.dtype.kind not in "biu":
        message = "a mask of floating-point numbers is not known"
        raise RefusedError(message)
    flags = mask != 0
    if flags.ndim == 3:
        flags = flags[:, None]
    while flags.ndim < 4:
        flags = flags[None]
    if flags.shape[-2] < shape[0] or flags.shape[-1] < shape[1]:
        message = f"its mask {mask.shape} is smaller than the scores {shape}"
        raise RefusedError(message)
    return np.asarray(flags[..., : shape[0], : shape[1]])


def _causal(shape: tuple[int, int], shift: int, before: int = _NO_BOUND) -> Array:
    """Query i sees keys i + shift - before to i + shift."""
    keys, queries = (np.arange(count, dtype=np.int32) for count in (shape[1], shape[0]))
    distance = keys[None, :] - queries[:, None]
    return (distance > shift) | (distance < shift - before)


def _hidden(
    mask: Array | None, mode: int, before: int, after: int, shape: tuple[int, int]
) -> tuple[Array | None, int | None]:
    """The mask that a sparse mode asks for: flags, or the shift of a causal one.

    Raises:
        RefusedError: The mode, or its mask, is not known.
    """
    if mode in (0, 1):
        if mask is None:
            return None, None
        full = _full_mask(mask, shape)
        band = _causal(shape, after, before + after)
        if mode == 0 and (band & ~full).any():
            message = "its pre_tokens and next_tokens hide more than its mask"
            raise RefusedError(message)
        return full, None
    if mode not in (2, 3) or mask is None or mask.shape[-1] != _COMPRESSED_MASK:
        message = f"sparse_mode {mode} with this mask is not known"
        raise RefusedError(message)
    flags = np.reshape(mask != 0, (-1, _COMPRESSED_MASK))
    if not np.array_equal(flags, np.triu(np.ones_like(flags), 1)):
        message = f"sparse_mode {mode} expects a causal mask"
        raise RefusedError(message)
    return None, 0 if mode == 2 else shape[1] - shape[0]


def _pairs(q: Array, k: Array) -> Iterator[tuple[int, int, int]]:
    """Batch, head, and the head of its keys."""
    group = q.shape[1] // k.shape[1]
    for batch in range(q.shape[0]):
        for head in range(q.shape[1]):
            yield batch, head, head // group


def _attend(
    value: Array,
    slack: Array,
    q: Array,
    k: Array,
    v: Array,
    mask: _Mask,
    scale: float,
    roundoff: float,
    coarse_scores: bool,
) -> Array:
    """Attention of all heads into `value`, what it may be off by into `slack`; log sum exp.

    Devices round the weights to the input's dtype before they multiply the values; with
    `coarse_scores` the scores, too. A block of queries at a time: scores are larger than tensors.
    """
    logs = np.zeros((*q.shape[:3], 1))
    n_queries, n_keys = q.shape[2], k.shape[2]
    step = max(1, _SCORES // max(n_keys, 1))
    for batch, head, kv in _pairs(q, k):
        keys, values = (np.asarray(one[batch, kv], np.float64) for one in (k, v))
        for begin in range(0, n_queries, step):
            rows = slice(begin, min(begin + step, n_queries))
            scores = np.asarray(q[batch, head, rows], np.float64) @ keys.T * scale
            hidden = mask.of(batch, head, rows, n_keys)
            shown = np.where(hidden, -np.inf, scores)
            largest = np.max(shown, axis=-1, keepdims=True, initial=-np.inf)
            weights = np.exp(shown - np.where(np.isfinite(largest), largest, 0.0))
            total = weights.sum(axis=-1, keepdims=True)
            weights /= total
            result = weights @ values
            sizes = weights * (1.0 + np.abs(scores)) if coarse_scores else weights
            allowed = roundoff * np.sqrt(np.square(sizes) @ np.square(values))
            # A query that sees no key: what comes out is not defined.
            sees_none = hidden.all(axis=-1)
            allowed[sees_none], result[sees_none] = np.inf, 0.0
            value[batch, head, rows], slack[batch, head, rows] = result, allowed
            logs[batch, head, rows] = largest + np.log(total)
        if mask.query_lengths is not None:
            slack[batch, head, mask.query_lengths[batch] :] = np.inf
    return logs


def _one(tensors: list[Array], name: str) -> Array:
    if len(tensors) != 1:
        message = f"{name} in {len(tensors)} tensors is not known"
        raise RefusedError(message)
    return tensors[0]


def _attention(
    query: Array,
    key: Array,
    value: Array,
    atten_mask: Array | None,
    query_lengths: Any,
    key_lengths: Any,
    *,
    num_heads: int,
    num_key_value_heads: int,
    input_layout: str,
    scale: float,
    sparse_mode: int,
    tokens: tuple[int, int],
    inner_precise: int,
    given: Given,
) -> tuple[Value, Array]:
    q = _heads(query, input_layout, num_heads)
    n_kv = num_key_value_heads or num_heads
    k, v = (_heads(x, input_layout, n_kv).array for x in (key, value))
    if q.array.shape[1] % k.shape[1] or q.array.shape[-1] != k.shape[-1]:
        message = f"queries {query.shape} and keys {key.shape} do not fit {num_heads} heads"
        raise RefusedError(message)
    shape = (q.array.shape[2], k.shape[2])
    n_batch = q.array.shape[0]
    hidden, shift = None, None
    if atten_mask is not None:
        hidden, shift = _hidden(atten_mask, sparse_mode, *tokens, shape)
    lengths = (
        _lengths(query_lengths, n_batch, shape[0]),
        _lengths(key_lengths, n_batch, shape[1]),
    )
    mask = _Mask(hidden, shift, *lengths)
    dtype = given.dtypes["query"]
    roundoff = FLOAT_TYPES[dtype].unit if dtype in FLOAT_TYPES else 0.0
    coarse = inner_precise in (1, 3) and dtype == "torch.float16"
    # float32 holds what 16-bit outputs are judged by, and halves the memory.
    kept = np.float32 if dtype in _HALVES else np.float64
    result, slack = (np.zeros((*q.array.shape[:3], v.shape[3]), kept) for _ in range(2))
    logs = _attend(result, slack, q.array, k, v, mask, scale, roundoff, coarse)
    written = q.back(result)
    return Value(written, written, max(k.shape[2], 1), q.back(slack)), logs


def _prompt(
    query: Array,
    key: Array,
    value: Array,
    atten_mask: Array | None = None,
    actual_seq_lengths: Any = None,
    actual_seq_lengths_kv: Any = None,
    *,
    num_heads: int,
    scale_value: float = 1.0,
    pre_tokens: int = 214748647,
    next_tokens: int = 0,
    input_layout: str = "BSH",
    num_key_value_heads: int = 1,
    sparse_mode: int = 0,
    inner_precise: int = 1,
    given: Given,
) -> Value:
    return _attention(
        query, key, value, atten_mask, actual_seq_lengths, actual_seq_lengths_kv,
        num_heads=num_heads, num_key_value_heads=num_key_value_heads, input_layout=input_layout,
        scale=scale_value, sparse_mode=sparse_mode, tokens=(pre_tokens, next_tokens),
        inner_precise=inner_precise, given=given,
    )[0]  # fmt: skip


def _incremental(
    query: Array,
    key: list[Array],
    value: list[Array],
    atten_mask: Array | None = None,
    actual_seq_lengths: Any = None,
    *,
    num_heads: int,
    scale_value: float = 1.0,
    input_layout: str = "BSH",
    num_key_value_heads: int = 1,
    inner_precise: int = 1,
    given: Given,
) -> Value:
    return _attention(
        query, _one(key, "key"), _one(value, "value"), atten_mask, None, actual_seq_lengths,
        num_heads=num_heads, num_key_value_heads=num_key_value_heads, input_layout=input_layout,
        scale=scale_value, sparse_mode=0, tokens=(_NO_BOUND, _NO_BOUND),
        inner_precise=inner_precise, given=given,
    )[0]  # fmt: skip


def _fused_infer(
    query: Array,
    key: list[Array],
    value: list[Array],
    atten_mask: Array | None = None,
    actual_seq_lengths: Any = None,
    actual_seq_lengths_kv: Any = None,
    *,
    num_heads: int,
    scale: float = 1.0,
    pre_tokens: int = 2147483647,
    next_tokens: int = 2147483647,
    input_layout: str = "BSH",
    num_key_value_heads: int = 1,
    sparse_mode: int = 0,
    inner_precise: int = 1,
    softmax_lse_flag: bool = False,
    given: Given,
) -> tuple[Value, Value | NotJudged]:
    y, logs = _attention(
        query, _one(key, "key"), _one(value, "value"), atten_mask, actual_seq_lengths,
        actual_seq_lengths_kv, num_heads=num_heads, num_key_value_heads=num_key_value_heads,
        input_layout=input_layout, scale=scale, sparse_mode=sparse_mode,
        tokens=(pre_tokens, next_tokens), inner_precise=inner_precise, given=given,
    )  # fmt: skip
    if not softmax_lse_flag:
        return y, "softmax_lse is not asked for (softmax_lse_flag): its values mean nothing"
    return y, Value(logs, terms=1.0 + np.abs(logs), n_terms=y.n_terms)


# Without the inputs that these describe they have no effect.
_UNUSED = "block_size antiquant_mode key_antiquant_mode value_antiquant_mode query_quant_mode"

ATTENTION = references(
    "attention",
    {
        "PromptFlashAttention": _prompt,
        "IncreFlashAttention": _incremental,
        "FusedInferAttentionScore": _fused_infer,
    },
    unused={
        "IncreFlashAttention": _UNUSED,
        "FusedInferAttentionScore": f"{_UNUSED} out_dtype pse_type",
    },
)
