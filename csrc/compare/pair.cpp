#include "compare/pair.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "compare/block_error.h"
#include "parallel.h"
#include "tensor/block_reader.h"

namespace ait {
namespace {

// Integers beyond 2^53 are rounded by the conversion to float64: 2^53 may have been 2^53 + 1.
constexpr double kRoundedInteger = 0x1p53;

Status status_of(TensorState state) {
  switch (state) {
    case TensorState::kOk:
      return Status::kCompared;
    case TensorState::kNoData:
      return Status::kNoData;
    case TensorState::kTruncated:
    case TensorState::kShort:
      return Status::kUnreadable;
    case TensorState::kUnsupported:
      return Status::kUnsupported;
  }
  return Status::kUnsupported;
}

bool is_64_bit_integer(const DType& dtype) {
  return dtype.coding == Coding::kInt64 || dtype.coding == Coding::kUint64;
}

void say_nonfinite(std::vector<Sentence>& sentences, const char* side, const SideSums& sums) {
  if (sums.n_finite() == sums.n) return;
  sentences.push_back(say(kNonfinite, side, std::to_string(sums.n_nan),
                          std::to_string(sums.n_positive_inf), std::to_string(sums.n_negative_inf),
                          std::to_string(sums.n)));
}

/// A status other than compared when the view cannot be read; `sentences` then say why.
Status check_view(const View& view, const char* side, std::vector<Sentence>& sentences) {
  const Status status = status_of(view.tensor.state);
  const bool is_whole_raw = view.is_raw() && view.tensor.state == TensorState::kUnsupported;
  if (status != Status::kCompared && !is_whole_raw) {
    sentences.push_back(say(kNote, side, view.tensor.note));
    return status;
  }
  if (!view.problem.empty()) {
    sentences.push_back(say(kNote, side, view.problem));
    return Status::kUnsupported;
  }
  for (const std::string& note : {view.tensor.note, view.note})
    if (!note.empty()) sentences.push_back(say(kNote, side, note));
  return Status::kCompared;
}

/// Power of two near the largest absolute value of a side; bounded so that its reciprocal is a
/// float64 too. A side of zeros is as small as can be: the other one decides what both are divided
/// by.
int scale_exponent(double largest) {
  constexpr int kMost = 1000;
  if (largest == 0) return -kMost;
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::clamp(exponent, -kMost, kMost);
}

PairSums sum_scaled(const PairTask& task, const Kernels& kernels, const Scale& scale) {
  PairSums sums;
  CompareOptions without_kl;
  without_kl.with_kl = false;
  for (uint64_t chunk = 0; chunk < task.n_chunks(); ++chunk)
    merge(sums, sum_pair_chunk(task, chunk, kernels, without_kl, scale), kernels);
  return sums;
}

SideSums sum_side(const View& view, const Kernels& kernels, double scale = 1) {
  BlockReader reader(view, kernels);
  const uint64_t n = n_values_of(view);
  const bool wide = view.tensor.dtype->wide;
  SideSums sums;
  for (uint64_t at = 0; at < n; at += kChunk)
    merge(sums, sum_chunk(reader, at, std::min(at + kChunk, n), wide, kernels, scale));
  return sums;
}

/// Mean of a tensor whose sums are known; taken again, scaled, where the sum of float64 overflows.
double mean_of_view(const SideSums& sums, const View& view, const Kernels& kernels) {
  if (std::isfinite(sums.sum)) return mean_of(sums);
  constexpr int kLog2OfCounts = 64;
  return std::ldexp(mean_of(sum_side(view, kernels, std::ldexp(1, -kLog2OfCounts))), kLog2OfCounts);
}

bool is_float32(const View& view) { return view.tensor.dtype->coding == Coding::kFloat32; }

bool has_integers(const PairTask& task) {
  return task.my.tensor.dtype->unit_roundoff_exp == 0 ||
         task.golden.tensor.dtype->unit_roundoff_exp == 0;
}

/// Pairs of different values. Of two float tensors, which differ nearly everywhere: those by a
/// thousandth or more, as decisions do, one at least.
uint64_t differing_pairs(const PairSums& sums, const PairTask& task) {
  if (has_integers(task)) return sums.n_differ;
  return std::max<uint64_t>(sums.n_pairs - sums.n_thousandth, sums.max_abs > 0 ? 1 : 0);
}

double root_of_mean(double sum, uint64_t n, int exponent) {
  return n == 0 ? 0 : std::ldexp(std::sqrt(sum / static_cast<double>(n)), exponent);
}

Figures figures_of(const ComparedPair& pair, const PairTask& task) {
  const PairSums& sums = pair.sums;
  Figures figures;
  figures.n_pairs = sums.n_pairs;
  figures.n_unmasked = sums.unmasked.n;
  figures.n_differ = differing_pairs(sums, task) + sums.n_mismatch;
  const UnmaskedSums& unmasked = pair.unmasked();
  figures.rms_error =
      root_of_mean(unmasked.sum_dd, unmasked.n,
                   pair.is_scaled() ? std::max(pair.rescaled->x_exp, pair.rescaled->y_exp) : 0);
  if (unmasked.sum_shift != 0) figures.bias = unmasked.sum_shift / unmasked.sum_size;
  const bool is_scaled = pair.rescaled.has_value();
  figures.golden_rms = root_of_mean(is_scaled ? pair.rescaled->apart.sum_yy : sums.sum_yy,
                                    sums.n_pairs, is_scaled ? pair.rescaled->y_exp : 0);
  figures.my_fits_bf16 = !task.wide && is_float32(task.my) && is_bf16(sums.bits_x);
  figures.golden_fits_bf16 = !task.wide && is_float32(task.golden) && is_bf16(sums.bits_y);
  figures.saturated = sums.saturated;
  return figures;
}

/// The largest mean of e^2 of a block where no block has enough pairs: unmasked pairs are gathered.
double gathered_block_square(const PairTask& task, const Kernels& kernels) {
  BlockReader x(task.my, kernels), y(task.golden, kernels);
  BlockGatherer gatherer(kernels);
  for (uint64_t at = 0; at < task.n_values; at += kBlock) {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(kBlock, task.n_values - at));
    gatherer.add(x.read(at, n, task.wide), y.read(at, n, task.wide), n, task.wide);
  }
  return gatherer.largest();
}

/// Statistics of one tensor that has no counterpart, or one that does not fit it.
void add_side_sums(SideResult& side, const View& view, const Kernels& kernels) {
  if (view.is_raw() || view.tensor.state != TensorState::kOk || !view.problem.empty()) return;
  side.sums = sum_side(view, kernels);
  side.mean = mean_of_view(side.sums, view, kernels);
  side.has_sums = true;
}

/// Why bytes cannot be compared as numbers.
Sentence no_numbers(const DType& dtype) {
  return dtype.number == kUndefinedDtype ? say(kNoNumbers) : say(kUncoded, dtype.report);
}

/// The dtype without a value coding of a pair of which one side or both have one.
const DType& raw_dtype(const View& my, const View& golden) {
  return my.is_raw() ? *my.tensor.dtype : *golden.tensor.dtype;
}

/// Bytes without a value coding: equal or not.
void compare_raw(JobResult& result, const View& my, const View& golden) {
  const uint64_t n = my.tensor.size_bytes;
  if (n != golden.tensor.size_bytes) {
    result.status = Status::kUnsupported;
    result.sentences.push_back(no_numbers(raw_dtype(my, golden)));
    result.sentences.push_back(
        say(kByteCountsDiffer, std::to_string(n), std::to_string(golden.tensor.size_bytes)));
    return;
  }
  constexpr uint64_t kStep = 64 * 1024;
  std::vector<uint8_t> scratch_x, scratch_y;
  for (uint64_t at = 0; at < n; at += kStep) {
    const size_t size = static_cast<size_t>(std::min(kStep, n - at));
    const uint8_t* x = my.tensor.file->at(my.tensor.offset_bytes + at, size, scratch_x);
    const uint8_t* y = golden.tensor.file->at(golden.tensor.offset_bytes + at, size, scratch_y);
    const size_t same = static_cast<size_t>(std::mismatch(x, x + size, y).first - x);
    if (same == size) continue;
    result.status = Status::kUnsupported;
    result.sentences.push_back(no_numbers(raw_dtype(my, golden)));
    result.sentences.push_back(say(kBytesDifferAt, std::to_string(at + same), std::to_string(n)));
    return;
  }
  result.has_metrics = true;
  result.metrics = metrics_of_equal();
  result.figures = Figures{};
  result.sentences.push_back(say(kBytesEqual));
}

/// Whether the bytes of a tensor are all that there is to it: torch keeps types that it lacks as
/// uint8.
bool is_row_of_bytes(const View& view) {
  return view.is_raw() || view.tensor.dtype->coding == Coding::kUint8;
}

void say_counts_differ(std::vector<Sentence>& sentences, const View& my, const View& golden) {
  sentences.push_back(say(kCountsDiffer, shape_text(my.shape), shape_text(golden.shape)));
  const bool my_is_complex = my.tensor.dtype->components > 1;
  if (my_is_complex != (golden.tensor.dtype->components > 1))
    sentences.push_back(say(kOneIsComplex, my_is_complex ? "my" : "golden"));
}

/// Whether the golden side could not be viewed as the my side, and holds another number of
/// elements.
bool has_other_count(const View& my, const View& golden) {
  return my.problem.empty() && my.tensor.state == TensorState::kOk && golden.is_whole &&
         !golden.problem.empty() && golden.tensor.state == TensorState::kOk && !my.is_raw() &&
         !golden.is_raw() && n_values_of(my) != n_values_of(golden);
}

}  // namespace

