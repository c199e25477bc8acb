// exp and the softmax sums of the KL divergence. Included by kernels.cpp inside its anonymous
// namespace.
//
// With p = softmax(y), q = softmax(x), d = x - y:
//   KL(p || q) = sum p (log p - log q) = log(sum p exp(d)) - sum p d.
// Near blocks (every |d| <= kKlNear) sum exp(d) - 1 - d by its series: the difference of two nearly
// equal logarithms, which would lose every digit of a small KL, never appears.

// 2^k * exp(r), k = round(t / ln 2), |r| <= ln(2)/2; ln 2 in two parts so that k * kLn2High is
// exact (Cody and Waite).
constexpr double kLog2E = 0x1.71547652b82fep0;
constexpr double kLn2High = 0x1.62e42fefa0000p-1;
constexpr double kLn2Low = 0x1.cf79abc9e3b3ap-40;
// Adding this rounds to an integer and leaves it in the low bits.
constexpr double kRound = 0x1.8p52;
// Below, exp(t) is not a normal number any more: it counts as 0.
constexpr double kExpSmallest = -708.0;

/// exp of lanes that are at most 0. Terms 1/k! up to r^kDegree; the remainder is below
/// |r|^(kDegree+1) / (kDegree+1)!: 4e-18 at degree 13, 7e-12 at degree 9.
template <int kDegree>
inline Lanes exp_nonpositive(const Lanes& t) {
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
  const Lanes round = splat(kRound);
  const Lanes clamped = larger(t, splat(kExpSmallest));
  const Lanes shifted = clamped * splat(kLog2E) + round;
  const Lanes k = shifted - round;
  const Lanes r = (clamped - k * splat(kLn2High)) - k * splat(kLn2Low);
  Lanes p = splat(kFactor[kDegree]);
  for (int i = kDegree - 1; i >= 0; --i) p = p * r + splat(kFactor[i]);
  Lanes scaled;
  for (size_t i = 0; i < kRegisters; ++i)
    scaled.v[i] = (Doubles)((Ints)p.v[i] + ((Ints)shifted.v[i] << 52));
  return where_larger(t, splat(kExpSmallest), scaled);
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

template <class T>
void kl_near(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, double ref_y, KlBlock* out) {
  const Block<T> x{x_bytes, n}, y{y_bytes, n};
  const Lanes ref = splat(ref_y);
  Lanes a = splat(0), b = a, g = a;
  const auto add = [&](const Lanes& weight, const Lanes& d) {
    // (expm1(d) - d) / d^2 = 1/2 + d/6 + d^2/24 + ...; the first term left out is below 3e-11 of
    // the sum at |d| = 1/16.
    Lanes s = splat(1.0 / 5040);
    s = s * d + splat(1.0 / 720);
    s = s * d + splat(1.0 / 120);
    s = s * d + splat(1.0 / 24);
    s = s * d + splat(1.0 / 6);
    s = s * d + splat(1.0 / 2);
    a = a + weight;
    b = b + weight * d;
    g = g + weight * (d * d * s);
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
