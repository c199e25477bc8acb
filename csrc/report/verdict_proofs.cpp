// What bytes and replay add to the rows: edges that are not equal, ops that are proven right or
// wrong.
#include <algorithm>
#include <limits>

#include "report/verdict_step.h"

namespace ait {
namespace {

bool has_values(const ReportRow& row) {
  return row.status == "compared" || row.status == "unmatched" || row.status == "shape_mismatch";
}

template <class Value>
bool are_same(const std::optional<Value>& a, const std::optional<Value>& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || *a == *b || (*a != *a && *b != *b);
}

/// Whether two rows of one dtype and shape show that they hold the same: they were held against
/// the same tensor, or both against none, and every number is the same.
bool show_the_same(const ReportRow& a, const ReportRow& b) {
  if (a.golden.path.file != b.golden.path.file || a.golden.path.tensor != b.golden.path.tensor)
    return false;
  for (const auto number : {&RowSide::max, &RowSide::min, &RowSide::mean})
    if (!are_same(a.my.*number, b.my.*number)) return false;
  for (const auto count : {&RowSide::n_nan, &RowSide::n_inf})
    if (!are_same(a.my.*count, b.my.*count)) return false;
  const auto is_equal = [&](const Metric& metric) {
    return are_same(a.*metric.value, b.*metric.value);
  };
  return std::all_of(std::begin(all_metrics()), std::end(all_metrics()), is_equal) &&
         are_same(a.worst_index, b.worst_index);
}

}  // namespace

std::vector<OpenEdge> find_open_edges(const JudgedStep& step) {
  constexpr size_t kNone = std::numeric_limits<size_t>::max();
  std::vector<size_t> written(step.flow.tensors.size(), kNone);
  for (size_t row = step.rows.size(); row-- > 0;)
    if (step.is_output(row) && step.places[row].tensor != kNoFlow)
      written[step.places[row].tensor] = row;
  std::vector<OpenEdge> found;
  for (size_t row = 0; row < step.rows.size(); ++row) {
    const RowPlace& place = step.places[row];
    if (step.is_output(row) || place.is_written || place.tensor == kNoFlow || !step.has_node(row))
      continue;
    const size_t other = written[place.tensor];
    if (other == kNone) continue;
    const ReportRow &read = step.rows[row], &made = step.rows[other];
    const bool is_comparable = has_values(read) && has_values(made) &&
                               read.my.dtype == made.my.dtype && read.my.shape == made.my.shape;
    if (is_comparable && !show_the_same(read, made)) found.push_back({row, other});
  }
  return found;
}

std::vector<Divergence> with_proofs(std::vector<Divergence> found, const Evidence& evidence,
                                    const JudgedStep& step) {
  std::unordered_map<uint32_t, size_t> differing;  // op -> an input of it that was overwritten
  for (const auto& [row, is_equal] : evidence.edges) {
    if (is_equal || !step.has_node(row)) continue;
    const auto [place, is_new] = differing.emplace(step.places[row].node, row);
    if (!is_new) place->second = std::min(place->second, row);
  }
  std::vector<Divergence> left;
  std::unordered_set<uint32_t> seen;
  for (Divergence& divergence : found) {
    seen.insert(divergence.node);
    const auto known = evidence.proofs.find(divergence.node);
    const bool can_be_cleared =
        divergence.kind != Kind::kNonfiniteOnly && divergence.kind != Kind::kEdge;
    if (known != evidence.proofs.end() && can_be_cleared) {
      const Proof proof = known->second.proof;
      const auto edge = differing.find(divergence.node);
      if (proof != Proof::kWrong && edge != differing.end()) {
        divergence.kind = Kind::kEdge;
        divergence.row = edge->second;
      } else if (proof == Proof::kInherits) {
        continue;
      } else if (proof == Proof::kOtherGraph ||
                 (proof == Proof::kRight && divergence.kind == Kind::kExact)) {
        divergence.kind = Kind::kGraph;
      }
    }
    left.push_back(divergence);
  }
  for (const auto& [node, proven] : evidence.proofs)
    if (proven.proof == Proof::kWrong && seen.count(node) == 0)
      left.push_back({node, proven.row, Kind::kReplay});
  std::sort(left.begin(), left.end(), [](const Divergence& a, const Divergence& b) {
    return std::pair(a.row, a.node) < std::pair(b.row, b.node);
  });
  return left;
}

}  // namespace ait
