#include "compare/batch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <new>

#include "parallel.h"

namespace ait {
namespace {

// Jobs that one thread takes at once: neighbours share a file, and the lock is taken seldom.
constexpr size_t kGrab = 16;
// Results that may wait to be handed out: bounds memory when the reader of the results is slow.
constexpr size_t kWindow = 8192;

}  // namespace

/// A pair too large for one task: its views stay open until the last chunk is summed.
struct Batch::Active {
  size_t index;
  View my, golden;
  JobResult result;
  PairTask task;
  std::vector<PairSums> sums;
  std::atomic<uint64_t> n_left;
  std::mutex error_mutex;
  std::exception_ptr error;  ///< of the first chunk that failed

  Active(size_t job, View&& x, View&& y, JobResult&& prepared)
      : index(job),
        my(std::move(x)),
        golden(std::move(y)),
        result(std::move(prepared)),
        task(my, golden),
        sums(task.n_chunks()),
        n_left(task.n_chunks()) {}
};

Batch::Batch(std::vector<Job> jobs, const BatchOptions& options, const Kernels& kernels)
    : jobs_(std::move(jobs)),
      options_(options),
      n_threads_(std::max(1u, options.n_threads)),
      kernels_(kernels) {
  start_threads(threads_, n_threads_, [this] { run(); });
  if (threads_.empty()) own_files_.emplace(options_.headers);
}

Batch::~Batch() {
  stop();
  threads_.clear();  // joins
}

void Batch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
}

bool Batch::wait(double seconds) {
  const auto is_over = [this] { return is_done() || has_next(); };
  const std::chrono::duration<double> most(seconds);
  std::unique_lock lock(mutex_);
  if (!own_files_) return done_.wait_for(lock, most, is_over);
  const auto begin = std::chrono::steady_clock::now();
  while (!is_over() && !stop_ && has_work() && std::chrono::steady_clock::now() - begin < most)
    do_work(lock, *own_files_);
  return is_over();
}

std::vector<JobResult> Batch::next(size_t most) {
  std::vector<JobResult> ready;
  {
    const std::lock_guard lock(mutex_);
    while (ready.size() < most && has_next()) {
      ready.push_back(std::move(*results_.front()));
      results_.pop_front();
      ++next_result_;
    }
  }
  work_.notify_all();
  return ready;
}

bool Batch::has_work() const {
  return !chunks_.empty() || (next_job_ < jobs_.size() && next_job_ < next_result_ + kWindow);
}

void Batch::run() {
  OpenFiles files(options_.headers);
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stop_ || has_work(); });
    if (stop_) return;
    do_work(lock, files);
  }
}

void Batch::do_work(std::unique_lock<std::mutex>& lock, OpenFiles& files) {
  // Chunks first: their results are wanted sooner, and their files are open.
  if (!chunks_.empty()) {
    const auto [active, chunk] = chunks_.front();
    chunks_.pop_front();
    lock.unlock();
    run_chunk(active, chunk);
    lock.lock();
    return;
  }
  const size_t begin = next_job_;
  // Near the end, or with many threads, smaller grabs keep all of them busy.
  const size_t fair = (jobs_.size() - begin) / (2 * n_threads_) + 1;
  const size_t end = begin + std::min({kGrab, fair, jobs_.size() - begin});
  next_job_ = end;
  results_.resize(end - next_result_);
  lock.unlock();
  for (size_t index = begin; index < end; ++index) start_job(index, files);
  lock.lock();
}

void Batch::finish_job(size_t index, JobResult&& result) {
  bool is_next = false;
  {
    const std::lock_guard lock(mutex_);
    results_[index - next_result_] = std::move(result);
    is_next = index == next_result_;
  }
  if (is_next) done_.notify_one();
}

namespace {

/// The one place where an error of a file becomes a row.
template <class Work>
void or_unreadable(JobResult& result, Work work) {
  Sentence sentence;
  try {
    work();
    return;
  } catch (const std::bad_alloc&) {
    sentence = say(kNoMemory);
  } catch (const std::exception& error) {
    std::string text = error.what();
    if (text.ends_with('.')) text.pop_back();
    sentence = say(kError, text);
  }
  result.status = Status::kUnreadable;
  result.has_metrics = false;
  result.sentences.push_back(std::move(sentence));
}

/// Works on tensors of files. That a file changed meanwhile explains whatever went wrong, and makes
/// any result worthless.
template <class Work>
void on_unchanged(std::initializer_list<const View*> views, Work work) {
  std::exception_ptr error;
  try {
    work();
  } catch (const FormatError&) {
    error = std::current_exception();
  }
  for (const View* view : views) view->tensor.file->check_unchanged();
  if (error) std::rethrow_exception(error);
}

}  // namespace

void Batch::start_job(size_t index, OpenFiles& files) {
  const Job& job = jobs_[index];
  JobResult result;
  std::shared_ptr<Active> active;
  or_unreadable(result, [&] {
    std::optional<View> my, golden;
    if (job.my) {
      my = files.view(*job.my, options_.access);
      describe(result.my, *my);
    }
    if (job.golden) {
      golden = files.view(*job.golden, options_.access);
      describe(result.golden, *golden);
    }
    if (!my || !golden) {
      const View& view = my ? *my : *golden;
      on_unchanged({&view}, [&] {
        result = describe_view(view, my ? "my" : "golden", options_.single_sums, kernels_);
      });
      return;
    }
    if (n_values_of(*my) <= kChunk || n_values_of(*my) != n_values_of(*golden)) {
      on_unchanged({&*my, &*golden},
                   [&] { result = compare_views(*my, *golden, options_.compare, 1, kernels_); });
      return;
    }
    if (!prepare_pair(result, *my, *golden, kernels_)) return;
    active = std::make_shared<Active>(index, std::move(*my), std::move(*golden), std::move(result));
  });
  if (!active) {
    finish_job(index, std::move(result));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    for (uint64_t chunk = 0; chunk < active->task.n_chunks(); ++chunk)
      chunks_.emplace_back(active, chunk);
  }
  work_.notify_all();
  // Help with the chunks at once: no further file is opened while a large tensor waits.
  while (true) {
    std::pair<std::shared_ptr<Active>, uint64_t> next;
    {
      const std::lock_guard lock(mutex_);
      if (chunks_.empty() || stop_) return;
      next = chunks_.front();
      chunks_.pop_front();
    }
    run_chunk(next.first, next.second);
  }
}

void Batch::run_chunk(const std::shared_ptr<Active>& active, uint64_t chunk) {
  try {
    active->my.tensor.file->check_unchanged();
    active->golden.tensor.file->check_unchanged();
    active->sums[chunk] = sum_pair_chunk(active->task, chunk, kernels_, options_.compare, {});
  } catch (...) {
    const std::lock_guard lock(active->error_mutex);
    if (!active->error) active->error = std::current_exception();
  }
  if (active->n_left.fetch_sub(1) != 1) return;
  JobResult result = std::move(active->result);
  or_unreadable(result, [&] {
    on_unchanged({&active->my, &active->golden}, [&] {
      if (active->error) std::rethrow_exception(active->error);
      PairSums sums;
      for (const PairSums& part : active->sums) merge(sums, part, kernels_);
      finish_pair(result, active->task, sums, options_.compare, kernels_);
    });
  });
  finish_job(active->index, std::move(result));
}

}  // namespace ait
