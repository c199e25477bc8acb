#include "io/many_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>

#include "parallel.h"

namespace ait {
namespace {

/// Files that are waited for at the same time: a disk answers no more requests faster.
constexpr size_t kWaiting = 16;
/// What most headers need; the kernel reads on by itself.
constexpr size_t kHeadBytes = 16 << 10;
/// Files that tell whether reading ahead is worth it: of those in memory opening takes some 5 us.
constexpr size_t kProbes = 8;
constexpr std::chrono::microseconds kFast{40};
/// Files that a thread takes at once.
constexpr size_t kFilesAtOnce = 16;

void read_head(const std::string& path) {
  // O_NONBLOCK: opening a pipe without a writer would wait for ever.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return;
  std::array<char, kHeadBytes> head;
  [[maybe_unused]] const ssize_t n = ::pread(descriptor, head.data(), head.size(), 0);
  ::close(descriptor);
}

/// Calls `body` with every path, some of them one after the other on a thread.
template <class Body>
void each_path(const std::vector<std::string>& paths, const Body& body) {
  parallel_for((paths.size() + kFilesAtOnce - 1) / kFilesAtOnce, kWaiting, [&](size_t part) {
    const size_t end = std::min(paths.size(), (part + 1) * kFilesAtOnce);
    for (size_t i = part * kFilesAtOnce; i < end; ++i) body(i);
  });
}

}  // namespace

bool read_ahead(const std::vector<std::string>& paths) {
  std::array<std::chrono::steady_clock::duration, kProbes> times;
  const size_t n_probes = std::min(kProbes, paths.size());
  for (size_t i = 0; i < n_probes; ++i) {
    const auto start = std::chrono::steady_clock::now();
    read_head(paths[i * paths.size() / n_probes]);  // files beside each other come together
    times[i] = std::chrono::steady_clock::now() - start;
  }
  std::sort(times.begin(), times.begin() + n_probes);
  if (n_probes == 0 || times[n_probes / 2] < kFast) return false;
  each_path(paths, [&](size_t i) { read_head(paths[i]); });
  return true;
}

uint64_t total_size(const std::vector<std::string>& paths) {
  std::vector<uint64_t> sizes(paths.size());
  each_path(paths, [&](size_t i) {
    struct ::stat status{};
    if (::stat(paths[i].c_str(), &status) == 0) sizes[i] = static_cast<uint64_t>(status.st_size);
  });
  return std::accumulate(sizes.begin(), sizes.end(), uint64_t{0});
}

}  // namespace ait
