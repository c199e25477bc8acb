// Sketches for Python: a located tensor in, plain numbers and bytes out.
#include <pybind11/pybind11.h>

#include "bind/convert.h"
#include "bind/module.h"
#include "bind/records.h"
#include "compare/metrics.h"
#include "simd/dispatch.h"
#include "sketch/sketch.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace ait {
namespace {

py::bytes float64_bytes(const std::vector<double>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
}

py::tuple sketch(const Tensor& tensor, const py::tuple& steps, unsigned threads,
                 const std::string& isa) {
  std::vector<ViewStep> parsed;
  for (const py::handle step : steps) parsed.push_back(parse_step(step));
  const View view = make_view(tensor, parsed);
  std::string problem = view.problem;
  if (tensor.state != TensorState::kOk && !view.is_raw()) problem = tensor.note;
  SketchRecord record{shape_tuple(view.shape),
                      text(problem),
                      object(tensor.dtype->wide),
                      py::none(),
                      py::none(),
                      py::none(),
                      py::none(),
                      py::none()};
  if (!problem.empty()) return tuple_of(std::move(record));
  const Kernels& kernels = find_kernels(isa);
  TensorSketch made;
  {
    const py::gil_scoped_release release;
    made = sketch_view(view, threads, kernels);
  }
  record.sums = sums_tuple(made.sums, mean_of(made.sums));
  record.sum_squares = object(made.sum_squares);
  record.content = object(made.hash);
  if (made.buckets.empty())
    record.values = float64_bytes(made.values);
  else
    record.buckets = float64_bytes(made.buckets);
  return tuple_of(std::move(record));
}

}  // namespace

void bind_sketch(py::module_& m) {
  m.attr("sketch_buckets") = kSketchBuckets;
  m.def("sketch", &sketch, "tensor"_a, "steps"_a = py::tuple(), py::kw_only(), "threads"_a = 1,
        "isa"_a = "", "Statistics, content hash and linear sketch of a tensor, in one pass.");
}

}  // namespace ait
