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

/// exp(t), -87 <= t <= 0, in float: off by about 2^-22 of itself. As 2^(k + r), k + r = t log2(e),
/// |r| <= 1/2; coefficients by benchmarks/fit_exp.py.
inline Floats softmax_weight(const Floats& t) {
  constexpr float kFactor[] = {1.0f,           0x1.62e43p-1f, 0x1.ebfa4cp-3f,
                               0x1.c6afeep-5f, 0x1.3cbf6p-7f, 0x1.5ec866p-10f};
  const Floats log2e = fill(static_cast<float>(kLog2E)), round = fill(0x1.8p23f);
  const Floats shifted = fused_multiply_add(t, log2e, round);  // leaves k in the low bits
  const Floats r = fused_multiply_add(t, log2e, round - shifted);
  const Floats p = polynomial(kFactor, r);
  Floats scaled;
  for (size_t i = 0; i < kRegisters; ++i)
    scaled.v[i] = (Floats::Register)((Floats::Bits)p.v[i] + ((Floats::Bits)shifted.v[i] << 23));
  return scaled;
}

/// A pivot that differences are taken from, and (expm1(e) - e) / e^2 of what is left of them, off
/// by 6e-8 of itself at most; coefficients by benchmarks/fit_exp.py.
struct AboutZero {
  static Floats moved(const Floats& d) { return d; }
  /// |e| <= 1/4.
  static Floats rest(const Floats& e) {
    constexpr float kFactor[] = {0x1p-1f, 0x1.555534p-3f, 0x1.555546p-5f, 0x1.119336p-7f,
                                 0x1.6c98ep-10f};
    return polynomial(kFactor, e);
  }
};

struct AboutPivot {
  Floats pivot;

  Floats moved(const Floats& d) const { return d - pivot; }
  /// |e| <= 1/2.
  static Floats rest(const Floats& e) {
    constexpr float kFactor[] = {0x1p-1f,       0x1.555556p-3f,  0x1.55538p-5f,
                                 0x1.11104p-7f, 0x1.6e88dcp-10f, 0x1.a2463ap-13f};
    return polynomial(kFactor, e);
  }
};

/// Softmax sums of a near block: of w, w e and w (expm1(e) - e), e = x - y less the pivot. Terms,
/// and what meets in a lane of one block, are float: right to about 2^-22 of themselves. That is
/// KL's own relative error as long as no large part of the sums cancels in it, which the pivot sees
/// to.
template <class About>
struct NearSums {
  About about;
  Floats weight = fill(0.0f), weighted_e = weight, weighted_g = weight;

  void add(const Floats& w, const Floats& d) {
    const Floats e = about.moved(d), we = w * e;
    weight = weight + w;
    weighted_e = weighted_e + we;
    weighted_g = fused_multiply_add(we * e, about.rest(e), weighted_g);
  }
  void total(Totals& totals, KlBlock* out) const {
    totals.add(joined_halves(weight), &out->weight);
    totals.add(joined_halves(weighted_e), &out->weighted_d);
    totals.add(joined_halves(weighted_g), &out->weighted_g);
    out->exp_x = 0;
  }
};

template <class About>
KlBlock near_sums(const About& about, const uint8_t* x, const uint8_t* y, size_t n, float ref_y) {
  constexpr size_t kGroupBytes = kFloats * sizeof(float);
  const Floats ref = fill(ref_y), deepest = fill(kDeepestWeight);
  const auto weight_of = [&](const Floats& y_i) {
    const Floats t = y_i - ref;
    return where_larger(t, deepest, softmax_weight(larger(t, deepest)));
  };
  NearSums<About> sums{about};
  const size_t whole = n / kFloats;
  for (size_t g = 0; g < whole; ++g, x += kGroupBytes, y += kGroupBytes) {
    const Floats y_i = load_floats(y);
    sums.add(weight_of(y_i), load_floats(x) - y_i);
  }
  if (const size_t left = n % kFloats; left != 0) {
    float x_rest[kFloats], y_rest[kFloats], share[kFloats];
    for (size_t l = 0; l < kFloats; ++l) {
      x_rest[l] = y_rest[l] = ref_y;
      share[l] = l < left ? 1.0f : 0.0f;
    }
    memcpy(x_rest, x, left * sizeof(float));
    memcpy(y_rest, y, left * sizeof(float));
    const Floats y_i = load_floats(y_rest);
    sums.add(weight_of(y_i) * load_floats(share), load_floats(x_rest) - y_i);
  }
  Totals totals;
  KlBlock out;
  sums.total(totals, &out);
  totals.write();
  return out;
}

