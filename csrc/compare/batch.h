// Many comparisons at once: files are opened, checked and summed by a pool of threads, results come
// back in order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "compare/pair.h"
#include "formats/open_files.h"
#include "formats/scan.h"

namespace ait {

/// A pair to compare, or one tensor (`my` or `golden` missing) to take statistics of.
struct Job {
  std::optional<TensorRef> my, golden;
};

struct BatchOptions {
  unsigned n_threads = 1;
  Access access = Access::kAuto;
  CompareOptions compare;
  std::vector<std::shared_ptr<const GeHeaders>> headers;  ///< files that were read before
  bool single_sums = true;  ///< jobs of one side read their tensor, too; else its header alone
};

/// Works on a list of jobs. Large tensors are cut into chunks that any thread takes; results are
/// kept until they are asked for, and the threads pause when they are `kWindow` jobs ahead.
class Batch {
 public:
  Batch(std::vector<Job> jobs, const BatchOptions& options, const Kernels& kernels);
  /// Stops after the chunks in hand.
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// Waits until the next result in order is there (true) or `seconds` have passed (false). True at
  /// once when all have been handed out.
  bool wait(double seconds);
  /// The finished results that are next in order, `most` of them or fewer.
  std::vector<JobResult> next(size_t most);
  bool is_done() const { return next_result_ == jobs_.size(); }
  /// No job is begun any more.
  void stop();
  bool is_stopped() const { return stop_; }

 private:
  struct Active;

  bool has_next() const { return !results_.empty() && results_.front().has_value(); }
  bool has_work() const;
  void run();
  /// One chunk, or some jobs; `lock` is held before and after.
  void do_work(std::unique_lock<std::mutex>& lock, OpenFiles& files);
  void start_job(size_t index, OpenFiles& files);
  void finish_job(size_t index, JobResult&& result);
  void run_chunk(const std::shared_ptr<Active>& active, uint64_t chunk);

  const std::vector<Job> jobs_;
  const BatchOptions options_;
  const unsigned n_threads_;
  const Kernels& kernels_;

  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::deque<std::pair<std::shared_ptr<Active>, uint64_t>> chunks_;  ///< waiting for any thread
  size_t next_job_ = 0;                                              ///< not yet taken by a thread
  size_t next_result_ = 0;                                           ///< not yet handed out
  std::deque<std::optional<JobResult>> results_;  ///< of the jobs from next_result_ on
  std::atomic<bool> stop_ = false;
  std::optional<OpenFiles> own_files_;  ///< without threads: who waits does the work
  std::vector<std::jthread> threads_;
};

}  // namespace ait
