// Paths, texts and shapes between C++ and Python.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace ait {

/// A path as Python sees one: str, bytes or os.PathLike.
inline std::string path_text(const pybind11::handle& path) {
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &encoded) == 0) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::bytes>(encoded);
}

/// A path as the file system has it, as Python sees one: `path_text` is the way back.
inline pybind11::str path_object(std::string_view path) {
  PyObject* str =
      PyUnicode_DecodeFSDefaultAndSize(path.data(), static_cast<Py_ssize_t>(path.size()));
  if (str == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::str>(str);
}

/// Text of a file as str; bytes that are no UTF-8 show as \xNN, so that it can always be printed.
inline pybind11::str text(const std::string& bytes) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "backslashreplace");
  if (decoded == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::str>(decoded);
}

/// A str as bytes; the odd bytes of a text that is no UTF-8 are kept.
inline std::string bytes_of(const pybind11::handle& str) {
  Py_ssize_t size = 0;
  if (const char* text = PyUnicode_AsUTF8AndSize(str.ptr(), &size))
    return {text, static_cast<size_t>(size)};
  PyErr_Clear();
  const auto bytes = pybind11::reinterpret_steal<pybind11::bytes>(
      PyUnicode_AsEncodedString(str.ptr(), "utf-8", "surrogateescape"));
  if (!bytes) throw pybind11::error_already_set();
  return bytes;
}

/// The way back.
inline pybind11::str str_of(std::string_view bytes) {
  PyObject* str =
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogateescape");
  if (str == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::str>(str);
}

inline pybind11::tuple shape_tuple(const Dims& dims) {
  pybind11::tuple shape(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) shape[i] = pybind11::int_(dims[i]);
  return shape;
}

/// A tuple, of a named kind or not.
inline pybind11::tuple as_tuple(const pybind11::handle& value) {
  if (PyTuple_Check(value.ptr()) == 0)
    throw pybind11::type_error("a tuple expected, found " +
                               std::string(Py_TYPE(value.ptr())->tp_name));
  return pybind11::reinterpret_borrow<pybind11::tuple>(value);
}

inline pybind11::object shape_or_none(bool has_shape, const Dims& dims) {
  return has_shape ? pybind11::object(shape_tuple(dims)) : pybind11::object(pybind11::none());
}

}  // namespace ait
