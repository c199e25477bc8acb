#include "report/verdict.h"

#include <algorithm>
#include <unordered_set>

namespace ait {
namespace {

/// Rows outside the limits; an input that has another measure only repeats it.
bool is_outside(const JudgedStep& step, size_t row) {
  const std::string_view verdict = step.rows[row].verdict;
  if (verdict != "inherited" && verdict != "fail") return false;
  const uint32_t tensor = step.places[row].tensor;
  return tensor == kNoFlow || !step.is_second_reading(row) || !step.measures[tensor].exists();
}

/// Integer graph inputs that an op reads and that nobody could compare.
std::vector<uint32_t> unknown_inputs(const JudgedStep& step, uint32_t node) {
  std::vector<uint32_t> found;
  for (const uint32_t tensor : step.flow.nodes[node].reads) {
    const FlowTensor& read = step.flow.tensors[tensor];
    const FlowNode& source = step.flow.nodes[read.node];
    const DtypeFacts& dtype = facts_of_dtype(read.dtype);
    if (source.is_source && !source.is_constant && !step.measures[tensor].exists() &&
        !read.dtype.empty() && !dtype.is_float)
      found.push_back(read.node);
  }
  return found;
}

double limit_of(const JudgedStep& step, const Divergence& divergence) {
  const OpLimits limits = limits_of(step, divergence.row);
  switch (divergence.kind) {
    case Kind::kBlockGrowth:
      return limits.block_growth;
    case Kind::kNonfiniteOnly:
      return 0;
    case Kind::kExact:
      return limits.growth * roundoff_of_row(step, divergence.row);
    case Kind::kEdge: {
      const bool by_block = step.rows[divergence.row].error_growth.value_or(0) <= limits.growth;
      return by_block ? limits.block_growth : limits.growth;
    }
    default:
      return limits.growth;
  }
}

/// Counts rows outside the limits: in the step, and behind the file of every divergence.
void count_outside(const JudgedStep& step, Findings& found) {
  const size_t n = step.rows.size();
  for (size_t row = 0; row < n; ++row) found.n_outside += is_outside(step, row) ? 1 : 0;
  if (found.divergences.empty()) return;
  std::vector<size_t> from(n + 1, 0);
  for (size_t row = n; row-- > 0;) from[row] = from[row + 1] + (is_outside(step, row) ? 1 : 0);
  for (ToldDivergence& told : found.divergences) {
    size_t end = told.divergence.row;
    const std::string_view file = step.rows[end].my.path.file;
    while (end < n && step.rows[end].my.path.file == file) ++end;
    told.n_outside_after = from[end];
  }
}

/// Rows that fail, but for those of divergences and of inputs that differ.
std::vector<size_t> unproven_rows(const JudgedStep& step, const std::vector<Divergence>& told) {
  std::unordered_set<uint32_t> proven;
  for (const Divergence& divergence : told) proven.insert(divergence.node);
  std::vector<size_t> found;
  for (size_t row = 0; row < step.rows.size(); ++row) {
    if (step.rows[row].verdict != "fail") continue;
    if (step.has_node(row)) {
      const uint32_t writer = step.producer_of(row);
      if (step.flow.nodes[writer].is_source || proven.count(writer) != 0) continue;
      if (!is_outside(step, row)) continue;
    }
    found.push_back(row);
  }
  return found;
}

ToldDivergence tell(const JudgedStep& step, const Divergence& divergence) {
  const Given given = given_to(step, divergence.row);
  ToldDivergence told{divergence, given.red, given.block, limit_of(step, divergence), 0, {}, {}};
  told.candidates = divergence.kind == Kind::kEdge ? std::vector<uint32_t>{divergence.node}
                                                   : candidates_of(step, divergence.node);
  told.unknown_inputs = unknown_inputs(step, divergence.node);
  return told;
}

}  // namespace

StepVerdict::StepVerdict(std::vector<ReportRow>& rows, const std::vector<RowPlace>& places,
                         const Flow& flow, const Limits& limits, const Rules& rules,
                         const VerdictHistory& history, SayOfRow say)
    : limits_(limits),
      rules_(rules),
      say_(std::move(say)),
      step_{rows, places, flow, limits_, rules_, say_, {}, {}, {}, {}, {}, {}} {
  find_measures(step_);
  find_given(step_, history.left_for(step_));
  fill_growth(step_);
}

std::vector<Question> StepVerdict::questions() const {
  std::vector<Question> found = find_choices(step_);
  for (const Question& question : find_roundings(step_)) found.push_back(question);
  return found;
}

Findings StepVerdict::preview(const Evidence& evidence) const {
  Findings found;
  for (const Divergence& divergence : find_divergences(step_, evidence))
    found.divergences.push_back(tell(step_, divergence));
  found.suspects = find_suspects(step_, evidence.answers);
  return found;
}

Findings StepVerdict::finish(const Evidence& evidence, VerdictHistory& history) {
  Findings found;
  const std::vector<Divergence> divergences = find_divergences(step_, evidence);
  found.suspects = find_suspects(step_, evidence.answers);
  found.sources = find_differing_sources(step_, history, evidence.answers);
  fill_verdicts(step_, divergences, found.sources, evidence);
  for (const Divergence& divergence : divergences)
    found.divergences.push_back(tell(step_, divergence));
  found.unproven = unproven_rows(step_, divergences);
  count_outside(step_, found);
  history.add(step_);
  return found;
}

}  // namespace ait