uint64_t n_values_of(const View& view) { return view.n_elements * view.tensor.dtype->components; }

void describe(SideResult& side, const View& view) {
  side.is_known = true;
  side.dtype = view.tensor.dtype;
  side.shape = view.shape;
}

PairSums sum_pair_chunk(const PairTask& task, uint64_t chunk, const Kernels& kernels,
                        const CompareOptions& options, const Scale& scale) {
  BlockReader x(task.my, kernels), y(task.golden, kernels);
  const uint64_t begin = chunk * kChunk, end = std::min(begin + kChunk, task.n_values);
  x.stop_at(end);
  y.stop_at(end);
  CompareOptions all = options;
  all.count_differ = has_integers(task);
  all.x_is_float32 = !task.wide && is_float32(task.my);
  all.y_is_float32 = !task.wide && is_float32(task.golden);
  return sum_chunk(x, y, begin, end, task.wide, kernels, all, scale);
}

bool prepare_pair(JobResult& result, const View& my, View& golden, const Kernels& kernels) {
  describe(result.my, my);
  describe(result.golden, golden);
  reinterpret_packed(golden, my);
  if (has_other_count(my, golden)) {
    result.status = Status::kShapeMismatch;
    say_counts_differ(result.sentences, my, golden);
    add_side_sums(result.my, my, kernels);
    return false;
  }
  const Status my_status = check_view(my, "my", result.sentences);
  const Status golden_status = check_view(golden, "golden", result.sentences);
  result.status = my_status != Status::kCompared ? my_status : golden_status;
  if (result.status != Status::kCompared) {
    add_side_sums(result.my, my, kernels);
    add_side_sums(result.golden, golden, kernels);
    return false;
  }
  if (my.is_raw() || golden.is_raw()) {
    if (is_row_of_bytes(my) && is_row_of_bytes(golden)) {
      compare_raw(result, my, golden);
      return false;
    }
    result.status = Status::kUnsupported;
    result.sentences.push_back(no_numbers(raw_dtype(my, golden)));
    result.sentences.push_back(say(kAgainstNumbers));
    add_side_sums(result.my, my, kernels);
    add_side_sums(result.golden, golden, kernels);
    return false;
  }
  if (const std::string why = why_not_comparable(my, golden); !why.empty()) {
    result.status = Status::kUnsupported;
    result.sentences.push_back(say(kNotComparable, why));
    add_side_sums(result.my, my, kernels);
    add_side_sums(result.golden, golden, kernels);
    return false;
  }
  if (n_values_of(my) != n_values_of(golden)) {
    result.status = Status::kShapeMismatch;
    say_counts_differ(result.sentences, my, golden);
    add_side_sums(result.my, my, kernels);
    add_side_sums(result.golden, golden, kernels);
    return false;
  }
  if (my.shape != golden.shape)
    result.sentences.push_back(say(kShapesDiffer, shape_text(my.shape), shape_text(golden.shape)));
  return true;
}

