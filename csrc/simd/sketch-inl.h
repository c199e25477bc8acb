// Sums of a sketch and the content hash over rows of a tensor. Included by kernels.cpp inside its
// anonymous namespace. Both are defined in docs/en/info-format.md: changing either makes old info
// files wrong.
//
// A type of values goes by the integer of its bits: int16_t is bfloat16, int32_t float, int64_t
// double.

template <class Bits>
constexpr Bits kInfinityOf{};
template <>
constexpr int16_t kInfinityOf<int16_t> = 0x7f80;
template <>
constexpr int32_t kInfinityOf<int32_t> = 0x7f800000;
template <>
constexpr int64_t kInfinityOf<int64_t> = 0x7ff0000000000000;

template <class Bits>
using BitsRegister __attribute__((vector_size(kRegisterBytes))) = Bits;
using Words64 = BitsRegister<uint64_t>;

constexpr size_t kLastGroup = kRowPlaces / kPlaces - 1;

/// The last group begins this many values before its first new one, so that nothing past the row is
/// read; they count as 0.
constexpr size_t kRepeated = kRowPlaces - kRowValues;

/// Where in a row the values of a group begin.
constexpr size_t first_value(size_t group) {
  return group * kPlaces - (group == kLastGroup ? kRepeated : 0);
}

/// 64 bytes of bits: all ones but for the first kRepeated values.
template <class Bits>
struct KeptValues {
  Bits bits[64 / sizeof(Bits)];
  constexpr KeptValues() : bits() {
    for (size_t i = 0; i < 64 / sizeof(Bits); ++i) bits[i] = i < kRepeated ? Bits{0} : Bits{-1};
  }
};
template <class Bits>
constexpr KeptValues<Bits> kKept;

/// The lower half of each word times its upper half.
inline Words64 product_of_halves(Words64 w) {
#if defined(__AVX512F__)
  return (Words64)_mm512_maskz_mul_epu32(0xff, (__m512i)w, (__m512i)(w >> 32));
#elif defined(__AVX__)
  return (Words64)_mm256_mul_epu32((__m256i)w, (__m256i)(w >> 32));
#elif defined(__SSE2__)
  return (Words64)_mm_mul_epu32((__m128i)w, (__m128i)(w >> 32));
#elif defined(__aarch64__)
  return (Words64)vmull_u32(vmovn_u64((uint64x2_t)w), vshrn_n_u64((uint64x2_t)w, 32));
#else
  return (w & 0xffffffffu) * (w >> 32);
#endif
}

/// Of each four floats, the upper halves, then the lower halves.
inline Words64 halves_apart(BitsRegister<int32_t> v) {
#if defined(__AVX512F__)
  const __m128i order = _mm_setr_epi8(2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13);
  return (Words64)_mm512_maskz_shuffle_epi8(~uint64_t{0}, (__m512i)v,
                                            _mm512_maskz_broadcast_i32x4(0xffff, order));
#elif defined(__AVX2__)
  const __m128i order = _mm_setr_epi8(2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13);
  return (Words64)_mm256_shuffle_epi8((__m256i)v, _mm256_broadcastsi128_si256(order));
#elif defined(__SSE2__)
  const BitsRegister<int32_t> lower = (v << 16) >> 16;
  return (Words64)_mm_packs_epi32((__m128i)(v >> 16), (__m128i)lower);  // nothing to saturate
#else
  typedef BitsRegister<int16_t> Halves;
  return (Words64)shuffled<1, 3, 5, 7, 0, 2, 4, 6>((Halves)v);
#endif
}

/// The words that are hashed, of 64 bytes of values; -0 as +0.
inline Words64 hashed_words(BitsRegister<int16_t> v) {
  return (Words64)(v == INT16_MIN ? BitsRegister<int16_t>{} : v);
}
inline Words64 hashed_words(BitsRegister<int32_t> v) {
  return halves_apart((BitsRegister<int32_t>)((Floats::Register)v + 0.0f));
}
inline Words64 hashed_words(BitsRegister<int64_t> v) { return (Words64)((Lanes::Register)v + 0.0); }

