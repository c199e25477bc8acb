// Signed bucket sums and the content hash of a block. Included by kernels.cpp inside its anonymous
// namespace. Both are defined in docs/info-format.md: changing either makes old info files wrong.

/// Bits of a value for the hash: -0 as +0.
inline uint32_t hashed_bits(float value) {
  value += 0.0f;
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline uint64_t hashed_bits(double value) {
  value += 0.0;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Not 0 in the top bit when the value is NaN or infinite: its exponent is all ones.
inline uint32_t overflow_bit(uint32_t bits) { return (bits & 0x7fffffffu) + 0x00800000u; }
inline uint64_t overflow_bit(uint64_t bits) {
  return (bits & 0x7fffffffffffffffu) + 0x0010000000000000u;
}

template <class T>
inline T value_at(const uint8_t* bytes, size_t i) {
  T value;
  memcpy(&value, bytes + i * sizeof value, sizeof value);
  return value;
}

/// Hash of kBlock floats: value i meets value i + kBlock / 2. Sums wrap, so that their order does
/// not matter, and the loop takes whatever registers there are.
inline uint64_t hash_of(const uint8_t* x, const uint32_t* keys, bool* is_finite) {
  constexpr size_t kHalf = kBlock / 2;
  uint64_t hash = 0;
  uint32_t overflow = 0;
  for (size_t i = 0; i < kHalf; ++i) {
    const uint32_t a = hashed_bits(value_at<float>(x, i));
    const uint32_t b = hashed_bits(value_at<float>(x, i + kHalf));
    hash += static_cast<uint64_t>(a ^ keys[i]) * static_cast<uint64_t>(b ^ keys[i + kHalf]);
    overflow |= overflow_bit(a) | overflow_bit(b);
  }
  *is_finite = overflow >> 31 == 0;
  return hash;
}

/// Hash of kBlock doubles: the lower half of a value meets its upper half.
inline uint64_t hash_of(const uint8_t* x, const uint64_t* keys, bool* is_finite) {
  uint64_t hash = 0, overflow = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const uint64_t bits = hashed_bits(value_at<double>(x, i));
    const uint64_t mixed = bits ^ keys[i];
    hash += (mixed & 0xffffffffu) * (mixed >> 32);
    overflow |= overflow_bit(bits);
  }
  *is_finite = overflow >> 63 == 0;
  return hash;
}

/// Lane l of group `group` of a word of 64 signs is negated when bit 8 * group + l is set.
inline Lanes with_signs(const Lanes& a, uint64_t word, size_t group) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i) {
    Lanes::Bits shift;
    for (size_t l = 0; l < kPerRegister; ++l)
      shift[l] = static_cast<int64_t>(63 - (group * kLanes + i * kPerRegister + l));
    const Lanes::Bits sign =
        ((Lanes::Bits{} + static_cast<int64_t>(word)) << shift) & (Lanes::Bits{} + INT64_MIN);
    r.v[i] = (Doubles)((Lanes::Bits)a.v[i] ^ sign);
  }
  return r;
}

template <class T, class Key>
void sketch(const uint8_t* bytes, size_t n, const uint64_t* signs, const Key* keys, double* buckets,
            SketchBlock* out) {
  if (n == kBlock) {
    out->hash = hash_of(bytes, keys, &out->is_finite);
  } else {
    T filled[kBlock];
    memset(filled, 0, sizeof filled);
    memcpy(filled, bytes, n * sizeof(T));
    out->hash = hash_of(reinterpret_cast<const uint8_t*>(filled), keys, &out->is_finite);
  }
  if (!out->is_finite) return;
  const Block<T> x{bytes, n};
  Lanes sum = splat(0), xx = sum;
  const auto add = [&](const Lanes& a, uint64_t word, size_t group, double* at) {
    sum = sum + a;
    xx = xx + a * a;
    const Lanes before = load<double>(reinterpret_cast<const uint8_t*>(at));
    store(before + with_signs(a, word, group), at);
  };
  constexpr size_t kGroups = 64 / kLanes;  // that share a word of signs
  const size_t words = x.whole() / kGroups;
  for (size_t w = 0; w < words; ++w) {
    const uint64_t word = signs[w];
#pragma GCC unroll 8
    for (size_t g = 0; g < kGroups; ++g)
      add(x.group(w * kGroups + g), word, g, buckets + (w * kGroups + g) * kLanes);
  }
  for (size_t g = words * kGroups; g < x.whole(); ++g)
    add(x.group(g), signs[words], g - words * kGroups, buckets + g * kLanes);
  if (n % kLanes != 0)
    add(x.tail(0), signs[words], x.whole() - words * kGroups, buckets + x.whole() * kLanes);
  out->sum = sum_of(sum);
  out->sum_xx = sum_of(xx);
  extrema(x, &out->min, &out->max);
}
