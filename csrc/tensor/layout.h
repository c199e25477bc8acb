// Device formats: where the elements of the logical tensor lie in storage.
#pragma once

#include <cstdint>
#include <string>

#include "tensor/index_map.h"
#include "tensor/tensor.h"

namespace ait {

/// "FRACTAL_NZ"; "format 77" for a number without a name.
std::string format_name(uint32_t format);

/// A tensor's logical shape and where its elements lie.
struct Layout {
  Dims shape;
  IndexMap map;              ///< position in C order of `shape` -> element of storage
  bool is_converted = true;  ///< false: `shape` and order are those of storage, a device format's
  std::string note;          ///< what a reader of the result should know; mostly empty
};

/// Decides by format, storage shape and original shape. Never throws: what cannot be converted
/// keeps its storage order, and the note says why. The tensor's shape, if known, must not overflow.
Layout find_layout(const Tensor& tensor);

/// The shape of find_layout().
Dims logical_shape(const Tensor& tensor);

/// The notes of the tensor and of its layout.
std::string full_note(const Tensor& tensor);

}  // namespace ait
