// Decides how a tensor's elements lie: plain formats here, device formats by the rows of
// format.cpp.
#include "tensor/layout.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "tensor/format.h"

namespace ait {
namespace {

/// No file is as large; strides of what fits can then be multiplied without a check.
constexpr uint64_t kMaxElements = uint64_t{1} << 56;

uint64_t size(int64_t dim) { return static_cast<uint64_t>(dim); }

Layout in_storage_order(const Dims& shape, uint64_t n, std::string note) {
  Layout layout;
  layout.shape = shape;
  layout.map = IndexMap::contiguous(n);
  layout.note = std::move(note);
  return layout;
}

/// Column-major .npy: the first dimension runs fastest.
Layout in_fortran_order(const Dims& shape) {
  Layout layout;
  layout.shape = shape;
  int64_t stride = static_cast<int64_t>(*element_count(shape));
  for (size_t i = shape.size(); i-- > 0;) {
    stride /= shape[i];
    layout.map.axes.insert(layout.map.axes.begin(), {size(shape[i]), stride});
  }
  return layout;
}

/// Axes of storage in the order of the logical dimensions; those of one step left out, because
/// moving them moves nothing.
Dims moved_axes(std::string_view from, std::string_view to, const Dims& storage) {
  Dims axes;
  for (const char letter : to) {
    const size_t at = from.find(letter);
    if (storage[at] != 1) axes.push_back(static_cast<int64_t>(at));
  }
  return axes;
}

/// The operator computed in another plain format than the model's: transposes if exactly one
/// format that the model may have explains the original shape.
Layout in_plain_format(const Format& format, const Dims& storage, const Dims& original,
                       uint64_t n) {
  const std::string_view from = format.letters;
  if (original == storage || from.empty() || from.size() != storage.size() ||
      original.size() != storage.size())
    return in_storage_order(original, n, "");
  std::vector<Dims> found;
  for (const Format& other : all_formats()) {
    if (other.letters == nullptr || std::strlen(other.letters) != from.size()) continue;
    const std::string_view to = other.letters;
    if (to.find_first_not_of(from) != std::string_view::npos) continue;
    const NamedDims dim(from, storage);
    bool explains = true;
    for (size_t i = 0; i < to.size(); ++i) explains = explains && dim[to[i]] == original[i];
    Dims axes = moved_axes(from, to, storage);
    if (explains && std::find(found.begin(), found.end(), axes) == found.end())
      found.push_back(std::move(axes));
  }
  if (found.size() > 1)
    return in_storage_order(original, n,
                            "original shape " + shape_text(original) + " is " + format.name + " " +
                                shape_text(storage) +
                                " in more than one order: values left in storage order");
  if (found.empty()) return in_storage_order(original, n, "");
  Dims strides(storage.size());
  int64_t stride = 1;
  for (size_t i = storage.size(); i-- > 0; stride *= storage[i]) strides[i] = stride;
  Layout layout;
  layout.shape = original;
  for (const int64_t axis : found[0])
    layout.map.add_linear(size(storage[size(axis)]), strides[size(axis)]);
  return layout;
}

/// A device format whose order cannot be undone.
Layout not_converted(const Dims& storage, uint64_t n, const std::string& why) {
  Layout layout = in_storage_order(storage, n, "layout not converted: " + why);
  layout.is_converted = false;
  return layout;
}

/// A row of elements, counted from the bytes.
Layout row_of_elements(const Tensor& tensor) {
  // Multiplying first could wrap: whole elements are counted from whole bytes.
  const uint64_t bits = tensor.dtype->bits;
  const uint64_t n = tensor.size_bytes / bits * 8 + tensor.size_bytes % bits * 8 / bits;
  const auto dim = static_cast<int64_t>(std::min<uint64_t>(n, INT64_MAX));
  return in_storage_order({dim}, size(dim), "");
}

Layout find_device_layout(const Tensor& tensor, const Format& format, uint64_t n_stored) {
  const Dims& storage = tensor.storage_shape;
  const std::string name = format.name;
  if (format.fit == nullptr)
    return not_converted(storage, n_stored, "the element order of " + name + " is not published");
  if (!tensor.has_original_shape)
    return not_converted(storage, n_stored, name + " without an original shape");
  const Dims& original = tensor.original_shape;
  const std::optional<uint64_t> n = element_count(original);
  if (n == 0) return in_storage_order(original, 0, "");
  Layout layout;
  layout.shape = original;
  const uint64_t groups = tensor.sub_format > 1 ? static_cast<uint64_t>(tensor.sub_format) : 1;
  if (n && *n <= n_stored && format.fit(original, storage, groups, &layout)) return layout;
  return not_converted(storage, n_stored,
                       "original shape " + shape_text(original) + " does not fit " + name + " " +
                           shape_text(storage) +
                           (groups > 1 ? " of " + std::to_string(groups) + " groups" : ""));
}

}  // namespace

std::string format_name(uint32_t format) {
  const Format* row = find_format(format);
  return row == nullptr ? "format " + std::to_string(format) : row->name;
}

Layout find_layout(const Tensor& tensor) {
  const Format* format = find_format(tensor.format);
  const bool is_plain = format == nullptr || format->letters != nullptr;
  const std::optional<uint64_t> n_stored =
      tensor.has_shape ? element_count(tensor.storage_shape) : std::nullopt;
  if (!n_stored || *n_stored > kMaxElements) {
    Layout row = row_of_elements(tensor);
    row.is_converted = is_plain;
    if (!is_plain)
      row.note = std::string("layout not converted: ") + format->name + " without a shape";
    if (format == nullptr) row.note = "unknown " + format_name(tensor.format) + ": read as a row";
    return row;
  }
  if (!is_plain) return find_device_layout(tensor, *format, *n_stored);
  const Dims& storage = tensor.storage_shape;
  Layout layout;
  if (tensor.fortran_order && storage.size() > 1 && *n_stored > 0) {
    layout = in_fortran_order(storage);
  } else if (!tensor.has_original_shape) {
    layout = in_storage_order(storage, *n_stored, "");
  } else if (element_count(tensor.original_shape) != n_stored) {
    layout = in_storage_order(storage, *n_stored,
                              "original shape " + shape_text(tensor.original_shape) +
                                  " has another element count than shape " + shape_text(storage) +
                                  ": read as stored");
  } else {
    layout = in_plain_format(format == nullptr ? *find_format(kFormatNd) : *format, storage,
                             tensor.original_shape, *n_stored);
  }
  if (format == nullptr)
    layout.note = "unknown " + format_name(tensor.format) + ": read as ND" +
                  (layout.note.empty() ? "" : "; " + layout.note);
  return layout;
}

Dims logical_shape(const Tensor& tensor) { return find_layout(tensor).shape; }

std::string full_note(const Tensor& tensor) {
  const std::string note = find_layout(tensor).note;
  return tensor.note.empty() || note.empty() ? tensor.note + note : tensor.note + "; " + note;
}

}  // namespace ait
