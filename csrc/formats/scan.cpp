// Spreads the reading of headers over threads.
#include "formats/scan.h"

#include <algorithm>
#include <thread>

#include "formats/npy_file.h"
#include "parallel.h"

namespace ait {
namespace {

/// Reading headers waits for the disk, not for the CPU; more threads than this gain nothing.
constexpr unsigned kMaxThreads = 64;

/// Calls `scan_one(i)` once for each i below `n`, in any order.
template <class ScanOne>
void scan_all(size_t n, unsigned n_threads, const ScanOne& scan_one) {
  if (n_threads == 0) n_threads = std::max(1u, std::thread::hardware_concurrency());
  parallel_for(n, std::min(n_threads, kMaxThreads), scan_one);
}

/// Runs `read` and returns its error as a sentence; empty if there was none.
template <class Read>
std::string error_of(const Read& read) {
  try {
    read();
    return {};
  } catch (const FormatError& error) {
    return error.what();
  } catch (const FileError& error) {
    return error.path + ": " + error.code().message();
  }
}

bool is_like(const Tensor& x, const Tensor& y) {
  return x.dtype == y.dtype && x.format == y.format && x.sub_format == y.sub_format &&
         x.has_shape == y.has_shape && x.storage_shape == y.storage_shape &&
         x.has_original_shape == y.has_original_shape && x.original_shape == y.original_shape &&
         x.state == y.state && x.note == y.note && x.original_op == y.original_op &&
         x.original_op_index == y.original_op_index;
}

bool are_like(const std::vector<Tensor>& x, const std::vector<Tensor>& y) {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), is_like);
}

}  // namespace

GeHeaders::GeHeaders(std::vector<std::string> paths, std::vector<GeScan> scans)
    : paths_(std::move(paths)), scans_(std::move(scans)) {
  for (size_t i = 0; i < paths_.size(); ++i)
    if (scans_[i].is_kept) kept_.emplace(paths_[i], &scans_[i].dump);
}

const GeDump* GeHeaders::kept(const std::string& path) const {
  const auto found = kept_.find(path);
  return found == kept_.end() ? nullptr : found->second;
}

bool GeHeaders::is_like(const GeHeaders& other) const {
  return std::equal(scans_.begin(), scans_.end(), other.scans_.begin(), other.scans_.end(),
                    [](const GeScan& x, const GeScan& y) {
                      return x.error == y.error && x.dump.op_name == y.dump.op_name &&
                             are_like(x.dump.inputs, y.dump.inputs) &&
                             are_like(x.dump.outputs, y.dump.outputs) &&
                             x.dump.attrs == y.dump.attrs;
                    });
}

std::shared_ptr<GeHeaders> scan_ge_dumps(std::vector<std::string> paths, unsigned n_threads) {
  std::vector<GeScan> scans(paths.size());
  scan_all(paths.size(), n_threads, [&](size_t i) {
    GeScan& scan = scans[i];
    scan.error = error_of([&] {
      const std::shared_ptr<const DataFile> file = DataFile::open(paths[i], Access::kRead);
      scan.dump = read_ge_dump(file);
      scan.is_kept = file->size_bytes() <= kKeptFileBytes;
      if (scan.is_kept) return;
      for (Tensor& tensor : scan.dump.inputs) tensor.file.reset();
      for (Tensor& tensor : scan.dump.outputs) tensor.file.reset();
    });
  });
  return std::make_shared<GeHeaders>(std::move(paths), std::move(scans));
}

std::vector<NpyScan> scan_npy_files(const std::vector<std::string>& paths, unsigned n_threads) {
  std::vector<NpyScan> scans(paths.size());
  scan_all(paths.size(), n_threads, [&](size_t i) {
    scans[i].error = error_of([&] {
      scans[i].tensor = read_npy(DataFile::open(paths[i], Access::kRead));
      scans[i].tensor.file.reset();
    });
  });
  return scans;
}

}  // namespace ait
