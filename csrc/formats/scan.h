// Headers of many files at once, for the index of a dump.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/ge_dump.h"
#include "tensor/tensor.h"

namespace ait {

/// A scan keeps files up to this size: opening one again would cost more than comparing it.
inline constexpr uint64_t kKeptFileBytes = 4096;

/// What a scan found in one GE dump. Its tensors hold their file if that is kept.
struct GeScan {
  std::string error;  ///< One sentence; empty if the file was read.
  GeDump dump;
  bool is_kept = false;
};

/// The headers of many GE dumps, in the order of the paths.
class GeHeaders {
 public:
  GeHeaders(std::vector<std::string> paths, std::vector<GeScan> scans);
  GeHeaders(const GeHeaders&) = delete;
  GeHeaders& operator=(const GeHeaders&) = delete;

  const std::vector<GeScan>& scans() const { return scans_; }
  /// The dump of this path if its file was kept, else nullptr.
  const GeDump* kept(const std::string& path) const;
  /// Whether both say the same, paths and times apart.
  bool is_like(const GeHeaders& other) const;

 private:
  std::vector<std::string> paths_;
  std::vector<GeScan> scans_;
  std::unordered_map<std::string_view, const GeDump*> kept_;
};

/// What a scan found in one .npy file.
struct NpyScan {
  std::string error;
  Tensor tensor;
};

/// Reads the headers of GE dumps, in the order of `paths`, on `n_threads` threads (0 = one per
/// CPU). Nothing throws for a file: its error is its entry. Files are read, never mapped.
std::shared_ptr<GeHeaders> scan_ge_dumps(std::vector<std::string> paths, unsigned n_threads);

/// The same for .npy files.
std::vector<NpyScan> scan_npy_files(const std::vector<std::string>& paths, unsigned n_threads);

}  // namespace ait
