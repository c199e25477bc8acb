// Sums of a sketch and the content hash over rows of a tensor. Included by kernels.cpp inside its
// anonymous namespace. Both are defined in docs/info-format.md: changing either makes old info
// files wrong.
//
// A type of values goes by the integer of its bits: int16_t is bfloat16, int32_t float, int64_t
// double.

template <class Bits>
struct ValueOf;
template <>
struct ValueOf<int16_t> {
  static constexpr int16_t kInfinity = 0x7f80;
};
template <>
struct ValueOf<int32_t> {
  typedef float Type;
  static constexpr int32_t kInfinity = 0x7f800000;
};
template <>
struct ValueOf<int64_t> {
  typedef double Type;
  static constexpr int64_t kInfinity = 0x7ff0000000000000;
};

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
  return (Words64)__builtin_shufflevector((Halves)v, (Halves)v, 1, 3, 5, 7, 0, 2, 4, 6);
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

template <class Bits>
inline double value_of(Bits bits) {
  if constexpr (sizeof bits == 2) {
    const int32_t wide = static_cast<int32_t>(static_cast<uint32_t>(bits) << 16);
    return value_of(wide);
  } else {
    typename ValueOf<Bits>::Type value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
}

/// Integers in the order of the values that have these bits; the same again turns them back.
template <class Register, class Bits>
inline Register ordered(Register v, Bits magnitude) {
  return v ^ ((v >> (8 * sizeof(Bits) - 1)) & magnitude);
}

template <class Bits>
void scan_rows(const uint8_t* x, size_t n_rows, const uint64_t* keys, ScannedRows* out) {
  typedef BitsRegister<Bits> Register;
  constexpr size_t kStep = 64 / sizeof(Bits);  // values
  constexpr size_t kSteps = kPlaces / kStep;   // in a group
  constexpr Bits kMagnitude = static_cast<Bits>(~(Bits{1} << (8 * sizeof(Bits) - 1)));
  // The words of floats are those of upper halves and those of lower halves: twice as many.
  constexpr size_t kSums = sizeof(Bits) == sizeof(float) ? 2 : 1;
  Words64 sums[kSums][kRegisters] = {};
  Register low[kRegisters], high[kRegisters];
  for (size_t i = 0; i < kRegisters; ++i) {
    low[i] = Register{} + kMagnitude;
    high[i] = ~low[i];
  }
  const auto add = [&](const uint8_t* at, const uint64_t* key, Words64* sum, bool is_cut) {
    for (size_t i = 0; i < kRegisters; ++i) {
      Register v;
      memcpy(&v, at + i * sizeof v, sizeof v);
      const Register order = ordered(v, kMagnitude);
      low[i] = order < low[i] ? order : low[i];
      high[i] = order > high[i] ? order : high[i];
      if (is_cut) {
        Register kept;
        memcpy(&kept, kKept<Bits>.bits + i * sizeof kept / sizeof(Bits), sizeof kept);
        v &= kept;
      }
      Words64 k;
      memcpy(&k, key + i * sizeof k / sizeof *key, sizeof k);
      sum[i] += product_of_halves(hashed_words(v) ^ k);
    }
  };
  for (size_t r = 0; r < n_rows; ++r) {
    const uint8_t* row = x + r * kRowValues * sizeof(Bits);
    const uint64_t* row_keys = keys + r * kSums;
    const auto add_group = [&](size_t group, bool is_last) {
#pragma GCC unroll 4
      for (size_t s = 0; s < kSteps; ++s)
        add(row + (first_value(group) + s * kStep) * sizeof(Bits),
            row_keys + (group * kSteps + s) * kLanes, sums[s % kSums], is_last && s == 0);
    };
    for (size_t group = 0; group < kLastGroup; ++group) add_group(group, false);
    add_group(kLastGroup, true);
  }
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
  constexpr Bits kInfinity = ValueOf<Bits>::kInfinity;
  out->is_finite = largest[0] < kInfinity && smallest[0] > static_cast<Bits>(~kInfinity);
  // + 0: of zeros there is one.
  out->smallest = value_of(static_cast<Bits>(ordered(smallest[0], kMagnitude))) + 0.0;
  out->largest = value_of(static_cast<Bits>(ordered(largest[0], kMagnitude))) + 0.0;
}

/// Eight values, widened to double.
template <class Bits>
inline Lanes load_values(const uint8_t* at) {
  return load<typename ValueOf<Bits>::Type>(at);
}

/// A bfloat16 is the upper half of a float.
template <>
inline Lanes load_values<int16_t>(const uint8_t* at) {
  Lanes r;
#if defined(__AVX512F__)
  // One shuffle puts each of them into the upper half of 32 bits; -1 gives 0.
  const __m256i order =
      _mm256_setr_epi8(-1, -1, 0, 1, -1, -1, 2, 3, -1, -1, 4, 5, -1, -1, 6, 7,  //
                       -1, -1, 8, 9, -1, -1, 10, 11, -1, -1, 12, 13, -1, -1, 14, 15);
  __m128i raw;
  memcpy(&raw, at, sizeof raw);
  const __m256i bits = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(raw), order);
  r.v[0] = (Doubles)_mm512_maskz_cvtps_pd(0xff, (__m256)bits);
#else
  typedef int16_t Eight __attribute__((vector_size(16)));
  typedef float Four __attribute__((vector_size(16)));
  Eight raw;
  memcpy(&raw, at, sizeof raw);
  const Four half[2] = {(Four)__builtin_shufflevector(Eight{}, raw, 0, 8, 1, 9, 2, 10, 3, 11),
                        (Four)__builtin_shufflevector(Eight{}, raw, 4, 12, 5, 13, 6, 14, 7, 15)};
#if defined(__AVX__)
  for (size_t i = 0; i < 2; ++i) r.v[i] = (Doubles)_mm256_cvtps_pd((__m128)half[i]);
#else
  for (size_t i = 0; i < 2; ++i) {
    r.v[2 * i] = __builtin_convertvector(__builtin_shufflevector(half[i], half[i], 0, 1), Doubles);
    r.v[2 * i + 1] =
        __builtin_convertvector(__builtin_shufflevector(half[i], half[i], 2, 3), Doubles);
  }
#endif
#endif
  return r;
}

