// The verdict on a step: which op computes something else, what it was given, which rows pass.
// Facts of rows (verdict_facts) -> what measures a tensor (verdict_measures) -> what ops were given
// (verdict_given) -> how errors grow (verdict_growth) -> why an op diverges (verdict_ladder), and
// whether its replay agrees (verdict_proofs), which inputs differ (verdict_sources) -> verdicts of
// rows (verdict_rows).
#pragma once

#include <memory>
#include <vector>

#include "report/verdict_step.h"

namespace ait {

/// What is told of an op that computes something else.
struct ToldDivergence {
  Divergence divergence;
  Number given_red, given_block;
  double limit;            ///< the one that it passed
  size_t n_outside_after;  ///< rows of the step outside the limits, after it
  std::vector<uint32_t> candidates;
  std::vector<uint32_t> unknown_inputs;  ///< integer graph inputs that it reads, without a pair
};

/// What judging a step found.
struct Findings {
  std::vector<ToldDivergence> divergences;  ///< in execution order
  std::vector<Suspect> suspects;
  std::vector<DifferingSource> sources;
  std::vector<size_t> unproven;  ///< rows that fail though nothing says that their op is wrong
  size_t n_outside = 0;          ///< rows outside the limits
};

using SayOfRow = std::function<void(size_t row, const std::string& text)>;

/// A step being judged: first what its figures tell; then, once questions are answered, the rest.
class StepVerdict {
 public:
  StepVerdict(std::vector<ReportRow>& rows, const std::vector<RowPlace>& places, const Flow& flow,
              const Limits& limits, const Rules& rules, const VerdictHistory& history,
              SayOfRow say);

  /// What only values can tell.
  std::vector<Question> questions() const;
  size_t n_rows() const { return step_.rows.size(); }
  size_t n_nodes() const { return step_.flow.nodes.size(); }
  std::vector<OpenEdge> open_edges() const { return find_open_edges(step_); }
  /// Ops that a replay should judge: what diverges with this evidence, and suspects.
  Findings preview(const Evidence& evidence) const;
  /// Fills in the verdicts and leaves to `history` what later steps must know.
  Findings finish(const Evidence& evidence, VerdictHistory& history);

 private:
  Limits limits_;
  Rules rules_;
  SayOfRow say_;
  JudgedStep step_;
};

}  // namespace ait
