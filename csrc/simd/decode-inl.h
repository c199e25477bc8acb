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
