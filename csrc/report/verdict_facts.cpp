#include "report/verdict_facts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <unordered_map>

#include "tensor/dtype.h"

namespace ait {
namespace {

// Of float32 values that all fit bfloat16: FX saves bfloat16 so.
constexpr double kBfloat16Roundoff = 0x1p-8;
constexpr double kHalfStep = 0.5;

uint32_t saturation_of(std::string_view dtype) {
  uint32_t bits = 0;
  for (size_t i = 0; i < std::size(kSaturatingTypes); ++i)
    if (dtype == kSaturatingTypes[i].dtype) bits |= 1u << i;
  return bits;
}

/// Types of 8 bits explain pairs only in rows that have them themselves.
uint32_t wide_saturations() {
  uint32_t bits = 0;
  for (size_t i = 0; i < std::size(kSaturatingTypes); ++i)
    if (!kSaturatingTypes[i].is_narrow) bits |= 1u << i;
  return bits;
}

DtypeFacts facts_of(const DType& dtype) {
  DtypeFacts facts;
  const bool is_float = dtype.unit_roundoff_exp != 0;
  if (is_float)
    facts.roundoff = std::max(std::ldexp(1.0, dtype.unit_roundoff_exp), kFinestRoundoff);
  const uint32_t bits = dtype.bits / dtype.components;
  facts.is_float = is_float;
  facts.is_bool = std::string_view(dtype.report) == "torch.bool";
  facts.is_code = !is_float && !facts.is_bool && bits <= 8;
  facts.is_narrow = is_float && bits <= 8;
  facts.saturation = saturation_of(dtype.report);
  return facts;
}

std::unordered_map<std::string_view, DtypeFacts> all_dtypes() {
  std::unordered_map<std::string_view, DtypeFacts> found;
  size_t count = 0;
  const DType* rows = dtype_rows(&count);
  for (size_t i = 0; i < count; ++i) found[rows[i].report] = facts_of(rows[i]);
  return found;
}

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// All pairs of a row: finite ones and others.
uint64_t pairs_of(const ReportRow& row) {
  const uint64_t n_finite = row.figures ? row.figures->n_pairs : 0;
  return std::max<uint64_t>(n_finite + row.n_mismatch.value_or(0), 1);
}

void add_figures(RowFacts& facts, const Figures& figures, const Rules& rules) {
  const bool fits = figures.my_fits_bf16 || figures.golden_fits_bf16;
  if (fits && rules.has(Rule::kFitsBfloat16))
    facts.roundoff = std::max(facts.roundoff, kBfloat16Roundoff);
  if (figures.golden_rms > 0)
    facts.code_roundoff = std::max(kHalfStep / figures.golden_rms, kFinestRoundoff);
  facts.is_equal = figures.n_differ == 0 && !facts.has_mismatch();
  facts.n_differ = figures.n_differ;
  facts.unmasked_share = figures.n_pairs == 0 ? 1 : share(figures.n_unmasked, figures.n_pairs);
  facts.rms_error = figures.rms_error;
  facts.bias = std::abs(figures.bias);
}

}  // namespace

const DtypeFacts& facts_of_dtype(std::string_view dtype) {
  static const std::unordered_map<std::string_view, DtypeFacts> known = all_dtypes();
  static const DtypeFacts unknown;
  const auto found = known.find(dtype);
  return found == known.end() ? unknown : found->second;
}

double roundoff_of(std::string_view dtype) { return facts_of_dtype(dtype).roundoff; }

bool knows_extrema_alone(const ReportRow& row) {
  return row.estimated == "min_max" || row.estimated == "stats";
}

RowFacts facts_of(const ReportRow& row, const Rules& rules) {
  RowFacts facts;
  facts.is_compared = is_compared(row);
  if (!facts.is_compared) return facts;
  const DtypeFacts& mine = facts_of_dtype(row.my.dtype);
  const DtypeFacts& golden = facts_of_dtype(row.golden.dtype);
  facts.roundoff = std::max(mine.roundoff, golden.roundoff);
  facts.saturation = mine.saturation | golden.saturation;
  facts.is_reduced = !row.figures;
  if (!knows_extrema_alone(row)) facts.red = row.relative_euclidean_distance;
  if (rules.has(Rule::kBlockGrowth)) facts.block = row.block_error;
  facts.mismatch_share = share(row.n_mismatch.value_or(0), pairs_of(row));
  if (row.figures) add_figures(facts, *row.figures, rules);
  return facts;
}

uint64_t settle_saturation(ReportRow& row, RowFacts& facts, uint32_t allowed) {
  if (row.n_mismatch.value_or(0) == 0 || !row.figures) return 0;
  const uint32_t types = facts.saturation | (allowed & wide_saturations());
  const uint64_t n = std::min(row.figures->n_saturated(types), *row.n_mismatch);
  facts.mismatch_share = share(*row.n_mismatch - n, pairs_of(row));
  row.n_mismatch = *row.n_mismatch - n;
  return n;
}

}  // namespace ait
