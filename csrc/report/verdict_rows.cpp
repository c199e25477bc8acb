// The cell `verdict` of every row: `pass`, `inherited` or `fail`, with the limit that was passed.

#include "io/number_text.h"
#include "report/verdict_step.h"

namespace ait {
namespace {

// Spacing of float32 at 1: absolute errors up to it pass whatever the other metrics say.
constexpr double kTinyError = 0x1p-23;
// An inherited error may have grown by these parts of what makes an op diverge.
constexpr double kInheritedGrowth = 3.0 / 4, kInheritedBlockGrowth = 15.0 / 16;

constexpr std::string_view kPass = "pass", kInherited = "inherited", kFail = "fail";

std::string number_text(double value) { return rounded_text(value, 3); }

std::string beyond(std::string_view name, Number value, std::string_view side, double limit) {
  if (!value) return std::string(name).append(" is not known.");
  return std::string(name)
      .append(" ")
      .append(number_text(*value))
      .append(side)
      .append(number_text(limit));
}

bool is_inherited(const JudgedStep& step, size_t row) {
  const ReportRow& cells = step.rows[row];
  const OpLimits limits = limits_of(step, row);
  if (!cells.error_growth || *cells.error_growth > kInheritedGrowth * limits.growth) return false;
  if (cells.block_growth.value_or(0) > kInheritedBlockGrowth * limits.block_growth) return false;
  return !step.facts[row].has_mismatch() || given_to(step, row).has_mismatch;
}

/// Verdicts of a step, first of outputs, then of inputs.
class Verdicts {
 public:
  Verdicts(JudgedStep& step, const std::vector<Divergence>& divergences,
           const std::vector<DifferingSource>& sources, const Evidence& evidence)
      : step_(step), evidence_(evidence), diverges_(step.flow.nodes.size()) {
    for (const Divergence& divergence : divergences) {
      if (divergence.kind != Kind::kEdge) diverges_[divergence.node] = true;
    }
    for (const DifferingSource& source : sources)
      if (!source.is_state) differing_.insert(source.node);
  }

  std::string_view of(size_t row) {
    const ReportRow& cells = step_.rows[row];
    if (!step_.facts[row].is_compared) return "";
    if (step_.facts[row].is_equal) return kPass;
    const bool is_within_limits = is_within(cells, step_.limits);
    if (knows_extrema_alone(cells) || step_.facts[row].is_reduced) {
      if (!is_within_limits && !cells.cosine_similarity && !step_.facts[row].has_mismatch())
        return "";
    }
    if (!step_.has_node(row)) return is_within_limits ? kPass : kFail;
    if (step_.places[row].is_written) return is_within_limits ? kPass : kInherited;
    if (step_.is_second_reading(row) && step_.places[row].tensor != kNoFlow)
      return of_second_reading(row);
    return of_measure(row, is_within_limits);
  }

 private:
  /// A row that measures its tensor, or of a tensor that nobody knows.
  std::string_view of_measure(size_t row, bool is_within_limits) {
    const uint32_t node = step_.producer_of(row);
    if (step_.flow.nodes[node].is_source) {
      if (is_within_limits) return kPass;
      return differing_.count(node) ? kFail : kInherited;
    }
    if (!is_read(step_, row)) return is_within_limits ? kPass : kInherited;
    if (diverges_[node] && (step_.is_output(row) || step_.is_measure(row))) return kFail;
    if (is_within_limits) return kPass;
    if (is_inherited(step_, row)) return kInherited;
    // Replay says that its op computes what its inputs say: it only passes on what it was given.
    const auto proven = evidence_.proofs.find(node);
    const bool is_right = proven != evidence_.proofs.end() && proven->second.proof != Proof::kWrong;
    return is_right ? kInherited : kFail;
  }

  std::string_view of_second_reading(size_t row) {
    const Measure& measure = step_.measures[step_.places[row].tensor];
    if (!measure.exists()) return of_measure(row, is_within(step_.rows[row], step_.limits));
    const OpLimits limits = limits_of(step_, row);
    const ReportRow& cells = step_.rows[row];
    const auto edge = evidence_.edges.find(row);
    if (edge != evidence_.edges.end()) return edge->second ? of(measure.row) : kFail;
    if (step_.rules.has(Rule::kEdge) && (cells.error_growth.value_or(0) > limits.growth ||
                                         cells.block_growth.value_or(0) > limits.block_growth))
      return kFail;
    return of(measure.row);
  }

