#include "compare/block_error.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compare/figures.h"

namespace ait {
namespace {

// Sums of a block of larger values could overflow; smaller ones vanish beside them.
constexpr double kHuge = 0x1p1000, kShrink = 0x1p-600;

template <class Value>
double square_of(const Value* x, const Value* y, size_t n, double scale) {
  double mean = 0;
  for (size_t i = 0; i < n; ++i) mean += std::fabs(y[i] * scale);
  mean /= static_cast<double>(n);
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    if (x[i] == y[i]) continue;
    const double d = std::fabs(x[i] * scale - y[i] * scale);
    const double e = std::min(1.0, d / (std::fabs(y[i] * scale) + mean));
    sum += e * e;
  }
  return sum / static_cast<double>(n);
}

double value_at(const uint8_t* bytes, size_t i, bool wide) {
  double value;
  float narrow;
  if (wide)
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
  else
    std::memcpy(&narrow, bytes + i * sizeof narrow, sizeof narrow);
  return wide ? value : narrow;
}

}  // namespace

double block_square(const float* x, const float* y, size_t n) { return square_of(x, y, n, 1); }

double block_square(const double* x, const double* y, size_t n) {
  double largest = 0;
  for (size_t i = 0; i < n; ++i) largest = std::max({largest, std::fabs(x[i]), std::fabs(y[i])});
  return square_of(x, y, n, largest > kHuge ? kShrink : 1);
}

void BlockGatherer::add(const uint8_t* x, const uint8_t* y, size_t n, bool wide) {
  for (size_t i = 0; i < n; ++i) {
    const double a = value_at(x, i, wide), b = value_at(y, i, wide);
    if (!std::isfinite(a) || !std::isfinite(b) || (a <= kMasked && b <= kMasked)) continue;
    x_[n_] = a;
    y_[n_++] = b;
    if (n_ == kBlock) end_block();
  }
}

double BlockGatherer::largest() {
  if (n_ > 0) end_block();
  return largest_;
}

void BlockGatherer::end_block() {
  largest_ = std::max(largest_, block_square(x_, y_, n_));
  n_ = 0;
}

}  // namespace ait
