// Rows of a report for Python: pairs in, cells and CSV text out; and what judges them.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <map>

#include "bind/convert.h"
#include "bind/flow.h"
#include "bind/module.h"
#include "bind/records.h"
#include "bind/running_batch.h"
#include "report/packed_rows.h"
#include "report/step_rows.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace ait {
namespace {

constexpr size_t kMostRowsAtOnce = 1024;

py::object object_of(int64_t value) { return py::int_(value); }
py::object object_of(std::string_view text) { return str_of(text); }
py::object object_of(const Number& value) {
  return value ? py::object(py::float_(*value)) : py::object(py::none());
}
py::object object_of(const Count& value) {
  return value ? py::object(py::int_(*value)) : py::object(py::none());
}
py::object object_of(const DataPath& path) {
  return path_object(std::string(path.file).append(path.tensor));
}
py::object object_of(const std::vector<std::string_view>& texts) {
  py::tuple all(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) all[i] = str_of(texts[i]);
  return all;
}

/// Takes the cells of a tuple over into a row; None is an empty cell. Addresses stay.
class CellReader {
 public:
  CellReader(const py::tuple& cells, StepRows& rows) : cells_(cells), rows_(rows) {}

  void operator()(int64_t& value) { value = py::cast<std::optional<int64_t>>(next()).value_or(0); }
  void operator()(std::string_view& text) { text = keep(next()); }
  void operator()(DataPath&) { next(); }
  void operator()(Number& value) { value = py::cast<Number>(next()); }
  void operator()(Count& value) { value = py::cast<Count>(next()); }
  void operator()(std::vector<std::string_view>& texts) {
    texts.clear();
    for (const py::handle text : as_tuple(next())) texts.push_back(keep(text));
  }

 private:
  py::object next() { return cells_[at_++]; }
  std::string_view keep(const py::handle& text) {
    return text.is_none() ? std::string_view() : rows_.keep(bytes_of(text));
  }

  const py::tuple& cells_;
  StepRows& rows_;
  size_t at_ = 0;
};

// --- pairs ---------------------------------------------------------------------------------------

/// Reads pairs (pairing.pair.Pair) into a plan; paths become numbers.
class PlanReader {
 public:
  PlanReader(const py::sequence& nodes, const py::sequence& tensors) {
    plan_->flow = read_flow(nodes, tensors, plan_->texts);
  }

  void add(const PairRecord& pair) {
    PairedTensor& tensor = plan_->tensors.emplace_back();
    ReportRow& row = tensor.row;
    token_id_ = py::cast<int64_t>(pair.token);
    row.rank = py::cast<int64_t>(pair.rank);
    row.graph = keep(pair.graph);
    row.op_name = keep(pair.op_name);
    row.my.op_type = keep(pair.op_type);
    row.io = keep(pair.io);
    row.index = py::cast<int64_t>(pair.index);
    tensor.my = side(pair.my);
    tensor.golden = side(pair.golden);
    row.my.path.tensor = address(tensor.my);
    row.golden.path.tensor = address(tensor.golden);
    row.golden.op_type = keep(pair.golden_op_type);
    row.match = keep(pair.match);
    row.status = keep(pair.status);
    row.reason = keep(pair.reason);
    tensor.place = {number(pair.node, plan_->flow.nodes.size()),
                    number(pair.tensor, plan_->flow.tensors.size()),
                    py::cast<bool>(pair.is_written)};
    row.fx_node = keep(pair.fx_node);
    row.module = keep(pair.module);
    row.source = keep(pair.source);
  }

  StepRows rows() { return {std::move(plan_), std::move(paths_), token_id_}; }

 private:
  std::string_view keep(const py::handle& text) { return plan_->texts.keep(bytes_of(text)); }

  PairedTensor::Side side(const py::handle& ref) {
    if (ref.is_none()) return {};
    const auto given = record_of<RefRecord>(ref);
    const auto [number, is_new] = number_of_.emplace(path_text(given.path), paths_.size());
    if (is_new) paths_.push_back(number->first);
    return {number->second, keep(given.io), py::cast<uint32_t>(given.index),
            parse_steps(given.view)};
  }

