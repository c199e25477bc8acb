// Sums over a pair of tensors, chunk by chunk: what every metric is computed from.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "compare/figures.h"
#include "tensor/block_reader.h"

namespace ait {

/// Values of a chunk: one task. Partial sums are merged in chunk order, so results do not depend on
/// the thread count.
constexpr uint64_t kChunk = uint64_t{1} << 18;
static_assert(kChunk % kBlock == 0);

/// One tensor's values by kind; sums and extrema are those of the finite ones.
struct SideSums {
  uint64_t n = 0;
  uint64_t n_nan = 0;
  uint64_t n_positive_inf = 0;
  uint64_t n_negative_inf = 0;
  double sum = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();

  uint64_t n_finite() const { return n - n_nan - n_positive_inf - n_negative_inf; }
  /// Largest absolute finite value; 0 when there is none.
  double largest() const;
};

/// Softmax sums of KL (simd/kl-inl.h), relative to the largest value so far; near and far blocks
/// apart.
struct KlSums {
  double ref_x = -std::numeric_limits<double>::infinity();
  double ref_y = -std::numeric_limits<double>::infinity();
  double near_weight = 0, near_d = 0, near_g = 0;
  double far_weight = 0, far_d = 0, far_exp_x = 0;
  bool last_is_near = false;  ///< of blocks; no part of the sums
};

/// Sums over finite pairs that no mask covers (kMasked).
struct UnmaskedSums {
  uint64_t n = 0;
  double sum_dd = 0;
  double sum_shift = 0;  ///< of |x| - |y|
  double sum_size = 0;   ///< of |y|
  /// Largest mean of e^2 of a block (simd/kernels.h); of blocks with kFewestOfBlock pairs.
  double block_square = 0;
  bool has_block = false;
};

/// Sums over the pairs whose two values are finite. x is under test, y is the reference ("golden").
struct PairSums {
  SideSums x, y;
  uint64_t n_pairs = 0;
  uint64_t n_mismatch = 0;  ///< pairs with NaN or Inf that differ in kind
  double sum_xx = 0, sum_yy = 0, sum_xy = 0, sum_dd = 0, sum_abs = 0, sum_rel = 0;
  double max_abs = 0, max_rel = 0;
  uint64_t n_thousandth = 0, n_five_thousandths = 0;  ///< pairs of a smaller relative error
  double largest_x = 0, largest_y = 0;                ///< absolute values
  uint64_t worst_index = 0;  ///< of the first largest |x - y|; meaningful when max_abs > 0
  double worst_x = 0, worst_y = 0;
  KlSums kl;
  UnmaskedSums unmasked;
  uint64_t n_differ = 0;                  ///< finite pairs of different values, if counted
  std::vector<SaturatedPairs> saturated;  ///< of the mismatches
  uint32_t bits_x = 0, bits_y = 0;        ///< of all float32 values as stored, joined by "or"
};

/// Powers of two that values are multiplied by before they are summed; 1 but for float64 far
/// from 1.
struct Scale {
  double x = 1;
  double y = 1;
};

/// What a comparison computes.
struct CompareOptions {
  bool with_kl = true;
  bool count_differ = true;  ///< else n_differ stays 0
  /// A block of floats that were stored as they are: their bits are joined.
  bool x_is_float32 = false, y_is_float32 = false;
};

/// Sums over values [begin, end) of one tensor, each multiplied by a power of two (if `wide`).
SideSums sum_chunk(BlockReader& x, uint64_t begin, uint64_t end, bool wide, const Kernels& kernels,
                   double scale = 1);

/// Sums over values [begin, end) of two tensors of equal value count.
PairSums sum_chunk(BlockReader& x, BlockReader& y, uint64_t begin, uint64_t end, bool wide,
                   const Kernels& kernels, const CompareOptions& options, const Scale& scale);

/// Adds the sums of the values that follow. Merging in order gives the same bits however chunks
/// were spread.
void merge(SideSums& into, const SideSums& next);
void merge(PairSums& into, const PairSums& next, const Kernels& kernels);

/// Whether floats whose joined bits these are fit bfloat16.
bool is_bf16(uint32_t bits);

/// Squares of values this far from 1 overflow or vanish in float64: such sums are taken again,
/// scaled.
bool needs_scale(const PairSums& sums);

}  // namespace ait
