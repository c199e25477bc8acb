// A tensor as the comparison reads it: its values in logical order.
#pragma once

#include <string>
#include <vector>

#include "tensor/layout.h"
#include "tensor/tensor.h"

namespace ait {

/// A step from a tensor's logical order to the order in which it is compared.
struct ViewStep {
  enum class Kind : uint8_t {
    kReshape,    ///< dims: new shape; one -1 takes the rest
    kTranspose,  ///< dims: permutation
    kSelect,     ///< dims: the one index along axis 0
    kSlice,      ///< dims: axis, begin, end
    kStored,     ///< dims: shape of the bytes in the file; only as the first step, see make_view()
    kOriginal    ///< dims: the original shape that the header lacks; only as the first step
  };
  Kind kind;
  Dims dims;
};

/// A located tensor with the order in which its values are read.
struct View {
  Tensor tensor;
  Dims shape;               ///< logical, after the steps
  uint64_t n_elements = 0;  ///< of `shape`; of a raw tensor: bytes
  std::string note;         ///< on the layout; the tensor has notes of its own
  std::string problem;      ///< why the values cannot be read in this order; empty if they can

  bool is_whole = true;  ///< no step drops elements: the view has those of the tensor

  /// Position in `shape` -> position of the map before -> ... -> element in storage. One map but
  /// for a reshape across the dimensions of a transposed tensor.
  std::vector<IndexMap> maps;
  bool is_storage_order = false;  ///< a device layout that could not be undone
  uint32_t stored_bits = 0;       ///< of one element: 8 for 6-bit floats stored one per byte

  /// No value coding: bytes only, in the order of storage.
  bool is_raw() const { return tensor.dtype->coding == Coding::kRaw; }
};

/// A tensor in state kOk, or kUnsupported with raw bytes, can be read if `problem` is empty.
/// Of an operator cut into slices the file holds the bytes of one slice under the shape of the
/// whole: a first step kStored names the shape of the slice, and a tensor that was too short for
/// the whole is judged anew. A graph input in a device format shows its storage shape alone: a
/// first step kOriginal is the original shape, which the header of the op that reads it has.
View make_view(const Tensor& tensor, const std::vector<ViewStep>& steps);

/// Why values in the same position of two views do not belong together; empty if they do. A device
/// layout that cannot be undone can only be compared with the same storage.
std::string why_not_comparable(const View& my, const View& golden);

/// Reads the golden integers as the my side's packed 4-bit values, low nibble first, if there are
/// exactly 8 (of int32) or 2 (of int8 or uint8) for each: torch has no 4-bit tensors, so FX dumps
/// show int4 weights as int32 [k, n/8] and fp4 as uint8 [..., k/2].
bool reinterpret_packed(View& golden, const View& my);

}  // namespace ait
