"""Every code of every type of up to 16 bits against an oracle: ml_dtypes, NumPy, or a table that
is computed here from the definition of the type."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from ait_cmp import _core

Array = NDArray[Any]
ROWS = {row[1]: row for row in _core.dtypes()}
ISAS = _core.isas()
NAN = float("nan")


def decode(name: str, data: Array, shape: tuple[int, ...], **more: Any) -> Array:
    array: Array = _core.decode(data, ROWS[name][0], shape, **more)[0]
    return array


def assert_same_values(found: Array, expected: Array) -> None:
    """Equal values, signs of zero included; NaN where NaN is expected."""
    with np.errstate(invalid="ignore"):  # signalling NaNs become quiet
        wide, found = expected.astype(np.float64), found.astype(np.float64)
    np.testing.assert_array_equal(found, wide)
    is_number = ~np.isnan(wide)
    np.testing.assert_array_equal(np.signbit(found)[is_number], np.signbit(wide)[is_number])


def minifloat(code: int, n_exponent: int, n_mantissa: int, bias: int) -> float:
    """Sign, exponent, mantissa; no NaN, no infinity."""
    sign = -1.0 if code >> (n_exponent + n_mantissa) & 1 else 1.0
    exponent = code >> n_mantissa & (1 << n_exponent) - 1
    fraction = (code & (1 << n_mantissa) - 1) / 2**n_mantissa
    if exponent == 0:
        return sign * math.ldexp(fraction, 1 - bias)
    return sign * math.ldexp(1 + fraction, exponent - bias)


def hifloat8(code: int) -> float:
    """From the bit patterns of the specification, by text."""
    special = {0x00: 0.0, 0x80: NAN, 0x6F: math.inf, 0xEF: -math.inf}
    if code in special:
        return special[code]
    sign = -1.0 if code & 0x80 else 1.0
    bits = format(code & 0x7F, "07b")
    if bits.startswith("0000"):
        return sign * 2.0 ** (int(bits[4:], 2) - 23)
    lengths = {"11": 4, "10": 3, "01": 2, "001": 1, "0001": 0}
    (dot,) = (dot for dot in lengths if bits.startswith(dot))
    field = bits[len(dot) : len(dot) + lengths[dot]]
    mantissa = bits[len(dot) + lengths[dot] :]
    exponent = 0
    if field:
        exponent = int("1" + field[1:], 2) * (-1 if field[0] == "1" else 1)
    return sign * 2.0**exponent * (1 + int(mantissa, 2) / 2 ** len(mantissa))


def codes_as(dtype: Any) -> Array:
    """All 256 byte codes, as this type of ml_dtypes reads them."""
    return np.arange(256, dtype=np.uint8).view(dtype).astype(np.float32)


BYTE_TYPES = {
    "DT_HIFLOAT8": np.array([hifloat8(code) for code in range(256)]),
    "DT_FLOAT8_E5M2": codes_as(ml_dtypes.float8_e5m2),
    "DT_FLOAT8_E4M3FN": codes_as(ml_dtypes.float8_e4m3fn),
    "DT_FLOAT8_E8M0": np.array([2.0 ** (code - 127) for code in range(255)] + [NAN]),
    "DT_INT8": np.arange(256, dtype=np.uint8).view(np.int8),
    "DT_QINT8": np.arange(256, dtype=np.uint8).view(np.int8),
    "DT_DUAL_SUB_INT8": np.arange(256, dtype=np.uint8).view(np.int8),
    "DT_UINT8": np.arange(256, dtype=np.uint8),
    "DT_QUINT8": np.arange(256, dtype=np.uint8),
    "DT_DUAL_SUB_UINT8": np.arange(256, dtype=np.uint8),
    "DT_BOOL": np.arange(256) != 0,
}

WORDS = np.arange(65536, dtype=np.uint16)
WORD_TYPES = {
    "DT_FLOAT16": WORDS.view(np.float16),
    "DT_BF16": (WORDS.astype(np.uint32) << 16).view(np.float32),
    "DT_INT16": WORDS.view(np.int16),
    "DT_QINT16": WORDS.view(np.int16),
    "DT_UINT16": WORDS,
    "DT_QUINT16": WORDS,
}

PACKED_TYPES = {
    "DT_INT4": [(code ^ 8) - 8 for code in range(16)],
    "DT_FLOAT4_E2M1": [minifloat(code, 2, 1, 1) for code in range(16)],
    "DT_FLOAT4_E1M2": [math.copysign((code & 7) * 0.25, 7.5 - code) for code in range(16)],
    "DT_FLOAT6_E3M2": [minifloat(code, 3, 2, 3) for code in range(64)],
    "DT_FLOAT6_E2M3": [minifloat(code, 2, 3, 1) for code in range(64)],
    "DT_INT2": [0, 1, -2, -1],
    "DT_UINT2": [0, 1, 2, 3],
    "DT_UINT1": [0, 1],
}


def pack(codes: list[int], bits: int) -> Array:
    """Codes as one little-endian number, the first at bit 0; single bits from the top of a byte."""
    if bits == 1:
        return np.packbits(np.array(codes, np.uint8))
    number = sum(code << bits * i for i, code in enumerate(codes))
    n_bytes = (bits * len(codes) + 7) // 8
    return np.frombuffer(number.to_bytes(n_bytes, "little"), np.uint8)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", BYTE_TYPES)
def test_every_code_of_a_byte(name: str, isa: str) -> None:
    found = decode(name, np.arange(256, dtype=np.uint8), (256,), isa=isa)
    assert found.dtype == ROWS[name][3]
    assert_same_values(found, BYTE_TYPES[name])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", WORD_TYPES)
def test_every_code_of_two_bytes(name: str, isa: str) -> None:
    found = decode(name, WORDS, (65536,), isa=isa)
    assert found.dtype == ROWS[name][3]
    assert_same_values(found, WORD_TYPES[name])


@pytest.mark.parametrize("isa", ISAS)
def test_every_bfloat16_equals_ml_dtypes(isa: str) -> None:
    expected = WORDS.view(ml_dtypes.bfloat16).astype(np.float32)
    assert_same_values(decode("DT_BF16", WORDS, (65536,), isa=isa), expected)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", PACKED_TYPES)
def test_every_code_of_a_packed_type_at_every_position_in_a_byte(name: str, isa: str) -> None:
    bits = ROWS[name][4]
    table = np.array(PACKED_TYPES[name], np.float64)
    for shift in range(8):
        codes = [0] * shift + [code for code in range(1 << bits) for _ in range(3)]
        found = decode(name, pack(codes, bits), (len(codes),), isa=isa)
        assert found.dtype == ROWS[name][3]
        assert_same_values(found, table[codes])


def test_four_bit_types_equal_ml_dtypes() -> None:
    codes = np.arange(16, dtype=np.uint8)
    packed = pack(list(range(16)), 4)
    for name, dtype in (
        ("DT_INT4", ml_dtypes.int4),
        ("DT_FLOAT4_E2M1", ml_dtypes.float4_e2m1fn),
    ):
        expected = codes.view(dtype).astype(np.float32)
        np.testing.assert_array_equal(decode(name, packed, (16,)).astype(np.float32), expected)


def test_six_bit_types_equal_ml_dtypes() -> None:
    codes = np.arange(64, dtype=np.uint8)
    for name, dtype in (
        ("DT_FLOAT6_E3M2", ml_dtypes.float6_e3m2fn),
        ("DT_FLOAT6_E2M3", ml_dtypes.float6_e2m3fn),
    ):
        expected = codes.view(dtype).astype(np.float32)
        assert_same_values(decode(name, pack(list(range(64)), 6), (64,)), expected)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 511, 512, 513, 1025])
@pytest.mark.parametrize("name", PACKED_TYPES)
def test_packed_types_of_any_count_are_cropped_to_the_shape(name: str, n: int) -> None:
    bits = ROWS[name][4]
    codes = np.random.default_rng(n).integers(0, 1 << bits, n).tolist()
    table = np.array(PACKED_TYPES[name], np.float64)
    found = decode(name, pack(codes, bits), (n,))
    assert_same_values(found, table[np.array(codes, np.int64)])


@pytest.mark.parametrize("name", ["DT_FLOAT6_E3M2", "DT_FLOAT6_E2M3"])
def test_six_bit_types_in_as_many_bytes_as_elements_are_one_per_byte(name: str) -> None:
    codes = np.arange(256, dtype=np.uint8)
    table = np.array(PACKED_TYPES[name])
    assert_same_values(decode(name, codes, (256,)), table[codes & 63])


# The worked examples: bytes and values.
EXAMPLES = [
    ("DT_FLOAT16", "003c 00c0 007c 007e 0100 5535", [1, -2, math.inf, NAN, 2**-24, 0.333251953125]),
    ("DT_BF16", "803f 00c0 4940 807f c07f 0100", [1, -2, 3.140625, math.inf, NAN, 2**-133]),
    (
        "DT_FLOAT8_E4M3FN",
        "00 80 01 07 08 38 39 3c 40 b8 7e fe 7f",
        [0, -0.0, 2**-9, 7 * 2**-9, 2**-6, 1, 1.125, 1.5, 2, -1, 448, -448, NAN],
    ),
    (
        "DT_FLOAT8_E5M2",
        "00 01 03 04 3c 3d 3e 40 bc 7b fb 7c fc 7d",
        [
            0,
            2**-16,
            3 * 2**-16,
            2**-14,
            1,
            1.25,
            1.5,
            2,
            -1,
            57344,
            -57344,
            math.inf,
            -math.inf,
            NAN,
        ],
    ),
    (
        "DT_FLOAT8_E8M0",
        "00 01 7e 7f 80 87 fe ff",
        [2.0**-127, 2.0**-126, 0.5, 1, 2, 256, 2.0**127, NAN],
    ),
    (
        "DT_HIFLOAT8",
        "01 02 07 81 08 09 0f 10 14 18 1c 1f 20 21",
        [2**-22, 2**-21, 2**-16, -(2**-22), 1, 1.125, 1.875, 2, 3, 0.5, 0.75, 0.9375, 4, 4.5],
    ),
    (
        "DT_HIFLOAT8",
        "28 30 38 3f 40 43 44 5c 5f 60 61 62 6e 70",
        [8, 0.25, 0.125, 0.234375, 16, 28, 32, 2**-7, 0.013671875, 256, 384, 512, 32768, 2**-8],
    ),
    (
        "DT_HIFLOAT8",
        "71 7e 7f 88 c0 ee fe 6f ef 80 00",
        [
            1.5 * 2**-8,
            2**-15,
            1.5 * 2**-15,
            -1,
            -16,
            -32768,
            -(2**-15),
            math.inf,
            -math.inf,
            NAN,
            0,
        ],
    ),
    ("DT_INT4", "21 8f", [1, 2, -1, -8]),
    ("DT_FLOAT4_E2M1", "21 f7", [0.5, 1, 6, -6]),
    ("DT_FLOAT4_E1M2", "41 9f", [0.25, 1, -1.75, -0.25]),
    ("DT_FLOAT6_E3M2", "0c f4 fd", [1, 2, 28, -28]),
    ("DT_FLOAT6_E2M3", "0c f4 fd", [1.5, 2, 7.5, -7.5]),
    ("DT_UINT2", "e4", [0, 1, 2, 3]),
    ("DT_INT2", "e4", [0, 1, -2, -1]),
    ("DT_UINT1", "a0", [1, 0, 1, 0, 0, 0, 0, 0]),
]


@pytest.mark.parametrize(("name", "text", "expected"), EXAMPLES)
def test_worked_examples_of_the_types(name: str, text: str, expected: list[float]) -> None:
    data = np.frombuffer(bytes.fromhex(text), np.uint8)
    assert_same_values(decode(name, data, (len(expected),)), np.array(expected, np.float64))


def test_a_single_int4_fills_half_a_byte() -> None:
    data = np.frombuffer(bytes.fromhex("07"), np.uint8)
    assert decode("DT_INT4", data, (1,)).tolist() == [7]


@pytest.mark.parametrize("isa", ISAS)
def test_complex_half_is_real_first(isa: str) -> None:
    data = np.frombuffer(bytes.fromhex("003c 00c0"), np.uint8)
    found = decode("DT_COMPLEX32", data, (1,), isa=isa)
    assert found.dtype == np.complex64
    assert found.tolist() == [1 - 2j]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("DT_FLOAT", "f4"),
        ("DT_DOUBLE", "f8"),
        ("DT_INT32", "i4"),
        ("DT_QINT32", "i4"),
        ("DT_UINT32", "u4"),
        ("DT_INT64", "i8"),
        ("DT_UINT64", "u8"),
        ("DT_COMPLEX64", "c8"),
        ("DT_COMPLEX128", "c16"),
        ("DT_RESOURCE", "i8"),
    ],
)
def test_wide_types_keep_every_bit(name: str, dtype: str) -> None:
    data = np.random.default_rng(7).integers(0, 256, 4096, np.uint8)
    found = decode(name, data, (4096 // np.dtype(dtype).itemsize,))
    assert found.dtype == dtype
    assert found.tobytes() == data.tobytes()


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("DT_UNDEFINED", 8),
        ("DT_STRING", 8),
        ("DT_STRING_REF", 8),
        ("DT_DUAL", 40),
        ("DT_VARIANT", 64),
        ("DT_HIFLOAT4", 4),
        ("DT_HIFLOAT4_SCALE", 8),
    ],
)
def test_types_without_a_value_coding_are_bytes_in_a_row(name: str, bits: int) -> None:
    data = np.arange(80, dtype=np.uint8)
    array, note, _ = _core.decode(data, ROWS[name][0], (80 * 8 // bits,))
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, data)
    assert "no public value coding" in note


def test_the_table_has_the_43_types_of_the_dump_in_order() -> None:
    assert [row[0] for row in _core.dtypes()] == list(range(43))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("DT_FLOAT", np.float32),
        ("DT_FLOAT16", np.float16),
        ("DT_DOUBLE", np.float64),
        ("DT_BF16", ml_dtypes.bfloat16),
        ("DT_FLOAT8_E5M2", ml_dtypes.float8_e5m2),
        ("DT_FLOAT8_E4M3FN", ml_dtypes.float8_e4m3fn),
        ("DT_FLOAT6_E3M2", ml_dtypes.float6_e3m2fn),
        ("DT_FLOAT6_E2M3", ml_dtypes.float6_e2m3fn),
        ("DT_FLOAT4_E2M1", ml_dtypes.float4_e2m1fn),
    ],
)
def test_the_unit_roundoff_is_half_the_step_after_one(name: str, dtype: Any) -> None:
    assert 2.0 ** ROWS[name][6] == float(ml_dtypes.finfo(dtype).eps) / 2


@pytest.mark.parametrize("name", ["DT_HIFLOAT8", "DT_FLOAT8_E8M0", "DT_FLOAT4_E1M2"])
def test_the_unit_roundoff_of_types_without_finfo(name: str) -> None:
    table = BYTE_TYPES[name] if name in BYTE_TYPES else np.array(PACKED_TYPES[name])
    after_one = np.min(table[table > 1])
    assert 2.0 ** ROWS[name][6] == (after_one - 1) / 2


def test_trailing_bytes_are_left_out_and_noted() -> None:
    data = np.arange(8, dtype=np.float32)
    array, note, _ = _core.decode(data, ROWS["DT_FLOAT"][0], (5,))
    np.testing.assert_array_equal(array, data[:5])
    assert "trailing bytes: 32 declared, the first 20 used" in note
