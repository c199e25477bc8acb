// exp and the softmax sums of the KL divergence. Included by kernels.cpp inside its anonymous
// namespace.
//
// With p = softmax(y), q = softmax(x), d = x - y:
//   KL(p || q) = sum p (log p - log q) = log(sum p exp(d)) - sum p d.
// Near blocks (every |d| <= kKlNear) sum exp(d) - 1 - d by its series: the difference of two nearly
// equal logarithms, which would lose every digit of a small KL, never appears.

// 2^k * exp(r), k = round(t / ln 2), |r| <= ln(2)/2; ln 2 in two parts so that k * kLn2High is
// exact (Cody and Waite). Adding kRound rounds to an integer and leaves it in the low bits. Below
// kSmallest, exp(t) is not a normal number any more: it counts as 0.
template <class T>
struct Exp;
template <>
struct Exp<double> {
  static constexpr double kLn2High = 0x1.62e42fefa0000p-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  static constexpr double kRound = 0x1.8p52, kSmallest = -708.0;
  static constexpr int kMantissaBits = 52;
};
template <>
struct Exp<float> {
  static constexpr float kLn2High = 0x1.62ep-1f, kLn2Low = 0x1.0bfbe8p-15f;
  static constexpr float kRound = 0x1.8p23f, kSmallest = -86.0f;
  static constexpr int kMantissaBits = 23;
};
constexpr double kLog2E = 0x1.71547652b82fep0;

/// exp of values that are at most 0. Terms 1/k! up to r^kDegree; the remainder is below
/// |r|^(kDegree+1) / (kDegree+1)!: 4e-18 at degree 13, 7e-12 at degree 9, 6e-9 at degree 7.
template <int kDegree, class T>
inline Group<T> exp_nonpositive(const Group<T>& t) {
  constexpr double kFactor[] = {1.0,
                                1.0,
                                1.0 / 2,
                                1.0 / 6,
                                1.0 / 24,
                                1.0 / 120,
                                1.0 / 720,
                                1.0 / 5040,
                                1.0 / 40320,
                                1.0 / 362880,
                                1.0 / 3628800,
                                1.0 / 39916800,
                                1.0 / 479001600,
                                1.0 / 6227020800};
  typedef typename Group<T>::Bits Bits;
  typedef typename Group<T>::Register Register;
  const Group<T> round = fill(Exp<T>::kRound), smallest = fill(Exp<T>::kSmallest);
  const Group<T> clamped = larger(t, smallest);
  const Group<T> shifted = clamped * fill(static_cast<T>(kLog2E)) + round;
  const Group<T> k = shifted - round;
  const Group<T> r = (clamped - k * fill(Exp<T>::kLn2High)) - k * fill(Exp<T>::kLn2Low);
  Group<T> p = fill(static_cast<T>(kFactor[kDegree]));
  for (int i = kDegree - 1; i >= 0; --i) p = p * r + fill(static_cast<T>(kFactor[i]));
  Group<T> scaled;
  for (size_t i = 0; i < kRegisters; ++i)
    scaled.v[i] = (Register)((Bits)p.v[i] + ((Bits)shifted.v[i] << Exp<T>::kMantissaBits));
  return where_larger(t, smallest, scaled);
}

double exp_of_nonpositive(double t) {
  double lane[kLanes];
  store(exp_nonpositive<13>(splat(t)), lane);
  return lane[0];
}

/// 1 in the lanes below `n`, else 0.
inline Lanes first_lanes(size_t n) {
  double one[kLanes];
  for (size_t l = 0; l < kLanes; ++l) one[l] = l < n ? 1.0 : 0.0;
  return load<double>(reinterpret_cast<const uint8_t*>(one));
}

/// sum of d^k / (kFirst + k)! for k = 0 to kDegree, |d| <= 1/16: (expm1(d) - d) / d^2 from kFirst =
/// 2, (expm1(d) - d - d^2 / 2) / d^3 from kFirst = 3. The first term left out is below 3e-11 of the
/// sum for 2 and degree 5, 2e-8 for 3 and degree 3.
template <int kFirst, int kDegree, class T>
inline Group<T> expm1_rest(const Group<T>& d) {
  constexpr double kFactor[] = {1.0,      1.0,       1.0 / 2,   1.0 / 6,
                                1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040};
  Group<T> s = fill(static_cast<T>(kFactor[kFirst + kDegree]));
  for (int i = kDegree - 1; i >= 0; --i) s = s * d + fill(static_cast<T>(kFactor[kFirst + i]));
  return s;
}

