// The metrics of a report row, from the sums of a pair: one table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "compare/sums.h"

namespace ait {

/// A cell that is empty where nothing was computed.
using Number = std::optional<double>;
using Count = std::optional<uint64_t>;

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

  /// Sums of errors; of the rescaled ones (`common`) if squares overflowed or vanished.
  const UnmaskedSums& unmasked() const;
  bool is_scaled() const;
};

struct Metrics {
  Number cosine_similarity;
  Number max_relative_error;
  Number mean_relative_error;
  Number max_absolute_error;
  Number mean_absolute_error;
  Number kl_divergence;
  Number relative_euclidean_distance;
  Number one_thousandth_err_ratio;
  Number five_thousandths_err_ratio;
  Number block_error;
  Number bias_z;
};

/// Where the columns of metrics stand in the report.
enum class MetricGroup : uint8_t { kAfterSides, kBeforeBlockGrowth, kAfterBlockGrowth };

/// What a formula reads.
struct MetricInput {
  const ComparedPair& pair;
  bool with_kl;
  const Kernels& kernels;

  const PairSums& sums() const { return pair.sums; }
  double n() const { return static_cast<double>(pair.sums.n_pairs); }
};

struct Metric {
  const char* name;  ///< of the column, and of the field in Python
  const char* unit;
  Number Metrics::* value;
  double (*formula)(const MetricInput&);  ///< of at least one finite pair; NaN: not computed
  double of_equal;                        ///< without any element, or equal as bytes
  MetricGroup group;
};

/// The table: all metrics in the order of their columns.
std::span<const Metric> all_metrics();

Metrics metrics_of(const ComparedPair& pair, bool with_kl, const Kernels& kernels);

/// Of two tensors whose elements, if there are any, are equal.
Metrics metrics_of_equal();

/// Mean of the finite values of one side, NaN if there are none.
double mean_of(const SideSums& side);

}  // namespace ait