/// KL is about G / A - (B / A)^2 / 2: whether most of that cancels, as under a few large weights.
inline bool needs_pivot(const KlBlock& kl) {
  return kl.weighted_d * kl.weighted_d > kl.weighted_g * kl.weight;
}

void kl_near_f32(const uint8_t* x, const uint8_t* y, size_t n, double ref_y, KlBlock* out) {
  const float ref = static_cast<float>(ref_y);
  *out = near_sums(AboutZero{}, x, y, n, ref);
  if (!needs_pivot(*out)) return;
  // The mean of x - y takes the place of 0.
  const float pivot = static_cast<float>(out->weighted_d / out->weight);
  const KlBlock moved = near_sums(AboutPivot{fill(pivot)}, x, y, n, ref);
  // Back to 0 in double, with d = c + e.
  const double c = pivot;
  double rest[kLanes];
  store(square_rest(splat(c)), rest);
  const double expm1_less_c = c * c * rest[0], expm1_c = c + expm1_less_c;
  *out = {
      moved.weight, moved.weighted_d + c * moved.weight,
      expm1_less_c * moved.weight + expm1_c * moved.weighted_d + (1 + expm1_c) * moved.weighted_g,
      0};
}

/// Errors and softmax sums of a whole block in one loop, where registers suffice for it:
/// multiplications of one sum meet additions of another.
template <bool kWithKl, bool kNoneTiny>
inline void whole_errors(const uint8_t* x_bytes, const uint8_t* y_bytes, double mean, float ref_y,
                         Fetch& fetch, PairBlock* out, KlBlock* kl) {
  const FloatBlock x{x_bytes, kBlock}, y{y_bytes, kBlock};
  const Floats ref = fill(ref_y);
  ShareRuns<kNoneTiny> shares(mean);
  ErrorRuns<kNoneTiny> errors;
  NearSums<AboutZero> near{{}};
  for_each_run(
      x, y,
      [&](size_t g, const Floats& x_i, const Floats& y_i) {
        fetch.next_y();
        if (g % 2 == 0) fetch.next_x();
        const Floats d = x_i - y_i, y_size = abs(y_i);
        errors.add(d, abs(x_i), y_size);
        store(shares.add(abs(d), y_size), out->rel + g * kFloats);
        if constexpr (kWithKl) near.add(softmax_weight(y_i - ref), d);
      },
      [&] {
        errors.end_run();
        shares.end_run();
      });
  Totals totals;
  errors.total(totals, out);
  shares.total(totals, out);
  if constexpr (kWithKl) near.total(totals, kl);
  totals.write();
  out->is_finite = out->sum_abs <= kLargestDouble;
}

/// All sums of a whole block in two loops.
template <bool kWithKl>
inline void whole_block(const uint8_t* x, const uint8_t* y, const Ahead& ahead, float ref_y,
                        PairBlock* out, KlBlock* kl) {
  Fetch fetch = fetch_for_floats(ahead);  // half of x in the first, short loop: fewer at once
  const Sizes sizes = whole_values(x, y, fetch, out);
  if (sizes.none_tiny)
    whole_errors<kWithKl, true>(x, y, sizes.mean, ref_y, fetch, out, kl);
  else
    whole_errors<kWithKl, false>(x, y, sizes.mean, ref_y, fetch, out, kl);
}

constexpr bool kHasWholeBlock = kRegisters == 1;

void pair_f32(const uint8_t* x, const uint8_t* y, size_t n, const Ahead* ahead, PairBlock* out) {
  if (kHasWholeBlock && n == kBlock)
    whole_block<false>(x, y, *ahead, 0, out, nullptr);
  else
    pair_in_loops(x, y, n, ahead, out);
}

bool pair_near_f32(const uint8_t* x, const uint8_t* y, const Ahead* ahead, double ref_y,
                   PairBlock* out, KlBlock* kl) {
  const float ref = static_cast<float>(ref_y);
  whole_block<true>(x, y, *ahead, ref, out, kl);
  return out->max_y <= ref && static_cast<float>(out->min_y) - ref > kDeepestWeight &&
         !needs_pivot(*kl);
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
