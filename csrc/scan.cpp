// Spreads the reading of headers over threads.
#include "scan.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "npy_file.h"

namespace ait {
namespace {

/// Reading headers waits for the disk, not for the CPU; more threads than this gain nothing.
constexpr unsigned kMaxThreads = 64;

/// Calls `scan_one(i)` once for each i below `n`, in any order.
template <class ScanOne>
void scan_all(size_t n, unsigned n_threads, const ScanOne& scan_one) {
  if (n_threads == 0) n_threads = std::max(1u, std::thread::hardware_concurrency());
  const size_t n_workers = std::min<size_t>({n, n_threads, kMaxThreads});
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    try {
      for (size_t i = next++; i < n; i = next++) scan_one(i);
    } catch (...) {  // out of memory: rethrown below, on the thread of the caller
      const std::lock_guard<std::mutex> lock(failure_mutex);
      failure = std::current_exception();
      next = n;
    }
  };
  std::vector<std::jthread> workers;
  for (size_t i = 1; i < n_workers; ++i) workers.emplace_back(work);
  work();
  workers.clear();  // joins
  if (failure) std::rethrow_exception(failure);
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

}  // namespace

std::vector<GeScan> scan_ge_dumps(const std::vector<std::string>& paths, unsigned n_threads) {
  std::vector<GeScan> scans(paths.size());
  scan_all(paths.size(), n_threads, [&](size_t i) {
    scans[i].error = error_of([&] {
      scans[i].dump = read_ge_dump(DataFile::open(paths[i], Access::kRead));
      for (Tensor& tensor : scans[i].dump.inputs) tensor.file.reset();
      for (Tensor& tensor : scans[i].dump.outputs) tensor.file.reset();
    });
  });
  return scans;
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
