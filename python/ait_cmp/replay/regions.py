"""Where the elements of a tensor that are off lie, if they lie together."""

from __future__ import annotations

import numpy as np

from ait_cmp.replay.references.result import Array

# Edge of the tiles that matrix units write.
_TILE = 16


def describe_regions(is_wrong: Array) -> str:
    """One element, row, column, 16 x 16 tile, or a tail; "" if they lie anywhere else."""
    positions = np.argwhere(is_wrong)
    if len(positions) == 0 or is_wrong.ndim == 0:
        return ""
    if len(positions) == 1:
        return f"Only element {positions[0].tolist()} is off."
    for describe in (_row, _column, _tail, _tile, _rows):
        sentence = describe(is_wrong, positions)
        if sentence:
            return sentence
    return ""


def _row(is_wrong: Array, positions: Array) -> str:
    rows = np.unique(positions[:, :-1], axis=0)
    if is_wrong.ndim < 2 or len(rows) > 1:
        return ""
    return f"Only row {rows[0].tolist()} is off ({len(positions)} elements)."


def _column(_: Array, positions: Array) -> str:
    columns = np.unique(positions[:, -1])
    if len(columns) > 1:
        return ""
    return f"Only column {columns[0]} of the last axis is off ({len(positions)} elements)."


def _tail(is_wrong: Array, positions: Array) -> str:
    n_tail = is_wrong.size - int(np.flatnonzero(is_wrong)[0])
    if len(positions) <= 0.9 * n_tail or n_tail >= 0.9 * is_wrong.size:
        return ""
    return f"Only the last {n_tail} of {is_wrong.size} elements are off."


def _tile(is_wrong: Array, positions: Array) -> str:
    if is_wrong.ndim < 2:
        return ""
    tiles = positions.copy()
    tiles[:, -2:] //= _TILE
    tiles = np.unique(tiles, axis=0)
    if len(tiles) > 1:
        return ""
    first = tiles[0]
    first[-2:] *= _TILE
    return f"Only one tile of {_TILE} x {_TILE} is off, from element {first.tolist()} on."


def _rows(is_wrong: Array, positions: Array) -> str:
    n_rows = is_wrong.size // is_wrong.shape[-1]
    n_wrong = len(np.unique(positions[:, :-1], axis=0))
    return f"{n_wrong} of {n_rows} rows are off." if 4 * n_wrong < n_rows else ""
