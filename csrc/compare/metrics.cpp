#include "compare/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ait {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kLn2 = 0x1.62e42fefa39efp-1;

/// log(1 + 2 s / (1 - s)) = 2 atanh(s) by its series, for |s| <= 0.172: 13 terms leave less than
/// 2^-60 of the sum.
double twice_atanh(double s) {
  const double square = s * s;
  double sum = 0;
  for (int k = 25; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return 2 * s * sum;
}

/// log of a positive number. libm's differs in the last bit between CPUs (and so would the report).
double log_of(double value) {
  int exponent = 0;
  double m = std::frexp(value, &exponent);
  if (m < 0x1.6a09e667f3bcdp-1) {  // below sqrt(1/2)
    m *= 2;
    --exponent;
  }
  return twice_atanh((m - 1) / (m + 1)) + exponent * kLn2;
}

/// log(1 + r) - r for r > -1.
double log1p_minus(double r) {
  if (std::fabs(r) > 0.25) return log_of(1 + r) - r;
  if (std::fabs(r) > 0x1p-20) return twice_atanh(r / (2 + r)) - r;
  return r * r * (-0.5 + r * (1.0 / 3));
}

/// sqrt(a / b) of positive numbers whose quotient may lie outside of float64.
double root_of_quotient(double a, double b, int extra_exponent) {
  int ea = 0, eb = 0;
  const double ma = std::frexp(a, &ea), mb = std::frexp(b, &eb);
  int exponent = ea - eb;
  const int odd = exponent & 1;
  exponent -= odd;
  return std::ldexp(std::sqrt(ma / mb * (odd ? 2 : 1)), exponent / 2 + extra_exponent);
}

double cosine(const PairSums& sums) {
  if (sums.sum_xx == 0 && sums.sum_yy == 0) return 1;
  if (sums.sum_xx == 0 || sums.sum_yy == 0) return 0;
  // The root of the product, not the product of the roots: that of equal tensors is then exact.
  int ex = 0, ey = 0;
  const double mx = std::frexp(sums.sum_xx, &ex), my = std::frexp(sums.sum_yy, &ey);
  int exponent = ex + ey;
  const int odd = exponent & 1;
  exponent -= odd;
  const double norm = std::ldexp(std::sqrt(mx * my * (odd ? 2 : 1)), exponent / 2);
  return std::clamp(sums.sum_xy / norm, -1.0, 1.0);
}

double red(double sum_dd, double sum_yy, int extra_exponent) {
  if (sum_dd == 0) return 0;
  if (sum_yy == 0) return kInf;
  return root_of_quotient(sum_dd, sum_yy, extra_exponent);
}

double kl_divergence(const KlSums& kl, const Kernels& kernels) {
  const double weight = kl.near_weight + kl.far_weight;
  const double near_exp_x = kl.near_weight + kl.near_d + kl.near_g;
  if (kl.far_weight == 0 && kl.far_exp_x == 0)
    return std::max(0.0, log1p_minus((kl.near_d + kl.near_g) / weight) + kl.near_g / weight);
  // The sum of exp(x): near blocks hold it relative to ref_y, far ones relative to ref_x.
  const double log_near = near_exp_x > 0 ? kl.ref_y + log_of(near_exp_x) : -kInf;
  const double log_far = kl.far_exp_x > 0 ? kl.ref_x + log_of(kl.far_exp_x) : -kInf;
  const double high = std::max(log_near, log_far), low = std::min(log_near, log_far);
  const double log_sum_x = high + log_of(1 + kernels.exp_of_nonpositive(low - high));
  const double log_sum_y = kl.ref_y + log_of(weight);
  return std::max(0.0, log_sum_x - log_sum_y - (kl.near_d + kl.far_d) / weight);
}

}  // namespace

Metrics metrics_of(const ComparedPair& pair, bool with_kl, const Kernels& kernels) {
  const PairSums& sums = pair.sums;
  if (sums.x.n == 0 && sums.y.n == 0) return {1, 0, 0, 0, 0, 0, 0};
  if (sums.n_pairs == 0) return {kNan, kNan, kNan, kNan, kNan, kNan, kNan};
  const double n = static_cast<double>(sums.n_pairs);
  Metrics metrics{};
  metrics.max_relative_error = sums.max_rel;
  metrics.mean_relative_error = sums.sum_rel / n;
  metrics.max_absolute_error = sums.max_abs;
  metrics.kl_divergence = with_kl ? kl_divergence(sums.kl, kernels) : kNan;
  if (!pair.rescaled) {
    metrics.cosine_similarity = cosine(sums);
    metrics.mean_absolute_error = sums.sum_abs / n;
    metrics.relative_euclidean_distance = red(sums.sum_dd, sums.sum_yy, 0);
  } else {
    const ComparedPair::Rescaled& r = *pair.rescaled;
    const int common_exp = std::max(r.x_exp, r.y_exp);
    metrics.cosine_similarity = cosine(r.apart);
    // No square: only a sum that overflows needs the scale, and small errors would vanish in it.
    metrics.mean_absolute_error = std::isfinite(sums.sum_abs)
                                      ? sums.sum_abs / n
                                      : std::ldexp(r.common.sum_abs / n, common_exp);
    metrics.relative_euclidean_distance =
        red(r.common.sum_dd, r.apart.sum_yy, common_exp - r.y_exp);
  }
  return metrics;
}

double mean_of(const SideSums& side) {
  return side.n_finite() == 0 ? kNan : side.sum / static_cast<double>(side.n_finite());
}

}  // namespace ait
