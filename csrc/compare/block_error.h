// The error of the worst block of a pair: what one number for a whole tensor thins out.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/kernels.h"

namespace ait {

/// Pairs that a block must have left to count.
inline constexpr size_t kFewestOfBlock = 64;

/// Mean of e^2 over 1 to kBlock finite pairs that no mask covers: with m the mean of |y|,
/// e = min(1, |x - y| / (|y| + m)); 0 where x = y.
double block_square(const float* x, const float* y, size_t n);
double block_square(const double* x, const double* y, size_t n);

/// Takes the unmasked finite pairs of small or masked blocks together, in order, to blocks of
/// kBlock.
class BlockGatherer {
 public:
  /// n values of a block, as floats or (wide) doubles.
  void add(const uint8_t* x, const uint8_t* y, size_t n, bool wide);
  /// The largest mean of e^2, the last block being as long as it is.
  double largest();

 private:
  void end_block();

  double x_[kBlock], y_[kBlock];
  size_t n_ = 0;
  double largest_ = 0;
};

}  // namespace ait
