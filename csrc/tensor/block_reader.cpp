#include "tensor/block_reader.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string_view>

namespace ait {
namespace {

// What one pread fetches of a file that is not mapped: large enough that the call does not count.
constexpr uint64_t kWindowBytes = 256 * 1024;

constexpr size_t kLargestElement = 16;  // complex128
constexpr size_t kCacheLine = 64;
// How far before its use a byte is asked for: half as far costs a tenth, twice as far gains
// nothing.
constexpr size_t kAheadBytes = 4096;

}  // namespace

BlockReader::BlockReader(const View& view, const Kernels& kernels)
    : view_(view),
      kernels_(kernels),
      decoder_(find_decoder(view.tensor.dtype->coding)),
      bits_(view.is_raw() ? 8 : view.stored_bits),
      element_bytes_(bits_ < 8 ? 1 : bits_ / 8),
      n_values_(view.n_elements * (view.is_raw() ? 1 : view.tensor.dtype->components)) {
  if (!view.problem.empty()) throw FormatError(view.tensor.file->path() + ": " + view.problem);
  if (view.maps.size() > 1) return;
  const IndexMap& map = view.maps.front();
  // A packed element inside a byte is found by the gatherer.
  if (map.is_contiguous() && static_cast<uint64_t>(map.start) * bits_ % 8 == 0)
    in_order_from_ = static_cast<uint64_t>(map.start);
  else
    gather_.emplace(view, kernels);
}

void BlockReader::stop_at(uint64_t end) {
  const uint32_t components = view_.tensor.dtype->components;
  if (gather_) gather_->stop_at((end + components - 1) / components);
}

const uint8_t* BlockReader::read(uint64_t at, size_t n, bool wide) {
  const DType& dtype = *view_.tensor.dtype;
  assert(!view_.is_raw());
  const uint8_t* raw = nullptr;
  if (dtype.components == 1) {
    raw = stored(at, n);
  } else {
    // A block may begin or end inside a complex number.
    const uint64_t first = at / dtype.components;
    const uint64_t last = (at + n + dtype.components - 1) / dtype.components;
    raw = stored(first, static_cast<size_t>(last - first)) +
          at % dtype.components * (element_bytes_ / dtype.components);
  }
  if (dtype.coding == Coding::kFloat64) {
    if (wide) return raw;
    std::memcpy(doubles_, raw, n * sizeof(double));
  } else if (dtype.coding == Coding::kFloat32) {
    if (!wide) return raw;
    std::memcpy(floats_, raw, n * sizeof(float));
  } else if (decoder_.to_double != nullptr) {
    decoder_.to_double(kernels_, raw, n, doubles_);
    if (wide) return reinterpret_cast<const uint8_t*>(doubles_);
  } else {
    decoder_.to_float(kernels_, raw, n, floats_);
    if (!wide) return reinterpret_cast<const uint8_t*>(floats_);
  }
  if (wide) {
    kernels_.widen(floats_, n, doubles_);
    return reinterpret_cast<const uint8_t*>(doubles_);
  }
  for (size_t i = 0; i < n; ++i) floats_[i] = static_cast<float>(doubles_[i]);
  return reinterpret_cast<const uint8_t*>(floats_);
}

const uint8_t* BlockReader::stored(uint64_t at, size_t n) {
  assert(n <= kBlock);
  if (in_order_from_) return stored_in_order(at, n);
  return gather_ ? stored_in_tiles(at, n) : stored_one_by_one(at, n);
}

const uint8_t* BlockReader::in_place(uint64_t at, size_t n) {
  if (!in_order_from_ || bits_ < 8) return nullptr;
  return bytes((*in_order_from_ + at) * element_bytes_, n * element_bytes_);
}

const uint8_t* BlockReader::stored_in_order(uint64_t at, size_t n) {
  const uint64_t first = *in_order_from_ + at;
  if (bits_ >= 8) {
    const size_t n_bytes = n * element_bytes_;
    const uint8_t* block = bytes(first * element_bytes_, n_bytes);
    if (view_.tensor.file->in_memory()) {
      ahead_ = block + kAheadBytes;
      ahead_step_ = kLanes * element_bytes_ / view_.tensor.dtype->components;
    }
    return block;
  }
  const uint64_t whole = first / 8 * 8;  // starts at a byte
  const uint64_t begin = whole * bits_ / 8, end = ((first + n) * bits_ + 7) / 8;
  block_.resize(kBlock);
  unpack(kernels_, bits_, bytes(begin, static_cast<size_t>(end - begin)), first - whole, n,
         block_.data());
  return block_.data();
}

void BlockReader::fetch_ahead() const {
  for (size_t i = 0; i < ahead_step_ * kBlock / kLanes; i += kCacheLine)
    __builtin_prefetch(ahead_ + i);
}

const uint8_t* BlockReader::stored_in_tiles(uint64_t at, size_t n) {
  size_t got = 0;
  const uint8_t* tile = gather_->at(at, &got);
  if (got >= n) return tile;
  block_.resize(kBlock * kLargestElement);
  for (size_t done = 0; done < n; done += got) {
    tile = gather_->at(at + done, &got);
    got = std::min(got, n - done);
    std::memcpy(block_.data() + done * element_bytes_, tile, got * element_bytes_);
  }
  return block_.data();
}

/// A reshape across the dimensions of a transposed tensor: slow, and rare.
const uint8_t* BlockReader::stored_one_by_one(uint64_t at, size_t n) {
  block_.resize(kBlock * kLargestElement);
  for (size_t i = 0; i < n; ++i) {
    uint64_t position = at + i;
    for (const IndexMap& map : view_.maps) position = map.offset(position);
    uint8_t* to = block_.data() + i * element_bytes_;
    if (bits_ >= 8) {
      std::memcpy(to, bytes(position * element_bytes_, element_bytes_), element_bytes_);
    } else {
      const uint64_t whole = position / 8 * 8;
      const uint64_t begin = whole * bits_ / 8, end = ((position + 1) * bits_ + 7) / 8;
      unpack(kernels_, bits_, bytes(begin, static_cast<size_t>(end - begin)), position - whole, 1,
             to);
    }
  }
  return block_.data();
}

/// n bytes of the tensor as stored, from byte `at` on.
const uint8_t* BlockReader::bytes(uint64_t at, size_t n) {
  const Tensor& tensor = view_.tensor;
  if (tensor.file->in_memory()) return tensor.file->at(tensor.offset_bytes + at, n, scratch_);
  if (at < window_begin_ || at + n > window_begin_ + window_.size()) {
    const uint64_t left = tensor.size_bytes - at;
    const auto size = static_cast<size_t>(std::min(left, std::max<uint64_t>(kWindowBytes, n)));
    window_.clear();  // nothing, should the read fail
    tensor.file->at(tensor.offset_bytes + at, size, window_);
    window_begin_ = at;
  }
  return window_.data() + (at - window_begin_);
}

ArrayType array_type(const View& view) {
  const DType& dtype = *view.tensor.dtype;
  if (!view.is_raw()) return {dtype.numpy, view.shape};
  const bool is_whole = packed_size_bytes(view.shape, dtype) == view.tensor.size_bytes;
  if (*dtype.numpy != '\0' && is_whole) return {dtype.numpy, view.shape};
  return {"uint8", {static_cast<int64_t>(view.tensor.size_bytes)}};
}

namespace {

/// Elements whose NumPy type has the bits of storage are copied, others decoded.
enum class ArrayWay { kCopy, kBool, kToFloat, kToInt8, kToUint8 };

/// By the element that the array has room for: its NumPy type, in which no other may be written.
ArrayWay array_way(const View& view) {
  if (view.is_raw()) return ArrayWay::kCopy;
  const DType& dtype = *view.tensor.dtype;
  const std::string_view numpy = dtype.numpy;
  if (numpy == "bool") return ArrayWay::kBool;
  if (dtype.bits < 8 && numpy == "int8") return ArrayWay::kToInt8;
  if (dtype.bits < 8 && numpy == "uint8") return ArrayWay::kToUint8;
  // bfloat16 and smaller floats become float32, complex32 becomes complex64.
  const bool holds_floats = numpy == "float32" || numpy == "complex64";
  return holds_floats && dtype.coding != Coding::kFloat32 ? ArrayWay::kToFloat : ArrayWay::kCopy;
}

}  // namespace

void read_array(const View& view, const Kernels& kernels, uint8_t* out) {
  BlockReader reader(view, kernels);
  const ArrayWay way = array_way(view);
  const uint64_t element_bytes = view.is_raw() ? 1 : std::max(view.stored_bits / 8, 1u);
  const float* table = code_values(view.tensor.dtype->coding);
  const uint64_t n_total = way == ArrayWay::kToFloat ? reader.n_values() : view.n_elements;
  for (uint64_t at = 0; at < n_total; at += kBlock) {
    const auto n = static_cast<size_t>(std::min<uint64_t>(kBlock, n_total - at));
    if (way == ArrayWay::kToFloat) {
      std::memcpy(out + at * sizeof(float), reader.read(at, n, false), n * sizeof(float));
      continue;
    }
    const uint8_t* block = reader.stored(at, n);
    switch (way) {
      case ArrayWay::kBool:
        for (size_t i = 0; i < n; ++i) out[at + i] = block[i] != 0;
        break;
      case ArrayWay::kToInt8:
        for (size_t i = 0; i < n; ++i)
          out[at + i] = static_cast<uint8_t>(static_cast<int8_t>(table[block[i]]));
        break;
      case ArrayWay::kToUint8:
        for (size_t i = 0; i < n; ++i) out[at + i] = static_cast<uint8_t>(table[block[i]]);
        break;
      default:
        std::memcpy(out + at * element_bytes, block, n * element_bytes);
    }
  }
}

}  // namespace ait