  JudgedStep& step_;
  const Evidence& evidence_;
  std::vector<bool> diverges_;
  std::unordered_set<uint32_t> differing_;
};

/// The limits that a row has passed, with its values beside them.
std::string why(const JudgedStep& step, size_t row) {
  const ReportRow& cells = step.rows[row];
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  const bool is_tiny = cells.max_absolute_error && *cells.max_absolute_error <= kTinyError;
  if (!is_tiny && cells.cosine_similarity && *cells.cosine_similarity < step.limits.cosine_min)
    add(beyond("cosine_similarity", cells.cosine_similarity, " < ", step.limits.cosine_min));
  if (!is_tiny && cells.relative_euclidean_distance &&
      *cells.relative_euclidean_distance > step.limits.red_max)
    add(beyond("relative_euclidean_distance", cells.relative_euclidean_distance, " > ",
               step.limits.red_max));
  if (!step.has_node(row)) return text;
  const OpLimits limits = limits_of(step, row);
  if (cells.error_growth.value_or(0) > limits.growth)
    add(beyond("error_growth", cells.error_growth, " > ", limits.growth));
  if (cells.block_growth.value_or(0) > limits.block_growth)
    add(beyond("block_growth", cells.block_growth, " > ", limits.block_growth));
  return text;
}

/// Whether an op reads what another wrote, and it is that row which fails.
bool repeats_a_failure(const JudgedStep& step, size_t row) {
  const uint32_t tensor = step.places[row].tensor;
  if (!step.has_node(row) || tensor == kNoFlow || !step.is_second_reading(row)) return false;
  const Measure& measure = step.measures[tensor];
  return measure.exists() && measure.row != row && step.rows[measure.row].verdict == kFail;
}

void give_reason(JudgedStep& step, size_t row) {
  std::string passed = why(step, row);
  if (!passed.empty()) passed += '.';
  if (passed.empty() && repeats_a_failure(step, row)) {
    const std::string_view writer = step.flow.nodes[step.producer_of(row)].name;
    passed.append("It is what ").append(writer).append(" wrote, which fails.");
  }
  if (!is_read(step, row)) passed += passed.empty() ? "No op reads it." : " No op reads it.";
  if (passed.empty()) return;
  step.say(row, passed);
}

}  // namespace

bool is_read(const JudgedStep& step, size_t row) {
  const uint32_t tensor = step.places[row].tensor;
  return !step.is_output(row) || tensor == kNoFlow || step.flow.tensors[tensor].is_read ||
         step.node_of(row).is_fused || !step.rules.has(Rule::kUnreadOutputs);
}

bool is_within(uint64_t n_mismatch, Number max_absolute_error, Number cosine_similarity,
               Number relative_euclidean_distance, const Limits& limits) {
  if (n_mismatch != 0) return false;
  if (max_absolute_error && *max_absolute_error <= kTinyError) return true;
  return cosine_similarity && *cosine_similarity >= limits.cosine_min &&
         relative_euclidean_distance && *relative_euclidean_distance <= limits.red_max;
}

bool is_within(const ReportRow& row, const Limits& limits) {
  return is_within(row.n_mismatch.value_or(0), row.max_absolute_error, row.cosine_similarity,
                   row.relative_euclidean_distance, limits);
}

void fill_verdicts(JudgedStep& step, const std::vector<Divergence>& divergences,
                   const std::vector<DifferingSource>& sources, const Evidence& evidence) {
  Verdicts verdicts(step, divergences, sources, evidence);
  for (size_t row = 0; row < step.rows.size(); ++row) step.rows[row].verdict = verdicts.of(row);
  for (size_t row = 0; row < step.rows.size(); ++row) {
    if (step.rows[row].verdict == kInherited || step.rows[row].verdict == kFail)
      give_reason(step, row);
  }
}

}  // namespace ait