  static uint32_t number(const py::handle& value, size_t count) {
    const auto given = py::cast<int64_t>(value);
    if (given >= static_cast<int64_t>(count))
      throw py::index_error(std::to_string(given) + " of " + std::to_string(count));
    return given < 0 ? kNoFlow : static_cast<uint32_t>(given);
  }

  std::string_view address(const PairedTensor::Side& side) {
    if (side.io.empty()) return {};
    return plan_->texts.keep("," + std::string(side.io) + "," + std::to_string(side.index));
  }

  std::shared_ptr<StepPlan> plan_ = std::make_shared<StepPlan>();
  std::vector<std::string> paths_;
  std::unordered_map<std::string, size_t> number_of_;
  int64_t token_id_ = 0;
};

StepRows rows_of(const py::iterable& pairs, const py::sequence& nodes,
                 const py::sequence& tensors) {
  PlanReader reader(nodes, tensors);
  for (const py::handle pair : pairs) reader.add(record_of<PairRecord>(pair));
  return reader.rows();
}

StepRows rows_like(const StepRows& rows, int64_t token_id, const py::iterable& paths) {
  std::vector<std::string> texts;
  texts.reserve(rows.paths().size());
  for (const py::handle path : paths) texts.push_back(path_text(path));
  if (texts.size() != rows.paths().size())
    throw py::value_error(std::to_string(rows.paths().size()) + " paths expected, found " +
                          std::to_string(texts.size()));
  return {rows.plan(), std::move(texts), token_id};
}

// --- results -------------------------------------------------------------------------------------

void read_side(RowSide& side, const py::handle& found, StepRows& rows) {
  if (found.is_none()) return;
  const auto given = record_of<SideRecord>(found);
  side.dtype = rows.keep(bytes_of(given.dtype));
  if (!given.shape.is_none()) {
    side.shape = rows.keep(bytes_of(py::str(py::list(given.shape))));
    side.n_elements = 1;
    for (const py::handle dim : given.shape) *side.n_elements *= py::cast<int64_t>(dim);
  }
  if (given.sums.is_none()) return;
  const auto sums = record_of<SumsRecord>(given.sums);
  const auto n = py::cast<Count>(sums.n), n_positive = py::cast<Count>(sums.n_positive_inf),
             n_negative = py::cast<Count>(sums.n_negative_inf);
  side.n_nan = py::cast<Count>(sums.n_nan);
  if (n_positive && n_negative) {
    side.n_inf = *n_positive + *n_negative;
    if (side.n_nan && n && *n == *side.n_nan + *side.n_inf) return;  // no finite value
  }
  side.max = py::cast<Number>(sums.max);
  side.min = py::cast<Number>(sums.min);
  side.mean = py::cast<Number>(sums.mean);
}

/// Metrics by name; NaN or no entry: not known.
void read_metrics(Metrics& metrics, const py::dict& values) {
  for (const Metric& metric : all_metrics()) {
    if (!values.contains(metric.name)) continue;
    const auto number = py::cast<double>(values[metric.name]);
    if (!std::isnan(number)) metrics.*metric.value = number;
  }
}

/// Figures by name; those that are left out are 0.
Figures read_figures(const py::dict& values) {
  Figures figures;
  each_figure(figures, [&]<class Value>(const char* name, Value& value) {
    if (values.contains(name)) value = py::cast<Value>(values[name]);
  });
  if (!values.contains("saturated")) return figures;
  for (const py::handle pairs : py::list(values["saturated"])) {
    const auto given = record_of<SaturatedRecord>(pairs);
    figures.saturated.push_back({py::cast<uint32_t>(given.types), py::cast<uint64_t>(given.n)});
  }
  return figures;
}

Sentence read_sentence(const py::handle& sentence) {
  const auto given = record_of<SentenceRecord>(sentence);
  Sentence read{bytes_of(given.id), {}};
  for (const py::handle argument : as_tuple(given.arguments)) {
    const auto blank = record_of<BlankRecord>(argument);
    read.arguments.emplace_back(bytes_of(blank.name), bytes_of(blank.content));
  }
  return read;
}

/// A result as compare/reduced_batch.py gives it.
Found read_found(const ReducedResultRecord& result, StepRows& rows) {
  Found found;
  ReportRow& row = found.row;
  found.status = rows.keep(bytes_of(result.status));
  for (const py::handle sentence : result.sentences)
    found.sentences.push_back(read_sentence(sentence));
  read_side(row.my, result.my, rows);
  read_side(row.golden, result.golden, rows);
  found.has_metrics = !result.metrics.is_none();
  if (found.has_metrics) {
    read_metrics(row, py::dict(result.metrics));
    row.n_mismatch = py::cast<Count>(result.n_mismatch);
  }
  if (!result.worst.is_none()) {
    const auto worst = record_of<WorstRecord>(result.worst);
    row.worst_index = py::cast<Count>(worst.index);
    row.my_worst = py::cast<Number>(worst.my);
    row.golden_worst = py::cast<Number>(worst.golden);
  }
  if (!result.figures.is_none()) row.figures = read_figures(py::dict(result.figures));
  row.estimated = rows.keep(bytes_of(result.estimated));
  return found;
}

/// A step whose pairs are compared: results go into its rows. Iterates over the number of rows
/// that are done.
class StepBatch {
 public:
  StepBatch(StepRows& rows, unsigned threads, const std::string& access, bool single_sums,
            std::vector<std::shared_ptr<const GeHeaders>> headers)
      : rows_(rows),
        batch_(rows.jobs(), threads, "", access, true, single_sums, std::move(headers)) {}

