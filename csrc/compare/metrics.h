// The metrics of a report row, from the sums of a pair.
#pragma once

#include <cstddef>
#include <optional>

#include "compare/sums.h"

namespace ait {

/// Sums of one pair of tensors. The rescaled sums are there only when float64 squares would
/// overflow or vanish.
struct ComparedPair {
  PairSums sums;
  struct Rescaled {
    int x_exp,
        y_exp;  ///< x was divided by 2^x_exp, y by 2^y_exp in `apart`, both by 2^max in `common`
    PairSums apart, common;
  };
  std::optional<Rescaled> rescaled;
};

/// NaN = not computed (an empty cell).
struct Metrics {
  double cosine_similarity;
  double max_relative_error;
  double mean_relative_error;
  double max_absolute_error;
  double mean_absolute_error;
  double kl_divergence;
  double relative_euclidean_distance;
};

Metrics metrics_of(const ComparedPair& pair, bool with_kl, const Kernels& kernels);

/// Mean of the finite values of one side, NaN if there are none.
double mean_of(const SideSums& side);

}  // namespace ait
