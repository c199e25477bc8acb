// A step while it is judged: what the small files verdict_*.cpp share.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "report/flow.h"
#include "report/report_row.h"
#include "report/verdict_facts.h"
#include "report/verdict_rules.h"

namespace ait {

/// What still counts as equal; see python/ait_cmp/config.py.
struct Limits {
  double cosine_min, red_max, growth_max, block_growth_max;
};

/// Where a row stands in the graph.
struct RowPlace {
  uint32_t node = kNoFlow;    ///< the op that its file is
  uint32_t tensor = kNoFlow;  ///< what it is: an output, or what arrives at an input
  bool is_written = false;  ///< an input that its op writes in place and that was dumped afterwards
};

/// What kind of value a tensor holds: by its dtype, and by what it was made from.
enum class ValueKind : uint8_t { kUnknown, kFloat, kCode, kNumber, kDecision };

/// What the rows say of a tensor: those of its producer, or else that of its first reader.
struct Measure {
  static constexpr size_t kNone = SIZE_MAX;

  size_t row = kNone;           ///< the first of its rows
  bool is_of_producer = false;  ///< rows of outputs; else of an input
  ValueKind kind = ValueKind::kUnknown;
  RowFacts facts;  ///< the worst of its rows

  bool exists() const { return row != kNone; }
};

/// What an op was given, or what a tensor lends to all that depends on it.
struct Given {
  double red = 0, block = 0;          ///< largest errors
  double roundoff = kFinestRoundoff;  ///< coarsest of rows that are not equal
  uint32_t saturation = 0;            ///< of all dtypes seen
  bool has_mismatch = false;          ///< NaN or inf stands on one side only, somewhere above
  bool lacks_red = false;             ///< nothing but extrema is known of what is nearest
  bool lacks_block = false;           ///< some row above has no block_error
  // Of the nearest tensors that have a row:
  double near_rms = 0;       ///< of floats: root mean square of the error
  double near_mismatch = 0;  ///< share of pairs that mismatch
  double near_bias = 0;
  bool near_flip = false;  ///< a decision that differs

  void join(const Given& other);
};

/// A step as it is judged. Filled from top to bottom; each file says which part it fills.
struct JudgedStep {
  std::vector<ReportRow>& rows;
  const std::vector<RowPlace>& places;
  const Flow& flow;
  const Limits& limits;
  const Rules& rules;
  const std::function<void(size_t row, const std::string& text)>& say;  ///< of a row

  std::vector<RowFacts> facts;      ///< of every row
  std::vector<Measure> measures;    ///< of every tensor
  std::vector<Given> given;         ///< of every op
  std::vector<Given> before;        ///< the same without second readings of its inputs
  std::vector<bool> reads_others;   ///< of every op: a second reading of an input is not equal
  std::vector<double> op_roundoff;  ///< of every op: of what it reads, and of its members

