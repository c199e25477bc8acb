// A tensor as the comparison reads it: its values in logical order.
#pragma once

#include <string>
#include <vector>

#include "tensor.h"

namespace ait {

/// A step from a tensor's logical order to the order in which it is compared.
struct ViewStep {
  enum class Kind : uint8_t { kReshape, kTranspose, kSelect };
  Kind kind;
  Dims dims;  ///< new shape, permutation, or the one index along axis 0
};

/// A located tensor with the order in which its values are read.
struct View {
  Tensor tensor;
  Dims shape;  ///< logical, after the steps
  uint64_t n_elements = 0;
  std::string note;     ///< what the reader of a report should know
  std::string problem;  ///< why the values cannot be read in this order; empty if they can

  bool is_raw() const { return tensor.dtype->coding == Coding::kRaw; }
};

View make_view(const Tensor& tensor, const std::vector<ViewStep>& steps);

}  // namespace ait
