#include "compare/metrics.h"

#include <algorithm>
#include <cmath>
#include <iterator>
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

double cosine_of(const PairSums& sums) {
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

double distance_of(double sum_dd, double sum_yy, int extra_exponent) {
  if (sum_dd == 0) return 0;
  if (sum_yy == 0) return kInf;
  return root_of_quotient(sum_dd, sum_yy, extra_exponent);
}

double kl_of(const KlSums& kl, const Kernels& kernels) {
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

// --- formulas ------------------------------------------------------------------------------------

double cosine_similarity(const MetricInput& in) {
  return cosine_of(in.pair.rescaled ? in.pair.rescaled->apart : in.sums());
}

double max_relative_error(const MetricInput& in) { return in.sums().max_rel; }
double mean_relative_error(const MetricInput& in) { return in.sums().sum_rel / in.n(); }
double max_absolute_error(const MetricInput& in) { return in.sums().max_abs; }

double mean_absolute_error(const MetricInput& in) {
  // No square: only a sum that overflows needs the scale, and small errors would vanish in it.
  if (!in.pair.rescaled || std::isfinite(in.sums().sum_abs)) return in.sums().sum_abs / in.n();
  const ComparedPair::Rescaled& r = *in.pair.rescaled;
  return std::ldexp(r.common.sum_abs / in.n(), std::max(r.x_exp, r.y_exp));
}

double kl_divergence(const MetricInput& in) {
  return in.with_kl ? kl_of(in.sums().kl, in.kernels) : kNan;
}

double relative_euclidean_distance(const MetricInput& in) {
  if (!in.pair.rescaled) return distance_of(in.sums().sum_dd, in.sums().sum_yy, 0);
  const ComparedPair::Rescaled& r = *in.pair.rescaled;
  return distance_of(r.common.sum_dd, r.apart.sum_yy, std::max(r.x_exp, r.y_exp) - r.y_exp);
}

double one_thousandth_err_ratio(const MetricInput& in) {
  return static_cast<double>(in.sums().n_thousandth) / in.n();
}
double five_thousandths_err_ratio(const MetricInput& in) {
  return static_cast<double>(in.sums().n_five_thousandths) / in.n();
}

double block_error(const MetricInput& in) { return std::sqrt(in.sums().unmasked.block_square); }

double bias_z(const MetricInput& in) {
  const UnmaskedSums& sums = in.pair.unmasked();
  return sums.sum_dd == 0 ? 0 : sums.sum_shift / std::sqrt(sums.sum_dd);
}

// --- the table -----------------------------------------------------------------------------------

constexpr const char* kShare = "1";         // a quotient
constexpr const char* kAsValues = "value";  // that of the tensor's values

constexpr Metric kMetrics[] = {
    {"cosine_similarity", kShare, &Metrics::cosine_similarity, cosine_similarity, 1,
     MetricGroup::kAfterSides},
    {"max_relative_error", kShare, &Metrics::max_relative_error, max_relative_error, 0,
     MetricGroup::kAfterSides},
    {"mean_relative_error", kShare, &Metrics::mean_relative_error, mean_relative_error, 0,
     MetricGroup::kAfterSides},
    {"max_absolute_error", kAsValues, &Metrics::max_absolute_error, max_absolute_error, 0,
     MetricGroup::kAfterSides},
    {"mean_absolute_error", kAsValues, &Metrics::mean_absolute_error, mean_absolute_error, 0,
     MetricGroup::kAfterSides},
    {"kl_divergence", "nat", &Metrics::kl_divergence, kl_divergence, 0, MetricGroup::kAfterSides},
    {"relative_euclidean_distance", kShare, &Metrics::relative_euclidean_distance,
     relative_euclidean_distance, 0, MetricGroup::kAfterSides},
    {"one_thousandth_err_ratio", kShare, &Metrics::one_thousandth_err_ratio,
     one_thousandth_err_ratio, 1, MetricGroup::kBeforeBlockGrowth},
    {"five_thousandths_err_ratio", kShare, &Metrics::five_thousandths_err_ratio,
     five_thousandths_err_ratio, 1, MetricGroup::kBeforeBlockGrowth},
    {"block_error", kShare, &Metrics::block_error, block_error, 0, MetricGroup::kBeforeBlockGrowth},
    {"bias_z", kShare, &Metrics::bias_z, bias_z, 0, MetricGroup::kAfterBlockGrowth},
};
static_assert(sizeof(Metrics) == std::size(kMetrics) * sizeof(Number), "every metric has its row");

}  // namespace

std::span<const Metric> all_metrics() { return kMetrics; }

Metrics metrics_of(const ComparedPair& pair, bool with_kl, const Kernels& kernels) {
  if (pair.sums.x.n == 0 && pair.sums.y.n == 0) return metrics_of_equal();
  Metrics metrics;
  if (pair.sums.n_pairs == 0) return metrics;
  for (const Metric& metric : kMetrics) {
    const double value = metric.formula({pair, with_kl, kernels});
    if (!std::isnan(value)) metrics.*metric.value = value;
  }
  return metrics;
}

Metrics metrics_of_equal() {
  Metrics metrics;
  for (const Metric& metric : kMetrics) metrics.*metric.value = metric.of_equal;
  return metrics;
}

const UnmaskedSums& ComparedPair::unmasked() const {
  return is_scaled() ? rescaled->common.unmasked : sums.unmasked;
}

bool ComparedPair::is_scaled() const {
  constexpr double kLarge = 0x1p1000, kSmall = 0x1p-900;
  const double squares = sums.unmasked.sum_dd;
  return rescaled && !(squares < kLarge && squares > kSmall);
}

double mean_of(const SideSums& side) {
  return side.n_finite() == 0 ? kNan : side.sum / static_cast<double>(side.n_finite());
}

}  // namespace ait