  const FlowNode& node_of(size_t row) const { return flow.nodes[places[row].node]; }
  bool has_node(size_t row) const { return places[row].node != kNoFlow; }
  bool is_output(size_t row) const { return rows[row].io == "outputs"; }
  /// Whether a row is the measure of the tensor that it is.
  bool is_measure(size_t row) const;
  /// Whether a row is of an input that has another measure, or of nobody knows what.
  bool is_second_reading(size_t row) const {
    return rows[row].io == "inputs" && !places[row].is_written && !is_measure(row);
  }
  /// The op that wrote the tensor of a row: its own op for an output.
  uint32_t producer_of(size_t row) const;
};

/// Rows -> facts, and which of them measure which tensor.
void find_measures(JudgedStep& step);

/// What every op was given, and the facts that depend on it: kinds of values, mismatches.
/// `left` is what sources hold of steps before: by tensor.
void find_given(JudgedStep& step, const std::vector<std::pair<uint32_t, Given>>& left);
/// Whether a tensor is masked all but for a small part, so that its own error says little.
bool tells_little(const JudgedStep& step, const Measure& measure);
/// What a tensor lends to all that depends on it.
Given lent_by(const JudgedStep& step, uint32_t tensor);

/// The cells upstream_error, error_growth, block_growth and decision_flips of every row.
void fill_growth(JudgedStep& step);
/// The unit roundoff that a row's growth is held against.
double roundoff_of_row(const JudgedStep& step, size_t row);
/// What the tensor of a row was made from; of a second measurement with the first.
Given given_to(const JudgedStep& step, size_t row);

/// The limits of an op, which attention has wider than others.
struct OpLimits {
  double growth, block_growth;
};
OpLimits limits_of(const JudgedStep& step, size_t row);

/// Why an op diverges, the first that holds.
enum class Kind : uint8_t {
  kGrowth,
  kBlockGrowth,
  kNonfiniteOnly,
  kExact,
  kEdge,
  kReplay,
  kGraph,
  kNone
};
inline constexpr std::array<std::string_view, 8> kKindNames = {
    "growth", "block", "nonfinite", "exact", "edge", "replay", "graph", ""};

/// What only the values of a row can tell.
struct Question {
  size_t row;
  bool is_choice;    ///< do the values that a decision chose agree? else: do both sides agree once
                     ///< they are rounded to the coarser of their dtypes?
  double tolerance;  ///< of choices, in units of the root mean square of the values chosen from
};
enum class Answer : uint8_t { kAlike, kApart };
using Answers = std::unordered_map<size_t, Answer>;  ///< by row

/// An input row and the output row that it has to equal, where the rows do not tell that it does.
struct OpenEdge {
  size_t read, written;
};
/// Input rows that were held bit by bit against what was written -> whether they are equal.
using Edges = std::unordered_map<size_t, bool>;

/// What the replay of an op says of it.
enum class Proof : uint8_t {
  kWrong,       ///< it does not compute what its inputs say
  kRight,       ///< it does; what the golden side makes of its inputs is not known
  kInherits,    ///< it does, and only passes on what it was given
  kOtherGraph,  ///< it does, and the golden side computes something else
};
inline constexpr std::array<std::string_view, 4> kProofNames = {"wrong", "right", "inherits",
                                                                "other_graph"};
struct Proven {
  Proof proof;
  size_t row;  ///< the one that shows it
};
using Proofs = std::unordered_map<uint32_t, Proven>;  ///< by op

/// What values tell beside the rows.
struct Evidence {
  Answers answers;
  Edges edges;
  Proofs proofs;
};

/// An op that computes something else.
struct Divergence {
  uint32_t node;
  size_t row;  ///< the one that shows it most
  Kind kind;
};

/// An op that its replay should judge.
struct Suspect {
  uint32_t node;
  size_t row;
  std::string_view why;
};

/// Questions on decisions that differ.
std::vector<Question> find_choices(const JudgedStep& step);
/// Edges of which bytes have to tell whether they are equal.
std::vector<OpenEdge> find_open_edges(const JudgedStep& step);
/// Every op that diverges, in execution order, once.
std::vector<Divergence> find_divergences(const JudgedStep& step, const Evidence& evidence);
/// The same when replay has had its say; called by `find_divergences`.
std::vector<Divergence> with_proofs(std::vector<Divergence> found, const Evidence& evidence,
                                    const JudgedStep& step);
std::vector<Suspect> find_suspects(const JudgedStep& step, const Answers& answers);
/// The op and its ancestors that were not compared, back to compared ones; the nearest first.
std::vector<uint32_t> candidates_of(const JudgedStep& step, uint32_t node);

/// A graph input or constant that is not the same on both sides.
struct DifferingSource {
  uint32_t node;
  size_t row;
  bool is_state;         ///< it differs as what ran before may make it
  std::string_view why;  ///< a sentence on that
  uint64_t figures = 0;  ///< what an earlier step would have written; 0: nobody can have
};

/// What steps of a rank leave behind for those after them.
class VerdictHistory {
 public:
  /// Of a graph alone, when other graphs of its rank come before it: how many steps they have, and
  /// which figures they wrote.
  VerdictHistory(size_t n_steps_before, const std::vector<uint64_t>& written_before)
      : before_(written_before.begin(), written_before.end()), n_steps_(n_steps_before) {}
  /// Whether an earlier step wrote these bits, on each side its own.
  bool has_written(const ReportRow& row) const;
  std::vector<std::pair<uint32_t, Given>> left_for(const JudgedStep& step) const;
  void add(const JudgedStep& step);
  bool is_empty() const { return n_steps_ == 0; }
  /// Figures of what the steps wrote that were added.
  const std::unordered_set<uint64_t>& written() const { return written_; }

 private:
  std::unordered_set<uint64_t> before_, written_;
  std::unordered_map<std::string, Given> left_;  ///< by graph and name of the source
  size_t n_steps_ = 0;
};

/// Sources that differ, and questions on those of two dtypes.
std::vector<Question> find_roundings(const JudgedStep& step);
std::vector<DifferingSource> find_differing_sources(const JudgedStep& step,
                                                    const VerdictHistory& history,
                                                    const Answers& answers);

/// Whether a compared pair is within the limits; a metric that is empty decides nothing.
bool is_within(uint64_t n_mismatch, Number max_absolute_error, Number cosine_similarity,
               Number relative_euclidean_distance, const Limits& limits);
bool is_within(const ReportRow& row, const Limits& limits);

/// Whether some op or the end of the graph reads the tensor of a row; all outputs of a fused op
/// count as read.
bool is_read(const JudgedStep& step, size_t row);

/// The cell `verdict` of every row.
void fill_verdicts(JudgedStep& step, const std::vector<Divergence>& divergences,
                   const std::vector<DifferingSource>& sources, const Evidence& evidence);

}  // namespace ait
