// Comparisons for Python: arguments in, plain tuples out, the GIL released while the core works.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <mutex>

#include "bind/convert.h"
#include "bind/module.h"
#include "bind/records.h"
#include "bind/running_batch.h"
#include "simd/dispatch.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace ait {
namespace {

constexpr size_t kMostAtOnce = 1024;

TensorRef::Io parse_io(const std::string& name) {
  if (name == "inputs") return TensorRef::Io::kInputs;
  if (name == "outputs") return TensorRef::Io::kOutputs;
  if (name.empty()) return TensorRef::Io::kNpy;
  throw py::value_error("io is \"inputs\", \"outputs\" or \"\" (an .npy file), found \"" + name +
                        "\"");
}

/// None: no tensor.
std::optional<TensorRef> parse_ref(const py::handle& ref) {
  if (ref.is_none()) return {};
  const auto given = record_of<RefRecord>(ref);
  return TensorRef{path_text(given.path), parse_io(py::cast<std::string>(given.io)),
                   py::cast<uint32_t>(given.index), parse_steps(given.view)};
}

/// None if nothing was read.
py::object side_tuple(const SideResult& side) {
  if (!side.is_known) return py::none();
  const py::object sums =
      side.has_sums ? py::object(sums_tuple(side.sums, side.mean)) : py::object(py::none());
  return tuple_of(SideRecord{object(side.dtype->report), shape_tuple(side.shape), sums});
}

/// {name of a metric: its value}, without those that are not known.
py::dict metrics_dict(const Metrics& metrics) {
  py::dict values;
  for (const Metric& metric : all_metrics())
    if (const Number& value = metrics.*metric.value) values[metric.name] = *value;
  return values;
}

/// {name of a figure: its value}; "saturated" is a list of (bits of types, number of pairs).
py::dict figures_dict(const Figures& figures) {
  py::dict values;
  each_figure(figures, [&](const char* name, const auto& value) { values[name] = value; });
  py::list saturated;
  for (const SaturatedPairs& pairs : figures.saturated)
    saturated.append(tuple_of(SaturatedRecord{object(pairs.types), object(pairs.n)}));
  values["saturated"] = std::move(saturated);
  return values;
}

py::tuple result_tuple(const JobResult& r) {
  py::object metrics = py::none(), worst = py::none(), figures = py::none();
  if (r.has_metrics) metrics = metrics_dict(r.metrics);
  if (r.has_worst)
    worst =
        tuple_of(WorstRecord{object(r.worst_index), object(r.worst_my), object(r.worst_golden)});
  if (r.figures) figures = figures_dict(*r.figures);
  return tuple_of(ResultRecord{object(status_name(r.status)), text(text_of(r.sentences)),
                               side_tuple(r.my), side_tuple(r.golden), metrics,
                               object(r.n_mismatch), worst, figures, sentence_list(r.sentences)});
}

const char* name_of(MetricGroup group) {
  switch (group) {
    case MetricGroup::kAfterSides:
      return "after_sides";
    case MetricGroup::kBeforeBlockGrowth:
      return "before_block_growth";
    case MetricGroup::kAfterBlockGrowth:
      return "after_block_growth";
  }
  return "";
}

/// All metrics, in the order of the columns.
py::tuple metric_table() {
  py::list rows;
  for (const Metric& metric : all_metrics())
    rows.append(tuple_of(MetricRecord{object(metric.name), object(metric.unit),
                                      object(name_of(metric.group)), object(metric.of_equal)}));
  return py::tuple(rows);
}

/// A running batch as Python iterates over it: lists of results, in order.
class BatchIterator {
 public:
  BatchIterator(const py::iterable& jobs, unsigned threads, const std::string& isa,
                const std::string& access, bool kl, bool single_sums)
      : batch_(parse_jobs(jobs), threads, isa, access, kl, single_sums) {}

  py::list next() {
    py::list results;
    for (const JobResult& result : batch_.next(kMostAtOnce)) results.append(result_tuple(result));
    return results;
  }
  void stop() { batch_.stop(); }
  void close() { batch_.close(); }

 private:
  static std::vector<Job> parse_jobs(const py::iterable& jobs) {
    std::vector<Job> parsed;
    for (const py::handle job : jobs) {
      const auto given = record_of<JobRecord>(job);
      parsed.push_back({parse_ref(given.my), parse_ref(given.golden)});
      if (!parsed.back().my && !parsed.back().golden)
        throw py::value_error("a job needs a tensor on at least one side");
    }
    return parsed;
  }

