// Headers of many files at once, for the index of a dump.
#pragma once

#include <string>
#include <vector>

#include "ge_dump.h"
#include "tensor.h"

namespace ait {

/// What a scan found in one GE dump; the tensors no longer hold their file.
struct GeScan {
  std::string error;  ///< One sentence; empty if the file was read.
  GeDump dump;
};

/// What a scan found in one .npy file.
struct NpyScan {
  std::string error;
  Tensor tensor;
};

/// Reads the headers of GE dumps, in the order of `paths`, on `n_threads` threads (0 = one per
/// CPU). Nothing throws for a file: its error is its entry. Files are read, never mapped.
std::vector<GeScan> scan_ge_dumps(const std::vector<std::string>& paths, unsigned n_threads);

/// The same for .npy files.
std::vector<NpyScan> scan_npy_files(const std::vector<std::string>& paths, unsigned n_threads);

}  // namespace ait
