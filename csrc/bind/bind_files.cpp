// Files for Python: GE dumps, .npy files and graph texts.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bind/convert.h"
#include "bind/module.h"
#include "bind/records.h"
#include "formats/file_names.h"
#include "formats/ge_dump.h"
#include "formats/graph_text.h"
#include "formats/npy_file.h"
#include "formats/scan.h"
#include "io/many_files.h"
#include "tensor/layout.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace ait {
namespace {

std::vector<std::string> path_texts(const py::iterable& paths) {
  std::vector<std::string> texts;
  for (const py::handle path : paths) texts.push_back(path_text(path));
  return texts;
}

py::list texts(const std::vector<std::string>& all) {
  py::list list;
  for (const std::string& one : all) list.append(text(one));
  return list;
}

std::shared_ptr<const DataFile> open_file(const py::handle& path, const std::string& access) {
  const std::string name = path_text(path);
  const Access how = parse_access(access);
  const py::gil_scoped_release release;
  return DataFile::open(name, how);
}

/// A dump as Python holds it: with the file it came from.
struct OpenGeDump {
  std::shared_ptr<const DataFile> file;
  GeDump dump;
};

OpenGeDump read_ge(const py::handle& path, const std::string& access) {
  OpenGeDump open;
  open.file = open_file(path, access);
  const py::gil_scoped_release release;
  open.dump = read_ge_dump(open.file);
  return open;
}

Tensor read_npy_path(const py::handle& path, const std::string& access) {
  const std::shared_ptr<const DataFile> file = open_file(path, access);
  const py::gil_scoped_release release;
  return read_npy(file);
}

std::vector<Graph> read_graph(const py::handle& path, const std::string& access) {
  const std::shared_ptr<const DataFile> file = open_file(path, access);
  const py::gil_scoped_release release;
  std::vector<Graph> graphs = read_graph_text(*file);
  file->check_unchanged();
  return graphs;
}

py::list tensor_rows(const std::vector<Tensor>& tensors) {
  py::list rows;
  for (const Tensor& tensor : tensors) {
    const bool has_original = !tensor.original_op.empty();
    rows.append(tuple_of(
        HeadRecord{object(tensor.dtype->report), shape_tuple(logical_shape(tensor)),
                   object(state_name(tensor.state)), text(tensor.note),
                   has_original ? py::object(text(tensor.original_op)) : py::object(py::none()),
                   object(tensor.original_op_index), object(tensor.format)}));
  }
  return rows;
}

py::list attr_rows(const GeDump& dump) {
  py::list rows;
  for (const auto& [name, value] : dump.attrs) rows.append(py::make_tuple(text(name), text(value)));
  return rows;
}

py::object error_or_none(const std::string& error) {
  return error.empty() ? py::object(py::none()) : py::object(text(error));
}

std::shared_ptr<GeHeaders> scan_ge(const py::iterable& paths, unsigned threads) {
  std::vector<std::string> names = path_texts(paths);
  const py::gil_scoped_release release;
  return scan_ge_dumps(std::move(names), threads);
}

bool read_files_ahead(const py::iterable& paths) {
  const std::vector<std::string> names = path_texts(paths);
  const py::gil_scoped_release release;
  return read_ahead(names);
}

uint64_t size_of_files(const py::iterable& paths) {
  const std::vector<std::string> names = path_texts(paths);
  const py::gil_scoped_release release;
  return total_size(names);
}

py::tuple header_tuple(const GeHeaders& headers, size_t number) {
  if (number >= headers.scans().size())
    throw py::index_error("header " + std::to_string(number) + " of " +
                          std::to_string(headers.scans().size()));
  const GeScan& scan = headers.scans()[number];
  return tuple_of(GeScanRecord{error_or_none(scan.error), text(scan.dump.op_name),
                               tensor_rows(scan.dump.inputs), tensor_rows(scan.dump.outputs),
                               attr_rows(scan.dump)});
}

py::list scan_npy(const py::iterable& paths, unsigned threads) {
  const std::vector<std::string> names = path_texts(paths);
  std::vector<NpyScan> scans;
  {
    const py::gil_scoped_release release;
    scans = scan_npy_files(names, threads);
  }
  py::list rows;
  for (const NpyScan& scan : scans) {
    if (!scan.error.empty()) {
      rows.append(tuple_of(
          NpyScanRecord{text(scan.error), object(""), py::tuple(), object(""), object("")}));
      continue;
    }
    const Tensor& tensor = scan.tensor;
    rows.append(tuple_of(NpyScanRecord{py::none(), object(tensor.dtype->report),
                                       shape_tuple(logical_shape(tensor)),
                                       object(state_name(tensor.state)), text(tensor.note)}));
  }
  return rows;
}

/// A text that many files share, as one str.
py::object shared_text(std::string_view text) {
  PyObject* str = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr);
  if (str == nullptr) throw py::error_already_set();
  PyUnicode_InternInPlace(&str);
  return py::reinterpret_steal<py::object>(str);
}

