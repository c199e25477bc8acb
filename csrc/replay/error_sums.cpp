#include "replay/error_sums.h"

#include <bit>
#include <cmath>

#include "io/bytes.h"

namespace ait {
namespace {

/// Bins by exponent and the first bits of the significand: narrow enough for a median.
constexpr int kSignificandBits = 3;
constexpr int kBinShift = 52 - kSignificandBits;
constexpr size_t kBins = size_t{1} << (11 + kSignificandBits);

/// Fewer different values than this show no bias: three equal ones are off alike by chance.
constexpr double kMinValues = 64;

/// One of 64 bits for a value.
uint64_t mark_of(double value) {
  return uint64_t{1} << ((bits_of(value) * 0x9e3779b97f4a7c15) >> 58);
}

}  // namespace

void ErrorSums::add(const double* y, const double* reference, const double* extra, size_t n) {
  if (bins_.empty()) bins_.resize(kBins);
  const double infinity = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < n; ++i, ++n_elements_) {
    const double size = std::fabs(reference[i]);
    const double allowed = extra == nullptr ? 0 : extra[i];
    if (allowed == infinity) continue;
    ++n_judged_;
    const bool is_saturated = std::fabs(y[i]) >= unit_.saturation && size >= unit_.saturation &&
                              std::signbit(y[i]) == std::signbit(reference[i]);
    if (is_saturated || (std::isnan(y[i]) && std::isnan(reference[i]))) continue;
    if (std::isfinite(y[i]) && std::isfinite(size)) {
      add_finite(y[i], reference[i], unit_.roundoff * size + unit_.floor + allowed);
    } else if (y[i] != reference[i]) {
      ++n_nonfinite_;
      ++n_different_;
    }
  }
}

void ErrorSums::add_finite(double y, double reference, double unit) {
  const double error = y - reference;
  errors_ += error * error;
  reference_ += reference * reference;
  units_ += unit * unit;
  if (error != 0) ++n_different_;
  // A NaN unit (an allowance of an overflowing term) allows nothing that could be told.
  const double in_units = error == 0 ? 0 : std::fabs(error) / unit;
  if (in_units > unit_.element_max) ++n_above_;
  if (in_units > worst_units_) {
    worst_units_ = in_units;
    worst_index_ = n_elements_;
  }
  if (unit > 0 && reference != 0) {
    const double outwards = (reference < 0 ? -error : error) / unit;
    Bin& bin = bins_[bits_of(std::fabs(reference)) >> kBinShift];
    ++bin.n;
    bin.seen |= mark_of(reference);
    bin.sum += outwards;
    bin.squares += outwards * outwards;
  }
}

double ErrorSums::ratio(double squares) const {
  if (errors_ == 0) return 0;
  return std::sqrt(errors_ / squares);
}

ErrorSums::Bias ErrorSums::bias() const {
  uint64_t n_all = 0;
  for (const Bin& bin : bins_) n_all += bin.n;
  uint64_t n = 0;
  double n_values = 0;
  double sum = 0;
  double squares = 0;
  for (size_t i = bins_.size(); i-- > 0 && 2 * (n + bins_[i].n) <= n_all + bins_[i].n;) {
    n += bins_[i].n;
    n_values += std::popcount(bins_[i].seen);
    sum += bins_[i].sum;
    squares += bins_[i].squares;
  }
  if (n_values < kMinValues) return {};
  const double mean = sum / static_cast<double>(n);
  const double variance = squares / static_cast<double>(n) - mean * mean;
  const double deviation = std::sqrt(std::fmax(variance, 0));
  if (mean == 0) return {};
  return {mean, mean * std::sqrt(n_values) / deviation};
}

}  // namespace ait