void kl_near_f64(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, double ref_y,
                 KlBlock* out) {
  const Block<double> x{x_bytes, n}, y{y_bytes, n};
  const Lanes ref = splat(ref_y);
  Lanes a = splat(0), b = a, g = a;
  const auto add = [&](const Lanes& weight, const Lanes& d) {
    a = a + weight;
    b = b + weight * d;
    g = g + weight * (d * d * expm1_rest<2, 5>(d));
  };
  for (size_t i = 0; i < x.whole(); ++i) {
    const Lanes y_i = y.group(i);
    add(exp_nonpositive<9>(y_i - ref), x.group(i) - y_i);
  }
  if (n % kLanes != 0) {
    const Lanes y_i = y.tail(y.first());
    add(exp_nonpositive<9>(y_i - ref) * first_lanes(n % kLanes), x.tail(x.first()) - y_i);
  }
  *out = {sum_of(a), sum_of(b), sum_of(g), 0};
}

/// Weights and cubic terms in float, all products up to d^2 and all sums in double. A weight is off
/// by about 2^-22 of itself (more where it is negligible), in p and q alike: that is KL's own
/// relative error. What cancels in KL, the squares of d, is exact to double.
void kl_near_f32(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, double ref_y,
                 KlBlock* out) {
  static_assert(kBlock % kFloats == 0);
  float weight[kBlock], difference[kBlock], cubic[kBlock];
  const Floats ref = fill(static_cast<float>(ref_y));
  const auto put = [&](size_t at, const Floats& x, const Floats& y) {
    const Floats d = x - y;
    const Floats w = exp_nonpositive<7>(y - ref);
    store(w, weight + at);
    store(d, difference + at);
    store(w * d * (d * d) * expm1_rest<3, 3>(d), cubic + at);
  };
  const size_t whole = n / kFloats * kFloats;
  for (size_t i = 0; i < whole; i += kFloats)
    put(i, load_floats(x_bytes + i * sizeof(float)), load_floats(y_bytes + i * sizeof(float)));
  if (n != whole) {
    uint8_t x[sizeof(Floats)] = {}, y[sizeof(Floats)] = {};
    memcpy(x, x_bytes + whole * sizeof(float), (n - whole) * sizeof(float));
    memcpy(y, y_bytes + whole * sizeof(float), (n - whole) * sizeof(float));
    put(whole, load_floats(x), load_floats(y));
    for (size_t i = n; i < whole + kFloats; ++i) weight[i] = difference[i] = cubic[i] = 0;
  }
  const auto lanes = [](const float* at) {
    return load<float>(reinterpret_cast<const uint8_t*>(at));
  };
  Lanes a = splat(0), b = a, squares = a, rest = a;
  for (size_t i = 0; i < n; i += kLanes) {
    const Lanes w = lanes(weight + i), d = lanes(difference + i);
    const Lanes wd = w * d;
    a = a + w;
    b = b + wd;
    squares = squares + wd * d;
    rest = rest + lanes(cubic + i);
  }
  *out = {sum_of(a), sum_of(b), 0.5 * sum_of(squares) + sum_of(rest), 0};
}

template <class T>
void kl_far(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, double ref_x, double ref_y,
            KlBlock* out) {
  const Block<T> x{x_bytes, n}, y{y_bytes, n};
  const Lanes rx = splat(ref_x), ry = splat(ref_y), zero = splat(0);
  Lanes a = zero, b = zero, e = zero;
  const auto add = [&](const Lanes& x_i, const Lanes& y_i, const Lanes& mask) {
    const Lanes weight = exp_nonpositive<13>(y_i - ry) * mask;
    a = a + weight;
    // x - y of float64 may overflow where the weight is 0.
    b = b + where_larger(weight, zero, weight * (x_i - y_i));
    e = e + exp_nonpositive<13>(x_i - rx) * mask;
  };
  const Lanes one = splat(1);
  for (size_t i = 0; i < x.whole(); ++i) add(x.group(i), y.group(i), one);
  if (n % kLanes != 0) add(x.tail(x.first()), y.tail(y.first()), first_lanes(n % kLanes));
  *out = {sum_of(a), sum_of(b), 0, sum_of(e)};
}
