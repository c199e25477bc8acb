#include "fuzz.h"

#include <cstring>
#include <numeric>
#include <utility>

#include "simd/dispatch.h"
#include "sketch/sketch.h"
#include "tensor/block_reader.h"
#include "tensor/format.h"
#include "tensor/layout.h"

namespace fuzz {
namespace {

constexpr uint64_t kSmall = 20000;  // more than two bands of a sketch

/// The element of storage at a position of a view, by its maps alone.
uint64_t element_at(const ait::View& view, uint64_t position) {
  for (const ait::IndexMap& map : view.maps) position = map.offset(position);
  return position;
}

/// Gathered elements are those that the index maps name, one by one.
void check_order(const ait::View& view, ait::BlockReader& reader) {
  if (view.stored_bits % 8 != 0 || view.is_raw()) return;
  const uint64_t n_bytes = view.stored_bits / 8;
  std::vector<uint8_t> scratch;
  for (uint64_t at = 0; at < view.n_elements; at += ait::kBlock) {
    const auto n = static_cast<size_t>(std::min<uint64_t>(ait::kBlock, view.n_elements - at));
    const uint8_t* found = reader.stored(at, n);
    for (size_t i = 0; i < n; ++i) {
      const uint64_t from = view.tensor.offset_bytes + element_at(view, at + i) * n_bytes;
      const uint8_t* expected = view.tensor.file->at(from, static_cast<size_t>(n_bytes), scratch);
      require(std::memcmp(found + i * n_bytes, expected, n_bytes) == 0,
              "an element of a view is the one that its maps name");
    }
  }
}

int64_t dim_of(uint8_t byte) {
  constexpr int64_t kOdd[] = {-1, -2, 0, INT64_MAX, INT64_MIN, int64_t{1} << 32, 65536, 1000};
  return byte < 248 ? byte : kOdd[byte - 248];
}

ait::Dims any_dims(Choices& choices) {
  ait::Dims dims(choices.below(6));
  for (int64_t& dim : dims) dim = dim_of(choices.byte());
  return dims;
}

ait::Dims permutation(Choices& choices, size_t rank) {
  ait::Dims dims(rank);
  std::iota(dims.begin(), dims.end(), 0);
  for (size_t i = rank; i > 1; --i) std::swap(dims[i - 1], dims[choices.below(i)]);
  return dims;
}

/// Two neighbours as one dimension, or one as two.
ait::Dims reshaped(Choices& choices, ait::Dims shape) {
  if (shape.empty()) return {1, -1};
  const size_t at = choices.below(shape.size());
  const auto where = shape.begin() + static_cast<std::ptrdiff_t>(at);
  const auto parts = static_cast<int64_t>(choices.below(8));
  if (parts > 0) {
    *where = parts;
    shape.insert(where + 1, -1);
  } else if (at + 1 < shape.size()) {
    *where = -1;
    shape.erase(where + 1);
  }
  return shape;
}

}  // namespace

ait::ViewStep chosen_step(Choices& choices, const ait::Dims& shape) {
  using Kind = ait::ViewStep::Kind;
  const auto kind = static_cast<Kind>(choices.below(6));
  if (choices.below(8) == 7) return {kind, any_dims(choices)};
  switch (kind) {
    case Kind::kReshape:
      return {kind, reshaped(choices, shape)};
    case Kind::kTranspose:
      return {kind, permutation(choices, shape.size())};
    case Kind::kSelect:
      return {kind, {dim_of(choices.byte())}};
    case Kind::kSlice: {
      const auto axis = static_cast<int64_t>(choices.below(std::max<size_t>(shape.size(), 1)));
      const int64_t begin = dim_of(choices.byte()), n = choices.byte();
      return {kind, {axis, begin, begin < INT64_MAX - n ? begin + n : begin}};
    }
    case Kind::kStored:
    case Kind::kOriginal:
      break;
  }
  return {kind, any_dims(choices)};
}

void check_view(const ait::View& view) {
  if (!view.problem.empty() || view.n_elements > kSmall) return;
  if (view.tensor.state != ait::TensorState::kOk) return;
  ait::BlockReader reader(view, ait::find_kernels(""));
  for (uint64_t at = 0; at < reader.n_values(); at += ait::kBlock) {
    const uint64_t left = reader.n_values() - at;
    const auto n = static_cast<size_t>(std::min<uint64_t>(ait::kBlock, left));
    reader.read(at, n, true);
    reader.read(at, n, view.tensor.dtype->wide);
  }
  check_order(view, reader);
  ait::sketch_view(view, 1, ait::find_kernels(""));
}

void check_tensor(const ait::Tensor& tensor, Choices& choices) {
  require(tensor.dtype != nullptr, "a tensor has a row of the dtype table");
  require(tensor.state == ait::TensorState::kOk || !tensor.note.empty(), "a bad state is noted");
  static_cast<void>(ait::full_note(tensor));
  if (tensor.state != ait::TensorState::kOk) return;
  const uint64_t size = tensor.file->size_bytes();
  require(tensor.offset_bytes <= size && tensor.size_bytes <= size - tensor.offset_bytes,
          "the bytes of a good tensor lie in the file");
  std::vector<uint8_t> scratch;
  const uint8_t* bytes =
      tensor.file->at(tensor.offset_bytes, static_cast<size_t>(tensor.size_bytes), scratch);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < tensor.size_bytes; ++i) sum += bytes[i];
  require(sum <= 255 * tensor.size_bytes, "bytes are bytes");
  const auto count = ait::element_count(ait::logical_shape(tensor));
  require(count.has_value(), "the element count of a good tensor fits 64 bits");
  ait::Tensor other = tensor;
  const uint8_t format = choices.byte();
  if (format <= ait::all_formats().size()) other.format = format;
  std::vector<ait::ViewStep> steps;
  ait::View view = ait::make_view(other, steps);
  for (size_t n = choices.below(3); n > 0 && view.problem.empty(); --n) {
    steps.push_back(chosen_step(choices, view.shape));
    view = ait::make_view(other, steps);
  }
  check_view(view);
}

}  // namespace fuzz