py::object number(std::string_view digits) {
  PyObject* value = PyLong_FromString(std::string(digits).c_str(), nullptr, 10);
  if (value == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(value);
}

/// The cells of a GeFile or of an FxFile (discover/tree.py); None for a name of another form.
py::object name_cells(const py::str& folder, const py::handle& file, std::string_view name,
                      const py::str& kind) {
  const auto path = [&] { return folder + py::str("/") + py::reinterpret_borrow<py::str>(file); };
  if (const auto fx = parse_plain_fx_name(name))
    return tuple_of(FxFileRecord{path(), shared_text(fx->node), shared_text(fx->target),
                                 shared_text(fx->io), number(fx->index), number(fx->sub_index),
                                 number(fx->timestamp), kind});
  if (const auto ge = parse_plain_ge_name(name))
    return tuple_of(GeFileRecord{path(), shared_text(ge->op_type), shared_text(ge->op_name),
                                 number(ge->task_id), number(ge->stream_id), number(ge->timestamp),
                                 object(-1), object(-1), kind});
  return py::none();
}

py::list parse_plain_names(const py::str& folder, const py::list& names) {
  const py::str kind("dump");
  py::list cells;
  for (const py::handle name : names) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(name.ptr(), &size);
    if (text == nullptr) {  // no UTF-8
      PyErr_Clear();
      cells.append(py::none());
      continue;
    }
    cells.append(name_cells(folder, name, {text, static_cast<size_t>(size)}, kind));
  }
  return cells;
}

/// One value per descriptor, as a list.
template <class Value>
py::list per_desc(const std::vector<GraphTensorDesc>& descs, const Value& value) {
  py::list list;
  for (const GraphTensorDesc& desc : descs) list.append(value(desc));
  return list;
}

py::object fx_name(const GraphTensorDesc& desc) {
  return desc.has_fx_name ? py::object(text(desc.fx_name)) : py::object(py::none());
}

py::object origin(const GraphTensorDesc& desc) {
  if (desc.origin_name.empty()) return py::none();
  return py::make_tuple(text(desc.origin_name), desc.origin_index);
}

py::object const_tuple(const GraphOp& op) {
  if (!op.has_const) return py::none();
  const py::object bytes =
      op.has_const_bytes ? py::object(py::bytes(op.const_bytes)) : py::object(py::none());
  return py::make_tuple(text(op.const_dtype), shape_tuple(op.const_shape), bytes);
}

py::object desc_shape(const GraphTensorDesc& desc) {
  return shape_or_none(desc.has_shape, desc.shape);
}

py::str desc_dtype(const GraphTensorDesc& desc) { return text(desc.dtype); }
py::str desc_name(const GraphTensorDesc& desc) { return text(desc.name); }

void bind_ge_dump(py::module_& m) {
  py::class_<OpenGeDump>(m, "GeDump", "The tensors that one operator read and wrote in one step.")
      .def_property_readonly("path",
                             [](const OpenGeDump& d) { return path_object(d.file->path()); })
      .def_property_readonly("file_size", [](const OpenGeDump& d) { return d.file->size_bytes(); })
      .def_property_readonly("version", [](const OpenGeDump& d) { return text(d.dump.version); })
      .def_property_readonly("op_name", [](const OpenGeDump& d) { return text(d.dump.op_name); })
      .def_property_readonly("dump_time", [](const OpenGeDump& d) { return d.dump.dump_time; })
      .def_property_readonly("inputs", [](const OpenGeDump& d) { return d.dump.inputs; })
      .def_property_readonly("outputs", [](const OpenGeDump& d) { return d.dump.outputs; })
      .def_property_readonly("attrs", [](const OpenGeDump& d) { return attr_rows(d.dump); })
      .def_property_readonly("notes", [](const OpenGeDump& d) { return texts(d.dump.notes); })
      .def_property_readonly("header_bytes",
                             [](const OpenGeDump& d) { return d.dump.header_bytes; })
      .def_property_readonly("is_complete", [](const OpenGeDump& d) { return d.dump.is_complete; })
      .def(
          "check_unchanged", [](const OpenGeDump& d) { d.file->check_unchanged(); },
          "Raise FormatError if the file was changed since it was opened.");
}

