"""Comparisons of two sides that differ in dtype or layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import storage_layouts as write
from ait_cmp import _core
from make_dump import Dump, DumpTensor

NAN = float("nan")


def compare(
    tmp_path: Path, my: DumpTensor, golden: NDArray[Any] | DumpTensor, steps: tuple[Any, ...] = ()
) -> tuple[Any, ...]:
    """The result of the core for a GE output against an .npy file or another GE output."""
    my_path = tmp_path / "a.b.1.2.1706596912161941"
    my_path.write_bytes(Dump(outputs=(my,)).file_bytes())
    if isinstance(golden, DumpTensor):
        golden_path = tmp_path / "a.c.1.2.1706596912161941"
        golden_path.write_bytes(Dump(outputs=(golden,)).file_bytes())
        golden_ref = (golden_path, "outputs", 0, steps)
    else:
        golden_path = tmp_path / "golden.npy"
        np.save(golden_path, golden)
        golden_ref = (golden_path, "", 0, steps)
    job = ((my_path, "outputs", 0, ()), golden_ref)
    (result,) = next(_core.Batch([job], threads=2))
    return result


def max_absolute_error(result: tuple[Any, ...]) -> float:
    assert result[0] == "compared", result[1]
    error: float = result[4]["max_absolute_error"]
    return error


def nz_tensor(logical: NDArray[Any], dtype: int, c0: int = 16) -> DumpTensor:
    storage = write.fractal_nz(logical, 16, c0, NAN)
    return DumpTensor(dtype, storage.shape, storage.tobytes(), None, logical.shape, format=29)


def test_fractal_nz_against_a_transposed_golden_tensor(tmp_path: Path) -> None:
    logical = np.random.default_rng(3).standard_normal((530, 700)).astype(np.float16)
    golden = np.ascontiguousarray(logical.T).astype(np.float32)
    result = compare(tmp_path, nz_tensor(logical, 2), golden, (("transpose", (1, 0)),))
    assert max_absolute_error(result) == 0
    golden[3, 5] += 1
    result = compare(tmp_path, nz_tensor(logical, 2), golden, (("transpose", (1, 0)),))
    assert max_absolute_error(result) == pytest.approx(1, abs=1e-6)
    assert result[6][0] == 5 * 700 + 3


def test_int4_weights_against_int32_words_of_eight(tmp_path: Path) -> None:
    weights = np.random.default_rng(5).integers(-8, 8, (64, 256)).astype(np.int8)
    storage = write.fractal_nz(weights, 16, 64, 7).reshape(-1).astype(np.uint8) & 15
    data = (storage[0::2] | storage[1::2] << 4).tobytes()
    my = DumpTensor(28, (4, 4, 16, 64), data, None, (64, 256), format=29)
    words = (weights.reshape(64, 32, 8).astype(np.uint32) & 15) << np.arange(0, 32, 4, np.uint32)
    golden = np.bitwise_or.reduce(words, axis=2).view(np.int32)
    assert golden.shape == (64, 32)
    result = compare(tmp_path, my, golden)
    assert max_absolute_error(result) == 0
    assert "DT_INT32 (64, 32) read as packed DT_INT4, low nibble first" in result[1]
    assert result[3][0] == "torch.int32"
    golden[1, 1] ^= 1
    assert max_absolute_error(compare(tmp_path, my, golden)) > 0


def test_fp4_against_bytes_of_two(tmp_path: Path) -> None:
    data = np.random.default_rng(6).integers(0, 256, (32, 24)).astype(np.uint8)
    my = DumpTensor(39, (32, 48), data.tobytes(), None, (32, 48))
    assert max_absolute_error(compare(tmp_path, my, data)) == 0
    other = compare(tmp_path, my, data.astype(np.int16))
    assert other[0] == "shape_mismatch"


def test_a_layout_that_cannot_be_undone_is_compared_with_the_same_storage_only(
    tmp_path: Path,
) -> None:
    values = np.arange(2 * 3 * 256, dtype=np.float32)
    my = DumpTensor(1, (2, 3, 16, 16), values.tobytes(), None, (32, 48), format=44)
    assert max_absolute_error(compare(tmp_path, my, my)) == 0
    result = compare(tmp_path, my, values.reshape(32, 48))
    assert result[0] == "unsupported"
    assert "the element order of FRACTAL_ZN_RNN is not published" in result[1]
    assert "only the same storage format and shape on both sides can be compared" in result[1]
    other = DumpTensor(1, (3, 2, 16, 16), values.tobytes(), None, (32, 48), format=44)
    assert compare(tmp_path, my, other)[0] == "unsupported"


def test_types_without_a_value_coding_are_compared_as_bytes(tmp_path: Path) -> None:
    data = bytes(range(64))
    my = DumpTensor(41, (128,), data, None, (128,))
    assert max_absolute_error(compare(tmp_path, my, my)) == 0
    golden = DumpTensor(41, (128,), data[:9] + b"\0" + data[10:], None, (128,))
    result = compare(tmp_path, my, golden)
    assert result[0] == "unsupported"
    assert "differ first at byte 9 of 64" in result[1]
    assert "The sizes differ" in compare(tmp_path, my, np.zeros(7, np.uint8))[1]
