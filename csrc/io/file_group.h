// System calls on many files in one go, for a caller to whom every call by itself is dear: Python
// gives up its lock once for a whole group. Errors are returned as errno, 0 for none; one file that
// fails holds up no other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/bytes.h"
#include "io/file_identity.h"

namespace ait {

/// A file that this process has locked against other converters. The lock ends with the descriptor,
/// however the process ends. Without locks (some network file systems) every claim succeeds.
struct Claim {
  int error = 0;
  int descriptor = -1;   ///< for the caller to close; -1 after an error
  bool is_busy = false;  ///< another process has it; no descriptor
  unsigned mode = 0;
  FileIdentity identity;
};

std::vector<Claim> claim_files(const std::vector<std::string>& paths);

struct NewFile {
  std::string path;
  unsigned mode = 0;
  Bytes content;
};

struct Created {
  int error = 0;
  int descriptor = -1;  ///< for the caller to close; -1 if there is no file
};

/// Writes files that do not exist yet, locked as claims are, and lets the system begin to write
/// them to the disk: a file system then takes them together, where one sync after the other would
/// make it commit each by itself.
std::vector<Created> create_files(const std::vector<NewFile>& files);

/// Waits until what was written is on the disk.
std::vector<int> sync_files(const std::vector<int>& descriptors);

struct NewName {
  std::string from, to;
};
std::vector<int> rename_files(const std::vector<NewName>& names);

struct KnownFile {
  std::string path;
  FileIdentity identity;
};
std::vector<bool> are_unchanged(const std::vector<KnownFile>& files);

/// Removes the files that are unchanged. What has changed, or has taken a name, stays: ESTALE. A
/// file that is gone already is no error.
std::vector<int> remove_unchanged(const std::vector<KnownFile>& files);

void close_files(const std::vector<int>& descriptors);

}  // namespace ait
