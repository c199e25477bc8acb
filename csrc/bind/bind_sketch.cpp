// Sketches for Python: a located tensor in, plain numbers and bytes out.
#include <pybind11/pybind11.h>

#include "bind/convert.h"
#include "bind/module.h"
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

/// (shape, problem, is wide, sums, sum of squares, hash, values or None, buckets or None); what
/// follows "is wide" is None when the problem is not "". sums = (n, nan, +inf, -inf, max, min,
/// mean) of the finite values; values and buckets are bytes of float64.
py::tuple sketch(const Tensor& tensor, const py::tuple& steps, unsigned threads,
                 const std::string& isa) {
  std::vector<ViewStep> parsed;
  for (const py::handle step : steps) parsed.push_back(parse_step(step));
  const View view = make_view(tensor, parsed);
  std::string problem = view.problem;
  if (tensor.state != TensorState::kOk && !view.is_raw()) problem = tensor.note;
  if (!problem.empty())
    return py::make_tuple(shape_tuple(view.shape), text(problem), tensor.dtype->wide, py::none(),
                          py::none(), py::none(), py::none(), py::none());
  const Kernels& kernels = find_kernels(isa);
  TensorSketch made;
  {
    const py::gil_scoped_release release;
    made = sketch_view(view, threads, kernels);
  }
  const SideSums& s = made.sums;
  const bool is_whole = made.buckets.empty();
  return py::make_tuple(
      shape_tuple(view.shape), "", tensor.dtype->wide,
      py::make_tuple(s.n, s.n_nan, s.n_positive_inf, s.n_negative_inf, s.max, s.min, mean_of(s)),
      made.sum_squares, made.hash, is_whole ? py::object(float64_bytes(made.values)) : py::none(),
      is_whole ? py::none() : py::object(float64_bytes(made.buckets)));
}

}  // namespace

void bind_sketch(py::module_& m) {
  m.attr("sketch_buckets") = kSketchBuckets;
  m.def("sketch", &sketch, "tensor"_a, "steps"_a = py::tuple(), py::kw_only(), "threads"_a = 1,
        "isa"_a = "", "Statistics, content hash and linear sketch of a tensor, in one pass.");
}

}  // namespace ait
