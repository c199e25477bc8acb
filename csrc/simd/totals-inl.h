// Lanes become numbers: sums and extrema across them, in one order on every CPU level. Included by
// kernels.cpp inside its anonymous namespace.

/// Lanes become a number in one fixed order: each with its neighbour, each pair with the next pair,
/// then both halves.
template <class Combine>
inline double across(const Lanes& a, Combine combine) {
#if defined(__AVX512F__)
  const Doubles pairs = combine(a.v[0], shuffled<1, 0, 3, 2, 5, 4, 7, 6>(a.v[0]));
  const Doubles fours = combine(pairs, shuffled<2, 3, 0, 1, 6, 7, 4, 5>(pairs));
  return combine(fours, shuffled<4, 5, 6, 7, 0, 1, 2, 3>(fours))[0];
#elif defined(__AVX__)
  Doubles v[2];
  for (size_t i = 0; i < 2; ++i) {
    v[i] = combine(a.v[i], shuffled<1, 0, 3, 2>(a.v[i]));
    v[i] = combine(v[i], shuffled<2, 3, 0, 1>(v[i]));
  }
  return combine(v[0], v[1])[0];
#else
  Doubles v[4];
  for (size_t i = 0; i < 4; ++i) v[i] = combine(a.v[i], shuffled<1, 0>(a.v[i]));
  return combine(combine(v[0], v[1]), combine(v[2], v[3]))[0];
#endif
}

inline double sum_of(const Lanes& a) {
  return across(a, [](Doubles p, Doubles q) { return p + q; });
}

/// Floats in double: the last eight added to the first.
inline Lanes joined_halves(const Floats& a) {
  float values[kFloats];
  store(a, values);
  const uint8_t* at = reinterpret_cast<const uint8_t*>(values);
  return load<float>(at) + load<float>(at + kLanes * sizeof(float));
}

/// The sums of eight groups of lanes, each in the order of `across`, with a quarter of its
/// shuffles.
inline Lanes sums_of_eight(const Lanes (&a)[8]) {
  Lanes r;
#if defined(__AVX512F__)
  Doubles pairs[4], fours[2];
  for (size_t i = 0; i < 4; ++i) {
    const Doubles p = a[2 * i].v[0], q = a[2 * i + 1].v[0];
    pairs[i] =
        shuffled<0, 8, 2, 10, 4, 12, 6, 14>(p, q) + shuffled<1, 9, 3, 11, 5, 13, 7, 15>(p, q);
  }
  for (size_t i = 0; i < 2; ++i) {
    const Doubles p = pairs[2 * i], q = pairs[2 * i + 1];
    fours[i] =
        shuffled<0, 1, 8, 9, 4, 5, 12, 13>(p, q) + shuffled<2, 3, 10, 11, 6, 7, 14, 15>(p, q);
  }
  r.v[0] = shuffled<0, 1, 2, 3, 8, 9, 10, 11>(fours[0], fours[1]) +
           shuffled<4, 5, 6, 7, 12, 13, 14, 15>(fours[0], fours[1]);
#elif defined(__AVX__)
  for (size_t i = 0; i < 2; ++i) {  // four sums in each register
    Doubles halves[2];
    for (size_t h = 0; h < 2; ++h) {
      Doubles pairs[2];
      for (size_t k = 0; k < 2; ++k) {
        const Doubles p = a[4 * i + 2 * k].v[h], q = a[4 * i + 2 * k + 1].v[h];
        pairs[k] = shuffled<0, 4, 2, 6>(p, q) + shuffled<1, 5, 3, 7>(p, q);
      }
      halves[h] =
          shuffled<0, 1, 4, 5>(pairs[0], pairs[1]) + shuffled<2, 3, 6, 7>(pairs[0], pairs[1]);
    }
    r.v[i] = halves[0] + halves[1];
  }
#else
  for (size_t i = 0; i < 4; ++i) {  // two sums in each register
    Doubles pairs[4];
    for (size_t h = 0; h < 4; ++h) {
      const Doubles p = a[2 * i].v[h], q = a[2 * i + 1].v[h];
      pairs[h] = shuffled<0, 2>(p, q) + shuffled<1, 3>(p, q);
    }
    r.v[i] = (pairs[0] + pairs[1]) + (pairs[2] + pairs[3]);
  }
#endif
  return r;
}

/// Up to eight sums that become numbers together.
class Totals {
 public:
  void add(const Lanes& lanes, double* to) {
    lanes_[n_] = lanes;
    to_[n_++] = to;
  }
  void write() {
    for (size_t i = n_; i < 8; ++i) lanes_[i] = splat(0);
    double sums[8];
    store(sums_of_eight(lanes_), sums);
    for (size_t i = 0; i < n_; ++i) *to_[i] = sums[i];
  }

 private:
  Lanes lanes_[8];
  double* to_[8];
  size_t n_ = 0;
};

/// sum + the first eight floats, + the last eight.
inline Lanes add_floats(const Lanes& sum, const Floats& a) {
  float values[kFloats];
  store(a, values);
  const uint8_t* at = reinterpret_cast<const uint8_t*>(values);
  return sum + load<float>(at) + load<float>(at + kLanes * sizeof(float));
}

/// 64 bytes of T become one: value l takes value l + half in, from a half of all down to one.
template <class T, class Combine>
inline T folded(const Group<T>& a, Combine combine) {
  constexpr size_t kValues = kRegisterBytes / sizeof(T);
  typename Group<T>::Register v[kRegisters];
  for (size_t i = 0; i < kRegisters; ++i) v[i] = a.v[i];
  for (size_t half = kRegisters / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i) v[i] = combine(v[i + half], v[i]);
  auto w = v[0];
  if constexpr (kValues == 16) {
    w = combine(shuffled<8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7>(w), w);
    w = combine(shuffled<4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3>(w), w);
    w = combine(shuffled<2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1>(w), w);
    w = combine(shuffled<1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0>(w), w);
  }
  if constexpr (kValues == 8) {
    w = combine(shuffled<4, 5, 6, 7, 0, 1, 2, 3>(w), w);
    w = combine(shuffled<2, 3, 0, 1, 2, 3, 0, 1>(w), w);
    w = combine(shuffled<1, 0, 1, 0, 1, 0, 1, 0>(w), w);
  }
  if constexpr (kValues == 4) {
    w = combine(shuffled<2, 3, 0, 1>(w), w);
    w = combine(shuffled<1, 0, 1, 0>(w), w);
  }
  if constexpr (kValues == 2) w = combine(shuffled<1, 0>(w), w);
  return w[0];
}

template <class T>
inline T largest_value(const Group<T>& a) {
  typedef typename Group<T>::Register Register;
  return folded(a, [](Register p, Register q) { return (Register)larger_register(p, q); });
}

template <class T>
inline T smallest_value(const Group<T>& a) {
  typedef typename Group<T>::Register Register;
  return folded(a, [](Register p, Register q) { return (Register)smaller_register(p, q); });
}

inline double largest_of(const Floats& a) { return largest_value(a); }

inline double largest_of(const Lanes& a) {
  return across(a, [](Doubles p, Doubles q) { return (Doubles)larger_register(p, q); });
}
