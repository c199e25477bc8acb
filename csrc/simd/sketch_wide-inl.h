// Sums of a sketch over rows of values of 64 bits: a first pass takes hash and extrema, a second
// one sums them as float64. Included by kernels.cpp inside its anonymous namespace.

void scan_doubles(const uint8_t* x, size_t n_rows, const uint64_t* keys, ScannedRows* out) {
  typedef RowScan<int64_t> Scan;
  Scan scan;
  const auto nothing = [](Scan::Register, size_t) {};
  for (size_t r = 0; r < n_rows; ++r) {
    const uint8_t* row = x + r * kRowValues * sizeof(int64_t);
    const auto take_group = [&](size_t group, bool is_last) {
#pragma GCC unroll 4
      for (size_t step = 0; step < Scan::kSteps; ++step)
        for (size_t i = 0; i < kRegisters; ++i)
          scan.take(row + Scan::byte_in_row(group, step, i),
                    Scan::keys_of(keys + r, group, step, i), 1, step, i, is_last && step == 0,
                    nothing);
    };
    for (size_t group = 0; group < kLastGroup; ++group) take_group(group, false);
    take_group(kLastGroup, true);
  }
  scan.finish(out);
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
  // By the multiplier, whose ports are free: those of the adder also add the negative.
  return fused_multiply_add(a, splat(1), sum);
#else
  return sum + a;
#endif
}

constexpr size_t kSetsOfLanes = kPlaces / kLanes;  // in a group

inline Lanes load_sums(const double* at) {
  return load<double>(reinterpret_cast<const uint8_t*>(at));
}

/// Adds eight values of each of some rows: set `set` of a group.
template <size_t kRows>
[[gnu::always_inline]] inline void add_set(const uint8_t* x, const uint8_t* signs, size_t group,
                                           size_t set, bool is_cut, WideSums* sums) {
  const size_t place = group * kPlaces + set * kLanes;
  Lanes all = load_sums(sums->all + place), negative = load_sums(sums->negative + place);
  Lanes squares = load_sums(sums->squares + set * kLanes);
#pragma GCC unroll 8
  for (size_t r = 0; r < kRows; ++r) {
    const size_t value = r * kRowValues + first_value(group) + set * kLanes;
    Lanes v = load<double>(x + value * sizeof(double));
    if (is_cut) v = without_repeated(v);
    all = add(all, v);
    squares = squares + v * v;
    negative = add_where(negative, v, signs[(r * kRowPlaces + place) / 8]);
  }
  store(all, sums->all + place);
  store(negative, sums->negative + place);
  store(squares, sums->squares + set * kLanes);
}

template <size_t kRows>
inline void add_band_of_doubles(const uint8_t* x, const uint8_t* signs, WideSums* sums) {
  constexpr size_t kGroupBytes = kPlaces * kRows * sizeof(double), kCacheLine = 64;
  const uint8_t* ahead = x + kRows * kRowValues * sizeof(double);
  for (size_t group = 0; group < kLastGroup; ++group) {
    // What follows is read next: its scan then finds it in L2 (L1 is full of sums).
    for (size_t at = 0; at < kGroupBytes; at += kCacheLine)
      __builtin_prefetch(ahead + group * kGroupBytes + at, 0, 2);
#pragma GCC unroll 4
    for (size_t set = 0; set < kSetsOfLanes; ++set)
      add_set<kRows>(x, signs, group, set, false, sums);
  }
#pragma GCC unroll 4
  for (size_t set = 0; set < kSetsOfLanes; ++set)
    add_set<kRows>(x, signs, kLastGroup, set, set == 0, sums);
}

void add_doubles(const uint8_t* x, size_t n_rows, const uint64_t* signs, WideSums* sums) {
  const uint8_t* row_signs = reinterpret_cast<const uint8_t*>(signs);
  if (n_rows == kBandRows) return add_band_of_doubles<kBandRows>(x, row_signs, sums);
  for (size_t r = 0; r < n_rows; ++r)
    add_band_of_doubles<1>(x + r * kRowValues * sizeof(double), row_signs + r * kRowPlaces / 8,
                           sums);
}
