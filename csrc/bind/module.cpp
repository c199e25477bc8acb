// The extension module: a list of bind_*() calls and the translation of errors.
#include "bind/module.h"

#include <pybind11/pybind11.h>

#include "io/bytes.h"
#include "io/data_file.h"

namespace py = pybind11;

namespace {

/// A message as str: a path in it need not be UTF-8.
py::str message_text(const std::string& message) {
  return py::reinterpret_steal<py::str>(PyUnicode_DecodeUTF8(
      message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace"));
}

void translate_error(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const ait::FormatError& error) {
    const py::object type = py::module_::import("ait_cmp.errors").attr("FormatError");
    PyErr_SetObject(type.ptr(), message_text(error.what()).ptr());
  } catch (const ait::FileError& error) {
    // Python picks the subclass (FileNotFoundError, ...) by the number.
    const auto path = py::reinterpret_steal<py::object>(PyUnicode_DecodeFSDefaultAndSize(
        error.path.data(), static_cast<Py_ssize_t>(error.path.size())));
    const py::tuple arguments = py::make_tuple(error.code().value(), error.code().message(), path);
    PyErr_SetObject(PyExc_OSError, arguments.ptr());
  }
}

}  // namespace

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "The compiled core of ait_cmp. Private: import ait_cmp instead.";
  m.attr("__version__") = AIT_CMP_VERSION;
#if defined(__clang__)
  m.attr("compiler") = __VERSION__;
#else
  m.attr("compiler") = "GCC " __VERSION__;
#endif
  py::register_exception_translator(&translate_error);
  ait::bind_compare(m);
  ait::bind_csv(m);
  ait::bind_tensor(m);
  ait::bind_files(m);
  ait::bind_rows(m);
  ait::bind_replay(m);
  ait::bind_file_group(m);
  ait::bind_sketch(m);
}