inline double value_of(int64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
inline double value_of(int32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
inline double value_of(int16_t bits) {
  return value_of(static_cast<int32_t>(static_cast<uint32_t>(bits) << 16));
}

/// Integers in the order of the values that have these bits; the same again turns them back.
template <class Register, class Bits>
inline Register ordered(Register v, Bits magnitude) {
  return v ^ ((v >> (8 * sizeof(Bits) - 1)) & magnitude);
}

/// Hash and extrema of rows, taken register by register.
template <class Bits>
struct RowScan {
  typedef BitsRegister<Bits> Register;
  static constexpr Bits kMagnitude = static_cast<Bits>(~(Bits{1} << (8 * sizeof(Bits) - 1)));
  static constexpr size_t kStep = 64 / sizeof(Bits);  // values
  static constexpr size_t kSteps = kPlaces / kStep;   // in a group
  // The words of floats are those of upper halves and those of lower halves: twice as many.
  static constexpr size_t kSums = sizeof(Bits) == sizeof(float) ? 2 : 1;

  Words64 sums[kSums][kRegisters] = {};
  Register low[kRegisters], high[kRegisters];

  RowScan() {
    for (size_t i = 0; i < kRegisters; ++i) {
      low[i] = Register{} + kMagnitude;
      high[i] = ~low[i];
    }
  }

  /// Where in a row register `i` of a step of a group begins, in bytes; and its keys.
  static size_t byte_in_row(size_t group, size_t step, size_t i) {
    return (first_value(group) + step * kStep) * sizeof(Bits) + i * kRegisterBytes;
  }
  static const uint64_t* keys_of(const uint64_t* keys, size_t group, size_t step, size_t i) {
    return keys + (group * kSteps + step) * kLanes + i * kRegisterBytes / sizeof *keys;
  }

  /// Takes register `i` of a step for each of some rows, one below the other; calls `add(v, row)`
  /// for each. `is_cut`: it begins with values that count as 0.
  template <class Add>
  [[gnu::always_inline]] void take(const uint8_t* at, const uint64_t* key, size_t n_rows,
                                   size_t step, size_t i, bool is_cut, Add add) {
    Words64 sum = sums[step % kSums][i];
    Register smallest = low[i], largest = high[i];
    Register kept;
    memcpy(&kept, kKept<Bits>.bits + i * sizeof kept / sizeof(Bits), sizeof kept);
    for (size_t r = 0; r < n_rows; ++r) {
      Register v;
      memcpy(&v, at + r * kRowValues * sizeof(Bits), sizeof v);
      const Register order = ordered(v, kMagnitude);
      smallest = order < smallest ? order : smallest;
      largest = order > largest ? order : largest;
      if (is_cut) v &= kept;
      Words64 k;
      memcpy(&k, key + r * kSums, sizeof k);
      sum += product_of_halves(hashed_words(v) ^ k);
      add(v, r);
    }
    sums[step % kSums][i] = sum;
    low[i] = smallest;
    high[i] = largest;
  }

  void finish(ScannedRows* out) const {
    uint64_t word[kSums][kLanes];
    memcpy(word, sums, sizeof word);
    for (size_t l = 0; l < kLanes; ++l) {
      // Of floats, an upper word and a lower word by turns.
      out->sums[l] = kSums == 1 ? word[0][l] : word[l / 4][l % 4 * 2];
      if (kSums == 2) out->lower_sums[l] = word[l / 4][l % 4 * 2 + 1];
    }
    Bits smallest[kStep], largest[kStep];
    memcpy(smallest, low, sizeof smallest);
    memcpy(largest, high, sizeof largest);
    for (size_t l = 1; l < kStep; ++l) {
      smallest[0] = smallest[l] < smallest[0] ? smallest[l] : smallest[0];
      largest[0] = largest[l] > largest[0] ? largest[l] : largest[0];
    }
    constexpr Bits kInfinity = kInfinityOf<Bits>;
    out->is_finite = largest[0] < kInfinity && smallest[0] > static_cast<Bits>(~kInfinity);
    // + 0: of zeros there is one.
    out->smallest = value_of(static_cast<Bits>(ordered(smallest[0], kMagnitude))) + 0.0;
    out->largest = value_of(static_cast<Bits>(ordered(largest[0], kMagnitude))) + 0.0;
  }
};

// Values of at most 32 bits: one pass takes hash and extrema, and sums eight rows as float.

using FloatRegister = Floats::Register;
using IntRegister = Floats::Bits;
constexpr size_t kFloatsPerRegister = kRegisterBytes / sizeof(float);

constexpr size_t kHalfGroup = kPlaces / 2;

/// A register of 32 bits as floats; of bfloat16, the values of even numbers (part 0) or odd ones.
inline FloatRegister floats_of(BitsRegister<int32_t> v, size_t) { return (FloatRegister)v; }
inline FloatRegister floats_of(BitsRegister<int16_t> v, size_t part) {
  constexpr auto kUpper = static_cast<int32_t>(0xffff0000);
  return (FloatRegister)(part == 0 ? (IntRegister)v << 16 : (IntRegister)v & kUpper);
}

/// Even bits, then odd bits.
inline uint32_t even_bits_first(uint32_t w) {
  const auto swap = [&w](uint32_t bits, uint32_t distance) {
    const uint32_t changed = (w ^ (w >> distance)) & bits;
    w ^= changed ^ (changed << distance);
  };
  swap(0x22222222, 1);
  swap(0x0c0c0c0c, 2);
  swap(0x00f000f0, 4);
  swap(0x0000ff00, 8);
  return w;
}

/// -v in the lanes whose bits are set, counted from bit `first`; else v.
inline FloatRegister with_signs(FloatRegister v, const uint32_t* bits, size_t first) {
  const IntRegister sign = IntRegister{} + INT32_MIN;
#if defined(__AVX512F__)
  uint16_t mask;
  memcpy(&mask, reinterpret_cast<const uint8_t*>(bits) + first / 8, sizeof mask);
  return (FloatRegister)_mm512_mask_xor_epi32((__m512i)v, mask, (__m512i)v, (__m512i)sign);
#elif defined(__SSE2__) && !defined(__AVX2__)  // no shifts of lanes by numbers of their own
  IntRegister bit;
  for (size_t l = 0; l < kFloatsPerRegister; ++l) bit[l] = static_cast<int32_t>(1u << (first + l));
  const IntRegister is_set = ((IntRegister{} + static_cast<int32_t>(*bits)) & bit) == bit;
  return (FloatRegister)((IntRegister)v ^ (is_set & sign));
#else
  IntRegister to_sign;
  for (size_t l = 0; l < kFloatsPerRegister; ++l) to_sign[l] = static_cast<int32_t>(31 - first - l);
  const IntRegister moved = (IntRegister{} + static_cast<int32_t>(*bits)) << to_sign;
  return (FloatRegister)((IntRegister)v ^ (moved & sign));
#endif
}

/// sum + v, by the multiplier where it is free: the ports of the adder also add what has signs.
inline FloatRegister plus(FloatRegister sum, FloatRegister v) {
#if defined(__AVX512F__)
  return (FloatRegister)_mm512_fmadd_ps((__m512)v, _mm512_set1_ps(1), (__m512)sum);
#else
  return sum + v;
#endif
}

template <class Bits>
[[gnu::always_inline]] inline void sum_n_rows(const uint8_t* x, size_t n_rows, const uint64_t* keys,
                                              const uint64_t* signs, ScannedRows* out,
                                              BandSums* band) {
  typedef RowScan<Bits> Scan;
  constexpr size_t kParts = sizeof(float) / sizeof(Bits);  // registers of floats, of one of Bits
  constexpr size_t kGroups = kRowPlaces / kPlaces, kCacheLine = 64;
  uint32_t bits[kBandRows * kGroups];
  memcpy(bits, signs, n_rows * kGroups * sizeof *bits);
  if (kParts == 2)
    for (size_t i = 0; i < n_rows * kGroups; ++i) bits[i] = even_bits_first(bits[i]);
  Scan scan;
  FloatRegister squares[kPlaces / kFloatsPerRegister] = {};
  const uint8_t* ahead = x + n_rows * kRowValues * sizeof(Bits);
  const auto add_group = [&](size_t group, bool is_last) {
    for (size_t step = 0; step < Scan::kSteps; ++step) {
      // What follows is read next. The sums fill the window in which a CPU looks ahead by itself.
      for (size_t r = 0; r < n_rows; ++r)
        __builtin_prefetch(ahead + ((group * Scan::kSteps + step) * n_rows + r) * kCacheLine, 0, 2);
      for (size_t i = 0; i < kRegisters; ++i) {
        FloatRegister all[kParts] = {}, with_sign[kParts] = {}, square[kParts];
        const size_t first = step * kHalfGroup + i * kFloatsPerRegister;
        const auto place = [first](size_t part) { return part * kHalfGroup + first; };
        for (size_t part = 0; part < kParts; ++part)
          square[part] = squares[place(part) / kFloatsPerRegister];
        const auto add = [&](typename Scan::Register v, size_t r) {
          for (size_t part = 0; part < kParts; ++part) {
            const FloatRegister value = floats_of(v, part);
            all[part] = plus(all[part], value);
            with_sign[part] += with_signs(value, bits + r * kGroups + group, place(part));
            square[part] += value * value;
          }
        };
        scan.take(x + Scan::byte_in_row(group, step, i), Scan::keys_of(keys, group, step, i),
                  n_rows, step, i, is_last && step == 0, add);
        for (size_t part = 0; part < kParts; ++part) {
          memcpy(band->all + group * kPlaces + place(part), all + part, kRegisterBytes);
          memcpy(band->with_signs + group * kPlaces + place(part), with_sign + part,
                 kRegisterBytes);
          squares[place(part) / kFloatsPerRegister] = square[part];
        }
      }
    }
  };
  for (size_t group = 0; group < kLastGroup; ++group) add_group(group, false);
  add_group(kLastGroup, true);
  memcpy(band->squares, squares, sizeof squares);
  scan.finish(out);
}

template <class Bits>
void sum_rows(const uint8_t* x, size_t n_rows, const uint64_t* keys, const uint64_t* signs,
              ScannedRows* out, BandSums* band) {
  // A number that is known makes the loop over rows nearly twice as fast.
  if (n_rows == kBandRows)
    sum_n_rows<Bits>(x, kBandRows, keys, signs, out, band);
  else
    sum_n_rows<Bits>(x, n_rows, keys, signs, out, band);
}

void add_band(const BandSums* band, NarrowSums* sums) {
  for (size_t place = 0; place < kRowPlaces; ++place) {
    sums->all[place] += band->all[place];
    sums->with_signs[place] += band->with_signs[place];
  }
  for (size_t place = 0; place < kPlaces; ++place) sums->squares[place] += band->squares[place];
}

/// Numbers first, first + 1, ... of SplitMix64 started at 0. Source: Steele, Lea, Flood, "Fast
/// splittable pseudorandom number generators", OOPSLA 2014.
void sign_words(uint64_t first, size_t n, uint64_t* words) {
  for (size_t i = 0; i < n; ++i) {
    uint64_t z = (first + i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    words[i] = z ^ (z >> 31);
  }
}
