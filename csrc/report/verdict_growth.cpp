// How errors grow from op to op: the cells upstream_error, error_growth, block_growth and
// decision_flips.
#include <algorithm>
#include <cmath>

#include "report/verdict_step.h"

namespace ait {
namespace {

// Attention in one op hides its scores: its limits are wider.
constexpr double kAttentionGrowth = 2, kAttentionBlockGrowth = 5;
// RED alone, without block_error, is held tighter.
constexpr double kWithoutBlock = 0.75;

Number ratio(double error, double floor) {
  // Infinite on infinite (golden all zero twice) is nothing new.
  return std::isinf(error) && std::isinf(floor) ? 1.0 : error / floor;
}

/// The kind of values of a row: that of its tensor.
bool is_decision(const JudgedStep& step, size_t row) {
  const uint32_t tensor = step.places[row].tensor;
  return tensor != kNoFlow && step.measures[tensor].kind == ValueKind::kDecision &&
         step.rules.has(Rule::kDecisions);
}

/// What a softmax makes of the absolute error of its scores.
double softmax_error(const JudgedStep& step, size_t row, const Given& given) {
  const FlowNode& op = step.flow.nodes[step.producer_of(row)];
  return op.exponentiates && step.rules.has(Rule::kSoftmax) ? given.near_rms : 0;
}

/// The relative distance that an op was given. What divides by its input makes the largest values
/// of the smallest ones, whose errors block_error sees and the distance does not.
double red_given(const JudgedStep& step, size_t row, const Given& given) {
  const FlowNode& op = step.flow.nodes[step.producer_of(row)];
  return op.is_inverse && step.rules.has(Rule::kInverse) ? std::max(given.red, given.block)
                                                         : given.red;
}

/// Whether what an op read excuses whatever it made of it.
bool is_excused(const JudgedStep& step, size_t row, const Given& given) {
  if (given.near_flip && step.rules.has(Rule::kDecisions)) return true;
  return step.facts[row].mismatch_share < given.near_mismatch &&
         step.rules.has(Rule::kMismatchShare);
}

void fill_row(JudgedStep& step, size_t row) {
  ReportRow& cells = step.rows[row];
  const RowFacts& facts = step.facts[row];
  const Given given = given_to(step, row);
  if (!given.lacks_red) cells.upstream_error = given.red;
  if (is_decision(step, row)) cells.decision_flips = facts.n_differ;
  if (step.places[row].is_written || is_decision(step, row) || is_excused(step, row, given)) {
    cells.error_growth = 0;
    if (facts.block) cells.block_growth = 0;
    return;
  }
  const bool is_power = step.flow.nodes[step.producer_of(row)].is_power;
  const double times = is_power && step.rules.has(Rule::kPower) ? 2 : 1;
  const double least = std::max(roundoff_of_row(step, row), softmax_error(step, row, given));
  if (facts.red && !given.lacks_red)
    cells.error_growth = ratio(*facts.red, std::max(times * red_given(step, row, given), least));
  if (facts.block && !given.lacks_block)
    cells.block_growth = ratio(*facts.block, std::max(times * given.block, least));
}

}  // namespace

Given given_to(const JudgedStep& step, size_t row) {
  const uint32_t node = step.producer_of(row);
  const RowPlace& place = step.places[row];
  // An input whose tensor nobody knows: it may be whatever was written before.
  if (place.tensor == kNoFlow && !step.is_output(row)) return step.before[node];
  if (step.is_output(row) || step.is_measure(row)) return step.given[node];
  Given given = step.given[node];
  const Measure& measure = step.measures[place.tensor];
  if (!measure.exists()) return given;
  given.red = std::max(given.red, measure.facts.red.value_or(0));
  given.block = std::max(given.block, measure.facts.block.value_or(0));
  given.lacks_red = given.lacks_red || !measure.facts.red;
  given.lacks_block = given.lacks_block || !measure.facts.block;
  given.has_mismatch = given.has_mismatch || measure.facts.has_mismatch();
  if (!measure.facts.is_equal) given.roundoff = std::max(given.roundoff, measure.facts.roundoff);
  return given;
}

double roundoff_of_row(const JudgedStep& step, size_t row) {
  const RowFacts& facts = step.facts[row];
  const uint32_t tensor = step.places[row].tensor;
  const ValueKind kind = tensor == kNoFlow ? ValueKind::kFloat : step.measures[tensor].kind;
  if (kind == ValueKind::kCode) return facts.code_roundoff;
  if (kind == ValueKind::kNumber) return kFinestRoundoff;
  const double given = step.rules.has(Rule::kAncestorRoundoff) ? given_to(step, row).roundoff : 0;
  return std::max({facts.roundoff, step.op_roundoff[step.producer_of(row)], given});
}

OpLimits limits_of(const JudgedStep& step, size_t row) {
  const FlowNode& op = step.flow.nodes[step.producer_of(row)];
  OpLimits limits{step.limits.growth_max, step.limits.block_growth_max};
  const auto hides = [&](uint32_t tensor) { return !step.measures[tensor].exists(); };
  const bool hides_scores = std::any_of(op.scores.begin(), op.scores.end(), hides);
  if ((op.is_attention || hides_scores) && step.rules.has(Rule::kAttention)) {
    limits.growth *= kAttentionGrowth;
    limits.block_growth *= kAttentionBlockGrowth;
  }
  if (!step.facts[row].block) limits.growth *= kWithoutBlock;
  return limits;
}

void fill_growth(JudgedStep& step) {
  for (size_t row = 0; row < step.rows.size(); ++row) {
    if (!step.facts[row].is_compared || !step.has_node(row)) continue;
    const bool is_source = step.flow.nodes[step.producer_of(row)].is_source;
    if (!is_source || step.is_second_reading(row)) fill_row(step, row);
  }
}

}  // namespace ait
