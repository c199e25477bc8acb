// exp of vectors. Included by kernels.cpp inside its anonymous namespace.

constexpr double kLog2E = 0x1.71547652b82fep0;
// 1 / k!
constexpr double kInverseFactorial[] = {1.0,
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

/// exp of values that are at most 0, as 2^k * exp(r), k = round(t / ln 2), |r| <= ln(2)/2, with ln
/// 2 in two parts so that the product with k is exact (Cody and Waite). Terms 1/k! up to r^kDegree;
/// the remainder is below |r|^(kDegree+1) / (kDegree+1)!: 4e-18 at degree 13, 6e-15 at 11, 7e-12
/// at 9. Below -708, exp(t) is not a normal number any more: it counts as 0.
template <int kDegree>
inline Lanes exp_nonpositive(const Lanes& t) {
  constexpr double kLn2High = 0x1.62e42fefa0000p-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  // Adding this rounds to an integer and leaves it in the low bits.
  const Lanes round = splat(0x1.8p52), smallest = splat(-708.0);
  const Lanes clamped = larger(t, smallest);
  const Lanes shifted = clamped * splat(kLog2E) + round;
  const Lanes k = shifted - round;
  const Lanes r = (clamped - k * splat(kLn2High)) - k * splat(kLn2Low);
  Lanes p = splat(kInverseFactorial[kDegree]);
  for (int i = kDegree - 1; i >= 0; --i) p = p * r + splat(kInverseFactorial[i]);
  Lanes scaled;
  for (size_t i = 0; i < kRegisters; ++i)
    scaled.v[i] = (Doubles)((Lanes::Bits)p.v[i] + ((Lanes::Bits)shifted.v[i] << 52));
  return where_larger(t, smallest, scaled);
}

double exp_of_nonpositive(double t) {
  double lane[kLanes];
  store(exp_nonpositive<13>(splat(t)), lane);
  return lane[0];
}
