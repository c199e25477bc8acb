#include "report/verdict.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "tensor/dtype.h"

namespace ait {
namespace {

// Spacing of float32 at 1: absolute errors up to it pass whatever the other metrics say.
constexpr double kTinyError = 0x1p-23;
// Matrix units round float32 operands: no dtype is taken to be finer.
constexpr double kFinestRoundoff = 0x1p-11;

std::unordered_map<std::string_view, double> roundoffs() {
  std::unordered_map<std::string_view, double> found;
  size_t count = 0;
  const DType* rows = dtype_rows(&count);
  for (size_t i = 0; i < count; ++i) {
    const int exponent = rows[i].unit_roundoff_exp;
    found[rows[i].report] =
        exponent == 0 ? kFinestRoundoff : std::max(std::ldexp(1.0, exponent), kFinestRoundoff);
  }
  return found;
}

bool is_compared(const ReportRow& row) { return row.status == "compared"; }
bool is_compared_output(const ReportRow& row) { return row.io == "outputs" && is_compared(row); }

void join(OpError& error, const OpError& other) {
  error.red = std::max(error.red, other.red);
  error.roundoff = std::max(error.roundoff, other.roundoff);
  error.mismatch = error.mismatch || other.mismatch;
}

/// What the rows of an op say of it.
void join(OpError& error, const ReportRow& row) {
  if (!is_compared(row)) return;
  error.roundoff =
      std::max({error.roundoff, roundoff_of(row.my.dtype), roundoff_of(row.golden.dtype)});
  if (row.io != "outputs") return;
  error.mismatch = error.mismatch || row.n_mismatch.value_or(0) != 0;
  error.red = std::max(error.red, row.relative_euclidean_distance.value_or(0));
}

bool has_grown(const ReportRow& row, double growth_max) {
  if (!row.error_growth || *row.error_growth <= growth_max) return false;
  // Of two numbers a tensor, small distances are chance: only those that fail count.
  const bool knows_extrema_alone = row.estimated == "min_max" || row.estimated == "stats";
  return !knows_extrema_alone || row.verdict == "fail";
}

}  // namespace

OpError::OpError() : roundoff(kFinestRoundoff) {}

bool is_within(uint64_t n_mismatch, Number max_absolute_error, Number cosine_similarity,
               Number relative_euclidean_distance, const Limits& limits) {
  if (n_mismatch != 0) return false;
  if (max_absolute_error && *max_absolute_error <= kTinyError) return true;
  return cosine_similarity && *cosine_similarity >= limits.cosine_min &&
         relative_euclidean_distance && *relative_euclidean_distance <= limits.red_max;
}

std::string_view verdict_of(const ReportRow& row, const Limits& limits) {
  if (!is_compared(row)) return "";
  const uint64_t n_mismatch = row.n_mismatch.value_or(0);
  const bool is_estimated = !row.estimated.empty();
  // No finite pair, and every other pair agrees.
  if (n_mismatch == 0 && !row.max_absolute_error && !is_estimated) return "pass";
  if (is_within(n_mismatch, row.max_absolute_error, row.cosine_similarity,
                row.relative_euclidean_distance, limits))
    return "pass";
  // A reduced dump that tells nothing.
  if (n_mismatch == 0 && is_estimated && !row.cosine_similarity) return "";
  return "fail";
}

double roundoff_of(std::string_view dtype) {
  static const std::unordered_map<std::string_view, double> known = roundoffs();
  const auto found = known.find(dtype);
  return found == known.end() ? kFinestRoundoff : found->second;
}

std::vector<OpError> fill_growth(std::vector<ReportRow>& rows, const std::vector<int64_t>& node_of,
                                 const Feeders& feeders) {
  std::vector<OpError> own(feeders.size()), upstream(feeders.size()), through(feeders.size());
  for (size_t i = 0; i < rows.size(); ++i)
    if (node_of[i] >= 0) join(own[static_cast<size_t>(node_of[i])], rows[i]);
  for (size_t node = 0; node < feeders.size(); ++node) {
    for (const size_t feeder : feeders[node]) join(upstream[node], through[feeder]);
    through[node] = upstream[node];
    join(through[node], own[node]);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (node_of[i] < 0 || !is_compared_output(rows[i])) continue;
    const auto node = static_cast<size_t>(node_of[i]);
    rows[i].upstream_error = upstream[node].red;
    if (!rows[i].relative_euclidean_distance) continue;
    const double red = *rows[i].relative_euclidean_distance;
    const double floor =
        std::max({upstream[node].red, upstream[node].roundoff, own[node].roundoff});
    // Infinite on infinite (golden all zero twice) is nothing new.
    rows[i].error_growth = std::isinf(red) && std::isinf(floor) ? 1.0 : red / floor;
  }
  return upstream;
}

std::optional<Divergence> first_divergence(const std::vector<ReportRow>& rows,
                                           const std::vector<int64_t>& node_of,
                                           const std::vector<OpError>& upstream,
                                           double growth_max) {
  for (size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    bool mismatch_in = false, mismatch_out = false, grown = false;
    for (; end < rows.size() && rows[end].my.path.file == rows[begin].my.path.file; ++end) {
      const ReportRow& row = rows[end];
      if (!is_compared(row)) continue;
      const bool mismatch = row.n_mismatch.value_or(0) != 0;
      if (row.io == "inputs") mismatch_in = mismatch_in || mismatch;
      if (row.io != "outputs") continue;
      mismatch_out = mismatch_out || mismatch;
      grown = grown || has_grown(row, growth_max);
    }
    if (node_of[begin] < 0) continue;
    const bool came_in = mismatch_in || upstream[static_cast<size_t>(node_of[begin])].mismatch;
    const bool is_nonfinite = mismatch_out && !came_in;
    if (is_nonfinite || grown) return Divergence{begin, end, is_nonfinite};
  }
  return {};
}

}  // namespace ait
