// Stored bits -> float or double, element by element. Included by kernels.cpp inside its anonymous
// namespace.

template <class Stored, class Value>
void decode_number(const uint8_t* raw, size_t n, Value* out) {
  for (size_t i = 0; i < n; ++i) {
    Stored value;
    memcpy(&value, raw + i * sizeof value, sizeof value);
    out[i] = static_cast<Value>(value);
  }
}

/// Any non-zero byte is true.
void decode_bool(const uint8_t* raw, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = raw[i] != 0 ? 1.0f : 0.0f;
}

/// bfloat16 is the upper half of a float32.
void decode_bfloat16(const uint8_t* raw, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) {
    uint16_t bits;
    memcpy(&bits, raw + i * sizeof bits, sizeof bits);
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    memcpy(out + i, &wide, sizeof wide);
  }
}

void widen(const float* in, size_t n, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] = in[i];
}

/// IEEE binary16 by bit operations: shift into place, then correct the exponent by one exact
/// multiplication, which also turns subnormals into normal numbers. Infinity and NaN keep their
/// bits (payloads and the quiet bit included).
inline float half_to_float(uint16_t half) {
  const uint32_t magnitude = static_cast<uint32_t>(half & 0x7fffu) << 13;
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  float value;
  memcpy(&value, &magnitude, sizeof value);
  value *= 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  // The exponent of infinities and NaNs is all ones in both formats.
  bits |= magnitude >= 0x0f800000u ? 0x7f800000u : 0u;
  bits |= sign;
  memcpy(&value, &bits, sizeof value);
  return value;
}

void decode_float16(const uint8_t* raw, size_t n, float* out) {
  size_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16) {
    __m256i half;
    memcpy(&half, raw + i * 2, sizeof half);
    const __m512 value = _mm512_maskz_cvtph_ps(0xffff, half);
    memcpy(out + i, &value, sizeof value);
  }
#endif
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8) {
    __m128i half;
    memcpy(&half, raw + i * 2, sizeof half);
    const __m256 value = _mm256_cvtph_ps(half);
    memcpy(out + i, &value, sizeof value);
  }
#elif defined(__aarch64__)
  for (; i + 4 <= n; i += 4) {
    float16x4_t half;
    memcpy(&half, raw + i * 2, sizeof half);
    const float32x4_t value = vcvt_f32_f16(half);
    memcpy(out + i, &value, sizeof value);
  }
#endif
  for (; i < n; ++i) {
    uint16_t half;
    memcpy(&half, raw + i * sizeof half, sizeof half);
    out[i] = half_to_float(half);
  }
}

void look_up(const uint8_t* codes, size_t n, const float* table, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = table[codes[i]];
}

/// Most significant bit first.
void unpack_1(const uint8_t* packed, size_t n, uint8_t* codes) {
  for (size_t i = 0; i < n / 8; ++i) {
    // Every byte of the word gets the packed byte, then keeps one bit of it.
    const uint64_t spread = packed[i] * 0x0101010101010101u & 0x0102040810204080u;
    const uint64_t ones = (spread + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
    memcpy(codes + i * 8, &ones, sizeof ones);
  }
}

/// Least significant pair first.
void unpack_2(const uint8_t* packed, size_t n, uint8_t* codes) {
  for (size_t i = 0; i < n / 4; ++i)
    for (size_t k = 0; k < 4; ++k)
      codes[i * 4 + k] = static_cast<uint8_t>(packed[i] >> (2 * k) & 3u);
}

/// Low nibble first.
void unpack_4(const uint8_t* packed, size_t n, uint8_t* codes) {
  for (size_t i = 0; i < n / 2; ++i) {
    codes[i * 2] = static_cast<uint8_t>(packed[i] & 15u);
    codes[i * 2 + 1] = static_cast<uint8_t>(packed[i] >> 4);
  }
}

/// Four elements in three bytes, element i from bit 6*i of the little-endian bit stream on.
void unpack_6(const uint8_t* packed, size_t n, uint8_t* codes) {
  for (size_t i = 0; i < n / 4; ++i) {
    const uint8_t* three = packed + i * 3;
    const uint32_t bits = static_cast<uint32_t>(three[0]) | static_cast<uint32_t>(three[1]) << 8 |
                          static_cast<uint32_t>(three[2]) << 16;
    for (size_t k = 0; k < 4; ++k) codes[i * 4 + k] = static_cast<uint8_t>(bits >> (6 * k) & 63u);
  }
}