  size_t next() {
    rows_.take(batch_.next(kMostRowsAtOnce));
    return rows_.n_done();
  }
  void take_ready() { rows_.take(batch_.take_ready()); }
  void stop() { batch_.stop(); }
  void close() { batch_.close(); }

 private:
  StepRows& rows_;
  RunningBatch batch_;
};

// --- cells ---------------------------------------------------------------------------------------

size_t row_number(size_t n_rows, py::ssize_t i) {
  const auto n = static_cast<py::ssize_t>(n_rows);
  if (i < -n || i >= n)
    throw py::index_error("row " + std::to_string(i) + " of " + std::to_string(n));
  return static_cast<size_t>(i < 0 ? i + n : i);
}

py::tuple cells_of(const ReportRow& row) {
  py::list cells;
  each_cell(row, [&](const auto& cell) { cells.append(object_of(cell)); });
  return py::tuple(cells);
}

void set_cells(StepRows& rows, py::ssize_t i, const py::tuple& cells) {
  const size_t number = row_number(rows.rows().size(), i);
  const std::string_view before = rows.row(number).reason;
  each_cell(rows.row(number), CellReader(cells, rows));
  if (rows.row(number).reason != before) rows.forget_sentences(number);
}

py::list sentences_of(const StepRows& rows, py::ssize_t i) {
  return sentence_list(rows.sentences(row_number(rows.rows().size(), i)));
}

/// One cell of every row.
py::list column(const StepRows& rows, size_t number) {
  py::list all;
  for (const ReportRow& row : rows.rows()) {
    size_t at = 0;
    each_cell(row, [&](const auto& cell) {
      if (at++ == number) all.append(object_of(cell));
    });
  }
  return all;
}

/// Of every row elements, maximum, minimum and mean of a side; elements -1 where one is not known.
py::array_t<double> figures(const StepRows& rows, bool of_golden) {
  py::array_t<double> all({static_cast<py::ssize_t>(rows.rows().size()), py::ssize_t{4}});
  double* to = all.mutable_data();
  for (const ReportRow& row : rows.rows()) {
    const RowSide& side = of_golden ? row.golden : row.my;
    *to++ = has_figures(side) ? static_cast<double>(*side.n_elements) : -1;
    for (const Number& number : {side.max, side.min, side.mean}) *to++ = number.value_or(NAN);
  }
  return all;
}

py::bytes csv(const StepRows& rows) {
  std::string text;
  {
    const py::gil_scoped_release release;
    text = rows.csv();
  }
  return py::bytes(text);
}

}  // namespace

