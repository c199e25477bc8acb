// Paths, texts and shapes between C++ and Python.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "tensor.h"

namespace ait {

/// A path as Python sees one: str, bytes or os.PathLike.
inline std::string path_text(const pybind11::handle& path) {
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &encoded) == 0) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::bytes>(encoded);
}

/// Text of a file as str; bytes that are no UTF-8 show as \xNN, so that it can always be printed.
inline pybind11::str text(const std::string& bytes) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "backslashreplace");
  if (decoded == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::str>(decoded);
}

inline pybind11::tuple shape_tuple(const Dims& dims) {
  pybind11::tuple shape(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) shape[i] = pybind11::int_(dims[i]);
  return shape;
}

}  // namespace ait
