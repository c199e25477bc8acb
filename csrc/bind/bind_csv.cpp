// Rows of a report as CSV text.
#include <pybind11/pybind11.h>

#include "bind/convert.h"
#include "bind/module.h"
#include "report/csv_text.h"

namespace py = pybind11;

namespace ait {
namespace {

/// One cell: str, int, float or None.
void append_cell(std::string& line, PyObject* cell) {
  if (cell == Py_None) return;
  if (PyFloat_Check(cell)) {
    append_number(line, PyFloat_AS_DOUBLE(cell));
  } else if (PyLong_Check(cell)) {
    const long long value = PyLong_AsLongLong(cell);
    if (value == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    append_number(line, int64_t{value});
  } else if (PyUnicode_Check(cell)) {
    append_text(line, bytes_of(cell));
  } else {
    throw py::type_error(std::string("a cell is str, int, float or None, found ") +
                         Py_TYPE(cell)->tp_name);
  }
}

/// Lines of tuples; a tuple among the cells stands for several cells.
py::bytes csv_lines(const py::list& rows) {
  std::string text;
  for (const py::handle row : rows) {
    bool is_first = true;
    for (const py::handle cell : py::cast<py::tuple>(row)) {
      const bool is_group = PyTuple_Check(cell.ptr()) != 0;
      const Py_ssize_t n = is_group ? PyTuple_GET_SIZE(cell.ptr()) : 1;
      for (Py_ssize_t i = 0; i < n; ++i) {
        if (!is_first) text += ',';
        is_first = false;
        append_cell(text, is_group ? PyTuple_GET_ITEM(cell.ptr(), i) : cell.ptr());
      }
    }
    text += '\n';
  }
  return py::bytes(text);
}

}  // namespace

void bind_csv(py::module_& m) {
  m.def("csv_lines", &csv_lines, py::arg("rows"),
        "CSV text of a list of tuples of str, int, float or None.");
}

}  // namespace ait
