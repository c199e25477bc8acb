// Work on several threads. Only here are threads made; where the system gives none (the limits of a
// container, of memory), fewer do the work.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace ait {

/// Makes up to `most` threads that run `work`: as many as the system gives, which may be none.
template <class Work>
void start_threads(std::vector<std::jthread>& threads, size_t most, const Work& work) {
  // A thread may run before the next one is made: it must not look at `threads`.
  threads.reserve(most);
  try {
    while (threads.size() < most) threads.emplace_back(work);
  } catch (const std::system_error&) {
  } catch (const std::bad_alloc&) {
  }
}

/// Calls `body(i)` once for each i below `n`, in any order, on up to `n_threads` threads, of which
/// the caller's is one. After an exception no further call begins; the first one is thrown again.
template <class Body>
void parallel_for(size_t n, size_t n_threads, const Body& body) {
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    try {
      for (size_t i = next++; i < n; i = next++) body(i);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      next = n;
    }
  };
  {
    std::vector<std::jthread> helpers;
    const size_t n_workers = std::min(n, n_threads);
    if (n_workers > 1) start_threads(helpers, n_workers - 1, work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace ait
