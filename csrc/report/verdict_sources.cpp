// INPUTS DIFFER: graph inputs and constants compute nothing. Where one differs, the two runs were
// not given the same data, unless it is state that runs before left behind.
#include <cmath>

#include "io/bytes.h"
#include "report/verdict_step.h"

namespace ait {
namespace {

uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 32);
}

/// A number that tensors of equal bits share on both sides; 0 without figures.
uint64_t figures_of(const ReportRow& row) {
  uint64_t hash = 1;
  for (const RowSide* side : {&row.my, &row.golden}) {
    if (!side->max || !side->min || !side->mean) return 0;
    // The same on every machine: parts of a rank may be judged on several.
    for (const char letter : side->shape) hash = mix(hash, static_cast<unsigned char>(letter));
    for (const double value : {*side->max, *side->min, *side->mean})
      hash = mix(hash, std::isnan(value) ? 1 : bits_of(value + 0.0));
  }
  return hash;
}

bool is_of_floats(const ReportRow& row) { return facts_of_dtype(row.my.dtype).is_float; }

std::string key_of(const JudgedStep& step, const FlowNode& source) {
  std::string key(step.rows.empty() ? "" : step.rows.front().graph);
  return key.append("/").append(source.name);
}

template <class Use>
void each_source(const JudgedStep& step, Use&& use) {
  for (uint32_t node = 0; node < step.flow.nodes.size(); ++node) {
    if (!step.flow.nodes[node].is_source) continue;
    for (const uint32_t tensor : step.flow.nodes[node].outputs) use(node, tensor);
  }
}

/// Why a source may differ though both runs were given the same data, "" if there is no reason.
std::string_view why_state(const JudgedStep& step, uint32_t tensor, const ReportRow& row,
                           const VerdictHistory& history) {
  if (step.flow.tensors[tensor].becomes != kNoFlow && step.rules.has(Rule::kInPlace))
    return "The graph writes it in place: it holds what runs before left in it.";
  if (history.has_written(row) && step.rules.has(Rule::kState)) return "An earlier step wrote it.";
  if (history.is_empty() && row.token_id > 0 && is_of_floats(row) && step.rules.has(Rule::kState))
    return "It may be state of steps that were not dumped.";
  return "";
}

bool agrees_once_rounded(const Answers& answers, size_t row) {
  const auto answer = answers.find(row);
  return answer != answers.end() && answer->second == Answer::kAlike;
}

}  // namespace

bool VerdictHistory::has_written(const ReportRow& row) const {
  const uint64_t figures = figures_of(row);
  return figures != 0 && (written_.count(figures) != 0 || before_.count(figures) != 0);
}

std::vector<std::pair<uint32_t, Given>> VerdictHistory::left_for(const JudgedStep& step) const {
  std::vector<std::pair<uint32_t, Given>> found;
  if (left_.empty() || !step.rules.has(Rule::kState)) return found;
  each_source(step, [&](uint32_t node, uint32_t) {
    const auto known = left_.find(key_of(step, step.flow.nodes[node]));
    if (known != left_.end()) found.emplace_back(node, known->second);
  });
  return found;
}

void VerdictHistory::add(const JudgedStep& step) {
  ++n_steps_;
  for (size_t row = 0; row < step.rows.size(); ++row) {
    if (!step.is_output(row) || !step.facts[row].is_compared || step.facts[row].is_equal) continue;
    written_.insert(figures_of(step.rows[row]));
  }
  each_source(step, [&](uint32_t node, uint32_t tensor) {
    const uint32_t after = step.flow.tensors[tensor].becomes;
    if (after != kNoFlow) left_[key_of(step, step.flow.nodes[node])] = lent_by(step, after);
  });
}

std::vector<Question> find_roundings(const JudgedStep& step) {
  std::vector<Question> found;
  each_source(step, [&](uint32_t, uint32_t tensor) {
    const Measure& measure = step.measures[tensor];
    if (!measure.exists() || measure.facts.is_equal || measure.facts.is_reduced) return;
    const ReportRow& row = step.rows[measure.row];
    const bool are_alike = roundoff_of(row.my.dtype) == roundoff_of(row.golden.dtype);
    if (is_of_floats(row) && !are_alike && !is_within(row, step.limits))
      found.push_back({measure.row, false, 0});
  });
  return found;
}

std::vector<DifferingSource> find_differing_sources(const JudgedStep& step,
                                                    const VerdictHistory& history,
                                                    const Answers& answers) {
  std::vector<DifferingSource> found;
  if (!step.rules.has(Rule::kInputsDiffer)) return found;
  each_source(step, [&](uint32_t node, uint32_t tensor) {
    const Measure& measure = step.measures[tensor];
    if (!measure.exists() || measure.facts.is_equal) return;
    const ReportRow& row = step.rows[measure.row];
    if (!is_of_floats(row) && measure.facts.is_reduced && is_within(row, step.limits)) return;
    if (is_of_floats(row) &&
        (is_within(row, step.limits) || agrees_once_rounded(answers, measure.row))) {
      found.push_back({node, measure.row, true, "It differs within the limits.", 0});
      return;
    }
    const std::string_view why = why_state(step, tensor, row, history);
    const uint64_t figures = why.empty() && step.rules.has(Rule::kState) ? figures_of(row) : 0;
    found.push_back({node, measure.row, !why.empty(), why, figures});
  });
  return found;
}

}  // namespace ait
