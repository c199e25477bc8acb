// The errors of a block: exact where floats do not suffice, and the blocks of small or masked
// tensors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/kernels.h"

namespace ait {

/// Pairs that a block must have left to count for block_error.
inline constexpr size_t kFewestOfBlock = 64;

/// Takes the errors of a block of finite values again in double where float sums of squares and
/// quotients overflow, vanish or lose digits; of doubles e alone can.
///
/// @param wide  the block holds doubles, else floats
/// @returns     whether max_abs, max_rel and the counts of pairs are exact, not of rounded errors
bool refine_errors(PairBlock& block, const uint8_t* x, const uint8_t* y, size_t n, bool wide,
                   const Kernels& kernels);

/// Takes the unmasked finite pairs of small or masked blocks together, in order, to blocks of
/// kBlock.
class BlockGatherer {
 public:
  explicit BlockGatherer(const Kernels& kernels) : kernels_(kernels) {}
  /// n values of a block, as floats or (wide) doubles.
  void add(const uint8_t* x, const uint8_t* y, size_t n, bool wide);
  /// The largest mean of e^2, the last block being as long as it is.
  double largest();

 private:
  void end_block();

  const Kernels& kernels_;
  double x_[kBlock], y_[kBlock];
  size_t n_ = 0;
  double largest_ = 0;
};

}  // namespace ait
