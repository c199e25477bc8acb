"""The numbers of docs/info-format.md in plain NumPy: slow, and independent of the core."""

from __future__ import annotations

import numpy as np

BUCKETS = 1021
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_KEY_SEED = 0x243F6A8885A308D3
_BLOCK_SEED = 0xADF85458A2BB4A9A
_BLOCK = 512


def mix(z: int) -> int:
    """The output function of SplitMix64."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def random_word(seed: int, counter: int) -> int:
    return mix((seed + (counter + 1) * _GOLDEN) & _MASK)


def signs(count: int) -> np.ndarray:
    """+1 or -1 for each element: float64 (count,)."""
    words = [random_word(0, i) for i in range((count + 63) // 64)]
    bits = [words[i // 64] >> (i % 64) & 1 for i in range(count)]
    return np.where(np.array(bits, dtype=bool), -1.0, 1.0)


def bucket_sums(values: np.ndarray) -> np.ndarray:
    """Signed sums of a tensor's values, non-finite ones as 0: float64 (BUCKETS,)."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    flat = np.where(np.isfinite(flat), flat, 0.0)
    sums = np.zeros(BUCKETS)
    np.add.at(sums, np.arange(flat.size) % BUCKETS, flat * signs(flat.size))
    return sums


def content_hash(values: np.ndarray) -> int:
    """The content hash of values, by the rule for float32 or for float64 blocks."""
    narrow = values.dtype.itemsize <= 2 or values.dtype == np.float32
    flat = values.astype(np.float32 if narrow else np.float64).ravel() + 0
    flat = np.where(np.isnan(flat), np.array(np.nan, flat.dtype), flat)
    padded = np.zeros(-(-flat.size // _BLOCK) * _BLOCK, dtype=flat.dtype)
    padded[: flat.size] = flat
    words = padded.view(np.uint32 if narrow else np.uint64).reshape(-1, _BLOCK).tolist()
    keys = [random_word(_KEY_SEED, i) for i in range(_BLOCK)]
    total = 0
    for number, block in enumerate(words):
        if narrow:
            mixed = [word ^ (key >> 32) for word, key in zip(block, keys)]
            products = [a * b for a, b in zip(mixed[: _BLOCK // 2], mixed[_BLOCK // 2 :])]
        else:
            products = [((w ^ k) & 0xFFFFFFFF) * ((w ^ k) >> 32) for w, k in zip(block, keys)]
        total += mix((sum(products) + random_word(_BLOCK_SEED, number)) & _MASK)
    return mix((total + flat.size) & _MASK)