void finish_pair(JobResult& result, const PairTask& task, const PairSums& sums,
                 const CompareOptions& options, const Kernels& kernels) {
  ComparedPair pair{sums, {}};
  if (needs_scale(sums)) {
    const int ex = scale_exponent(sums.largest_x), ey = scale_exponent(sums.largest_y);
    const int common = std::max(ex, ey);
    const Scale apart{std::ldexp(1, -ex), std::ldexp(1, -ey)};
    const Scale both{std::ldexp(1, -common), std::ldexp(1, -common)};
    pair.rescaled = {ex, ey, sum_scaled(task, kernels, apart), sum_scaled(task, kernels, both)};
  }
  result.my.has_sums = result.golden.has_sums = true;
  result.my.sums = sums.x;
  result.golden.sums = sums.y;
  result.my.mean = mean_of_view(sums.x, task.my, kernels);
  result.golden.mean = mean_of_view(sums.y, task.golden, kernels);
  if (sums.unmasked.n > 0 && !sums.unmasked.has_block)
    pair.sums.unmasked.block_square = gathered_block_square(task, kernels);
  result.metrics = metrics_of(pair, options.with_kl, kernels);
  result.figures = figures_of(pair, task);
  result.has_metrics = true;
  result.n_mismatch = sums.n_mismatch;
  if (sums.max_abs > 0) {
    result.has_worst = true;
    result.worst_index = sums.worst_index / task.my.tensor.dtype->components;
    result.worst_my = sums.worst_x;
    result.worst_golden = sums.worst_y;
  }
  say_nonfinite(result.sentences, "golden", sums.y);
  say_nonfinite(result.sentences, "my", sums.x);
  const bool rounded =
      (is_64_bit_integer(*task.my.tensor.dtype) && sums.x.largest() >= kRoundedInteger) ||
      (is_64_bit_integer(*task.golden.tensor.dtype) && sums.y.largest() >= kRoundedInteger);
  if (rounded) result.sentences.push_back(say(kRoundedIntegers));
}

