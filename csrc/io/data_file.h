// A read-only file of untrusted content: mapped, read on demand, or small and in memory.
//
// A mapped file that another process cuts short, or whose disk fails, reads as zeros from there on
// (lost_pages.h): what was read counts only after `check_unchanged()`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "io/bytes.h"
#include "io/file_identity.h"
#include "io/lost_pages.h"

namespace ait {

/// Files up to this size are copied into memory at open: one pread costs less than mapping,
/// faulting and unmapping, and the copy cannot shrink. Most tensors of a model are this small.
inline constexpr uint64_t kSmallFileBytes = 64 * 1024;

/// A file changed less than this ago, or in the future, may still be written to: it is not mapped.
inline constexpr int64_t kYoungFileSeconds = 2;

/// The operating system refused something about one file.
struct FileError : std::system_error {
  FileError(int error_number, std::string file_path);
  std::string path;
};

/// How a file is opened; small files are in memory in every case.
enum class Access {
  kAuto,  ///< Map, but read young files.
  kMap,   ///< Map.
  kRead   ///< Read windows on demand, never the whole file.
};

/// "auto", "map" or "read". Throws std::invalid_argument for any other text.
Access parse_access(const std::string& name);

/// One open file. Immutable, so any number of threads may read it at once.
/// `at()` leaves the path out of its messages: who reads a whole file adds it once.
class DataFile {
 public:
  /// Opens a regular file. FileError if the system refuses, FormatError for a directory, a pipe or
  /// a device.
  static std::shared_ptr<const DataFile> open(const std::string& path, Access access);

  /// Bytes that somebody else keeps alive, with an empty path.
  static std::shared_ptr<const DataFile> of_memory(Bytes bytes);

  DataFile(const DataFile&) = delete;
  DataFile& operator=(const DataFile&) = delete;
  ~DataFile();

  const std::string& path() const { return path_; }
  uint64_t size_bytes() const { return size_bytes_; }

  /// Whether pointers of `at()` stay valid as long as the file, without a scratch buffer.
  bool in_memory() const { return data_ != nullptr || size_bytes_ == 0; }

  /// `n` bytes from `offset`: a pointer into the map or the copy, or else into `scratch`, which is
  /// resized to hold them. FormatError past the end or if the file has shrunk.
  const uint8_t* at(uint64_t offset, size_t n, std::vector<uint8_t>& scratch) const;

  /// Throws FormatError if the size or the time of the last change is no longer that of the open,
  /// or if pages of the map were lost.
  void check_unchanged() const;

 private:
  DataFile() = default;
  void read_exactly(uint64_t offset, size_t n, uint8_t* to) const;

  std::string path_;
  uint64_t size_bytes_ = 0;
  FileIdentity identity_;
  int fd_ = -1;                          ///< Open only while read on demand.
  const uint8_t* data_ = nullptr;        ///< The map or the copy.
  std::optional<LostPages> lost_pages_;  ///< Of a map.
  std::vector<uint8_t> copy_;
};

/// A sliding view of a file for readers of headers: they ask for a few bytes at a time, and a file
/// that is read on demand then costs one pread per window rather than one per question.
class FileWindow {
 public:
  explicit FileWindow(const DataFile& file) : file_(file) {}
  FileWindow(const FileWindow&) = delete;
  FileWindow& operator=(const FileWindow&) = delete;

  /// `n` bytes from `offset`, valid until the next call. FormatError past the end.
  Bytes at(uint64_t offset, size_t n);

 private:
  const DataFile& file_;
  std::vector<uint8_t> scratch_;
  uint64_t begin_ = 0;
  Bytes view_;
};

}  // namespace ait
