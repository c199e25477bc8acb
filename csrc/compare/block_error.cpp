#include "compare/block_error.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compare/figures.h"

namespace ait {
namespace {

constexpr Ahead kNothingAhead{nullptr, nullptr, 0, 0};

// Floats suffice for squares and quotients of values up to here, of errors from here on, and from
// here on beside the values.
constexpr double kLargeForFloats = 0x1p60;
constexpr double kSmallForFloats = 0x1p-40;
constexpr double kSmallBesideValues = 0x1p-40;
// Doubles suffice for |y| + mean |y|, and its quotients, of values between these.
constexpr double kLargeForDoubles = 0x1p1000;
constexpr double kSmallForDoubles = 0x1p-960;

const uint8_t* bytes_of(const double* values) { return reinterpret_cast<const uint8_t*>(values); }

double value_at(const uint8_t* bytes, size_t i, bool wide) {
  double value;
  float narrow;
  if (wide)
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
  else
    std::memcpy(&narrow, bytes + i * sizeof narrow, sizeof narrow);
  return wide ? value : narrow;
}

/// The sums of the values as doubles, each times a power of two.
void sum_as_doubles(PairBlock* out, const uint8_t* x, const uint8_t* y, size_t n, bool wide,
                    double scale, const Kernels& kernels) {
  double wide_x[kBlock], wide_y[kBlock];
  for (size_t i = 0; i < n; ++i) {
    wide_x[i] = value_at(x, i, wide) * scale;
    wide_y[i] = value_at(y, i, wide) * scale;
  }
  kernels.pair_f64(bytes_of(wide_x), bytes_of(wide_y), n, &kNothingAhead, out);
}

double largest_of(const PairBlock& block) {
  return std::max({std::fabs(block.min_x), std::fabs(block.max_x), std::fabs(block.min_y),
                   std::fabs(block.max_y)});
}

bool floats_suffice(const PairBlock& block) {
  const double largest = largest_of(block);
  return largest <= kLargeForFloats &&
         (block.max_abs == 0 ||
          (block.max_abs >= kSmallForFloats && block.max_abs >= largest * kSmallBesideValues));
}

}  // namespace

bool refine_errors(PairBlock& block, const uint8_t* x, const uint8_t* y, size_t n, bool wide,
                   const Kernels& kernels) {
  PairBlock exact;
  if (wide) {
    // What divides decides: an x that overflows under the scale has e = 1 with it and without.
    const double largest = std::max(std::fabs(block.min_y), std::fabs(block.max_y));
    if (largest <= kLargeForDoubles && (largest == 0 || largest >= kSmallForDoubles)) return true;
    const double scale = std::ldexp(1, largest > 1 ? -600 : 600);
    sum_as_doubles(&exact, x, y, n, wide, scale, kernels);
    block.sum_ee = exact.sum_ee;
    return true;
  }
  if (floats_suffice(block)) return false;
  sum_as_doubles(&exact, x, y, n, wide, 1, kernels);
  block.sum_dd = exact.sum_dd;
  block.sum_abs = exact.sum_abs;
  block.sum_rel = exact.sum_rel;
  block.sum_shift = exact.sum_shift;
  block.sum_size = exact.sum_size;
  block.sum_ee = exact.sum_ee;
  block.max_abs = exact.max_abs;
  block.max_rel = exact.max_rel;
  block.n_thousandth = exact.n_thousandth;
  block.n_five_thousandths = exact.n_five_thousandths;
  return true;
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
  PairBlock block;
  sum_as_doubles(&block, bytes_of(x_), bytes_of(y_), n_, true, 1, kernels_);
  refine_errors(block, bytes_of(x_), bytes_of(y_), n_, true, kernels_);
  largest_ = std::max(largest_, block.sum_ee / static_cast<double>(n_));
  n_ = 0;
}

}  // namespace ait
