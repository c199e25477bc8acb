// Tables of the 8-bit and narrower codings, computed from their definitions. Sources: OCP OFP8 rev
// 1.0 (E4M3, E5M2), OCP Microscaling Formats rev 1.0 (E8M0, E3M2, E2M3, E2M1), hicann/runtime
// hifloat.cpp (HiFloat8).
#include "tensor/decode.h"

#include <array>
#include <limits>

namespace ait {
namespace {

using Table = std::array<float, 256>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

constexpr double pow2(int exponent) {
  double power = 1;
  for (; exponent > 0; --exponent) power *= 2;
  for (; exponent < 0; ++exponent) power /= 2;
  return power;
}

constexpr float with_sign(bool negative, double magnitude) {
  return static_cast<float>(negative ? -magnitude : magnitude);
}

/// Sign, exponent and mantissa from the top; exponent 0 holds the subnormals.
constexpr float minifloat(unsigned code, int n_exponent, int n_mantissa, int bias) {
  const int mantissa = static_cast<int>(code) & ((1 << n_mantissa) - 1);
  const int exponent = static_cast<int>(code >> n_mantissa) & ((1 << n_exponent) - 1);
  const double fraction = mantissa / pow2(n_mantissa);
  const double magnitude =
      exponent == 0 ? fraction * pow2(1 - bias) : (1 + fraction) * pow2(exponent - bias);
  return with_sign(((code >> (n_exponent + n_mantissa)) & 1u) != 0, magnitude);
}

/// No infinity; S.1111.111 is NaN.
constexpr float float8_e4m3fn(unsigned code) {
  return (code & 0x7f) == 0x7f ? kNan : minifloat(code, 4, 3, 7);
}

/// IEEE-like: the upper byte of a binary16.
constexpr float float8_e5m2(unsigned code) {
  if ((code & 0x7f) > 0x7c) return kNan;
  if ((code & 0x7f) == 0x7c) return code >= 0x80 ? -kInf : kInf;
  return minifloat(code, 5, 2, 15);
}

/// A power of two without sign or zero.
constexpr float float8_e8m0(unsigned code) {
  return code == 0xff ? kNan : static_cast<float>(pow2(static_cast<int>(code) - 127));
}

/// Tapered: the leading bits after the sign say how many exponent bits follow. The exponent is
/// sign-magnitude with an implicit leading 1.
constexpr float hifloat8(unsigned code) {
  if (code == 0x00) return 0;
  if (code == 0x80) return kNan;
  if (code == 0x6f) return kInf;
  if (code == 0xef) return -kInf;
  const bool negative = code >= 0x80;
  const unsigned bits = code & 0x7f;
  if (bits < 0x08) return with_sign(negative, pow2(static_cast<int>(bits) - 23));
  // From the top: 11 -> 4 exponent bits, 10 -> 3, 01 -> 2, 001 -> 1, 0001 -> 0.
  const int n_exponent = bits >= 0x60 ? 4 : bits >= 0x40 ? 3 : bits >= 0x20 ? 2 : bits >= 0x10;
  const int n_mantissa = n_exponent == 4 ? 1 : n_exponent == 3 ? 2 : 3;
  const unsigned field = (bits >> n_mantissa) & ((1u << n_exponent) - 1);
  int exponent = 0;
  if (n_exponent > 0) {
    const unsigned lead = 1u << (n_exponent - 1);
    const int magnitude = static_cast<int>(lead | (field & (lead - 1)));
    exponent = (field & lead) != 0 ? -magnitude : magnitude;
  }
  const double fraction = (bits & ((1u << n_mantissa) - 1)) / pow2(n_mantissa);
  return with_sign(negative, (1 + fraction) * pow2(exponent));
}

constexpr float float6_e3m2(unsigned code) { return minifloat(code, 3, 2, 3); }
constexpr float float6_e2m3(unsigned code) { return minifloat(code, 2, 3, 1); }
constexpr float float4_e2m1(unsigned code) { return minifloat(code, 2, 1, 1); }

/// Quarters: S.E.MM without a hidden bit that matters.
constexpr float float4_e1m2(unsigned code) { return with_sign((code & 8) != 0, (code & 7) * 0.25); }

/// Two's complement of n bits.
template <unsigned kBits>
constexpr float signed_int(unsigned code) {
  constexpr unsigned kSign = 1u << (kBits - 1);
  return static_cast<float>(static_cast<int>((code & (2 * kSign - 1)) ^ kSign) -
                            static_cast<int>(kSign));
}

template <unsigned kBits>
constexpr float unsigned_int(unsigned code) {
  return static_cast<float>(code & ((1u << kBits) - 1));
}

template <float (*kValue)(unsigned)>
constexpr Table table_of() {
  Table table{};
  for (unsigned code = 0; code < table.size(); ++code) table[code] = kValue(code);
  return table;
}

template <float (*kValue)(unsigned)>
constexpr Table kTable = table_of<kValue>();

template <float (*kValue)(unsigned)>
void look_up(const Kernels& kernels, const uint8_t* raw, size_t n, float* out) {
  kernels.look_up(raw, n, kTable<kValue>.data(), out);
}

template <void (*Kernels::*kKernel)(const uint8_t*, size_t, float*)>
void narrow(const Kernels& kernels, const uint8_t* raw, size_t n, float* out) {
  (kernels.*kKernel)(raw, n, out);
}

template <void (*Kernels::*kKernel)(const uint8_t*, size_t, double*)>
void wide(const Kernels& kernels, const uint8_t* raw, size_t n, double* out) {
  (kernels.*kKernel)(raw, n, out);
}

/// One row of the table of decoders.
struct Row {
  Coding coding;
  Decoder decoder;
  const float* values;
};

template <float (*kValue)(unsigned)>
constexpr Row table_row(Coding coding) {
  return {coding, {look_up<kValue>, nullptr}, kTable<kValue>.data()};
}

constexpr Row kRows[] = {
    {Coding::kFloat16, {narrow<&Kernels::decode_float16>, nullptr}, nullptr},
    {Coding::kBfloat16, {narrow<&Kernels::decode_bfloat16>, nullptr}, nullptr},
    {Coding::kInt8, {narrow<&Kernels::decode_int8>, nullptr}, nullptr},
    {Coding::kUint8, {narrow<&Kernels::decode_uint8>, nullptr}, nullptr},
    {Coding::kBool, {narrow<&Kernels::decode_bool>, nullptr}, nullptr},
    {Coding::kInt16, {narrow<&Kernels::decode_int16>, nullptr}, nullptr},
    {Coding::kUint16, {narrow<&Kernels::decode_uint16>, nullptr}, nullptr},
    {Coding::kInt32, {nullptr, wide<&Kernels::decode_int32>}, nullptr},
    {Coding::kUint32, {nullptr, wide<&Kernels::decode_uint32>}, nullptr},
    {Coding::kInt64, {nullptr, wide<&Kernels::decode_int64>}, nullptr},
    {Coding::kUint64, {nullptr, wide<&Kernels::decode_uint64>}, nullptr},
    table_row<float8_e5m2>(Coding::kFloat8E5m2),
    table_row<float8_e4m3fn>(Coding::kFloat8E4m3fn),
    table_row<float8_e8m0>(Coding::kFloat8E8m0),
    table_row<hifloat8>(Coding::kHifloat8),
    table_row<float6_e3m2>(Coding::kFloat6E3m2),
    table_row<float6_e2m3>(Coding::kFloat6E2m3),
    table_row<float4_e2m1>(Coding::kFloat4E2m1),
    table_row<float4_e1m2>(Coding::kFloat4E1m2),
    table_row<signed_int<4>>(Coding::kInt4),
    table_row<signed_int<2>>(Coding::kInt2),
    table_row<unsigned_int<2>>(Coding::kUint2),
    table_row<unsigned_int<1>>(Coding::kUint1),
};

const Row* find_row(Coding coding) {
  for (const Row& row : kRows)
    if (row.coding == coding) return &row;
  return nullptr;
}

uint8_t packed_code(uint32_t bits, const uint8_t* packed, uint64_t i) {
  const uint64_t at = i * bits;
  const auto shift = static_cast<unsigned>(at % 8);
  const uint8_t* byte = packed + at / 8;
  if (bits == 1) return static_cast<uint8_t>((*byte >> (7 - shift)) & 1u);
  unsigned window = *byte;
  if (shift + bits > 8) window |= static_cast<unsigned>(byte[1]) << 8;
  return static_cast<uint8_t>((window >> shift) & ((1u << bits) - 1));
}

}  // namespace

const float* code_values(Coding coding) {
  const Row* row = find_row(coding);
  return row == nullptr ? nullptr : row->values;
}

Decoder find_decoder(Coding coding) {
  const Row* row = find_row(coding);
  return row == nullptr ? Decoder{} : row->decoder;
}

void unpack(const Kernels& kernels, uint32_t bits, const uint8_t* packed, uint64_t first, size_t n,
            uint8_t* codes) {
  size_t i = 0;
  // The kernels take whole groups of bytes that start at a byte.
  while (i < n && (first + i) % 8 != 0) {
    codes[i] = packed_code(bits, packed, first + i);
    ++i;
  }
  const size_t whole = (n - i) / 8 * 8;
  const uint8_t* from = packed + (first + i) * bits / 8;
  switch (bits) {
    case 1:
      kernels.unpack_1(from, whole, codes + i);
      break;
    case 2:
      kernels.unpack_2(from, whole, codes + i);
      break;
    case 4:
      kernels.unpack_4(from, whole, codes + i);
      break;
    default:
      kernels.unpack_6(from, whole, codes + i);
  }
  for (i += whole; i < n; ++i) codes[i] = packed_code(bits, packed, first + i);
}

}  // namespace ait
