// Reads a tensor block by block, decoded.
#pragma once

#include <cstdint>
#include <vector>

#include "simd/kernels.h"
#include "view.h"

namespace ait {

/// Reads a tensor's values in logical order; a complex number is two values (re, im). Not shared
/// between threads.
class BlockReader {
 public:
  /// `view` must outlive the reader and have no problem.
  BlockReader(const View& view, const Kernels& kernels);

  uint64_t n_values() const { return n_values_; }

  /// n <= kBlock values from value `at` on: n floats, or n doubles when `wide`, at any alignment;
  /// valid until the next call.
  const uint8_t* read(uint64_t at, size_t n, bool wide);

 private:
  const View& view_;
  const Kernels& kernels_;
  uint64_t n_values_;
  std::vector<uint8_t> raw_;
  uint64_t window_begin_ = 0;
  std::vector<uint8_t> window_;
  float floats_[kBlock];
  double doubles_[kBlock];
};

}  // namespace ait
