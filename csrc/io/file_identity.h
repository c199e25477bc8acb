// What tells that a path or a descriptor still leads to the same file, with nothing written to it.
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace ait {

struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t changed_ns = 0;  ///< since the epoch; of times beyond 64 bits the lower ones
  bool operator==(const FileIdentity&) const = default;

  bool is_same_file(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
};

inline FileIdentity identity_of(const struct ::stat& status) {
  const uint64_t changed_ns = static_cast<uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000u +
                              static_cast<uint64_t>(status.st_mtim.tv_nsec);
  return {static_cast<uint64_t>(status.st_dev), static_cast<uint64_t>(status.st_ino),
          static_cast<uint64_t>(status.st_size), static_cast<int64_t>(changed_ns)};
}

}  // namespace ait
