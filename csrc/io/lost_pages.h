// Maps that survive the loss of their file: where another process cuts a mapped file short, or its
// disk fails, touching a lost page raises SIGBUS, which would end the process. A handler puts zeros
// there instead and notes it; whoever reads the map asks was_lost() before the values count.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ait {

/// Keeps watch over one map while it lives. Thread-safe.
class LostPages {
 public:
  /// Watches [begin, begin + size_bytes), which must start at a page and stay mapped. The first one
  /// installs the handler; signals outside of all watched maps go to the handler that was there.
  LostPages(const uint8_t* begin, size_t size_bytes);
  LostPages(const LostPages&) = delete;
  LostPages& operator=(const LostPages&) = delete;
  /// To be called before the map goes.
  ~LostPages();

  /// Whether zeros stand where the file had pages; then they stand up to the end of the map.
  bool was_lost() const { return watch_->is_lost.load(std::memory_order_relaxed); }

  /// What the handler walks: a list that only grows, of entries that are used again.
  struct Watch {
    std::atomic<bool> is_taken{true};
    std::atomic<bool> is_lost{false};
    std::atomic<uintptr_t> begin{0}, end{0};
    Watch* next = nullptr;
  };

 private:
  Watch* watch_;
};

}  // namespace ait
