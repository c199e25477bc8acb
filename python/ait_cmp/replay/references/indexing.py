"""Ops that read or write at indices: right bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from ait_cmp.replay.references.result import (
    Array,
    RefusedError,
    Value,
    number_of,
    references,
)


def _whole_indices(indices: Any, size: int) -> Array:
    """Indices as numbers from 0; those below 0 count from the end.

    Raises:
        RefusedError: One is outside: what the device does then is not known.
    """
    numbers = np.asarray(indices).astype(np.int64)
    if numbers.size and not -size <= int(numbers.min()) <= int(numbers.max()) < size:
        message = f"an index is outside of an axis of {size}"
        raise RefusedError(message)
    return np.where(numbers < 0, numbers + size, numbers)


def _gather(x: Array, indices: Any, axis: Any = 0, *, batch_dims: int = 0) -> Array:
    where = number_of(axis) % max(x.ndim, 1)
    numbers = _whole_indices(indices, x.shape[where])
    batch = batch_dims % max(numbers.ndim, 1) if batch_dims else 0
    if not batch:
        return np.take(x, numbers, axis=where)
    parts = [np.take(x[at], numbers[at], axis=where - batch) for at in np.ndindex(*x.shape[:batch])]
    return np.stack(parts).reshape(*x.shape[:batch], *parts[0].shape)


def _gather_nd(x: Array, indices: Any) -> Array:
    numbers = np.asarray(indices)
    parts = [_whole_indices(numbers[..., i], x.shape[i]) for i in range(numbers.shape[-1])]
    return np.asarray(x[tuple(parts)])


def _along(x: Array, index: Array, axis: int) -> tuple[Array, ...]:
    """Where gather_elements reads: coordinates of `index` with `axis` taken from it."""
    where = axis % max(x.ndim, 1)
    positions: list[Array] = list(np.indices(index.shape, sparse=True))
    positions[where] = _whole_indices(index, x.shape[where])
    return tuple(positions)


def _gather_elements(x: Array, index: Array, *, dim: int = 0) -> Array:
    return np.asarray(x[_along(x, index, dim)])


def _rows(x: Array, indices: Any) -> tuple[Array, ...]:
    """Where the last axis of `indices` points to."""
    numbers = np.asarray(indices)
    return tuple(_whole_indices(numbers[..., i], x.shape[i]) for i in range(numbers.shape[-1]))


def _write(x: Array, where: tuple[Array, ...], updates: Array) -> Value:
    """A copy of x with updates written; where two of them meet, either may have come last."""
    y = np.array(x)
    y[where] = updates
    other = np.array(x)
    backwards = tuple(_backwards(part) for part in np.broadcast_arrays(*where))
    values = np.broadcast_to(updates, y[where].shape)
    n_axes = backwards[0].ndim
    other[backwards] = values[(slice(None, None, -1),) * n_axes]
    return Value(y, slack=np.where(_differs(y, other), np.inf, 0.0))


def _backwards(part: Array) -> Array:
    return part[(slice(None, None, -1),) * part.ndim]


def _differs(a: Array, b: Array) -> Array:
    return np.asarray((a != b) & ~((a != a) & (b != b)))


def _add_at(x: Array, where: tuple[Array, ...], updates: Array) -> Value:
    y = x.astype(np.float64) if x.dtype.kind == "f" else np.array(x)
    sizes, counts = np.abs(y), np.zeros(np.shape(x))
    np.add.at(y, where, updates)
    np.add.at(sizes, where, np.abs(updates))
    np.add.at(counts, where, 1)
    return Value(y, terms=sizes, n_terms=1 + int(counts.max(initial=0)))


def _scatter_nd_update(var: Array, indices: Any, updates: Array) -> Value:
    return _write(var, _rows(var, indices), updates)


def _scatter_nd_add(var: Array, indices: Any, updates: Array) -> Value:
    return _add_at(var, _rows(var, indices), updates)


def _scatter_update(var: Array, indices: Any, updates: Array) -> Value:
    return _write(var, (_whole_indices(indices, var.shape[0]),), updates)


def _scatter_add(var: Array, indices: Any, updates: Array) -> Value:
    return _add_at(var, (_whole_indices(indices, var.shape[0]),), updates)


_REDUCTIONS = {"none": _write, "update": _write, "add": _add_at}


def _scatter_elements(
    data: Array, indices: Any, updates: Array, *, axis: int = 0, reduction: str = "none"
) -> Value:
    if reduction not in _REDUCTIONS:
        message = f"reduction {reduction} is not known"
        raise RefusedError(message)
    where = _along(data, np.asarray(indices), axis)
    return _REDUCTIONS[reduction](data, where, updates)


def _scatter(var: Array, indices: Any, updates: Array, *, reduce: str, axis: int = 0) -> Value:
    """Writes updates into a cache, for every batch from its own position of `axis` on."""
    if reduce != "update":
        message = f"reduction {reduce} is not known"
        raise RefusedError(message)
    where = axis % var.ndim
    starts = np.asarray(indices)
    if starts.ndim == 2:  # (batch, position) pairs
        batches, begins = starts[:, 0], starts[:, 1]
    else:
        batches, begins = np.arange(starts.size), starts.reshape(-1)
    y = np.array(var)
    for row, (batch, begin) in enumerate(zip(batches.tolist(), begins.tolist())):
        length = updates.shape[where]
        if not 0 <= begin <= begin + length <= var.shape[where]:
            message = f"position {begin} with {length} values is outside of an axis of its cache"
            raise RefusedError(message)
        cut = [slice(None)] * (var.ndim - 1)
        cut[where - 1] = slice(begin, begin + length)
        y[batch][tuple(cut)] = updates[row]
    return Value(y)


def _index(x: Array, indices: list[Array], *, indices_mask: list[int]) -> Array:
    tensors = iter(indices)
    where = [next(tensors) if flag else slice(None) for flag in indices_mask]
    index = [
        part if isinstance(part, slice) or part.dtype == np.bool_ else _whole_indices(part, size)
        for part, size in zip(where, x.shape)
    ]
    return np.asarray(x[tuple(index)])


INDEXING = references(
    "exact",
    {
        "GatherV2": _gather,
        "Gather": lambda x, indices, *, batch_dims=0: _gather(x, indices, batch_dims=batch_dims),
        "GatherV2D": lambda x, indices, *, axis: _gather(x, indices, axis),
        "GatherElements": _gather_elements,
        "GatherNd": _gather_nd,
        "ScatterNdUpdate": _scatter_nd_update,
        "TensorScatterUpdate": lambda x, indices, updates: _scatter_nd_update(x, indices, updates),
        "ScatterNdAdd": _scatter_nd_add,
        "ScatterUpdate": _scatter_update,
        "ScatterAdd": _scatter_add,
        "ScatterElements": _scatter_elements,
        "ScatterElementsV2": lambda var, indices, updates, *, axis=0, reduction="none": (
            _scatter_elements(var, indices, updates, axis=axis, reduction=reduction)
        ),
        "Scatter": _scatter,
        "IndexByTensor": _index,
    },
    unused={
        "GatherV2": "is_preprocessed negative_index_support",
        "Gather": "validate_indices is_preprocessed negative_index_support",
        "GatherNd": "negative_index_support",
        "ScatterNdUpdate": "use_locking",
        "ScatterNdAdd": "use_locking",
        "ScatterUpdate": "use_locking",
        "ScatterAdd": "use_locking",
    },
)
