// What is asked of many files at once: where a disk or a network is slow, many wait together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ait {

/// Reads the beginning of each file, so that who opens it next does not wait; false, and no more is
/// read, if the first of them came at the speed of memory. Files that cannot be read are left out.
bool read_ahead(const std::vector<std::string>& paths);

/// Bytes of all files together; of one that is gone or cannot be looked at 0.
uint64_t total_size(const std::vector<std::string>& paths);

}  // namespace ait
