// What a declared shape, dtype and size say together.
#include "tensor/tensor.h"

#include <algorithm>
#include <cassert>

namespace ait {
namespace {

/// 6-bit floats are stored packed or one per byte; the size tells.
bool is_one_per_byte(const Tensor& tensor) {
  return tensor.dtype->bits == 6 && element_count(tensor.storage_shape) == tensor.size_bytes;
}

}  // namespace

const char* state_name(TensorState state) {
  switch (state) {
    case TensorState::kOk:
      return "ok";
    case TensorState::kNoData:
      return "no_data";
    case TensorState::kTruncated:
      return "truncated";
    case TensorState::kShort:
      return "short";
    case TensorState::kUnsupported:
      return "unsupported";
  }
  return "unsupported";
}

std::optional<uint64_t> element_count(const Dims& shape) {
  if (std::any_of(shape.begin(), shape.end(), [](int64_t dim) { return dim < 0; })) return {};
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  uint64_t count = 1;
  for (const int64_t dim : shape) {
    if (!checked_mul(count, static_cast<uint64_t>(dim), &count)) return {};
  }
  return count;
}

std::optional<uint64_t> packed_size_bytes(const Dims& shape, const DType& dtype) {
  const std::optional<uint64_t> count = element_count(shape);
  uint64_t bits = 0;
  if (!count || !checked_mul(*count, dtype.bits, &bits)) return {};
  return bits / 8 + (bits % 8 != 0);
}

std::string shape_text(const Dims& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  if (shape.size() == 1) text += ",";
  return text + ")";
}

void add_note(Tensor& tensor, const std::string& sentence) {
  if (!tensor.note.empty()) tensor.note += "; ";
  tensor.note += sentence;
}

void resolve_dtype(Tensor& tensor) {
  tensor.dtype = find_dtype(tensor.dtype_number);
  if (tensor.dtype != nullptr) return;
  tensor.dtype = find_dtype(kUndefinedDtype);
  assert(tensor.dtype != nullptr);
  tensor.state = TensorState::kUnsupported;
  add_note(tensor, "unknown dtype number " + std::to_string(tensor.dtype_number));
}

void judge_size(Tensor& tensor) {
  if (tensor.state != TensorState::kOk && tensor.state != TensorState::kUnsupported) return;
  const std::optional<uint64_t> expected = packed_size_bytes(tensor.storage_shape, *tensor.dtype);
  const bool is_empty_shape = tensor.has_shape && expected == 0;
  if (tensor.size_bytes == 0 && !is_empty_shape) {
    tensor.state = TensorState::kNoData;
    add_note(tensor, "no data: 0 bytes declared");
    return;
  }
  if (tensor.state != TensorState::kOk) return;  // of an unknown dtype
  if (tensor.dtype->coding == Coding::kRaw) {
    tensor.state = TensorState::kUnsupported;
    add_note(tensor,
             std::string("dtype ") + tensor.dtype->name + " has no public value coding: raw bytes");
    return;
  }
  if (!tensor.has_shape) return;
  const std::string shape = shape_text(tensor.storage_shape);
  if (!expected) {
    tensor.state = TensorState::kShort;
    add_note(tensor, "shape " + shape + " overflows 64 bits, " + std::to_string(tensor.size_bytes) +
                         " bytes declared");
  } else if (tensor.size_bytes < *expected) {
    tensor.state = TensorState::kShort;
    add_note(tensor, "short tensor: " + std::to_string(*expected) + " bytes expected for " +
                         tensor.dtype->name + " of shape " + shape + ", " +
                         std::to_string(tensor.size_bytes) + " declared");
  } else if (tensor.size_bytes > *expected && !is_one_per_byte(tensor)) {
    add_note(tensor, "trailing bytes: " + std::to_string(tensor.size_bytes) +
                         " declared, the first " + std::to_string(*expected) + " used");
  }
}

}  // namespace ait
