// What a report says of a pair of tensors, or of one: checks, sums, metrics and sentences.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compare/figures.h"
#include "compare/metrics.h"
#include "compare/sentence.h"
#include "compare/sums.h"
#include "tensor/view.h"

namespace ait {

enum class Status : uint8_t { kCompared, kShapeMismatch, kNoData, kUnreadable, kUnsupported };

/// "compared", "shape_mismatch", "no_data", "unreadable" or "unsupported".
const char* status_name(Status status);

/// What a report says of one side.
struct SideResult {
  bool is_known = false;  ///< dtype and shape were read
  const DType* dtype = nullptr;
  Dims shape;
  bool has_sums = false;
  SideSums sums;
  double mean = 0;
};

struct JobResult {
  Status status = Status::kCompared;
  std::vector<Sentence> sentences;  ///< for cmp_fail_reason; notes when compared
  SideResult my, golden;
  bool has_metrics = false;
  Metrics metrics;
  std::optional<Figures> figures;  ///< where there are metrics
  uint64_t n_mismatch = 0;
  bool has_worst = false;
  uint64_t worst_index = 0;
  double worst_my = 0, worst_golden = 0;
};

/// Compares the values of two located tensors with up to `n_threads` threads of its own.
JobResult compare_views(const View& my, View golden, const CompareOptions& options,
                        unsigned n_threads, const Kernels& kernels);

/// Statistics of one located tensor; `name` ("my", "golden") stands before its sentences.
JobResult describe_view(const View& view, const char* name, bool with_sums, const Kernels& kernels);

/// Values of a tensor: elements, or twice as many for complex numbers.
uint64_t n_values_of(const View& view);

/// dtype and shape of one side.
void describe(SideResult& side, const View& view);

// The steps of compare_views, for a pool that spreads the chunks itself.

/// Chunks of one pair, and their sums.
struct PairTask {
  const View& my;
  const View& golden;
  bool wide;
  uint64_t n_values;

  PairTask(const View& x, const View& y)
      : my(x),
        golden(y),
        wide(x.tensor.dtype->wide || y.tensor.dtype->wide),
        n_values(n_values_of(x)) {}
  uint64_t n_chunks() const { return (n_values + kChunk - 1) / kChunk; }
};

/// The check that the pair can be compared value by value; false = the result is final.
bool prepare_pair(JobResult& result, const View& my, View& golden, const Kernels& kernels);

/// Sums of one chunk of a prepared pair.
PairSums sum_pair_chunk(const PairTask& task, uint64_t chunk, const Kernels& kernels,
                        const CompareOptions& options, const Scale& scale);

/// The result of a prepared pair whose chunks are merged.
void finish_pair(JobResult& result, const PairTask& task, const PairSums& sums,
                 const CompareOptions& options, const Kernels& kernels);

}  // namespace ait
