// Kernels and comparisons for Python.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bind/module.h"
#include "simd/dispatch.h"

namespace py = pybind11;

namespace ait {

void bind_compare(py::module_& m) {
  m.def(
      "isas",
      [] {
        std::vector<std::string> names;
        for (const Kernels* kernels : supported_kernels()) names.emplace_back(kernels->name);
        return names;
      },
      "CPU levels that this machine runs, best first.");
}

}  // namespace ait
