// One tensor in one pass -> statistics, content hash and a linear sketch: what an info file keeps.
// The numbers are defined in docs/en/info-format.md, so that other programs can compute them.
#pragma once

#include <cstdint>
#include <vector>

#include "compare/sums.h"

namespace ait {

/// Length of a sketch. A prime: no hidden size shares a factor with it, so that the elements of one
/// channel spread over all buckets.
constexpr size_t kSketchBuckets = kRowValues;

/// What is kept of a tensor. A complex number counts as two values.
struct TensorSketch {
  SideSums sums;
  double sum_squares = 0;       ///< of the finite values; infinite when float64 cannot hold it
  uint64_t hash = 0;            ///< equal for tensors of equal values, whatever their dtypes
  std::vector<double> buckets;  ///< kSketchBuckets signed sums; empty when `values` are kept
  std::vector<double> values;   ///< all values of a tensor that has no more of them than buckets
};

/// Sketches a tensor on up to `n_threads` threads; the same bits for any number. `view` has no
/// problem, and its state is kOk, or its dtype has no value coding: its bytes are then the values.
/// Throws like BlockReader, and FormatError if the file changes meanwhile.
TensorSketch sketch_view(const View& view, unsigned n_threads, const Kernels& kernels);

}  // namespace ait
