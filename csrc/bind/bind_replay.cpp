// Replay for Python: attributes of a graph text on demand, and how far outputs are from references.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <unordered_set>

#include "bind/convert.h"
#include "bind/module.h"
#include "formats/graph_attributes.h"
#include "replay/error_sums.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace ait {
namespace {

using Doubles = py::array_t<double, py::array::c_style>;

py::object value_object(const AttributeValue& value) {
  return std::visit(
      [](const auto& one) -> py::object {
        using Value = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<Value, std::monostate>) {
          return py::none();
        } else if constexpr (std::is_same_v<Value, std::string>) {
          return text(one);
        } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          py::list list;
          for (const std::string& item : one) list.append(text(item));
          return list;
        } else {
          return py::cast(one);
        }
      },
      value);
}

py::dict read_attributes(const py::handle& path, size_t graph,
                         std::unordered_set<std::string> names) {
  const std::string name = path_text(path);
  std::vector<OpAttributes> ops;
  {
    const py::gil_scoped_release release;
    const std::shared_ptr<const DataFile> file = DataFile::open(name, Access::kAuto);
    ops = read_graph_attributes(*file, graph, names);
    file->check_unchanged();
  }
  py::dict found;
  for (const OpAttributes& op : ops) {
    const py::str key = text(op.name);
    if (found.contains(key)) continue;  // the first of equal names, as everywhere
    py::dict attributes;
    for (const auto& [title, value] : op.attributes) attributes[text(title)] = value_object(value);
    found[key] = py::make_tuple(
        attributes, op.has_const_bytes ? py::object(py::bytes(op.const_bytes)) : py::none());
  }
  return found;
}

void add(ErrorSums& sums, const Doubles& y, const Doubles& reference,
         const std::optional<Doubles>& extra) {
  if (y.size() != reference.size() || (extra && extra->size() != y.size()))
    throw py::value_error("arrays of one size expected");
  const double* const beside = extra ? extra->data() : nullptr;
  const double* const written = y.data();
  const double* const wanted = reference.data();
  const auto n = static_cast<size_t>(y.size());
  const py::gil_scoped_release release;
  sums.add(written, wanted, beside, n);
}

py::tuple bias(const ErrorSums& sums) {
  const ErrorSums::Bias bias = sums.bias();
  return py::make_tuple(bias.units, bias.sigmas);
}

}  // namespace

void bind_replay(py::module_& m) {
  py::class_<ErrorSums>(m, "ErrorSums", "How far values are from their reference, in units.")
      .def(py::init([](double roundoff, double floor, double saturation, double element_max) {
             return ErrorSums({roundoff, floor, saturation, element_max});
           }),
           py::kw_only(), "roundoff"_a, "floor"_a, "saturation"_a, "element_max"_a)
      .def("add", &add, "y"_a.noconvert(), "reference"_a.noconvert(),
           "extra"_a.noconvert() = py::none())
      .def_property_readonly("n_elements", &ErrorSums::n_elements)
      .def_property_readonly("n_judged", &ErrorSums::n_judged)
      .def_property_readonly("n_above", &ErrorSums::n_above)
      .def_property_readonly("n_different", &ErrorSums::n_different)
      .def_property_readonly("n_nonfinite", &ErrorSums::n_nonfinite)
      .def_property_readonly("worst_index", &ErrorSums::worst_index)
      .def_property_readonly("worst_units", &ErrorSums::worst_units)
      .def_property_readonly("own_error", &ErrorSums::own_error)
      .def_property_readonly("own_growth", &ErrorSums::own_growth)
      .def_property_readonly("bias", &bias);
  m.def("read_graph_attributes", &read_attributes, "path"_a, "graph"_a, "names"_a,
        "{op name: (attributes, bytes of its constant or None)} of the named ops of one graph.");
}

}  // namespace ait
