#include "block_reader.h"

#include <algorithm>
#include <stdexcept>

namespace ait {
namespace {

// What one pread fetches of a file that is not mapped: large enough that the call does not count.
constexpr uint64_t kWindowBytes = 256 * 1024;

}  // namespace

BlockReader::BlockReader(const View& view, const Kernels& kernels)
    : view_(view), kernels_(kernels), n_values_(view.n_elements * view.tensor.dtype->components) {}

const uint8_t* BlockReader::read(uint64_t at, size_t n, bool wide) {
  const DType& dtype = *view_.tensor.dtype;
  const uint64_t value_bytes = dtype.bits / dtype.components / 8;
  const DataFile& file = *view_.tensor.file;
  const uint64_t offset = view_.tensor.offset_bytes + at * value_bytes;
  const size_t n_bytes = n * value_bytes;
  const uint8_t* raw = nullptr;
  if (file.in_memory()) {
    raw = file.at(offset, n_bytes, raw_);
  } else {
    if (offset < window_begin_ || offset + n_bytes > window_begin_ + window_.size()) {
      const uint64_t end = view_.tensor.offset_bytes + n_values_ * value_bytes;
      const size_t size = std::min(kWindowBytes, end - offset);
      const uint8_t* got = file.at(offset, size, window_);
      if (got != window_.data()) window_.assign(got, got + size);
      window_begin_ = offset;
    }
    raw = window_.data() + (offset - window_begin_);
  }
  const auto narrow = [&](void (*decode)(const uint8_t*, size_t, float*)) {
    decode(raw, n, floats_);
    if (!wide) return reinterpret_cast<const uint8_t*>(floats_);
    kernels_.widen(floats_, n, doubles_);
    return reinterpret_cast<const uint8_t*>(doubles_);
  };
  const auto broad = [&](void (*decode)(const uint8_t*, size_t, double*)) {
    decode(raw, n, doubles_);
    return reinterpret_cast<const uint8_t*>(doubles_);
  };
  switch (dtype.coding) {
    case Coding::kFloat32:
      if (!wide) return raw;
      std::memcpy(floats_, raw, n_bytes);
      kernels_.widen(floats_, n, doubles_);
      return reinterpret_cast<const uint8_t*>(doubles_);
    case Coding::kFloat64:
      return raw;
    case Coding::kFloat16:
      return narrow(kernels_.decode_float16);
    case Coding::kBfloat16:
      return narrow(kernels_.decode_bfloat16);
    case Coding::kInt8:
      return narrow(kernels_.decode_int8);
    case Coding::kUint8:
      return narrow(kernels_.decode_uint8);
    case Coding::kBool:
      return narrow(kernels_.decode_bool);
    case Coding::kInt16:
      return narrow(kernels_.decode_int16);
    case Coding::kUint16:
      return narrow(kernels_.decode_uint16);
    case Coding::kInt32:
      return broad(kernels_.decode_int32);
    case Coding::kUint32:
      return broad(kernels_.decode_uint32);
    case Coding::kInt64:
      return broad(kernels_.decode_int64);
    case Coding::kUint64:
      return broad(kernels_.decode_uint64);
    default:
      throw std::logic_error("no decoder for " + std::string(dtype.name));
  }
}

}  // namespace ait
