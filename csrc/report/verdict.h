// Which rows pass, and how errors grow from op to op.
#pragma once

#include <cstddef>
#include <vector>

#include "report/report_row.h"

namespace ait {

/// What still counts as equal; see python/ait_cmp/config.py.
struct Limits {
  double cosine_min, red_max;
};

/// Whether a compared pair is within the limits; a metric that is empty decides nothing.
bool is_within(uint64_t n_mismatch, Number max_absolute_error, Number cosine_similarity,
               Number relative_euclidean_distance, const Limits& limits);

/// "pass" or "fail" for a compared row, "" for any other.
std::string_view verdict_of(const ReportRow& row, const Limits& limits);

/// Unit roundoff of a dtype as a report names it; none is taken to be finer than that of the
/// operands of matrix units.
double roundoff_of(std::string_view dtype);

/// What the compared outputs of an op, or of all its ancestors, amount to.
struct OpError {
  double red = 0;         ///< largest relative Euclidean distance
  double roundoff;        ///< coarsest unit roundoff of the dtypes seen
  bool mismatch = false;  ///< NaN or inf stands on one side only
  OpError();
};

/// The ops of a graph in topological order: for each the numbers of those that feed it.
using Feeders = std::vector<std::vector<size_t>>;

/// Fills in the upstream error and the error growth of compared outputs of ops that the graph
/// knows.
///
/// @param node_of  for every row the number of its op, -1 for none
/// @returns        for every op what its ancestors amount to
std::vector<OpError> fill_growth(std::vector<ReportRow>& rows, const std::vector<int64_t>& node_of,
                                 const Feeders& feeders);

/// The op that rows [begin, end) are of computes something else.
struct Divergence {
  size_t begin, end;
  bool is_nonfinite;  ///< finite inputs became NaN or inf; else its error grew beyond the limit
};

/// The first divergence of a step. Neighbouring rows of one file are one op.
std::optional<Divergence> first_divergence(const std::vector<ReportRow>& rows,
                                           const std::vector<int64_t>& node_of,
                                           const std::vector<OpError>& upstream, double growth_max);

}  // namespace ait
