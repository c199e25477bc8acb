"""The numbers of docs/en/info-format.md in plain NumPy: slow, and independent of the core."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

#: Arithmetic modulo 2^64.
Words = NDArray[np.uint64]

BUCKETS = 1021
PLACES = 1024
BAND_ROWS = 8
LANES = 8
_GOLDEN = 0x9E3779B97F4A7C15
_KEY_SEED = 0x243F6A8885A308D3
_LANE_SEED = 0x6A09E667F3BCC908
_BAND_SEED = 0xADF85458A2BB4A9A
# The places of a row that stay empty.
_EMPTY = [992, 993, 994]


def mix(z: Words) -> Words:
    """The output function of SplitMix64."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def random_words(seed: int, counters: np.ndarray) -> Words:
    return mix(np.uint64(seed) + (counters.astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN))


def place_of(bucket: np.ndarray) -> np.ndarray:
    """Where the values of a bucket stand in their rows."""
    return np.where(bucket < _EMPTY[0], bucket, bucket + len(_EMPTY))


@functools.cache
def signs(count: int) -> np.ndarray:
    """+1 or -1 for each element: float64 (count,). Not to be changed."""
    row, bucket = np.divmod(np.arange(count), BUCKETS)
    place = row * PLACES + place_of(bucket)
    words = random_words(0, np.arange((PLACES * -(-count // BUCKETS)) // 64))
    bits = words[place // 64] >> (place % 64).astype(np.uint64) & np.uint64(1)
    return np.where(bits == 1, -1.0, 1.0)


def bucket_sums(values: np.ndarray) -> np.ndarray:
    """Signed sums of a tensor's values, non-finite ones as 0: float64 (BUCKETS,)."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    flat = np.where(np.isfinite(flat), flat, 0.0)
    at = np.arange(flat.size) % BUCKETS
    return np.bincount(at, flat * signs(flat.size), minlength=BUCKETS)


def content_hash(values: np.ndarray) -> int:
    """The content hash of values, by the rule for float32 or for float64."""
    narrow = values.dtype.itemsize <= 2 or values.dtype == np.float32
    flat = values.astype(np.float32 if narrow else np.float64).ravel() + 0
    flat = np.where(np.isnan(flat), np.array(np.nan, flat.dtype), flat)
    n_rows = -(-flat.size // BUCKETS)
    rows = np.zeros((n_rows, PLACES), dtype=flat.dtype)
    at = np.arange(flat.size)
    rows[at // BUCKETS, place_of(at % BUCKETS)] = flat
    if narrow:
        bits = rows.view(np.uint32)
        halves = [(bits >> 16).astype(np.uint16), bits.astype(np.uint16)]
        # Four halves a word, the first one lowest.
        words = [np.ascontiguousarray(half).view("<u8") for half in halves]
    else:
        words = [rows.view(np.uint64)]
    lanes = np.arange(LANES)
    totals = []
    for band in range(-(-n_rows // BAND_ROWS)):
        hashed = []
        for kind, of_kind in enumerate(words):
            part = of_kind[band * BAND_ROWS :][:BAND_ROWS]
            row, number = np.indices(part.shape)
            mixed = part ^ random_words(_KEY_SEED, 2048 * kind + number + row)
            products = (mixed & np.uint64(0xFFFFFFFF)) * (mixed >> np.uint64(32))
            sums = products.reshape(-1, LANES).sum(0, dtype=np.uint64)
            hashed.append(mix(sums + random_words(_LANE_SEED, LANES * kind + lanes)).sum())
        totals.append(np.sum(hashed, dtype=np.uint64))
    bands = mix(np.array(totals, np.uint64) + random_words(_BAND_SEED, np.arange(len(totals))))
    return int(mix(np.array([bands.sum(dtype=np.uint64) + np.uint64(flat.size)]))[0])
