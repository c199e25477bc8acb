// What an op was given: the largest error among the tensors that it reads and all that these depend
// on. One walk in topological order; errors flow along tensors.
#include <algorithm>
#include <unordered_map>

#include "report/verdict_step.h"

namespace ait {
namespace {

// A compared tensor lends on at most this many times its own error of what came before it:
// otherwise one hopeless early difference would hide everything behind it.
constexpr double kLendCap = 64;
// Of a tensor that is masked but for less than this, its own error says little.
constexpr double kLeastUnmasked = 0.25;

/// The error of a tensor itself, as it lends it.
struct OwnError {
  double red, block;
  bool is_flipped = false;  ///< a decision that differs
};

OwnError own_error(const JudgedStep& step, const Measure& measure) {
  const RowFacts& facts = measure.facts;
  const double red = facts.red.value_or(0), block = facts.block.value_or(0);
  if (measure.kind != ValueKind::kDecision || !step.rules.has(Rule::kDecisions))
    return {red, block};
  const bool is_flipped = !facts.is_equal && (!facts.is_reduced || red > 0);
  return {0, is_flipped ? 1.0 : 0.0, is_flipped};
}

/// What a compared tensor lends, of itself and of what its op was given.
Given lend(const JudgedStep& step, Given given, const Measure& measure) {
  const RowFacts& facts = measure.facts;
  const OwnError own = own_error(step, measure);
  if (!step.rules.has(Rule::kThroughAncestors)) given.red = given.block = 0;
  if (step.rules.has(Rule::kLendCap) && !tells_little(step, measure) &&
      measure.kind != ValueKind::kDecision) {
    given.red = std::min(given.red, kLendCap * facts.size());
    given.block = std::min(given.block, kLendCap * facts.size());
  }
  given.red = std::max(given.red, own.red);
  given.block = std::max(given.block, own.block);
  if (!facts.is_equal && step.rules.has(Rule::kAncestorRoundoff))
    given.roundoff = std::max(given.roundoff, facts.roundoff);
  given.saturation |= facts.saturation;
  given.has_mismatch = given.has_mismatch || facts.has_mismatch();
  given.lacks_red = !facts.red && !facts.is_equal;
  given.lacks_block = given.lacks_block || (!facts.block && !facts.is_equal);
  if (measure.kind == ValueKind::kFloat) given.near_rms = facts.rms_error;
  given.near_mismatch = facts.mismatch_share;
  given.near_bias = facts.bias;
  given.near_flip = own.is_flipped;
  return given;
}

/// The walk over the ops of a step.
class Walk {
 public:
  Walk(JudgedStep& step, const std::vector<std::pair<uint32_t, Given>>& left) : step_(step) {
    const size_t n = step.flow.nodes.size();
    step.given.assign(n, {});
    step.op_roundoff.assign(n, kFinestRoundoff);
    step.before.assign(n, {});
    step.reads_others.assign(n, false);
    own_inputs_.resize(n);
    dtypes_.resize(step.flow.tensors.size());
    for (const auto& [node, given] : left) step.given[node] = given;
    look_at_rows();
  }

  void run() {
    for (uint32_t node = 0; node < step_.flow.nodes.size(); ++node) {
      gather(node);
      step_.op_roundoff[node] = roundoff_of_op(node);
      for (const uint32_t tensor : step_.flow.nodes[node].outputs) settle(tensor);
      if (step_.flow.nodes[node].knows_reads) continue;
      for (const uint32_t tensor : step_.flow.nodes[node].outputs)
        everything_.join(uncapped(node, step_.measures[tensor]));
    }
  }

 private:
  void look_at_rows() {
    for (size_t row = 0; row < step_.rows.size(); ++row) {
      const RowPlace& place = step_.places[row];
      if (place.tensor != kNoFlow && dtypes_[place.tensor].empty())
        dtypes_[place.tensor] = step_.rows[row].my.dtype;
      const bool is_input = step_.rows[row].io == "inputs" && place.node != kNoFlow;
      if (step_.is_output(row) && place.tensor != kNoFlow && step_.facts[row].is_compared &&
          step_.measures[place.tensor].row != row)
        slices_[place.tensor].push_back(row);
      if (is_input && !place.is_written && step_.facts[row].is_compared && !step_.is_measure(row))
        own_inputs_[place.node].push_back(row);
    }
    for (size_t tensor = 0; tensor < dtypes_.size(); ++tensor)
      if (dtypes_[tensor].empty()) dtypes_[tensor] = step_.flow.tensors[tensor].dtype;
  }

  void gather(uint32_t node) {
    Given& given = step_.given[node];
    const FlowNode& op = step_.flow.nodes[node];
    for (const uint32_t tensor : op.reads) given.join(lent_by(step_, tensor));
    if (!op.knows_reads) given.join(everything_);
    step_.before[node] = given;
    // A second measurement of what the op reads.
    for (const size_t row : own_inputs_[node]) {
      const RowFacts& facts = step_.facts[row];
      settle_mismatches(row, given.saturation);
      const ValueKind kind = kind_of_input(row);
      if (!facts.is_equal) step_.reads_others[node] = true;
      if (step_.rules.has(Rule::kOwnInputs)) given.join(lend(step_, {}, {row, false, kind, facts}));
    }
  }

  Given uncapped(uint32_t node, const Measure& measure) {
    if (!measure.exists()) return {};
    Given lent = lend(step_, {}, measure);
    lent.join(step_.given[node]);
    return lent;
  }

  ValueKind kind_of_input(size_t row) const {
    const uint32_t tensor = step_.places[row].tensor;
    if (tensor != kNoFlow && step_.measures[tensor].exists()) return step_.measures[tensor].kind;
    return facts_of_dtype(step_.rows[row].my.dtype).is_float ? ValueKind::kFloat : ValueKind::kCode;
  }

