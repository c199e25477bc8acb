// The parts of the extension module.
#pragma once

#include <pybind11/pybind11.h>

namespace ait {

void bind_compare(pybind11::module_& m);
void bind_csv(pybind11::module_& m);
void bind_file_group(pybind11::module_& m);
void bind_files(pybind11::module_& m);
void bind_replay(pybind11::module_& m);
void bind_rows(pybind11::module_& m);
void bind_sketch(pybind11::module_& m);
void bind_tensor(pybind11::module_& m);
void bind_verdict(pybind11::module_& m);

}  // namespace ait
