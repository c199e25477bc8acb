// Tuples that cross the border to Python, by the names of their fields. `record_fields` of the
// module tells the names; Python holds those of its named tuples against them at import, so that a
// field that moved on one side alone ends there.
#pragma once

#include <pybind11/pybind11.h>

#include <array>
#include <string>

#include "bind/convert.h"
#include "compare/sentence.h"
#include "compare/sums.h"
#include "tensor/view.h"

namespace ait {

using Object = pybind11::object;

template <class Record>
struct Field {
  const char* name;
  Object Record::* value;
};

/// One step from a stored tensor to the order of its counterpart.
struct ViewStepRecord {
  Object kind, numbers;
};
constexpr auto fields_of(const ViewStepRecord*) {
  using R = ViewStepRecord;
  return std::array{Field<R>{"kind", &R::kind}, Field<R>{"numbers", &R::numbers}};
}

/// A tensor as pairing addresses it; Python knows more of it.
struct RefRecord {
  Object path, io, index, view;
};
constexpr auto fields_of(const RefRecord*) {
  using R = RefRecord;
  return std::array{Field<R>{"path", &R::path}, Field<R>{"io", &R::io},
                    Field<R>{"index", &R::index}, Field<R>{"view", &R::view}};
}

/// What is compared: a tensor and its reference, one of them may be None.
struct JobRecord {
  Object my, golden;
};
constexpr auto fields_of(const JobRecord*) {
  using R = JobRecord;
  return std::array{Field<R>{"my", &R::my}, Field<R>{"golden", &R::golden}};
}

/// A tensor of the my side and its counterpart, or the reason why it has none.
struct PairRecord {
  Object rank, graph, token, order, op_name, op_type, io, index, my, golden, golden_op_type, match,
      status, reason, node, tensor, is_written, fx_node, module, source;
};
constexpr auto fields_of(const PairRecord*) {
  using R = PairRecord;
  return std::array{Field<R>{"rank", &R::rank},
                    Field<R>{"graph", &R::graph},
                    Field<R>{"token", &R::token},
                    Field<R>{"order", &R::order},
                    Field<R>{"op_name", &R::op_name},
                    Field<R>{"op_type", &R::op_type},
                    Field<R>{"io", &R::io},
                    Field<R>{"index", &R::index},
                    Field<R>{"my", &R::my},
                    Field<R>{"golden", &R::golden},
                    Field<R>{"golden_op_type", &R::golden_op_type},
                    Field<R>{"match", &R::match},
                    Field<R>{"status", &R::status},
                    Field<R>{"reason", &R::reason},
                    Field<R>{"node", &R::node},
                    Field<R>{"tensor", &R::tensor},
                    Field<R>{"is_written", &R::is_written},
                    Field<R>{"fx_node", &R::fx_node},
                    Field<R>{"module", &R::module},
                    Field<R>{"source", &R::source}};
}

/// Counts of all values, and what the finite ones amount to; None where a file does not say.
struct SumsRecord {
  Object n, n_nan, n_positive_inf, n_negative_inf, max, min, mean;
};
constexpr auto fields_of(const SumsRecord*) {
  using R = SumsRecord;
  return std::array{Field<R>{"n", &R::n},
                    Field<R>{"n_nan", &R::n_nan},
                    Field<R>{"n_positive_inf", &R::n_positive_inf},
                    Field<R>{"n_negative_inf", &R::n_negative_inf},
                    Field<R>{"max", &R::max},
                    Field<R>{"min", &R::min},
                    Field<R>{"mean", &R::mean}};
}

/// What was found of one side: the shape is None where a file does not say it, sums where there are
/// no values.
struct SideRecord {
  Object dtype, shape, sums;
};
constexpr auto fields_of(const SideRecord*) {
  using R = SideRecord;
  return std::array{Field<R>{"dtype", &R::dtype}, Field<R>{"shape", &R::shape},
                    Field<R>{"sums", &R::sums}};
}

/// The largest absolute error: where, and the values there.
struct WorstRecord {
  Object index, my, golden;
};
constexpr auto fields_of(const WorstRecord*) {
  using R = WorstRecord;
  return std::array{Field<R>{"index", &R::index}, Field<R>{"my", &R::my},
                    Field<R>{"golden", &R::golden}};
}

/// How many pairs a saturating type explains: bits of types, number.
struct SaturatedRecord {
  Object types, n;
};
constexpr auto fields_of(const SaturatedRecord*) {
  using R = SaturatedRecord;
  return std::array{Field<R>{"types", &R::types}, Field<R>{"n", &R::n}};
}

/// What was found of a pair; `reason` is the text of its sentences. Sides, metrics ({name: value}),
/// worst and figures ({name: value}) may be None.
struct ResultRecord {
  Object status, reason, my, golden, metrics, n_mismatch, worst, figures, sentences;
};
constexpr auto fields_of(const ResultRecord*) {
  using R = ResultRecord;
  return std::array{Field<R>{"status", &R::status},
                    Field<R>{"reason", &R::reason},
                    Field<R>{"my", &R::my},
                    Field<R>{"golden", &R::golden},
                    Field<R>{"metrics", &R::metrics},
                    Field<R>{"n_mismatch", &R::n_mismatch},
                    Field<R>{"worst", &R::worst},
                    Field<R>{"figures", &R::figures},
                    Field<R>{"sentences", &R::sentences}};
}

/// The same of a pair with a reduced side, as Python finds it, and what the metrics were estimated
/// from.
struct ReducedResultRecord {
  Object status, sentences, my, golden, metrics, n_mismatch, worst, figures, estimated;
};
constexpr auto fields_of(const ReducedResultRecord*) {
  using R = ReducedResultRecord;
  return std::array{Field<R>{"status", &R::status},
                    Field<R>{"sentences", &R::sentences},
                    Field<R>{"my", &R::my},
                    Field<R>{"golden", &R::golden},
                    Field<R>{"metrics", &R::metrics},
                    Field<R>{"n_mismatch", &R::n_mismatch},
                    Field<R>{"worst", &R::worst},
                    Field<R>{"figures", &R::figures},
                    Field<R>{"estimated", &R::estimated}};
}

/// A blank of a sentence, and what fills it.
struct BlankRecord {
  Object name, content;
};
constexpr auto fields_of(const BlankRecord*) {
  using R = BlankRecord;
  return std::array{Field<R>{"name", &R::name}, Field<R>{"content", &R::content}};
}

/// A sentence: its id, and its blanks.
struct SentenceRecord {
  Object id, arguments;
};
constexpr auto fields_of(const SentenceRecord*) {
  using R = SentenceRecord;
  return std::array{Field<R>{"id", &R::id}, Field<R>{"arguments", &R::arguments}};
}

/// What the header of a GE file says of a tensor.
struct HeadRecord {
  Object dtype, shape, state, note, original_op, original_index, storage_format;
};
constexpr auto fields_of(const HeadRecord*) {
  using R = HeadRecord;
  return std::array{Field<R>{"dtype", &R::dtype},
                    Field<R>{"shape", &R::shape},
                    Field<R>{"state", &R::state},
                    Field<R>{"note", &R::note},
                    Field<R>{"original_op", &R::original_op},
                    Field<R>{"original_index", &R::original_index},
                    Field<R>{"storage_format", &R::storage_format}};
}

/// What the header of a GE file says; `error` is None if it could be read.
struct GeScanRecord {
  Object error, op_name, inputs, outputs, attrs;
};
constexpr auto fields_of(const GeScanRecord*) {
  using R = GeScanRecord;
  return std::array{Field<R>{"error", &R::error}, Field<R>{"op_name", &R::op_name},
                    Field<R>{"inputs", &R::inputs}, Field<R>{"outputs", &R::outputs},
                    Field<R>{"attrs", &R::attrs}};
}

/// What the header of an .npy file says; after an error nothing but that.
struct NpyScanRecord {
  Object error, dtype, shape, state, note;
};
constexpr auto fields_of(const NpyScanRecord*) {
  using R = NpyScanRecord;
  return std::array{Field<R>{"error", &R::error}, Field<R>{"dtype", &R::dtype},
                    Field<R>{"shape", &R::shape}, Field<R>{"state", &R::state},
                    Field<R>{"note", &R::note}};
}

/// A tensor in one pass. What follows `is_wide` is None after a problem, one of values and buckets
/// (bytes of float64) always is.
struct SketchRecord {
  Object shape, problem, is_wide, sums, sum_squares, content, values, buckets;
};
constexpr auto fields_of(const SketchRecord*) {
  using R = SketchRecord;
  return std::array{Field<R>{"shape", &R::shape},
                    Field<R>{"problem", &R::problem},
                    Field<R>{"is_wide", &R::is_wide},
                    Field<R>{"sums", &R::sums},
                    Field<R>{"sum_squares", &R::sum_squares},
                    Field<R>{"content", &R::content},
                    Field<R>{"values", &R::values},
                    Field<R>{"buckets", &R::buckets}};
}

/// What the name of a GE dump says, and where it is.
struct GeFileRecord {
  Object path, op_type, op_name, task_id, stream_id, timestamp, context_id, thread_id, kind;
};
constexpr auto fields_of(const GeFileRecord*) {
  using R = GeFileRecord;
  return std::array{Field<R>{"path", &R::path},
                    Field<R>{"op_type", &R::op_type},
                    Field<R>{"op_name", &R::op_name},
                    Field<R>{"task_id", &R::task_id},
                    Field<R>{"stream_id", &R::stream_id},
                    Field<R>{"timestamp", &R::timestamp},
                    Field<R>{"context_id", &R::context_id},
                    Field<R>{"thread_id", &R::thread_id},
                    Field<R>{"kind", &R::kind}};
}

/// What the name of an FX dump says, and where it is.
struct FxFileRecord {
  Object path, node, target, io, index, sub_index, timestamp, kind;
};
constexpr auto fields_of(const FxFileRecord*) {
  using R = FxFileRecord;
  return std::array{Field<R>{"path", &R::path},           Field<R>{"node", &R::node},
                    Field<R>{"target", &R::target},       Field<R>{"io", &R::io},
                    Field<R>{"index", &R::index},         Field<R>{"sub_index", &R::sub_index},
                    Field<R>{"timestamp", &R::timestamp}, Field<R>{"kind", &R::kind}};
}

/// Which file stands at a path, and which version of it.
struct IdentityRecord {
  Object device, inode, size_bytes, changed_ns;
};
constexpr auto fields_of(const IdentityRecord*) {
  using R = IdentityRecord;
  return std::array{Field<R>{"device", &R::device}, Field<R>{"inode", &R::inode},
                    Field<R>{"size_bytes", &R::size_bytes}, Field<R>{"changed_ns", &R::changed_ns}};
}

/// A file that is open and locked; or `error` is its number, or it `is_busy`.
struct ClaimRecord {
  Object error, descriptor, is_busy, mode, identity;
};
constexpr auto fields_of(const ClaimRecord*) {
  using R = ClaimRecord;
  return std::array{Field<R>{"error", &R::error}, Field<R>{"descriptor", &R::descriptor},
                    Field<R>{"is_busy", &R::is_busy}, Field<R>{"mode", &R::mode},
                    Field<R>{"identity", &R::identity}};
}

/// A version of a file.
struct KnownFileRecord {
  Object path, identity;
};
constexpr auto fields_of(const KnownFileRecord*) {
  using R = KnownFileRecord;
  return std::array{Field<R>{"path", &R::path}, Field<R>{"identity", &R::identity}};
}

/// A file that is to be written.
struct NewFileRecord {
  Object path, mode, content;
};
constexpr auto fields_of(const NewFileRecord*) {
  using R = NewFileRecord;
  return std::array{Field<R>{"path", &R::path}, Field<R>{"mode", &R::mode},
                    Field<R>{"content", &R::content}};
}

/// A file that is to be renamed.
struct NewNameRecord {
  Object path, new_path;
};
constexpr auto fields_of(const NewNameRecord*) {
  using R = NewNameRecord;
  return std::array{Field<R>{"path", &R::path}, Field<R>{"new_path", &R::new_path}};
}

/// A new file, open; or `error` is the number of what went wrong.
struct CreatedRecord {
  Object error, descriptor;
};
constexpr auto fields_of(const CreatedRecord*) {
  using R = CreatedRecord;
  return std::array{Field<R>{"error", &R::error}, Field<R>{"descriptor", &R::descriptor}};
}

/// A metric: its unit, where the report has it, and what it is of equal tensors.
struct MetricRecord {
  Object name, unit, group, of_equal;
};
constexpr auto fields_of(const MetricRecord*) {
  using R = MetricRecord;
  return std::array{Field<R>{"name", &R::name}, Field<R>{"unit", &R::unit},
                    Field<R>{"group", &R::group}, Field<R>{"of_equal", &R::of_equal}};
}

/// A stored type: `report` and `numpy` are its names there.
struct DTypeRecord {
  Object number, name, report, numpy, bits, components, unit_roundoff_exp;
};
constexpr auto fields_of(const DTypeRecord*) {
  using R = DTypeRecord;
  return std::array{Field<R>{"number", &R::number},
                    Field<R>{"name", &R::name},
                    Field<R>{"report", &R::report},
                    Field<R>{"numpy", &R::numpy},
                    Field<R>{"bits", &R::bits},
                    Field<R>{"components", &R::components},
                    Field<R>{"unit_roundoff_exp", &R::unit_roundoff_exp}};
}

/// The fields of a record, in the order of its tuple.
template <class Record>
inline constexpr auto kFields = fields_of(static_cast<const Record*>(nullptr));

/// The tuple of a record.
template <class Record>
pybind11::tuple tuple_of(Record record) {
  pybind11::tuple tuple(kFields<Record>.size());
  Py_ssize_t at = 0;
  for (const Field<Record>& field : kFields<Record>)
    PyTuple_SET_ITEM(tuple.ptr(), at++, (record.*field.value).release().ptr());
  return tuple;
}

/// The record of a tuple, of a named kind or not; it may have further fields.
template <class Record>
Record record_of(const pybind11::handle& tuple) {
  const pybind11::tuple given = as_tuple(tuple);
  if (given.size() < kFields<Record>.size())
    throw pybind11::type_error("a tuple of " + std::to_string(kFields<Record>.size()) +
                               " fields expected, found " + std::to_string(given.size()));
  Record record;
  Py_ssize_t at = 0;
  for (const Field<Record>& field : kFields<Record>)
    record.*field.value = pybind11::reinterpret_borrow<Object>(PyTuple_GET_ITEM(given.ptr(), at++));
  return record;
}

/// The names of the fields of a record.
template <class Record>
pybind11::tuple names_of() {
  pybind11::list names;
  for (const Field<Record>& field : kFields<Record>) names.append(field.name);
  return pybind11::tuple(names);
}

/// A value as an object of Python.
template <class Value>
Object object(const Value& value) {
  return pybind11::cast(value);
}

inline Object object(const char* text) { return pybind11::str(text); }

inline pybind11::list sentence_list(const std::vector<Sentence>& sentences) {
  pybind11::list all;
  for (const Sentence& sentence : sentences) {
    pybind11::list arguments;
    for (const auto& [name, content] : sentence.arguments)
      arguments.append(tuple_of(BlankRecord{text(name), text(content)}));
    all.append(tuple_of(SentenceRecord{text(sentence.id), pybind11::tuple(arguments)}));
  }
  return all;
}

/// What the values of a tensor amount to.
inline pybind11::tuple sums_tuple(const SideSums& sums, double mean) {
  return tuple_of(SumsRecord{object(sums.n), object(sums.n_nan), object(sums.n_positive_inf),
                             object(sums.n_negative_inf), object(sums.max), object(sums.min),
                             object(mean)});
}

inline ViewStep parse_step(const pybind11::handle& step) {
  const auto given = record_of<ViewStepRecord>(step);
  const auto name = pybind11::cast<std::string>(given.kind);
  const auto dims = pybind11::cast<Dims>(given.numbers);
  if (name == "reshape") return {ViewStep::Kind::kReshape, dims};
  if (name == "transpose") return {ViewStep::Kind::kTranspose, dims};
  if (name == "select") return {ViewStep::Kind::kSelect, dims};
  if (name == "slice") return {ViewStep::Kind::kSlice, dims};
  if (name == "stored") return {ViewStep::Kind::kStored, dims};
  if (name == "original") return {ViewStep::Kind::kOriginal, dims};
  throw pybind11::value_error(
      "a view step is \"reshape\", \"transpose\", \"select\", \"slice\", \"stored\" or "
      "\"original\", found \"" +
      name + "\"");
}

inline std::vector<ViewStep> parse_steps(const pybind11::handle& steps) {
  std::vector<ViewStep> parsed;
  for (const pybind11::handle step : as_tuple(steps)) parsed.push_back(parse_step(step));
  return parsed;
}

}  // namespace ait
