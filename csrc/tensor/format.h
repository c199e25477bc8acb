// The formats of the dump, one row per number of its OutputFormat enum, and how device formats
// place their elements.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tensor/layout.h"

namespace ait {

/// Fills map (and maybe a note) if the logical dimensions, laid out in this format, give exactly
/// the storage shape. `logical` holds no 0 and no more elements than storage.
using Fit = bool (*)(const Dims& logical, const Dims& storage, uint64_t groups, Layout* layout);

struct Format {
  uint32_t number;
  const char* name;
  const char* letters;  ///< plain format: its dimensions, or "" for any; nullptr: not plain
  Fit fit;              ///< device format with a published index map
};

/// All rows, in order of their numbers.
std::span<const Format> all_formats();

/// The row of a number in the dump header; nullptr when the number is unknown.
const Format* find_format(uint32_t number);

/// The dimensions of `shape` by letter, as the order of `letters` gives them; 1 for a missing one.
class NamedDims {
 public:
  NamedDims(std::string_view letters, const Dims& shape) : letters_(letters), shape_(shape) {}
  int64_t operator[](char letter) const {
    const size_t at = letters_.find(letter);
    return at == std::string_view::npos ? 1 : shape_[at];
  }

 private:
  std::string_view letters_;
  const Dims& shape_;
};

}  // namespace ait