const char* status_name(Status status) {
  switch (status) {
    case Status::kCompared:
      return "compared";
    case Status::kShapeMismatch:
      return "shape_mismatch";
    case Status::kNoData:
      return "no_data";
    case Status::kUnreadable:
      return "unreadable";
    case Status::kUnsupported:
      return "unsupported";
  }
  return "unreadable";
}

JobResult compare_views(const View& my, View golden, const CompareOptions& options,
                        unsigned n_threads, const Kernels& kernels) {
  JobResult result;
  if (!prepare_pair(result, my, golden, kernels)) return result;
  const PairTask task(my, golden);
  std::vector<PairSums> parts(task.n_chunks());
  parallel_for(parts.size(), n_threads, [&](size_t chunk) {
    parts[chunk] = sum_pair_chunk(task, chunk, kernels, options, {});
  });
  PairSums sums;
  for (const PairSums& part : parts) merge(sums, part, kernels);
  finish_pair(result, task, sums, options, kernels);
  return result;
}

JobResult describe_view(const View& view, const char* name, bool with_sums,
                        const Kernels& kernels) {
  JobResult result;
  const bool is_my = std::strcmp(name, "my") == 0;
  SideResult& side = is_my ? result.my : result.golden;
  describe(side, view);
  result.status = check_view(view, name, result.sentences);
  if (with_sums) add_side_sums(side, view, kernels);
  if (side.has_sums) say_nonfinite(result.sentences, name, side.sums);
  return result;
}

}  // namespace ait