  /// What is known of a tensor once its op is known: what kind of values it holds, what mismatches.
  void settle(uint32_t tensor) {
    Measure& measure = step_.measures[tensor];
    measure.kind = kind_of(tensor);
    if (!measure.exists()) return;
    const uint32_t allowed = step_.given[step_.flow.tensors[tensor].node].saturation;
    settle_mismatches(measure.row, allowed);
    measure.facts.mismatch_share = step_.facts[measure.row].mismatch_share;
    const auto slices = slices_.find(tensor);
    if (slices == slices_.end()) return;
    for (const size_t row : slices->second) {
      settle_mismatches(row, allowed);
      measure.facts.mismatch_share =
          std::max(measure.facts.mismatch_share, step_.facts[row].mismatch_share);
    }
  }

  void settle_mismatches(size_t row, uint32_t allowed) {
    RowFacts& facts = step_.facts[row];
    if (!step_.rules.has(Rule::kSaturation)) return;
    const uint64_t n = settle_saturation(step_.rows[row], facts, allowed);
    if (n == 0) return;
    const std::string pairs = n == 1 ? " pair is" : " pairs are";
    step_.say(row, std::to_string(n) + pairs + " saturation, no mismatch.");
  }

  ValueKind kind_of(uint32_t tensor) const {
    const FlowNode& op = step_.flow.nodes[step_.flow.tensors[tensor].node];
    const DtypeFacts& dtype = facts_of_dtype(dtypes_[tensor]);
    if (dtype.is_float || dtypes_[tensor].empty()) return ValueKind::kFloat;
    if (op.is_source) return dtype.is_code ? ValueKind::kCode : ValueKind::kDecision;
    bool from_codes = false, from_numbers = false;
    for (const uint32_t read : op.reads) {
      const ValueKind kind = step_.measures[read].kind;
      from_codes = from_codes || kind == ValueKind::kCode || kind == ValueKind::kNumber;
      from_numbers = from_numbers || from_codes || kind == ValueKind::kFloat;
    }
    if (dtype.is_code && (from_numbers || !op.knows_reads) && step_.rules.has(Rule::kCodes))
      return ValueKind::kCode;
    if (!dtype.is_bool && !dtype.is_code && from_codes && !op.chooses &&
        step_.rules.has(Rule::kNumbers))
      return ValueKind::kNumber;
    return ValueKind::kDecision;
  }

  double roundoff_of_op(uint32_t node) const {
    const FlowNode& op = step_.flow.nodes[node];
    double coarsest = step_.rules.has(Rule::kMemberRoundoff) ? op.member_roundoff : 0;
    if (!step_.rules.has(Rule::kInputRoundoff)) return std::max(coarsest, kFinestRoundoff);
    for (const uint32_t tensor : op.reads) coarsest = std::max(coarsest, roundoff_of_input(tensor));
    for (const size_t row : own_inputs_[node]) coarsest = std::max(coarsest, roundoff_of_row(row));
    return std::max(coarsest, kFinestRoundoff);
  }

  double roundoff_of_input(uint32_t tensor) const {
    const Measure& measure = step_.measures[tensor];
    if (measure.exists()) return roundoff_of_row(measure.row);
    return facts_of_dtype(dtypes_[tensor]).roundoff;
  }

  /// Of an input's dtypes. One of 8 bits that is equal is how a weight is stored, not how the op
  /// rounds.
  double roundoff_of_row(size_t row) const {
    double coarsest = kFinestRoundoff;
    for (const RowSide* side : {&step_.rows[row].my, &step_.rows[row].golden}) {
      const DtypeFacts& dtype = facts_of_dtype(side->dtype);
      if (!dtype.is_narrow || !step_.facts[row].is_equal)
        coarsest = std::max(coarsest, dtype.roundoff);
    }
    return coarsest;
  }

  JudgedStep& step_;
  std::vector<std::vector<size_t>> own_inputs_;  ///< of every op: rows that are no measure
  std::vector<std::string_view> dtypes_;         ///< of every tensor
  std::unordered_map<uint32_t, std::vector<size_t>> slices_;  ///< of tensors of several rows
  Given everything_;  ///< what ops that do not know what they read may have read
};

}  // namespace

bool tells_little(const JudgedStep& step, const Measure& measure) {
  return step.rules.has(Rule::kMaskedLendAll) && measure.facts.unmasked_share < kLeastUnmasked;
}

double RowFacts::size() const { return std::max({red.value_or(0), block.value_or(0), roundoff}); }

void Given::join(const Given& other) {
  red = std::max(red, other.red);
  block = std::max(block, other.block);
  roundoff = std::max(roundoff, other.roundoff);
  saturation |= other.saturation;
  has_mismatch = has_mismatch || other.has_mismatch;
  lacks_red = lacks_red || other.lacks_red;
  lacks_block = lacks_block || other.lacks_block;
  near_rms = std::max(near_rms, other.near_rms);
  near_mismatch = std::max(near_mismatch, other.near_mismatch);
  near_bias = std::max(near_bias, other.near_bias);
  near_flip = near_flip || other.near_flip;
}

Given lent_by(const JudgedStep& step, uint32_t tensor) {
  const Given& given = step.given[step.flow.tensors[tensor].node];
  const Measure& measure = step.measures[tensor];
  return measure.exists() ? lend(step, given, measure) : given;
}

void find_given(JudgedStep& step, const std::vector<std::pair<uint32_t, Given>>& left) {
  Walk(step, left).run();
}

}  // namespace ait
