// Tensors for Python: what the header says, their values as NumPy arrays, the dtype table.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "bind/convert.h"
#include "bind/module.h"
#include "bind/records.h"
#include "io/bytes.h"
#include "simd/dispatch.h"
#include "tensor/block_reader.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace ait {
namespace {

/// Whether NumPy can describe an array: it takes a dimension of 0 for one of 1 when it counts.
bool fits_numpy(const ArrayType& type, uint64_t item_bytes) {
  uint64_t bytes = item_bytes;
  for (const int64_t dim : type.shape)
    if (dim > 1 && !checked_mul(bytes, static_cast<uint64_t>(dim), &bytes)) return false;
  return bytes <= static_cast<uint64_t>(PY_SSIZE_T_MAX);
}

/// One allocation: the array is filled in place.
py::array view_array(const View& view, const std::string& isa) {
  if (!view.problem.empty()) throw FormatError(view.tensor.file->path() + ": " + view.problem);
  const Kernels& kernels = find_kernels(isa);
  const ArrayType type = array_type(view);
  const py::dtype dtype(type.name);
  if (!fits_numpy(type, static_cast<uint64_t>(dtype.itemsize())))
    throw FormatError(view.tensor.file->path() + ": NumPy holds no array of shape " +
                      shape_text(type.shape));
  py::array array(dtype, std::vector<py::ssize_t>(type.shape.begin(), type.shape.end()));
  auto* out = static_cast<uint8_t*>(array.mutable_data());
  {
    const py::gil_scoped_release release;
    read_array(view, kernels, out);
    view.tensor.file->check_unchanged();
  }
  return array;
}

py::array tensor_array(const Tensor& tensor, const py::tuple& steps, const std::string& isa) {
  return view_array(make_view(tensor, parse_steps(steps)), isa);
}

/// A contiguous buffer read as a tensor of a dump.
py::tuple decode(const py::buffer& buffer, uint32_t dtype_number, const Dims& shape,
                 uint32_t format, int32_t sub_format, const std::optional<Dims>& original_shape,
                 const py::tuple& steps, const std::string& isa) {
  const py::buffer_info info = buffer.request();
  Tensor tensor;
  tensor.size_bytes = static_cast<uint64_t>(info.size * info.itemsize);
  tensor.file = DataFile::of_memory({static_cast<const uint8_t*>(info.ptr), tensor.size_bytes});
  tensor.dtype_number = dtype_number;
  resolve_dtype(tensor);
  tensor.format = format;
  tensor.sub_format = sub_format;
  tensor.has_shape = true;
  tensor.storage_shape = shape;
  tensor.has_original_shape = original_shape.has_value();
  if (original_shape) tensor.original_shape = *original_shape;
  judge_size(tensor);
  const View view = make_view(tensor, parse_steps(steps));
  return py::make_tuple(view_array(view, isa), text(full_note(view.tensor)),
                        !view.is_storage_order);
}

py::list dtypes() {
  size_t count = 0;
  const DType* rows = dtype_rows(&count);
  py::list list;
  for (size_t i = 0; i < count; ++i) {
    const DType& row = rows[i];
    list.append(tuple_of(DTypeRecord{object(row.number), object(row.name), object(row.report),
                                     object(row.numpy), object(row.bits), object(row.components),
                                     object(row.unit_roundoff_exp)}));
  }
  return list;
}

py::object original_op(const Tensor& tensor) {
  if (tensor.original_op.empty()) return py::none();
  return py::make_tuple(text(tensor.original_op), tensor.original_op_index);
}

void bind_tensor_class(py::module_& m) {
  py::class_<Tensor>(m, "Tensor", "One tensor of a file: where its bytes lie and what they mean.")
      .def_property_readonly("dtype", [](const Tensor& t) { return t.dtype->report; })
      .def_readonly("dtype_number", &Tensor::dtype_number)
      .def_readonly("format_number", &Tensor::format)
      .def_readonly("sub_format", &Tensor::sub_format)
      .def_property_readonly("shape", [](const Tensor& t) { return shape_tuple(logical_shape(t)); })
      .def_property_readonly(
          "storage_shape",
          [](const Tensor& t) { return shape_or_none(t.has_shape, t.storage_shape); })
      .def_property_readonly(
          "original_shape",
          [](const Tensor& t) { return shape_or_none(t.has_original_shape, t.original_shape); })
      .def_readonly("size_bytes", &Tensor::size_bytes)
      .def_readonly("offset_bytes", &Tensor::offset_bytes)
      .def_property_readonly("state", [](const Tensor& t) { return state_name(t.state); })
      .def_property_readonly("note", [](const Tensor& t) { return text(full_note(t)); })
      .def_property_readonly("original_op", &original_op)
      .def_readonly("fortran_order", &Tensor::fortran_order)
      .def_readonly("address", &Tensor::address)
      .def_property_readonly("format", [](const Tensor& t) { return format_name(t.format); })
      .def("numpy", &tensor_array, "steps"_a = py::tuple(), py::kw_only(), "isa"_a = "",
           "The values in logical order.");
}

}  // namespace

void bind_tensor(py::module_& m) {
  bind_tensor_class(m);
  m.def("decode", &decode, "buffer"_a, "dtype"_a, "shape"_a, py::kw_only(), "format"_a = kFormatNd,
        "sub_format"_a = 0, "original_shape"_a = py::none(), "steps"_a = py::tuple(), "isa"_a = "",
        "(array, note, is_converted) of a contiguous buffer read as a tensor of a dump.");
  m.def("dtypes", &dtypes,
        "Rows of the dtype table: (number, name, report, numpy, bits, components, log2 of unit "
        "roundoff).");
}

}  // namespace ait