void bind_rows(py::module_& m) {
  py::class_<StepBatch>(m, "StepBatch",
                        "The comparison of the pairs of a step on a pool of threads.")
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &StepBatch::next)
      .def("take_ready", &StepBatch::take_ready, "Take finished results, without waiting.")
      .def("stop", &StepBatch::stop, "Begin no further job.")
      .def("close", &StepBatch::close, "Stop after the chunks in hand.");
  py::class_<PackedRows>(m, "PackedRows", "The cells of rows that have left memory.")
      .def(py::init<std::string>(), "content"_a)
      .def("__len__", &PackedRows::size)
      .def(
          "__getitem__",
          [](const PackedRows& rows, py::ssize_t i) {
            return cells_of(rows.row(row_number(rows.size(), i)));
          },
          "number"_a);
  py::class_<StepRows>(m, "StepRows", "The rows of the report on one step.")
      .def(py::init(&rows_of), "pairs"_a, "nodes"_a, "tensors"_a)
      .def("like", &rows_like, "token_id"_a, "paths"_a,
           "Rows of the same pairs in another step, without results.")
      .def_property_readonly("paths",
                             [](const StepRows& rows) {
                               py::list paths;
                               for (const std::string& path : rows.paths())
                                 paths.append(path_object(path));
                               return paths;
                             })
      .def(
          "batch",
          [](StepRows& rows, unsigned threads, const std::string& access, bool single_sums,
             const std::vector<std::shared_ptr<GeHeaders>>& headers) {
            return std::make_unique<StepBatch>(
                rows, threads, access, single_sums,
                std::vector<std::shared_ptr<const GeHeaders>>(headers.begin(), headers.end()));
          },
          "threads"_a, "access"_a, "single_sums"_a, "headers"_a, py::keep_alive<0, 1>(),
          "Begin to compare the pairs; results go into these rows.")
      .def(
          "take",
          [](StepRows& rows, const py::iterable& results) {
            for (const py::handle result : results)
              rows.take(read_found(record_of<ReducedResultRecord>(result), rows));
          },
          "results"_a, "Results of the next pairs, as compare/reduced_batch.py gives them.")
      .def("sentences", &sentences_of, "number"_a, "What is said of a row: ids and arguments.")
      .def_property_readonly("n_done", &StepRows::n_done)
      .def(
          "say",
          [](StepRows& rows, size_t number, const std::string& text) {
            rows.say_of(number, say(kText, text));
          },
          "number"_a, "text"_a, "Say a sentence of a row.")
      .def("number", &StepRows::number, "first_id"_a, "Drop what is not done and number the rows.")
      .def("figures", &figures, "of_golden"_a,
           "Of every row elements (-1: something is not known), maximum, minimum, mean of a side.")
      .def("figures_hash", &StepRows::figures_hash, "of_golden"_a,
           "Two numbers that steps with equal tensors and figures on a side share.")
      .def(
          "packed",
          [](const StepRows& rows, size_t begin, size_t end) {
            std::string content;
            {
              const py::gil_scoped_release release;
              content = pack_rows(rows.rows(), begin, end);
            }
            return py::bytes(content);
          },
          "begin"_a, "end"_a, "The cells of some rows: what `PackedRows` takes.")
      .def("csv", &csv, "The lines of the report.")
      .def("column", &column, "number"_a, "One cell of every row.")
      .def("__len__", [](const StepRows& rows) { return rows.rows().size(); })
      .def(
          "__getitem__",
          [](const StepRows& rows, py::ssize_t i) {
            return cells_of(rows.rows()[row_number(rows.rows().size(), i)]);
          },
          "number"_a)
      .def("__setitem__", &set_cells, "number"_a, "cells"_a);
}

}  // namespace ait
