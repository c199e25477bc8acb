// Which row measures which tensor: that of its producer, or else that of its first reader.
#include <algorithm>

#include "report/verdict_step.h"

namespace ait {
namespace {

void join_number(Number& mine, const Number& other) {
  if (other && (!mine || *other > *mine)) mine = other;
}

/// Rows of one tensor are slices of it: the worst of each figure.
void join(RowFacts& mine, const RowFacts& other) {
  mine.is_equal = mine.is_equal && other.is_equal;
  join_number(mine.red, other.red);
  join_number(mine.block, other.block);
  mine.roundoff = std::max(mine.roundoff, other.roundoff);
  mine.code_roundoff = std::max(mine.code_roundoff, other.code_roundoff);
  mine.saturation |= other.saturation;
  mine.mismatch_share = std::max(mine.mismatch_share, other.mismatch_share);
  mine.unmasked_share = std::min(mine.unmasked_share, other.unmasked_share);
  mine.rms_error = std::max(mine.rms_error, other.rms_error);
  mine.bias = std::max(mine.bias, other.bias);
}

void add(Measure& measure, size_t row, const RowFacts& facts, bool is_of_producer) {
  if (measure.exists()) {
    join(measure.facts, facts);
    return;
  }
  measure.row = row;
  measure.is_of_producer = is_of_producer;
  measure.facts = facts;
}

/// The facts of a row. A constant of the graph text counts as equal within the limits: a literal of
/// FX has more digits than the dtype of its constant.
RowFacts facts_at(const JudgedStep& step, size_t row) {
  RowFacts facts = facts_of(step.rows[row], step.rules);
  const uint32_t tensor = step.places[row].tensor;
  if (tensor == kNoFlow || !step.flow.nodes[step.flow.tensors[tensor].node].is_constant ||
      !is_within(step.rows[row], step.limits))
    return facts;
  facts.is_equal = facts.is_compared;
  facts.red = facts.block = 0;
  return facts;
}

}  // namespace

bool JudgedStep::is_measure(size_t row) const {
  const uint32_t tensor = places[row].tensor;
  if (tensor == kNoFlow || !facts[row].is_compared) return false;
  return is_output(row) ? !places[row].is_written : measures[tensor].row == row;
}

uint32_t JudgedStep::producer_of(size_t row) const {
  const uint32_t tensor = places[row].tensor;
  return tensor == kNoFlow ? places[row].node : flow.tensors[tensor].node;
}

void find_measures(JudgedStep& step) {
  step.measures.assign(step.flow.tensors.size(), {});
  step.facts.reserve(step.rows.size());
  for (size_t row = 0; row < step.rows.size(); ++row) step.facts.push_back(facts_at(step, row));
  for (const bool of_producer : {true, false}) {
    if (!of_producer && !step.rules.has(Rule::kReadersMeasure)) return;
    for (size_t row = 0; row < step.rows.size(); ++row) {
      const RowPlace& place = step.places[row];
      if (place.tensor == kNoFlow || place.is_written || !step.facts[row].is_compared) continue;
      Measure& measure = step.measures[place.tensor];
      if (step.is_output(row) != of_producer || (!of_producer && measure.exists())) continue;
      add(measure, row, step.facts[row], of_producer);
    }
  }
}

}  // namespace ait
