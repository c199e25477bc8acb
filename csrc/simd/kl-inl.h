// The softmax sums of the KL divergence. Included by kernels.cpp inside its anonymous namespace.
//
// With p = softmax(y), q = softmax(x), d = x - y:
//   KL(p || q) = sum p (log p - log q) = log(sum p exp(d)) - sum p d.
// Near blocks (every |d| <= kKlNear) sum exp(d) - 1 - d by its series: the difference of two nearly
// equal logarithms, which would lose every digit of a small KL, never appears.

/// 1 in the lanes below `n`, else 0.
inline Lanes first_lanes(size_t n) {
  double one[kLanes];
  for (size_t l = 0; l < kLanes; ++l) one[l] = l < n ? 1.0 : 0.0;
  return load<double>(reinterpret_cast<const uint8_t*>(one));
}

/// (expm1(d) - d) / d^2, |d| <= 1/4: 1/2 + d/6 + ...; the first term left out is below 4e-15 beside
/// 1/2.
inline Lanes square_rest(const Lanes& d) {
  Lanes s = splat(kInverseFactorial[11]);
  for (int i = 10; i >= 2; --i) s = s * d + splat(kInverseFactorial[i]);
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
    g = g + weight * (d * d * square_rest(d));
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

/// exp(t), t <= 0, in float: off by about 2^-22 of itself, more where it is negligible. As 2^z with
/// z = t log2(e), z = k + r, |r| <= 1/2; coefficients by benchmarks/fit_exp.py. At z = -127 the
/// bits of 1.0 less 127 exponents are those of 0: what is smaller counts as 0.
inline Floats softmax_weight(const Floats& t) {
  constexpr float kFactor[] = {1.0f,           0x1.62e43p-1f, 0x1.ebfa4cp-3f,
                               0x1.c6afeep-5f, 0x1.3cbf6p-7f, 0x1.5ec866p-10f};
  const Floats round = fill(0x1.8p23f);  // leaves k in the low bits
  const Floats z = larger(t * fill(static_cast<float>(kLog2E)), fill(-127.0f));
  const Floats shifted = z + round;
  const Floats r = z - (shifted - round);
  Floats p = fill(kFactor[5]);
  for (int i = 4; i >= 0; --i) p = p * r + fill(kFactor[i]);
  Floats scaled;
  for (size_t i = 0; i < kRegisters; ++i)
    scaled.v[i] = (Floats::Register)((Floats::Bits)p.v[i] + ((Floats::Bits)shifted.v[i] << 23));
  return scaled;
}

/// (expm1(d) - d - d^2 / 2) / d^3, |d| <= 1/4, off by 5e-8 of what stands beside it, d^2 / 2;
/// coefficients by benchmarks/fit_exp.py.
inline Floats cubic_rest(const Floats& d) {
  constexpr float kFactor[] = {0x1.555548p-3f, 0x1.55554ep-5f, 0x1.11792cp-7f, 0x1.6c7ed8p-10f};
  Floats s = fill(kFactor[3]);
  for (int i = 2; i >= 0; --i) s = s * d + fill(kFactor[i]);
  return s;
}

/// Weights, and weights times the terms of expm1(d) - d beyond d^2 / 2, of sixteen pairs. They are
/// KL's own relative error, in p and q alike; what cancels in KL, products up to d^2, is summed in
/// double.
struct SoftmaxTerms {
  float weight[kFloats];
  float beyond[kFloats];

  SoftmaxTerms(const uint8_t* x_bytes, const uint8_t* y_bytes, const Floats& ref) {
    const Floats x = load_floats(x_bytes), y = load_floats(y_bytes);
    const Floats d = x - y, w = softmax_weight(y - ref);
    store(w, weight);
    store(w * d * (d * d) * cubic_rest(d), beyond);
  }
};

/// Eight lanes of the softmax sums A, B and G, in the order that every CPU level keeps.
struct SoftmaxSums {
  Lanes a = splat(0), b = splat(0), squares = splat(0), beyond = splat(0);

  void add(const float* weight, const float* rest, const Lanes& d) {
    const Lanes w = load<float>(reinterpret_cast<const uint8_t*>(weight));
    const Lanes wd = w * d;
    a = a + w;
    b = b + wd;
    squares = squares + wd * d;
    beyond = beyond + load<float>(reinterpret_cast<const uint8_t*>(rest));
  }
  KlBlock total() const {
    return {sum_of(a), sum_of(b), 0.5 * sum_of(squares) + sum_of(beyond), 0};
  }
};

void kl_near_f32(const uint8_t* x, const uint8_t* y, size_t n, double ref_y, KlBlock* out) {
  constexpr size_t kGroupBytes = kFloats * sizeof(float);
  const Floats ref = fill(static_cast<float>(ref_y));
  SoftmaxSums sums;
  const auto add = [&](const uint8_t* x_group, const uint8_t* y_group, const SoftmaxTerms& terms) {
    for (size_t l = 0; l < kFloats; l += kLanes) {
      const Lanes d =
          load<float>(x_group + l * sizeof(float)) - load<float>(y_group + l * sizeof(float));
      sums.add(terms.weight + l, terms.beyond + l, d);
    }
  };
  const size_t whole = n / kFloats;
  for (size_t g = 0; g < whole; ++g, x += kGroupBytes, y += kGroupBytes)
    add(x, y, SoftmaxTerms(x, y, ref));
  if (const size_t left = n % kFloats; left != 0) {
    uint8_t x_rest[kGroupBytes] = {}, y_rest[kGroupBytes] = {};
    memcpy(x_rest, x, left * sizeof(float));
    memcpy(y_rest, y, left * sizeof(float));
    SoftmaxTerms terms(x_rest, y_rest, ref);
    for (size_t l = left; l < kFloats; ++l) terms.weight[l] = terms.beyond[l] = 0;
    add(x_rest, y_rest, terms);
  }
  *out = sums.total();
}

template <class T>
void kl_far(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, double ref_x, double ref_y,
            KlBlock* out) {
  const Block<T> x{x_bytes, n}, y{y_bytes, n};
  const Lanes rx = splat(ref_x), ry = splat(ref_y), zero = splat(0);
  Lanes a = zero, b = zero, e = zero;
  const auto add = [&](const Lanes& weight, const Lanes& d, const Lanes& exp_x) {
    a = a + weight;
    // x - y of float64 may overflow where the weight is 0.
    b = b + (sizeof(T) == sizeof(double) ? where_larger(weight, zero, weight * d) : weight * d);
    e = e + exp_x;
  };
  for (size_t i = 0; i < x.whole(); ++i) {
    const Lanes x_i = x.group(i), y_i = y.group(i);
    add(exp_nonpositive<11>(y_i - ry), x_i - y_i, exp_nonpositive<11>(x_i - rx));
  }
  if (n % kLanes != 0) {
    const Lanes x_i = x.tail(x.first()), y_i = y.tail(y.first()), mask = first_lanes(n % kLanes);
    add(exp_nonpositive<11>(y_i - ry) * mask, x_i - y_i, exp_nonpositive<11>(x_i - rx) * mask);
  }
  *out = {sum_of(a), sum_of(b), 0, sum_of(e)};
}
