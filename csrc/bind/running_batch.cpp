#include "bind/running_batch.h"

#include "simd/dispatch.h"

namespace py = pybind11;

namespace ait {
namespace {

// How long a wait for results may keep Ctrl-C waiting.
constexpr double kSignalSeconds = 0.1;

}  // namespace

RunningBatch::RunningBatch(std::vector<Job> jobs, unsigned threads, const std::string& isa,
                           const std::string& access, bool kl, bool single_sums,
                           std::vector<std::shared_ptr<const GeHeaders>> headers) {
  BatchOptions options;
  options.n_threads = threads;
  options.access = parse_access(access);
  options.compare.with_kl = kl;
  options.single_sums = single_sums;
  options.headers = std::move(headers);
  const Kernels& kernels = find_kernels(isa);
  const py::gil_scoped_release release;
  batch_ = std::make_unique<Batch>(std::move(jobs), options, kernels);
}

std::vector<JobResult> RunningBatch::next(size_t most) {
  if (!batch_ || batch_->is_done()) throw py::stop_iteration();
  while (true) {
    bool ready = false;
    {
      const py::gil_scoped_release release;
      ready = batch_->wait(kSignalSeconds);
    }
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (ready) return batch_->next(most);
    if (batch_->is_stopped()) throw py::stop_iteration();
  }
}

std::vector<JobResult> RunningBatch::take_ready() {
  return batch_ ? batch_->next(SIZE_MAX) : std::vector<JobResult>();
}

void RunningBatch::stop() {
  if (batch_) batch_->stop();
}

void RunningBatch::close() {
  const py::gil_scoped_release release;
  batch_.reset();
}

}  // namespace ait
