// What one row says, in the terms of the verdict.
#pragma once

#include <cstdint>
#include <string_view>

#include "report/report_row.h"
#include "report/verdict_rules.h"

namespace ait {

// Matrix units round float32 operands: no dtype is taken to be finer.
inline constexpr double kFinestRoundoff = 0x1p-11;

/// What the verdict must know of a dtype, by its name in the report.
struct DtypeFacts {
  double roundoff = kFinestRoundoff;
  bool is_float = false;
  bool is_code = false;  ///< an integer of at most 8 bits: a code if it was made from floats
  bool is_bool = false;
  bool is_narrow = false;   ///< a float of at most 8 bits
  uint32_t saturation = 0;  ///< bits of `Figures::n_saturated` that its values can saturate by
};
const DtypeFacts& facts_of_dtype(std::string_view dtype);

/// Unit roundoff of a dtype as a report names it.
double roundoff_of(std::string_view dtype);

/// A row, as far as it was compared.
struct RowFacts {
  bool is_compared = false;
  bool is_equal = false;                   ///< in every pair, bit by bit
  bool is_reduced = false;                 ///< not every pair was looked at
  Number red, block;                       ///< empty: not known
  double roundoff = kFinestRoundoff;       ///< of its own dtypes and values
  double code_roundoff = kFinestRoundoff;  ///< half a step against the size of golden codes
  uint32_t saturation = 0;                 ///< of its own dtypes
  uint64_t n_differ = 0;                   ///< pairs
  double mismatch_share = 0;               ///< of all pairs: NaN or inf stands on one side only
  double unmasked_share = 1;
  double rms_error = 0;  ///< root of the mean of (x - y)^2 over unmasked pairs
  double bias = 0;       ///< |sum(|x| - |y|)| / sum |y| over unmasked pairs

  bool has_mismatch() const { return mismatch_share > 0; }
  /// The size of error that bounds what the row lends on of what came before it.
  double size() const;
};

RowFacts facts_of(const ReportRow& row, const Rules& rules);

/// Takes pairs that saturation in one of the `allowed` dtypes explains from the mismatches of a
/// row; returns how many.
uint64_t settle_saturation(ReportRow& row, RowFacts& facts, uint32_t allowed);

/// A row of which minima and maxima alone are known.
bool knows_extrema_alone(const ReportRow& row);

inline bool is_compared(const ReportRow& row) { return row.status == "compared"; }

}  // namespace ait