  RunningBatch batch_;
};

/// A contiguous buffer as a tensor of this shape, or of one dimension.
Tensor buffer_tensor(const py::buffer_info& info, uint32_t dtype_number,
                     const std::optional<Dims>& shape) {
  Tensor tensor;
  const auto n_bytes = static_cast<size_t>(info.size * info.itemsize);
  tensor.file = DataFile::of_memory({static_cast<const uint8_t*>(info.ptr), n_bytes});
  tensor.size_bytes = n_bytes;
  tensor.dtype_number = dtype_number;
  resolve_dtype(tensor);
  tensor.has_shape = true;
  tensor.storage_shape =
      shape ? *shape : Dims{static_cast<int64_t>(n_bytes * 8 / tensor.dtype->bits)};
  judge_size(tensor);
  return tensor;
}

py::tuple compare_buffers(const py::buffer& x, uint32_t x_dtype, const py::buffer& y,
                          uint32_t y_dtype, unsigned threads, const std::string& isa, bool kl,
                          const std::optional<Dims>& x_shape, const std::optional<Dims>& y_shape) {
  const py::buffer_info x_info = x.request(), y_info = y.request();
  const View my = make_view(buffer_tensor(x_info, x_dtype, x_shape), {});
  const View golden = make_view(buffer_tensor(y_info, y_dtype, y_shape), {});
  const Kernels& kernels = find_kernels(isa);
  CompareOptions options;
  options.with_kl = kl;
  JobResult result;
  {
    const py::gil_scoped_release release;
    result = compare_views(my, golden, options, threads, kernels);
  }
  return result_tuple(result);
}

/// Decoded values of a tensor in the order of its view steps: flat float32, or float64 where
/// float32 would round.
py::array values_of(const View& view, uint64_t begin, const std::optional<uint64_t>& end) {
  const Kernels& kernels = find_kernels("");
  const uint64_t n_values = view.n_elements * view.tensor.dtype->components;
  const uint64_t stop = std::min(end.value_or(n_values), n_values), start = std::min(begin, stop);
  const bool wide = view.tensor.dtype->wide;
  const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(stop - start)};
  py::array values(py::dtype(wide ? "float64" : "float32"), shape);
  auto* out = static_cast<uint8_t*>(values.mutable_data());
  const py::gil_scoped_release release;
  BlockReader reader(view, kernels);
  const size_t value_bytes = wide ? sizeof(double) : sizeof(float);
  for (uint64_t at = start; at < stop; at += kBlock) {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(kBlock, stop - at));
    std::memcpy(out + (at - start) * value_bytes, reader.read(at, n, wide), n * value_bytes);
  }
  view.tensor.file->check_unchanged();
  return values;
}

py::array read_values(const py::handle& ref, const std::string& access, uint64_t begin,
                      const std::optional<uint64_t>& end) {
  const TensorRef parsed = parse_ref(ref).value();
  const Access how = parse_access(access);
  View view;
  {
    const py::gil_scoped_release release;
    view = open_view(parsed, how);
  }
  return values_of(view, begin, end);
}

/// Reads values of tensors one after the other; the header of a file that follows itself is read
/// once.
class ValueReader {
 public:
  py::array read(const py::handle& ref, uint64_t begin, const std::optional<uint64_t>& end) {
    const TensorRef parsed = parse_ref(ref).value();
    View view;
    {
      const py::gil_scoped_release release;
      const std::lock_guard lock(mutex_);
      view = files_.view(parsed, Access::kAuto);
    }
    return values_of(view, begin, end);
  }

 private:
  std::mutex mutex_;
  OpenFiles files_;
};

/// The machine's own limit beside every benchmark: sums all 64-bit words of a buffer.
}  // namespace

void bind_compare(py::module_& m) {
  m.def(
      "isas",
      [] {
        std::vector<std::string> names;
        for (const Kernels* kernels : supported_kernels()) names.emplace_back(kernels->name);
        return names;
      },
      "CPU levels that this machine runs, best first.");
  m.attr("metrics") = metric_table();
  m.def(
      "isa_in_use", [] { return std::string(find_kernels("").name); },
      "The CPU level that is used where none is named.");
  py::class_<BatchIterator>(m, "Batch", "Many comparisons on a pool of threads; results in order.")
      .def(py::init<const py::iterable&, unsigned, const std::string&, const std::string&, bool,
                    bool>(),
           "jobs"_a, py::kw_only(), "threads"_a = 1, "isa"_a = "", "access"_a = "auto",
           "kl"_a = true, "single_sums"_a = true)
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &BatchIterator::next)
      .def("stop", &BatchIterator::stop, "Begin no further job.")
      .def("close", &BatchIterator::close, "Stop after the chunks in hand.");
  m.def("compare_buffers", &compare_buffers, "x"_a, "x_dtype"_a, "y"_a, "y_dtype"_a, py::kw_only(),
        "threads"_a = 1, "isa"_a = "", "kl"_a = true, "x_shape"_a = py::none(),
        "y_shape"_a = py::none(),
        "Compare two contiguous buffers of the given dtype numbers (and shapes).");
  py::class_<ValueReader>(m, "ValueReader", "Values of tensors, whose files are read once.")
      .def(py::init<>())
      .def("read", &ValueReader::read, "ref"_a, "begin"_a = 0, "end"_a = py::none(),
           "As `read_values`.");
  m.def("read_values", &read_values, "ref"_a, "access"_a = "auto", "begin"_a = 0,
        "end"_a = py::none(),
        "Values begin to end of (path, io, index, view steps), decoded, flat: float32 or float64.");
}

}  // namespace ait