void bind_headers(py::module_& m) {
  py::class_<GeHeaders, std::shared_ptr<GeHeaders>>(m, "GeHeaders",
                                                    "Headers of GE dumps, in the order of paths.")
      .def("__len__", [](const GeHeaders& headers) { return headers.scans().size(); })
      .def("__iter__",
           [](const py::object& self) {
             return py::reinterpret_steal<py::iterator>(PySeqIter_New(self.ptr()));
           })
      .def("__getitem__", &header_tuple, "number"_a,
           "(error, op_name, inputs, outputs, attrs) of one file.")
      .def(
          "is_like",
          [](const GeHeaders& headers, const GeHeaders& other) { return headers.is_like(other); },
          "other"_a, "Whether both say the same, paths and times apart.");
}

void bind_graph(py::module_& m) {
  py::class_<GraphOp>(m, "GraphOp", "One operator of a graph text.")
      .def_property_readonly("name", [](const GraphOp& op) { return text(op.name); })
      .def_property_readonly("type", [](const GraphOp& op) { return text(op.type); })
      .def_property_readonly("inputs", [](const GraphOp& op) { return texts(op.inputs); })
      .def_property_readonly("input_names",
                             [](const GraphOp& op) { return per_desc(op.input_descs, fx_name); })
      .def_property_readonly("output_names",
                             [](const GraphOp& op) { return per_desc(op.output_descs, fx_name); })
      .def_property_readonly("input_desc_names",
                             [](const GraphOp& op) { return per_desc(op.input_descs, desc_name); })
      .def_property_readonly("output_desc_names",
                             [](const GraphOp& op) { return per_desc(op.output_descs, desc_name); })
      .def_property_readonly("input_shapes",
                             [](const GraphOp& op) { return per_desc(op.input_descs, desc_shape); })
      .def_property_readonly(
          "output_shapes", [](const GraphOp& op) { return per_desc(op.output_descs, desc_shape); })
      .def_property_readonly("input_dtypes",
                             [](const GraphOp& op) { return per_desc(op.input_descs, desc_dtype); })
      .def_property_readonly(
          "output_dtypes", [](const GraphOp& op) { return per_desc(op.output_descs, desc_dtype); })
      .def_property_readonly("output_origins",
                             [](const GraphOp& op) { return per_desc(op.output_descs, origin); })
      .def_property_readonly("unfed",
                             [](const GraphOp& op) {
                               return per_desc(op.input_descs, [](const GraphTensorDesc& desc) {
                                 return py::bool_(desc.unfed_optional);
                               });
                             })
      .def_readonly("index", &GraphOp::index)
      .def_property_readonly("const", &const_tuple)
      .def_property_readonly("readable_value",
                             [](const GraphOp& op) {
                               return op.has_readable_value ? py::object(text(op.readable_value))
                                                            : py::object(py::none());
                             })
      .def_property_readonly("original_op_names",
                             [](const GraphOp& op) { return texts(op.original_op_names); })
      .def_property_readonly("meta", [](const GraphOp& op) { return text(op.meta); });
  py::class_<Graph>(m, "Graph", "One graph of a graph text, its operators in file order.")
      .def_property_readonly("name", [](const Graph& graph) { return text(graph.name); })
      .def_property_readonly("ops", [](py::object self) {
        // The operators stay where they are: each keeps its graph alive.
        const auto& graph = self.cast<const Graph&>();
        py::list ops;
        for (const GraphOp& op : graph.ops) {
          ops.append(py::cast(&op, py::return_value_policy::reference_internal, self));
        }
        return ops;
      });
}

}  // namespace

void bind_files(py::module_& m) {
  bind_ge_dump(m);
  bind_headers(m);
  bind_graph(m);
  m.def("read_ge", &read_ge, "path"_a, "access"_a = "auto", "The tensors of one GE dump file.");
  m.def("read_npy", &read_npy_path, "path"_a, "access"_a = "auto", "The array of one .npy file.");
  m.def("read_graph", &read_graph, "path"_a, "access"_a = "auto", "The graphs of one graph text.");
  m.def("parse_plain_names", &parse_plain_names, "folder"_a, "names"_a,
        "What names of GE and FX dumps say; None for those that are not of today's form.");
  m.def("scan_ge", &scan_ge, "paths"_a, "threads"_a,
        "Headers of GE dumps; small files are kept for the comparison.");
  m.def("read_ahead", &read_files_ahead, "paths"_a,
        "Read the beginning of files on threads; False if they are in memory already.");
  m.def("total_size", &size_of_files, "paths"_a, "Bytes of all files together.");
  m.def("scan_npy", &scan_npy, "paths"_a, "threads"_a,
        "Headers of .npy files: (error, dtype, shape, state, note) per path.");
}

}  // namespace ait
