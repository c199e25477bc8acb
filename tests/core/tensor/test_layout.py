"""Device layouts: every worked example, every format at random shapes, what cannot be undone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import storage_layouts as write
from ait_cmp import _core
from make_dump import Dump, DumpTensor
from storage_layouts import Shape, assert_comes_back, assert_same_array, decode, values

NZ, Z, Z_3D, Z_3D_TRANSPOSE, ZZ = 29, 4, 33, 37, 28
NCHW, NHWC, ND, HWCN, NC1HWC0, NC1HWC0_C04, Z_C04 = 0, 1, 2, 16, 3, 12, 13
NDC1HWC0, C1HWC0, C1HWNCOC0, Z_G = 32, 49, 25, 39
FLOAT, FLOAT16, INT8, BF16, INT4 = 1, 2, 3, 27, 28
NAN = float("nan")

Array = NDArray[Any]


def numbers(text: str) -> NDArray[np.float32]:
    return np.array([float(word) for word in text.replace("|", " ").split()], np.float32)


# Worked examples: format, storage shape, storage values, logical values, groups.
EXAMPLES = {
    "FRACTAL_NZ": (
        NZ,
        (3, 2, 2, 2),
        "11 12 21 22 31 32 0 0 | 13 14 23 24 33 34 0 0 | 15 0 25 0 35 0 0 0",
        [[11, 12, 13, 14, 15], [21, 22, 23, 24, 25], [31, 32, 33, 34, 35]],
        0,
    ),
    "FRACTAL_NZ of a batch": (
        NZ,
        (2, 2, 1, 2, 2),
        "1 2 4 5 3 0 6 0 7 8 10 11 9 0 12 0",
        values((2, 2, 3)),
        0,
    ),
    "FRACTAL_Z": (
        Z,
        (4, 2, 2, 2),
        "1 3 7 9 13 15 0 0 | 2 4 8 10 14 16 0 0 | 5 0 11 0 17 0 0 0 | 6 0 12 0 18 0 0 0",
        values((3, 3, 1, 2)),
        0,
    ),
    "FRACTAL_Z of 2 groups": (Z, (1, 2, 2, 2), "1 0 2 0 0 3 0 4", values((4, 1, 1, 1)), 2),
    "FRACTAL_Z_G of 4 groups": (
        Z_G,
        (2, 2, 2, 2),
        "1 0 2 0 0 3 0 4 5 0 6 0 0 7 0 8",
        values((8, 1, 1, 1)),
        4,
    ),
    "FRACTAL_Z_C04": (
        Z_C04,
        (2, 1, 2, 4),
        "1 3 5 0 7 9 11 0 | 2 4 6 0 8 10 12 0",
        values((2, 3, 1, 2)),
        0,
    ),
    "FRACTAL_Z_3D": (
        Z_3D,
        (4, 1, 2, 2),
        "1 3 7 9 | 5 0 11 0 | 2 4 8 10 | 6 0 12 0",
        values((2, 3, 2, 1, 1)),
        0,
    ),
    "FRACTAL_Z_3D_TRANSPOSE": (
        Z_3D_TRANSPOSE,
        (2, 1, 2, 2),
        "1 3 2 4 5 0 6 0",
        values((1, 1, 1, 3, 2)),
        0,
    ),
    "NC1HWC0": (NC1HWC0, (1, 2, 1, 2, 2), "1 3 2 4 | 5 0 6 0", values((1, 3, 1, 2)), 0),
    "NDC1HWC0": (
        NDC1HWC0,
        (1, 2, 2, 1, 1, 2),
        "1 3 5 0 2 4 6 0",
        values((1, 3, 2, 1, 1)),
        0,
    ),
    "C1HWNCoC0": (
        C1HWNCOC0,
        (2, 1, 1, 2, 2, 2),
        "1 0 0 3 2 0 0 4 5 0 0 0 6 0 0 0",
        values((1, 1, 3, 2)),
        0,
    ),
    "FRACTAL_ZZ": (
        ZZ,
        (2, 2, 2, 2),
        "1 2 4 5 | 3 0 6 0 | 7 8 0 0 | 9 0 0 0",
        values((3, 3)),
        0,
    ),
    "FRACTAL_NZ of the same data": (
        NZ,
        (2, 2, 2, 2),
        "1 2 4 5 | 7 8 0 0 | 3 0 6 0 | 9 0 0 0",
        values((3, 3)),
        0,
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_examples_of_the_formats(name: str) -> None:
    format_number, shape, text, logical, groups = EXAMPLES[name]
    storage = numbers(text).reshape(shape)
    assert_comes_back(np.asarray(logical, np.float32), storage, format_number, sub_format=groups)


@pytest.mark.parametrize(
    ("c0", "shape", "place"), [(16, (3, 2, 16, 16), 1297), (32, (2, 2, 16, 32), 1569)]
)
def test_a_real_fractal_nz_element_lies_where_the_specification_says(
    c0: int, shape: tuple[int, ...], place: int
) -> None:
    storage = np.zeros(np.prod(shape), np.float32)
    storage[place] = 7
    array, _, _ = decode(storage.reshape(shape), NZ, (32, 48))
    assert array[17, 33] == 7
    assert np.count_nonzero(array) == 1
    assert shape[-1] == c0


SIZES = st.integers(1, 9)
BLOCKS = st.sampled_from([2, 3, 4, 8, 16])
FILTER_ORDERS = st.sampled_from(["NCHW", "HWCN", "NHWC"])


@given(
    st.lists(st.integers(1, 3), max_size=3), st.integers(1, 40), st.integers(1, 70), BLOCKS, BLOCKS
)
def test_fractal_nz_and_zz_of_any_shape_come_back(
    leading: list[int], h: int, w: int, h0: int, c0: int
) -> None:
    logical = values((*leading, h, w))
    assert_comes_back(logical, write.fractal_nz(logical, h0, c0, NAN), NZ)
    assert_comes_back(logical, write.fractal_zz(logical, h0, c0, NAN), ZZ)


@pytest.mark.parametrize("format_number", [50, 51, 52, 53, 54])
def test_the_c0_variants_of_fractal_nz_take_c0_from_the_shape(format_number: int) -> None:
    logical = values((5, 21))
    assert_comes_back(logical, write.fractal_nz(logical, 16, 8, NAN), format_number)


def test_leading_dimensions_of_fractal_nz_may_be_merged() -> None:
    logical = values((2, 3, 5, 7))
    storage = write.fractal_nz(logical, 16, 4, NAN)
    assert_comes_back(logical, storage.reshape(6, *storage.shape[2:]), NZ)


@pytest.mark.parametrize("n", [17, 40, 300])
def test_a_vector_in_fractal_nz_is_a_column_or_a_row_by_its_storage_shape(n: int) -> None:
    logical = values((n,))
    assert_comes_back(logical, write.fractal_nz_column(logical, 16, 16, NAN), NZ)
    assert_comes_back(logical, write.fractal_nz_row(logical, 16, 16, NAN), NZ)


def test_a_short_vector_in_fractal_nz_is_a_row_and_noted() -> None:
    logical = values((9,))
    array, note, is_converted = decode(write.fractal_nz_row(logical, 16, 16, NAN), NZ, (9,))
    np.testing.assert_array_equal(array, logical)
    assert is_converted
    assert "fits as a row and as a column" in note


@given(FILTER_ORDERS, SIZES, SIZES, st.integers(2, 4), st.integers(2, 4), BLOCKS, BLOCKS)
def test_filters_come_back_when_one_order_of_dimensions_fits(
    order: str, n: int, c: int, h: int, w: int, n0: int, c0: int
) -> None:
    # Sizes that tell the orders apart: H and W are no multiple of the block, N and C are large.
    dims = {"N": 20 + n, "C": 40 + c, "H": h, "W": w}
    logical = values(tuple(dims[letter] for letter in order))
    storage = write.fractal_z(logical, order, n0, c0, NAN)
    earlier = ["NCHW", "HWCN", "NHWC"][: ["NCHW", "HWCN", "NHWC"].index(order)]
    if any(
        write.fractal_z(logical, other, n0, c0, NAN).shape == storage.shape for other in earlier
    ):
        return  # the first order that fits wins
    assert_comes_back(logical, storage, Z)


@given(st.integers(1, 50), st.integers(1, 50), BLOCKS, BLOCKS)
def test_matrices_in_fractal_z_come_back(r: int, s: int, n0: int, c0: int) -> None:
    logical = values((r, s))
    assert_comes_back(logical, write.fractal_z_matrix(logical, n0, c0, NAN), Z)


@given(
    st.integers(2, 9),
    st.integers(1, 6),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([2, 4, 16]),
    st.sampled_from([2, 4, 16]),
)
def test_grouped_filters_come_back(
    groups: int, cout: int, cin: int, h: int, w: int, n0: int, c0: int
) -> None:
    logical = values((groups * cout, cin, h, w))
    storage = write.fractal_z_groups(logical, "NCHW", groups, n0, c0, NAN)
    assert_comes_back(logical, storage, Z, sub_format=groups)
    deep = values((groups * cout, cin, 2, h, w))
    storage = write.fractal_z_groups(deep, "NCDHW", groups, n0, c0, NAN)
    assert_comes_back(deep, storage, Z_3D, sub_format=groups)


def test_a_depthwise_filter_of_32_channels_has_16_groups_in_a_row_of_blocks() -> None:
    logical = values((32, 1, 3, 3))
    storage = write.fractal_z_groups(logical, "NCHW", 32, 16, 16, NAN)
    assert storage.shape == (2 * 9, 1, 16, 16)
    assert_comes_back(logical, storage, Z, sub_format=32)


@given(
    SIZES, st.integers(1, 4), st.integers(2, 5), st.integers(2, 5), st.sampled_from([4, 8, 16, 6])
)
def test_filters_of_few_channels_come_back(n: int, c: int, h: int, w: int, c0: int) -> None:
    logical = values((20 + n, c, h, w))
    assert_comes_back(logical, write.fractal_z_c04(logical, "NCHW", 16, c0, NAN), Z_C04)


@given(SIZES, SIZES, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), BLOCKS, BLOCKS)
def test_filters_of_three_dimensions_come_back(
    n: int, c: int, d: int, h: int, w: int, n0: int, c0: int
) -> None:
    logical = values((n, c, d, h, w))
    assert_comes_back(logical, write.fractal_z_3d(logical, "NCDHW", n0, c0, NAN), Z_3D)
    transposed = values((d, h, w, n, c))
    storage = write.fractal_z_3d_transpose(transposed, n0, c0, NAN)
    assert_comes_back(transposed, storage, Z_3D_TRANSPOSE)


@pytest.mark.parametrize("order", ["DHWCN", "NDHWC"])
def test_filters_of_three_dimensions_come_back_in_other_orders(order: str) -> None:
    dims = {"N": 33, "C": 21, "D": 2, "H": 3, "W": 5}
    logical = values(tuple(dims[letter] for letter in order))
    assert_comes_back(logical, write.fractal_z_3d(logical, order, 16, 16, NAN), Z_3D)


@given(st.integers(1, 3), st.integers(1, 20), st.integers(1, 4), SIZES, SIZES, BLOCKS)
def test_feature_maps_come_back(n: int, c: int, d: int, h: int, w: int, c0: int) -> None:
    flat = values((n, c, h, w))
    assert_comes_back(flat, write.nc1hwc0(flat, "NCHW", c0, NAN), NC1HWC0)
    assert_comes_back(flat, write.nc1hwc0(flat, "NCHW", 4, NAN), NC1HWC0_C04)
    assert_comes_back(flat, write.ndc1hwc0(flat, "NCHW", c0, NAN), NDC1HWC0)
    deep = values((n, c, d, h, w))
    assert_comes_back(deep, write.ndc1hwc0(deep, "NCDHW", c0, NAN), NDC1HWC0)


def test_feature_maps_with_channels_last_come_back() -> None:
    logical = values((2, 5, 7, 20))
    assert_comes_back(logical, write.nc1hwc0(logical, "NHWC", 16, NAN), NC1HWC0)
    deep = values((2, 3, 5, 7, 20))
    assert_comes_back(deep, write.ndc1hwc0(deep, "NDHWC", 16, NAN), NDC1HWC0)


@pytest.mark.parametrize(("order", "shape"), [("C", (37,)), ("CHW", (37, 2, 3)), ("NC", (4, 37))])
def test_feature_maps_of_fewer_dimensions_come_back(order: str, shape: tuple[int, ...]) -> None:
    logical = values(shape)
    assert_comes_back(logical, write.nc1hwc0(logical, order, 16, NAN), NC1HWC0)


@pytest.mark.parametrize(
    ("order", "shape"), [("NCHW", (37, 1, 2, 3)), ("NHWC", (37, 2, 3, 1)), ("NHW", (37, 2, 3))]
)
def test_feature_maps_in_blocks_of_images_come_back(order: str, shape: tuple[int, ...]) -> None:
    logical = values(shape)
    assert_comes_back(logical, write.c1hwc0(logical, order, 16, NAN), C1HWC0)


@pytest.mark.parametrize("order", ["NCHW", "HWCN", "NHWC"])
@pytest.mark.parametrize("stored_n", [6, 16])
def test_filters_on_diagonals_come_back(order: str, stored_n: int) -> None:
    dims = {"N": 6, "C": 21, "H": 3, "W": 2}
    logical = values(tuple(dims[letter] for letter in order))
    assert_comes_back(logical, write.c1hwncoc0(logical, order, stored_n, 4, NAN), C1HWNCOC0)


@pytest.mark.parametrize(
    ("format_number", "storage", "original"),
    [
        (NHWC, (2, 4, 5, 3), (2, 3, 4, 5)),
        (NHWC, (2, 8, 8, 3), (2, 3, 8, 8)),
        (HWCN, (4, 5, 3, 2), (2, 3, 4, 5)),
        (27, (2, 7, 4, 5, 3), (2, 3, 7, 4, 5)),
        (14, (3, 4, 5, 2), (2, 3, 4, 5)),
    ],
)
def test_a_plain_format_is_transposed_when_one_order_explains_the_shapes(
    format_number: int, storage: tuple[int, ...], original: tuple[int, ...]
) -> None:
    letters = {NHWC: "NHWC", HWCN: "HWCN", 27: "NDHWC", 14: "CHWN"}[format_number]
    wanted = "NCDHW" if len(storage) == 5 else "NCHW"
    data = values(storage)
    array, _, _ = decode(data, format_number, original)
    np.testing.assert_array_equal(array, write.order_of(data, letters, wanted))


@pytest.mark.parametrize(
    ("format_number", "storage", "original"),
    [
        (ND, (6, 4), (2, 3, 4)),
        (NHWC, (2, 4, 5, 3), (2, 4, 5, 3)),
        (NCHW, (2, 3, 4, 5), (6, 20)),
        (NHWC, (2, 8, 8, 8), (2, 8, 8, 8)),
        (ND, (4, 6), (6, 4)),
    ],
)
def test_plain_formats_of_equal_element_count_are_reshaped(
    format_number: int, storage: tuple[int, ...], original: tuple[int, ...]
) -> None:
    data = values(storage)
    array, _, _ = decode(data, format_number, original)
    assert_same_array(array, data.reshape(original))


def test_an_ambiguous_plain_format_is_left_in_its_order_and_noted() -> None:
    # With H = W = C the original may be HWCN or CHWN.
    data = values((2, 3, 3, 3))
    array, note, _ = decode(data, NHWC, (3, 3, 3, 2))
    np.testing.assert_array_equal(array, data.reshape(3, 3, 3, 2))
    assert "in more than one order: values left in storage order" in note


def test_plain_formats_of_other_element_count_keep_the_stored_shape() -> None:
    data = values((4, 6))
    array, note, is_converted = decode(data, ND, (5, 5))
    np.testing.assert_array_equal(array, data)
    assert is_converted
    assert "original shape (5, 5) has another element count than shape (4, 6)" in note


def test_an_unknown_format_is_read_as_nd_and_noted() -> None:
    data = values((4, 6))
    array, note, is_converted = decode(data, 77, (4, 6))
    np.testing.assert_array_equal(array, data)
    assert is_converted
    assert note == "unknown format 77: read as ND"


def test_an_unknown_format_without_a_shape_is_read_as_a_row_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "Cast.Cast_9.1.2.1706596912161941"
    path.write_bytes(Dump(inputs=(DumpTensor(2, None, bytes(12), format=77),)).file_bytes())
    (read,) = _core.read_ge(path).inputs
    assert (read.shape, read.note) == ((6,), "unknown format 77: read as a row")


@pytest.mark.parametrize(
    ("format_number", "shape", "original", "groups", "why"),
    [
        (NZ, (2, 2, 16, 16), None, 0, "FRACTAL_NZ without an original shape"),
        (NZ, (2, 2, 16, 16), (40, 20), 0, r"\(40, 20\) does not fit FRACTAL_NZ \(2, 2, 16, 16\)"),
        (NZ, (2, 2, 16, 16), (3, 20, 20), 0, "does not fit"),
        (NZ, (2, 2, 16), (20, 20), 0, "does not fit"),
        (NZ, (2, 2, 16, 16), (2**62, 2**62), 0, "does not fit"),
        (Z, (9, 1, 16, 16), (16, 16, 3, 3), 5, "of 5 groups"),
        (Z_3D_TRANSPOSE, (2, 1, 2, 2), (3, 2), 0, "does not fit"),
        (38, (2, 4, 16, 16), (32, 64), 0, "order of FRACTAL_ZN_LSTM is not published"),
        (43, (8,), (6,), 0, "order of ND_RNN_BIAS is not published"),
        (44, (2, 4, 16, 16), (32, 64), 0, "order of FRACTAL_ZN_RNN is not published"),
        (45, (64, 16), (60, 10), 0, "order of YUV is not published"),
        (48, (1, 1, 2, 4, 8, 16), (16, 16), 0, "order of FRACTAL_Z_WINO is not published"),
        (5, (2, 3, 4, 5), (2, 3, 4, 5), 0, "order of NC1C0HWPAD is not published"),
    ],
)
def test_what_cannot_be_undone_keeps_its_storage_order_and_says_why(
    format_number: int, shape: tuple[int, ...], original: Shape, groups: int, why: str
) -> None:
    data = values(shape)
    array, note, is_converted = decode(data, format_number, original, sub_format=groups)
    np.testing.assert_array_equal(array, data)
    assert not is_converted
    assert note.startswith("layout not converted: ")
    assert re.search(why, note)


@pytest.mark.parametrize("dtype", ["f2", "i1", "i8", "c16", "u2"])
def test_elements_of_every_width_are_gathered(dtype: str) -> None:
    number = {"f2": 2, "i1": 3, "i8": 8, "c16": 17, "u2": 6}[dtype]
    logical = np.arange(37 * 70).reshape(37, 70).astype(dtype)
    storage = write.fractal_nz(logical, 16, 32, 99)
    array, _, _ = _core.decode(
        storage, number, storage.shape, format=NZ, original_shape=logical.shape
    )
    assert_same_array(array, logical)


@pytest.mark.parametrize("shape", [(64, 1000), (3, 130), (5, 77), (1, 64)])
def test_packed_elements_are_gathered(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    logical = rng.integers(-8, 8, shape).astype(np.int8)
    storage = write.fractal_nz(logical, 16, 64, 5)
    nibbles = storage.reshape(-1).astype(np.uint8) & 15
    packed = nibbles[0::2] | nibbles[1::2] << 4
    array, _, _ = _core.decode(packed, INT4, storage.shape, format=NZ, original_shape=shape)
    assert_same_array(array, logical)


@pytest.mark.parametrize("shape", [(3, 70000), (700, 16), (2000, 48), (33, 4096), (1, 300000)])
def test_large_tensors_come_back_across_tiles(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    h, w = shape
    logical = rng.standard_normal(shape).astype(np.float32)
    padded = np.full((-(-h // 16) * 16, -(-w // 16) * 16), np.float32(NAN))
    padded[:h, :w] = logical
    blocks = padded.reshape(padded.shape[0] // 16, 16, padded.shape[1] // 16, 16)
    storage = np.ascontiguousarray(blocks.transpose(2, 0, 1, 3))
    assert_comes_back(logical, storage, NZ)
    transposed = decode(storage, NZ, shape, steps=(("transpose", (1, 0)),))[0]
    np.testing.assert_array_equal(transposed, logical.T)
