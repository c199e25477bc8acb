// The rows of one step: from what pairing says of each tensor, through what the comparison finds,
// to the lines of the report.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compare/batch.h"
#include "report/flow.h"
#include "report/report_row.h"
#include "report/texts.h"
#include "report/verdict.h"

namespace ait {

/// What pairing says of one tensor.
struct PairedTensor {
  static constexpr size_t kNoFile = SIZE_MAX;

  struct Side {
    size_t file = kNoFile;  ///< number in the list of paths
    std::string_view io;    ///< "inputs", "outputs" or, of an .npy file, ""
    uint32_t index = 0;
    std::vector<ViewStep> steps;
  };

  Side my, golden;  ///< `golden` without a file: no counterpart
  ReportRow row;    ///< with what pairing knows
  RowPlace place;   ///< where it stands in the graph
};

/// The tensors of a step as they are paired; steps that repeat share it. Files are numbers here:
/// every step has paths of its own.
struct StepPlan {
  Texts texts;
  std::vector<PairedTensor> tensors;
  Flow flow;
};

/// What the comparison found of one pair.
struct Found {
  std::string_view status;
  std::vector<Sentence> sentences;
  bool has_metrics = false;
  ReportRow row;  ///< with what it found; `n_mismatch` counts if it has metrics
};

class StepRows {
 public:
  StepRows(std::shared_ptr<const StepPlan> plan, std::vector<std::string> paths, int64_t token_id);

  StepRows(StepRows&&) = default;  // the rows look into the texts: those stay where they are

  const std::vector<std::string>& paths() const { return paths_; }
  std::shared_ptr<const StepPlan> plan() const { return plan_; }

  /// The pairs that have something to read, in order.
  std::vector<Job> jobs() const;

  /// The results of the next jobs.
  void take(std::vector<JobResult>&& results);
  void take(const Found& found);
  /// Keeps a text as long as the rows.
  std::string_view keep(std::string_view text) { return texts_.keep(text); }

  /// What is said of a row, in order: by pairing, by the comparison, and what was added.
  std::vector<Sentence> sentences(size_t i) const;
  /// Says one more sentence of a row.
  void say_of(size_t i, Sentence sentence);
  /// The text of a row was written anew: it is one sentence now.
  void forget_sentences(size_t i) { said_.erase(i); }

  /// Rows that have all that they get: those before the first job without a result.
  size_t n_done() const;
  bool is_done() const { return n_done() == rows_.size(); }

  /// Ends the taking: rows that are not done are dropped, the others numbered.
  void number(int64_t first_id);
  /// Begins to judge the rows, which have to be numbered before.
  std::unique_ptr<StepVerdict> verdict(const Limits& limits, const Rules& rules,
                                       const VerdictHistory& history);
  const Flow& flow() const { return plan_->flow; }

  const std::vector<ReportRow>& rows() const { return rows_; }
  ReportRow& row(size_t i) { return rows_.at(i); }

  /// Two numbers that steps share whose tensors have equal sizes and figures on that side, in any
  /// order; no others, as far as 128 bits tell. Rows without figures do not count.
  std::pair<uint64_t, uint64_t> figures_hash(bool of_golden) const;

  /// Lines of the report.
  std::string csv() const;

 private:
  void skip_rows_without_job();

  std::shared_ptr<const StepPlan> plan_;
  std::vector<std::string> paths_;
  Texts texts_;
  std::vector<ReportRow> rows_;
  std::vector<RowPlace> places_;
  std::unordered_map<size_t, std::vector<Sentence>> said_;  ///< of rows of which anything is said
  size_t next_ = 0;                                         ///< row that gets the next result
};

}  // namespace ait