#if !defined(__AVX512F__)
/// Entry m: the lanes of a register whose bits are set in m.
struct LaneMasks {
  int64_t lanes[1 << kPerRegister][kPerRegister];
  constexpr LaneMasks() : lanes() {
    for (size_t m = 0; m < 1 << kPerRegister; ++m)
      for (size_t l = 0; l < kPerRegister; ++l) lanes[m][l] = (m >> l & 1) != 0 ? -1 : 0;
  }
};
alignas(kRegisterBytes) constexpr LaneMasks kLaneMasks;
#endif

/// sum + a in the lanes whose bits are set, else sum.
inline Lanes add_where(const Lanes& sum, const Lanes& a, uint8_t bits) {
  Lanes r;
#if defined(__AVX512F__)
  r.v[0] = (Doubles)_mm512_mask_add_pd((__m512d)sum.v[0], bits, (__m512d)sum.v[0], (__m512d)a.v[0]);
#else
  for (size_t i = 0; i < kRegisters; ++i) {
    const size_t mask = bits >> (i * kPerRegister) & ((1u << kPerRegister) - 1);
    Lanes::Bits kept;
    memcpy(&kept, kLaneMasks.lanes[mask], sizeof kept);
    r.v[i] = sum.v[i] + (Doubles)((Lanes::Bits)a.v[i] & kept);
  }
#endif
  return r;
}

/// Of the first set of the last group.
inline Lanes without_repeated(const Lanes& v) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i) {
    Lanes::Bits kept;
    memcpy(&kept, kKept<int64_t>.bits + i * kPerRegister, sizeof kept);
    r.v[i] = (Doubles)((Lanes::Bits)v.v[i] & kept);
  }
  return r;
}

inline Lanes add(const Lanes& sum, const Lanes& a) {
#if defined(__AVX512F__)
  // By the multiplier, whose ports are free: those of the adder also convert and add the negative.
  return fused_multiply_add(a, splat(1), sum);
#else
  return sum + a;
#endif
}

/// Squares of floats are exact in double, so that rounding once gives the same bits.
template <class Bits>
inline Lanes add_square(const Lanes& sum, const Lanes& a) {
  if constexpr (sizeof(Bits) < sizeof(double)) return fused_multiply_add(a, a, sum);
  return sum + a * a;
}

constexpr size_t kSetsOfLanes = kPlaces / kLanes;  // in a group

inline Lanes load_sums(const double* at) {
  return load<double>(reinterpret_cast<const uint8_t*>(at));
}

/// Adds eight values of each of some rows: set `set` of a group.
template <class Bits, size_t kRows>
[[gnu::always_inline]] inline void add_set(const uint8_t* x, const uint8_t* signs, size_t group,
                                           size_t set, bool is_cut, SketchSums* sums) {
  const size_t place = group * kPlaces + set * kLanes;
  Lanes all = load_sums(sums->all + place), negative = load_sums(sums->negative + place);
  Lanes squares = load_sums(sums->squares + set * kLanes);
#pragma GCC unroll 8
  for (size_t r = 0; r < kRows; ++r) {
    const size_t value = r * kRowValues + first_value(group) + set * kLanes;
    Lanes v = load_values<Bits>(x + value * sizeof(Bits));
    if (is_cut) v = without_repeated(v);
    all = add(all, v);
    squares = add_square<Bits>(squares, v);
    negative = add_where(negative, v, signs[(r * kRowPlaces + place) / 8]);
  }
  store(all, sums->all + place);
  store(negative, sums->negative + place);
  store(squares, sums->squares + set * kLanes);
}

template <class Bits, size_t kRows>
inline void add_band(const uint8_t* x, const uint8_t* signs, SketchSums* sums) {
  constexpr size_t kGroupBytes = kPlaces * kRows * sizeof(Bits), kCacheLine = 64;
  const uint8_t* ahead = x + kRows * kRowValues * sizeof(Bits);
  for (size_t group = 0; group < kLastGroup; ++group) {
    // What follows is read next: its scan then finds it in L2 (L1 is full of sums).
    for (size_t at = 0; at < kGroupBytes; at += kCacheLine)
      __builtin_prefetch(ahead + group * kGroupBytes + at, 0, 2);
#pragma GCC unroll 4
    for (size_t set = 0; set < kSetsOfLanes; ++set)
      add_set<Bits, kRows>(x, signs, group, set, false, sums);
  }
#pragma GCC unroll 4
  for (size_t set = 0; set < kSetsOfLanes; ++set)
    add_set<Bits, kRows>(x, signs, kLastGroup, set, set == 0, sums);
}

template <class Bits>
void add_rows(const uint8_t* x, size_t n_rows, const uint64_t* signs, SketchSums* sums) {
  const uint8_t* row_signs = reinterpret_cast<const uint8_t*>(signs);
  if (n_rows == kBandRows) return add_band<Bits, kBandRows>(x, row_signs, sums);
  for (size_t r = 0; r < n_rows; ++r)
    add_band<Bits, 1>(x + r * kRowValues * sizeof(Bits), row_signs + r * kRowPlaces / 8, sums);
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
