"""Matrix products and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ait_cmp.replay.references.result import Array, RefusedError, Value, references


def _turned(x: Array, is_transposed: bool) -> Array:
    return np.swapaxes(x, -1, -2) if is_transposed else x


def _refuse_offset(offset_x: int) -> None:
    if offset_x != 0:
        message = f"offset_x {offset_x} is not known (0 is)"
        raise RefusedError(message)


def product(x1: Array, x2: Array, bias: Array | None = None) -> Value:
    """x1 @ x2 + bias.

    Terms are norm(row) norm(column), which bounds the sum of absolute terms at no cost.
    """
    value = np.matmul(x1, x2)
    if x1.dtype.kind in "iub":
        return Value(value if bias is None else value + bias)
    terms = _norms(x1, -1)[..., :, None] * _norms(x2, -2)[..., None, :]
    if bias is not None:
        value, terms = value + bias, terms + np.abs(bias)
    return Value(value, terms, max(x1.shape[-1], 1))


def _norms(x: Array, axis: int) -> Array:
    """Euclidean norms along one of the last two axes, without an array of squares."""
    rows = x if axis == -1 else np.swapaxes(x, -1, -2)
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", rows, rows)))


def _mat_mul(
    x1: Array,
    x2: Array,
    bias: Array | None = None,
    *,
    transpose_x1: bool = False,
    transpose_x2: bool = False,
    offset_x: int = 0,
) -> Value:
    _refuse_offset(offset_x)
    return product(_turned(x1, transpose_x1), _turned(x2, transpose_x2), bias)


def _batch_mat_mul(
    x1: Array,
    x2: Array,
    bias: Array | None = None,
    *,
    adj_x1: bool = False,
    adj_x2: bool = False,
    offset_x: int = 0,
) -> Value:
    _refuse_offset(offset_x)
    return product(_turned(x1, adj_x1), _turned(x2, adj_x2), bias)


def _conv_2d(
    x: Array,
    filter: Array,
    bias: Array | None = None,
    *,
    strides: list[int],
    pads: list[int],
    dilations: tuple[int, ...] = (1, 1, 1, 1),
    groups: int = 1,
    data_format: str = "NHWC",
    offset_x: int = 0,
) -> Value:
    """A convolution as one matrix product per group over the windows of the image."""
    _refuse_offset(offset_x)
    if data_format != "NCHW":
        message = f"data_format {data_format} is not known (NCHW is)"
        raise RefusedError(message)
    top, bottom, left, right = pads
    image = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = _windows(image, filter.shape[2:], strides[2:], dilations[2:])
    n, _, height, width = windows.shape[:4]
    parts = [
        product(
            np.moveaxis(part, 1, 3).reshape(n * height * width, -1),
            kernel.reshape(kernel.shape[0], -1).T,
        )
        for part, kernel in zip(np.split(windows, groups, axis=1), np.split(filter, groups, axis=0))
    ]
    value, terms = (
        np.moveaxis(np.concatenate(c, axis=1).reshape(n, height, width, -1), 3, 1)
        for c in ([part.value for part in parts], [part.terms for part in parts])
    )
    if bias is not None:
        shift = np.reshape(bias, (-1, 1, 1))
        value, terms = value + shift, terms + np.abs(shift)
    return Value(value, terms, parts[0].n_terms)


def _windows(image: Array, kernel: Any, strides: Any, dilations: Any) -> Array:
    """(N, C, H, W) -> (N, C, out height, out width, kernel height, kernel width), a view."""
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilations)]
    views = np.lib.stride_tricks.sliding_window_view(image, reach, axis=(2, 3))
    return views[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]


PRODUCTS = references(
    "product",
    {
        **dict.fromkeys(("MatMul", "MatMulV2", "MatMulV3"), _mat_mul),
        **dict.fromkeys(("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"), _batch_mat_mul),
        "Conv2D": _conv_2d,
    },
)
