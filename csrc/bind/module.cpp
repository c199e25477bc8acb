// The extension module: a list of bind_*() calls and the translation of errors.
#include "bind/module.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bind/records.h"
#include "io/bytes.h"
#include "io/data_file.h"
#include "simd/dispatch.h"

namespace py = pybind11;

namespace {

/// A message as str: a path in it need not be UTF-8.
py::str message_text(const std::string& message) {
  return py::reinterpret_steal<py::str>(PyUnicode_DecodeUTF8(
      message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace"));
}

/// Raises a class of ait_cmp.errors.
void set_error(const char* name, const std::string& message) {
  const py::object type = py::module_::import("ait_cmp.errors").attr(name);
  PyErr_SetObject(type.ptr(), message_text(message).ptr());
}

void translate_error(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const ait::FormatError& error) {
    set_error("FormatError", error.what());
  } catch (const ait::CpuLevelError& error) {
    set_error("ConfigError", error.what());
  } catch (const ait::FileError& error) {
    // Python picks the subclass (FileNotFoundError, ...) by the number.
    const auto path = py::reinterpret_steal<py::object>(PyUnicode_DecodeFSDefaultAndSize(
        error.path.data(), static_cast<Py_ssize_t>(error.path.size())));
    const py::tuple arguments = py::make_tuple(error.code().value(), error.code().message(), path);
    PyErr_SetObject(PyExc_OSError, arguments.ptr());
  }
}

}  // namespace

/// Names of the fields of every record, by its name.
py::dict record_fields() {
  py::dict names;
  names["tensor_ref"] = ait::names_of<ait::RefRecord>();
  names["view_step"] = ait::names_of<ait::ViewStepRecord>();
  names["job"] = ait::names_of<ait::JobRecord>();
  names["pair"] = ait::names_of<ait::PairRecord>();
  names["sums"] = ait::names_of<ait::SumsRecord>();
  names["side"] = ait::names_of<ait::SideRecord>();
  names["worst"] = ait::names_of<ait::WorstRecord>();
  names["result"] = ait::names_of<ait::ResultRecord>();
  names["reduced_result"] = ait::names_of<ait::ReducedResultRecord>();
  names["saturated"] = ait::names_of<ait::SaturatedRecord>();
  names["blank"] = ait::names_of<ait::BlankRecord>();
  names["sentence"] = ait::names_of<ait::SentenceRecord>();
  names["head"] = ait::names_of<ait::HeadRecord>();
  names["ge_scan"] = ait::names_of<ait::GeScanRecord>();
  names["npy_scan"] = ait::names_of<ait::NpyScanRecord>();
  names["sketch"] = ait::names_of<ait::SketchRecord>();
  names["ge_file"] = ait::names_of<ait::GeFileRecord>();
  names["fx_file"] = ait::names_of<ait::FxFileRecord>();
  names["identity"] = ait::names_of<ait::IdentityRecord>();
  names["claim"] = ait::names_of<ait::ClaimRecord>();
  names["known_file"] = ait::names_of<ait::KnownFileRecord>();
  names["new_file"] = ait::names_of<ait::NewFileRecord>();
  names["new_name"] = ait::names_of<ait::NewNameRecord>();
  names["created"] = ait::names_of<ait::CreatedRecord>();
  names["dtype"] = ait::names_of<ait::DTypeRecord>();
  names["metric"] = ait::names_of<ait::MetricRecord>();
  return names;
}

/// The English texts of all sentences; ImportError if they lack one that the core says, or name
/// other blanks.
void take_texts() {
  const py::module_ sentences = py::module_::import("ait_cmp.sentences");
  const py::dict texts = sentences.attr("LANGUAGES")["en"];
  ait::each_sentence_kind([&](const auto& kind) {
    py::set blanks;
    for (const char* blank : kind.blanks) blanks.add(blank);
    if (!texts.contains(kind.id) || !sentences.attr("blanks_of")(texts[kind.id]).equal(blanks))
      throw py::import_error(std::string("ait_cmp.sentences: a text of \"") + kind.id +
                             "\" expected with the blanks " + std::string(py::str(blanks)));
  });
  ait::set_sentence_texts(py::cast<std::map<std::string, std::string, std::less<>>>(texts));
}

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "The compiled core of ait_cmp. Private: import ait_cmp instead.";
  m.attr("__version__") = AIT_CMP_VERSION;
#if defined(__clang__)
  m.attr("compiler") = __VERSION__;
#else
  m.attr("compiler") = "GCC " __VERSION__;
#endif
  m.attr("record_fields") = record_fields();
  take_texts();
  py::register_exception_translator(&translate_error);
  ait::bind_compare(m);
  ait::bind_csv(m);
  ait::bind_tensor(m);
  ait::bind_files(m);
  ait::bind_rows(m);
  ait::bind_replay(m);
  ait::bind_verdict(m);
  ait::bind_file_group(m);
  ait::bind_sketch(m);
}
