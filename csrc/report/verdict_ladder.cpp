// Why an op diverges: one rule, one function, in the order in which the first that holds is told.
#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "report/verdict_step.h"

namespace ait {
namespace {

// A suspect: not proven, but more than most clean ops show.
constexpr double kSuspectGrowth = 2;
constexpr double kSuspectBias = 8;  // standard deviations
constexpr double kLeastBias = 0.2;  // in units of roundoff
constexpr double kBiasOverInputs = 2;

// Large errors do not pass on in proportion: one element far off becomes a row, a root of a value
// near 0 explodes. Of what was given more than this, both measures must say that it has grown.
constexpr double kLargeError = 0.2;
constexpr double kOtherMeasure = 2;

/// A row that is held against limits: of an output that is read, or of an input that stands for
/// what its producer wrote, or that differs from it.
struct Judged {
  const JudgedStep& step;
  const Answers& answers;
  const Edges& edges;
  size_t row;

  const ReportRow& cells() const { return step.rows[row]; }
  const RowFacts& facts() const { return step.facts[row]; }
  bool is_second_reading() const { return step.is_second_reading(row); }
};

bool has_grown(const Judged& judged) {
  const Number growth = judged.cells().error_growth;
  return growth && *growth > limits_of(judged.step, judged.row).growth;
}

bool has_block_grown(const Judged& judged) {
  const Number growth = judged.cells().block_growth;
  return growth && *growth > limits_of(judged.step, judged.row).block_growth;
}

/// Whether what an op was given is beyond what a first-order estimate can follow.
bool was_given_a_large_error(const Judged& judged) {
  const Given given = given_to(judged.step, judged.row);
  return std::max(given.red, given.block) > kLargeError &&
         judged.step.rules.has(Rule::kLargeErrors);
}

/// Whether the other measure of a row agrees with one that says it has grown.
bool other_measure_agrees(const Judged& judged, Number other) {
  return !other || *other > kOtherMeasure || !was_given_a_large_error(judged);
}

bool grows(const Judged& judged) {
  return !judged.is_second_reading() && judged.step.rules.has(Rule::kGrowth) && has_grown(judged) &&
         other_measure_agrees(judged, judged.cells().block_growth);
}

bool grows_in_a_block(const Judged& judged) {
  return !judged.is_second_reading() && judged.step.rules.has(Rule::kBlockGrowth) &&
         has_block_grown(judged) && other_measure_agrees(judged, judged.cells().error_growth);
}

bool becomes_nonfinite(const Judged& judged) {
  return !judged.is_second_reading() && judged.facts().has_mismatch() &&
         !given_to(judged.step, judged.row).has_mismatch &&
         judged.step.rules.has(Rule::kNonfiniteOnly);
}

bool is_equal_or_constant(const JudgedStep& step, uint32_t tensor) {
  const Measure& measure = step.measures[tensor];
  if (measure.exists()) return measure.facts.is_equal;
  return step.flow.nodes[step.flow.tensors[tensor].node].is_constant;
}

bool reads_equal_tensors(const JudgedStep& step, uint32_t node) {
  const FlowNode& op = step.flow.nodes[node];
  if (!op.knows_reads || op.reads.empty() || step.reads_others[node]) return false;
  return std::all_of(op.reads.begin(), op.reads.end(),
                     [&](uint32_t tensor) { return is_equal_or_constant(step, tensor); });
}

bool differs_on_equal_inputs(const Judged& judged) {
  const JudgedStep& step = judged.step;
  if (judged.is_second_reading() || judged.facts().is_equal || !step.rules.has(Rule::kExact))
    return false;
  if (!reads_equal_tensors(step, step.producer_of(judged.row))) return false;
  if (judged.cells().decision_flips) {
    const auto answer = judged.answers.find(judged.row);
    return answer == judged.answers.end() || answer->second == Answer::kApart;
  }
  const double least = limits_of(step, judged.row).growth * roundoff_of_row(step, judged.row);
  return judged.facts().red.value_or(0) > least;
}

bool is_not_what_was_written(const Judged& judged) {
  if (judged.edges.count(judged.row) != 0) return false;  // its bytes are equal: see `differs`
  return judged.is_second_reading() && judged.step.places[judged.row].tensor != kNoFlow &&
         judged.step.measures[judged.step.places[judged.row].tensor].exists() &&
         judged.step.rules.has(Rule::kEdge) && (has_grown(judged) || has_block_grown(judged));
}

/// Whether an input was held against what was written and is something else.
bool differs(const JudgedStep& step, const Edges& edges, size_t row) {
  const auto edge = edges.find(row);
  return edge != edges.end() && !edge->second && step.has_node(row) && step.rules.has(Rule::kEdge);
}

/// The ladder. Kinds `replay` and `graph` come from the replay of suspects: verdict_proofs.cpp.
struct Rung {
  Kind kind;
  bool (*holds)(const Judged&);
};
constexpr Rung kLadder[] = {
    {Kind::kGrowth, grows},
    {Kind::kBlockGrowth, grows_in_a_block},
    {Kind::kNonfiniteOnly, becomes_nonfinite},
    {Kind::kExact, differs_on_equal_inputs},
    {Kind::kEdge, is_not_what_was_written},
};

Kind kind_of(const Judged& judged) {
  for (const Rung& rung : kLadder)
    if (rung.holds(judged)) return rung.kind;
  return Kind::kNone;
}

bool is_biased(const Judged& judged) {
  const Number z = judged.cells().bias_z;
  const double bias = judged.facts().bias;
  return z && std::abs(*z) > kSuspectBias &&
         bias > kLeastBias * roundoff_of_row(judged.step, judged.row) &&
         bias > kBiasOverInputs * given_to(judged.step, judged.row).near_bias;
}

/// Why a row makes its op a suspect, "" if it does not.
std::string_view suspicion_of(const Judged& judged) {
  const JudgedStep& step = judged.step;
  if (judged.is_second_reading()) return "";
  if (step.rules.has(Rule::kSuspectGrowth)) {
    if (judged.cells().error_growth.value_or(0) > kSuspectGrowth) return "growth";
    if (judged.cells().block_growth.value_or(0) > kSuspectGrowth) return "block";
  }
  if (step.rules.has(Rule::kSuspectBias) && is_biased(judged)) return "bias";
  const auto answer = judged.answers.find(judged.row);
  const bool is_apart = answer != judged.answers.end() && answer->second == Answer::kApart;
  return is_apart ? "decision" : "";
}

/// How far a row is beyond what it may, to choose the one that shows most.
double excess(const JudgedStep& step, size_t row) {
  const OpLimits limits = limits_of(step, row);
  const double growth = step.rows[row].error_growth.value_or(0) / limits.growth;
  return std::max(growth, step.rows[row].block_growth.value_or(0) / limits.block_growth);
}

bool is_judged(const JudgedStep& step, size_t row) {
  if (!step.facts[row].is_compared || !step.has_node(row) || step.places[row].is_written)
    return false;
  const uint32_t tensor = step.places[row].tensor;
  if (tensor == kNoFlow) return step.is_output(row);
  if (step.flow.nodes[step.flow.tensors[tensor].node].is_source) return step.is_second_reading(row);
  return is_read(step, row);
}

/// The op that a row accuses: its producer, or the reader where another reading was right.
uint32_t accused(const JudgedStep& step, size_t row, Kind kind) {
  return kind == Kind::kEdge ? step.places[row].node : step.producer_of(row);
}

}  // namespace

std::vector<Divergence> find_divergences(const JudgedStep& step, const Evidence& evidence) {
  std::vector<Divergence> found;
  std::unordered_map<uint32_t, size_t> place_of;
  for (size_t row = 0; row < step.rows.size(); ++row) {
    Kind kind = Kind::kEdge;
    if (!differs(step, evidence.edges, row))
      kind = is_judged(step, row) ? kind_of({step, evidence.answers, evidence.edges, row})
                                  : Kind::kNone;
    if (kind == Kind::kNone) continue;
    const uint32_t node = accused(step, row, kind);
    const auto [place, is_new] = place_of.emplace(node, found.size());
    if (is_new) {
      found.push_back({node, row, kind});
      continue;
    }
    Divergence& known = found[place->second];
    const bool is_worse = kind == known.kind && excess(step, row) > excess(step, known.row);
    if (kind < known.kind || is_worse) known = {node, row, kind};
  }
  return evidence.proofs.empty() ? found : with_proofs(std::move(found), evidence, step);
}

std::vector<Suspect> find_suspects(const JudgedStep& step, const Answers& answers) {
  std::vector<Suspect> found;
  std::unordered_map<uint32_t, size_t> seen;
  for (size_t row = 0; row < step.rows.size(); ++row) {
    if (!is_judged(step, row)) continue;
    const std::string_view why = suspicion_of({step, answers, {}, row});
    if (!why.empty() && seen.emplace(step.producer_of(row), row).second)
      found.push_back({step.producer_of(row), row, why});
  }
  return found;
}

std::vector<Question> find_choices(const JudgedStep& step) {
  std::vector<Question> found;
  for (size_t row = 0; row < step.rows.size(); ++row) {
    if (!is_judged(step, row) || step.rows[row].decision_flips.value_or(0) == 0) continue;
    // On equal inputs only a choice among equal values is none of the op's making.
    const bool must_be_equal = reads_equal_tensors(step, step.producer_of(row));
    const double error = std::max(given_to(step, row).red, roundoff_of_row(step, row));
    found.push_back({row, true, must_be_equal ? 0 : step.limits.growth_max * error});
  }
  return found;
}

std::vector<uint32_t> candidates_of(const JudgedStep& step, uint32_t node) {
  std::vector<uint32_t> found = {node}, waiting = {node};
  std::unordered_map<uint32_t, bool> seen = {{node, true}};
  while (!waiting.empty()) {
    const uint32_t at = waiting.back();
    waiting.pop_back();
    for (const uint32_t tensor : step.flow.nodes[at].reads) {
      const uint32_t source = step.flow.tensors[tensor].node;
      const Measure& measure = step.measures[tensor];
      if (measure.exists() && !tells_little(step, measure)) continue;
      if (step.flow.nodes[source].is_source || !seen.emplace(source, true).second) continue;
      found.push_back(source);
      waiting.push_back(source);
    }
  }
  std::sort(found.begin() + 1, found.end(), std::greater<>());
  return found;
}

}  // namespace ait
