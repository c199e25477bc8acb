// A batch at work as Python waits for it: with the GIL released, and Ctrl-C heard.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <vector>

#include "compare/batch.h"

namespace ait {

class RunningBatch {
 public:
  RunningBatch(std::vector<Job> jobs, unsigned threads, const std::string& isa,
               const std::string& access, bool kl, bool single_sums,
               std::vector<std::shared_ptr<const GeHeaders>> headers = {});
  ~RunningBatch() { close(); }

  /// The finished results that are next in order, `most` of them or fewer; waits for the first.
  /// Raises StopIteration after the last.
  std::vector<JobResult> next(size_t most);
  /// The finished results that are next in order, without waiting.
  std::vector<JobResult> take_ready();
  /// No job is begun any more; what is finished can still be taken.
  void stop();
  /// Waits for the threads to finish the chunks in hand; later calls of next() find nothing.
  void close();

 private:
  std::unique_ptr<Batch> batch_;
};

}  // namespace ait
