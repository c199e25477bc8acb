"""Two numpy arrays, no files."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core
from ait_cmp.config import thread_count
from ait_cmp.errors import ShapeError
from ait_cmp.info.results import METRICS, Result, result_of
from ait_cmp.report.column_docs import document

# numpy dtype -> number of the dump's OutputDataType enum.
_DTYPE_NUMBERS = {
    "float32": 1,
    "float16": 2,
    "int8": 3,
    "uint8": 4,
    "int16": 5,
    "uint16": 6,
    "int32": 7,
    "int64": 8,
    "uint32": 9,
    "uint64": 10,
    "bool": 11,
    "float64": 12,
    "complex64": 16,
    "complex128": 17,
    # extension types of the package ml_dtypes
    "bfloat16": 27,
    "float8_e5m2": 34,
    "float8_e4m3fn": 35,
    "float8_e8m0fnu": 36,
}


class Metrics(NamedTuple):
    """Metrics of one pair of tensors; None is not computed (no pair with two finite values).

    x is the tensor under test, y the golden one, over the pairs where both are finite.

    Example:
        >>> import numpy as np
        >>> found = ait_cmp.compare_arrays(np.float32([1, np.nan]), np.float32([1, 2]))
        >>> found.my_nan_count, found.nonfinite_mismatch_count, found.relative_euclidean_distance
        (1, 1, 0.0)
    """

    # metrics everywhere: written by tests/metric_fields.py
    cosine_similarity: float | None
    max_relative_error: float | None
    mean_relative_error: float | None
    max_absolute_error: float | None
    mean_absolute_error: float | None
    kl_divergence: float | None
    relative_euclidean_distance: float | None
    one_thousandth_err_ratio: float | None
    five_thousandths_err_ratio: float | None
    block_error: float | None
    bias_z: float | None
    # end of metrics
    my_nan_count: int
    my_inf_count: int
    golden_nan_count: int
    golden_inf_count: int
    nonfinite_mismatch_count: int
    worst_index: int | None
    my_worst: float | None
    golden_worst: float | None


document(Metrics)


def compare_arrays(
    my: NDArray[Any],
    golden: NDArray[Any],
    *,
    same_shape: bool = True,
    threads: int | None = None,
) -> Metrics:
    """Compare two arrays element by element in C order.

    Args:
        my: Array under test, any shape (d0, ..., dk), any numeric numpy dtype (or bfloat16 and
            fp8 of ml_dtypes).
        golden: Reference of the same shape; its dtype may differ.
        same_shape: False compares also other shapes with as many elements, in C order.
        threads: Worker threads; None takes all cores that the process may use.

    Returns:
        All metrics of the report.

    Raises:
        ConfigError: `threads` is no number from 1 on.
        ShapeError: The shapes differ, or without `same_shape` the element counts.
        TypeError: A dtype has no numeric meaning here.

    Example:
        >>> import numpy as np
        >>> found = ait_cmp.compare_arrays(np.float32([1, 2, 4]), np.float32([1, 2, 3]))
        >>> found.max_absolute_error, found.worst_index, found.golden_worst
        (1.0, 2, 3.0)
        >>> round(found.cosine_similarity, 4)
        0.9915
    """
    my, golden = np.asarray(my), np.asarray(golden)
    if my.size != golden.size:
        message = f"element counts differ: my has shape {my.shape}, golden {golden.shape}"
        raise ShapeError(message)
    if same_shape and my.shape != golden.shape:
        message = (
            f"shapes differ: my has shape {my.shape}, golden {golden.shape} "
            "(same_shape=False compares them in C order)"
        )
        raise ShapeError(message)
    x, x_dtype = _buffer(my)
    y, y_dtype = _buffer(golden)
    plain = _core.compare_buffers(x, x_dtype, y, y_dtype, threads=thread_count(threads))
    result = result_of(plain)
    if result.status == "shape_mismatch":  # a complex number is two values
        raise ShapeError(result.reason)
    return metrics_of_result(result)


def metrics_of_result(result: Result) -> Metrics:
    """The metrics in a result of the core whose tensors have values."""
    assert result.my is not None
    assert result.golden is not None
    my, golden, worst, values = result.my.sums, result.golden.sums, result.worst, result.metrics
    assert my is not None
    assert golden is not None
    assert values is not None
    return Metrics(
        **{metric.name: values.get(metric.name) for metric in METRICS},
        my_nan_count=my.n_nan or 0,
        my_inf_count=my.n_inf or 0,
        golden_nan_count=golden.n_nan or 0,
        golden_inf_count=golden.n_inf or 0,
        nonfinite_mismatch_count=result.n_mismatch,
        worst_index=None if worst is None else worst.index,
        my_worst=None if worst is None else worst.my,
        golden_worst=None if worst is None else worst.golden,
    )


def _buffer(array: NDArray[Any]) -> tuple[NDArray[np.uint8], int]:
    number = _DTYPE_NUMBERS.get(array.dtype.name)
    if number is None:
        message = f"an array of a numeric dtype expected, found {array.dtype}"
        raise TypeError(message)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return np.ascontiguousarray(native).reshape(-1).view(np.uint8), number
