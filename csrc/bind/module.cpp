// The extension module: a list of bind_*() calls and the translation of errors.
#include "bind/module.h"

#include <pybind11/pybind11.h>

namespace py = pybind11;

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "The compiled core of ait_cmp. Private: import ait_cmp instead.";
  m.attr("__version__") = AIT_CMP_VERSION;
  ait::bind_bench(m);
  ait::bind_compare(m);
}
