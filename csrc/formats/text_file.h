// A whole file as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "io/data_file.h"

namespace ait {

/// What `read(text)` gives; its FormatError names the file.
template <class Read>
auto read_text(const DataFile& file, const Read& read) {
  try {
    std::vector<uint8_t> scratch;
    const auto n_bytes = static_cast<size_t>(file.size_bytes());
    // Text is read as characters: the one place where the type of file bytes is changed.
    const auto* const text = reinterpret_cast<const char*>(file.at(0, n_bytes, scratch));
    return read(std::string_view(text, n_bytes));
  } catch (const FormatError& error) {
    throw FormatError(file.path() + ": " + error.what(), error.position);
  }
}

}  // namespace ait
