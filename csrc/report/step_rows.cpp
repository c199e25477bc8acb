#include "report/step_rows.h"

#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "io/bytes.h"
#include "report/csv_text.h"

namespace ait {
namespace {

// More than most lines of a report have.
constexpr size_t kLineBytes = 1024;

TensorRef ref_of(const PairedTensor::Side& side, const std::vector<std::string>& paths) {
  TensorRef ref{paths[side.file], TensorRef::Io::kNpy, side.index, side.steps};
  if (side.io == "inputs") ref.io = TensorRef::Io::kInputs;
  if (side.io == "outputs") ref.io = TensorRef::Io::kOutputs;
  return ref;
}

/// "[1, 16, 128]"
std::string list_text(const Dims& shape) {
  std::string text = "[";
  for (const int64_t dim : shape) {
    if (text.size() > 1) text += ", ";
    append_number(text, dim);
  }
  return text + ']';
}

int64_t count_elements(const Dims& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

void fill_side(RowSide& side, const SideResult& found, Texts& texts) {
  if (!found.is_known) return;
  side.dtype = found.dtype->report;
  side.shape = texts.keep(list_text(found.shape));
  side.n_elements = count_elements(found.shape);
  if (!found.has_sums) return;
  const SideSums& sums = found.sums;
  side.n_nan = sums.n_nan;
  side.n_inf = sums.n_positive_inf + sums.n_negative_inf;
  if (sums.n == sums.n_nan + *side.n_inf) return;  // no finite value
  side.max = sums.max;
  side.min = sums.min;
  side.mean = found.mean;
}

Found found_of(const JobResult& result, Texts& texts) {
  Found found;
  found.status = status_name(result.status);
  found.sentences = result.sentences;
  found.has_metrics = result.has_metrics;
  ReportRow& row = found.row;
  fill_side(row.my, result.my, texts);
  fill_side(row.golden, result.golden, texts);
  if (result.has_metrics) {
    static_cast<Metrics&>(row) = result.metrics;
    row.n_mismatch = result.n_mismatch;
    row.figures = result.figures;
  }
  if (result.has_worst) {
    row.worst_index = result.worst_index;
    row.my_worst = result.worst_my;
    row.golden_worst = result.worst_golden;
  }
  return found;
}

/// The cells of a side that the comparison finds.
void copy_side(RowSide& side, const RowSide& found) {
  const DataPath path = side.path;
  const std::string_view op_type = side.op_type;
  side = found;
  side.path = path;
  side.op_type = op_type;
}

void copy_metrics(ReportRow& row, const ReportRow& found) {
  static_cast<Metrics&>(row) = found;
  row.n_mismatch = found.n_mismatch;
  row.figures = found.figures;
}

/// Writes cells as text, with commas between.
class CsvCells {
 public:
  explicit CsvCells(std::string& line) : line_(line) {}

  void operator()(int64_t value) {
    next();
    append_number(line_, value);
  }
  void operator()(std::string_view text) {
    next();
    append_text(line_, text);
  }
  void operator()(const DataPath& path) {
    next();
    if (path.tensor.empty())
      append_text(line_, path.file);
    else
      append_text(line_, std::string(path.file).append(path.tensor));
  }
  void operator()(const Number& value) {
    next();
    if (value) append_number(line_, *value);
  }
  void operator()(const Count& value) {
    next();
    if (value) append_number(line_, static_cast<int64_t>(*value));
  }
  void operator()(const std::vector<std::string_view>& texts) {
    for (const std::string_view text : texts) (*this)(text);
  }

 private:
  void next() {
    if (!is_first_) line_ += ',';
    is_first_ = false;
  }

  std::string& line_;
  bool is_first_ = true;
};

}  // namespace

StepRows::StepRows(std::shared_ptr<const StepPlan> plan, std::vector<std::string> paths,
                   int64_t token_id)
    : plan_(std::move(plan)), paths_(std::move(paths)) {
  rows_.reserve(plan_->tensors.size());
  places_.reserve(plan_->tensors.size());
  for (const PairedTensor& tensor : plan_->tensors) {
    ReportRow& row = rows_.emplace_back(tensor.row);
    row.token_id = token_id;
    row.my.path.file = paths_[tensor.my.file];
    if (tensor.golden.file != PairedTensor::kNoFile)
      row.golden.path.file = paths_[tensor.golden.file];
    places_.push_back(tensor.place);
  }
  skip_rows_without_job();
}

std::vector<Job> StepRows::jobs() const {
  std::vector<Job> jobs;
  for (const PairedTensor& tensor : plan_->tensors) {
    if (tensor.my.io.empty()) continue;
    Job& job = jobs.emplace_back();
    job.my = ref_of(tensor.my, paths_);
    if (tensor.row.status.empty() && tensor.golden.file != PairedTensor::kNoFile)
      job.golden = ref_of(tensor.golden, paths_);
  }
  return jobs;
}

void StepRows::take(std::vector<JobResult>&& results) {
  for (const JobResult& result : results) take(found_of(result, texts_));
}

void StepRows::take(const Found& found) {
  const size_t number = next_++;
  ReportRow& row = rows_.at(number);
  copy_side(row.my, found.row.my);
  copy_side(row.golden, found.row.golden);
  if (row.status.empty() || row.status == "unmatched") {
    if (found.status != "compared" || row.status.empty()) row.status = found.status;
  } else if (!found.sentences.empty()) {
    row.reason = {};  // the file says it better than its header
    said_[number];
  }
  for (const Sentence& sentence : found.sentences) say_of(number, sentence);
  if (found.has_metrics && row.status == "compared") copy_metrics(row, found.row);
  row.worst_index = found.row.worst_index;
  row.my_worst = found.row.my_worst;
  row.golden_worst = found.row.golden_worst;
  row.estimated = found.row.estimated;
  skip_rows_without_job();
}

std::vector<Sentence> StepRows::sentences(size_t i) const {
  const auto said = said_.find(i);
  if (said != said_.end()) return said->second;
  if (rows_.at(i).reason.empty()) return {};
  return {say(kText, std::string(rows_[i].reason))};
}

void StepRows::say_of(size_t i, Sentence sentence) {
  std::vector<Sentence> all = sentences(i);
  std::string_view& reason = rows_.at(i).reason;
  std::string text(reason);
  if (!text.empty()) text += ' ';
  reason = texts_.keep(text += printable(text_of(sentence)));
  all.push_back(std::move(sentence));
  said_[i] = std::move(all);
}

void StepRows::skip_rows_without_job() {
  while (next_ < rows_.size() && plan_->tensors[next_].my.io.empty()) ++next_;
}

size_t StepRows::n_done() const { return next_; }

void StepRows::number(int64_t first_id) {
  rows_.resize(next_);
  places_.resize(next_);
  for (ReportRow& row : rows_) row.data_id = first_id++;
}

std::unique_ptr<StepVerdict> StepRows::verdict(const Limits& limits, const Rules& rules,
                                               const VerdictHistory& history) {
  const auto say_text = [this](size_t row, const std::string& text) {
    say_of(row, say(kText, text));
  };
  return std::make_unique<StepVerdict>(rows_, places_, plan_->flow, limits, rules, history,
                                       say_text);
}

std::pair<uint64_t, uint64_t> StepRows::figures_hash(bool of_golden) const {
  const auto mix = [](uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 32);
  };
  const auto text = [](std::string_view value) { return std::hash<std::string_view>()(value); };
  const auto hash_of = [&](const ReportRow& row, const RowSide& side, uint64_t seed) {
    uint64_t hash = mix(mix(seed, text(row.op_name)), text(row.io));
    hash = mix(hash, static_cast<uint64_t>(row.index));
    hash = mix(hash, static_cast<uint64_t>(*side.n_elements));
    for (const double value : {*side.max, *side.min, *side.mean})
      hash = mix(hash, std::isnan(value) ? 1 : bits_of(value));
    return hash;
  };
  std::pair<uint64_t, uint64_t> sums{0, 0};
  for (const ReportRow& row : rows_) {
    const RowSide& side = of_golden ? row.golden : row.my;
    if (!has_figures(side)) continue;
    sums.first += hash_of(row, side, 0);
    sums.second += hash_of(row, side, 0xD6E8FEB86659FD93u);
  }
  return sums;
}

std::string StepRows::csv() const {
  std::string text;
  text.reserve(rows_.size() * kLineBytes);
  for (const ReportRow& row : rows_) {
    each_cell(row, CsvCells(text));
    text += '\n';
  }
  return text;
}

}  // namespace ait
