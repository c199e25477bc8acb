"""The numbers of docs/en/info-format.md in plain NumPy: slow, and independent of the core."""

from __future__ import annotations

import numpy as np

BUCKETS = 1021
PLACES = 1024
BAND_ROWS = 8
LANES = 8
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_KEY_SEED = 0x243F6A8885A308D3
_LANE_SEED = 0x6A09E667F3BCC908
_BAND_SEED = 0xADF85458A2BB4A9A
# The places of a row that stay empty.
_EMPTY = [992, 993, 994]


def mix(z: int) -> int:
    """The output function of SplitMix64."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def random_word(seed: int, counter: int) -> int:
    return mix((seed + (counter + 1) * _GOLDEN) & _MASK)


def place_of(bucket: np.ndarray) -> np.ndarray:
    """Where the values of a bucket stand in their rows."""
    return np.where(bucket < _EMPTY[0], bucket, bucket + len(_EMPTY))


def signs(count: int) -> np.ndarray:
    """+1 or -1 for each element: float64 (count,)."""
    row, bucket = np.divmod(np.arange(count), BUCKETS)
    place = row * PLACES + place_of(bucket)
    words = [random_word(0, i) for i in range((PLACES * -(-count // BUCKETS)) // 64)]
    bits = [words[at // 64] >> (at % 64) & 1 for at in place.tolist()]
    return np.where(np.array(bits, dtype=bool), -1.0, 1.0)


def bucket_sums(values: np.ndarray) -> np.ndarray:
    """Signed sums of a tensor's values, non-finite ones as 0: float64 (BUCKETS,)."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    flat = np.where(np.isfinite(flat), flat, 0.0)
    sums = np.zeros(BUCKETS)
    np.add.at(sums, np.arange(flat.size) % BUCKETS, flat * signs(flat.size))
    return sums


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
    total = 0
    for band in range(-(-n_rows // BAND_ROWS)):
        hashed = 0
        for kind, of_kind in enumerate(words):
            sums = [0] * LANES
            for row, row_words in enumerate(of_kind[band * BAND_ROWS :][:BAND_ROWS].tolist()):
                for number, word in enumerate(row_words):
                    mixed = word ^ random_word(_KEY_SEED, 2048 * kind + number + row)
                    sums[number % LANES] += (mixed & 0xFFFFFFFF) * (mixed >> 32)
            hashed += sum(
                mix((value + random_word(_LANE_SEED, LANES * kind + lane)) & _MASK)
                for lane, value in enumerate(sums)
            )
        total += mix((hashed + random_word(_BAND_SEED, band)) & _MASK)
    return mix((total + flat.size) & _MASK)
