// Pairs of tensors with views: dtypes, formats, shapes and steps are chosen, values are the rest.
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "compare/pair.h"
#include "fuzz.h"
#include "simd/dispatch.h"
#include "tensor/format.h"

namespace {

constexpr uint64_t kMostBytes = 32 << 10;
constexpr uint64_t kMostValues = 8192;

ait::Dims chosen_shape(fuzz::Choices& choices) {
  ait::Dims shape(choices.below(7));
  for (int64_t& dim : shape) dim = static_cast<int64_t>(choices.below(34));
  return shape;
}

/// A tensor of chosen type and shape; `bytes` become as many as it needs.
ait::Tensor chosen_tensor(fuzz::Choices& choices) {
  ait::Tensor tensor;
  size_t n_dtypes = 0;
  const ait::DType* rows = ait::dtype_rows(&n_dtypes);
  tensor.dtype_number = rows[choices.below(n_dtypes)].number;
  tensor.format = static_cast<uint32_t>(choices.below(ait::all_formats().size() + 1));
  tensor.storage_shape = chosen_shape(choices);
  const uint8_t more = choices.byte();
  tensor.has_shape = (more & 1) == 0;
  tensor.fortran_order = (more & 2) != 0 && tensor.format == ait::kFormatNd;
  if ((more & 4) != 0) tensor.sub_format = static_cast<int32_t>(choices.below(5));
  if ((more & 8) != 0) tensor.original_shape = chosen_shape(choices);
  tensor.has_original_shape = !tensor.original_shape.empty();
  ait::resolve_dtype(tensor);
  auto n_bytes = ait::packed_size_bytes(tensor.storage_shape, *tensor.dtype);
  if ((more & 16) != 0 && tensor.dtype->bits == 6)
    n_bytes = ait::element_count(tensor.storage_shape);
  tensor.size_bytes = std::min(n_bytes.value_or(kMostBytes), kMostBytes);
  return tensor;
}

std::vector<ait::ViewStep> chosen_steps(fuzz::Choices& choices, const ait::Tensor& tensor) {
  std::vector<ait::ViewStep> steps;
  for (size_t n = choices.below(4); n > 0; --n)
    steps.push_back(fuzz::chosen_step(choices, ait::make_view(tensor, steps).shape));
  return steps;
}

/// The pattern over and over; one value of each `period` has other bits.
std::vector<uint8_t> repeated(ait::Bytes pattern, uint64_t size, uint8_t period) {
  std::vector<uint8_t> bytes(static_cast<size_t>(size));
  for (size_t i = 0; i < bytes.size() && !pattern.empty(); ++i)
    bytes[i] = pattern[i % pattern.size()];
  for (size_t i = period; period != 0 && i < bytes.size(); i += 4 * size_t{period})
    bytes[i] ^= 0x11;
  return bytes;
}

bool is_same(double a, double b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

bool is_same(const ait::Number& a, const ait::Number& b) {
  return a.has_value() == b.has_value() && (!a.has_value() || is_same(*a, *b));
}

void require_same(const ait::JobResult& one, const ait::JobResult& other) {
  fuzz::require(one.status == other.status && one.has_metrics == other.has_metrics,
                "every CPU level gives the same status");
  for (const ait::Metric& metric : ait::all_metrics())
    fuzz::require(is_same(one.metrics.*metric.value, other.metrics.*metric.value),
                  "every CPU level gives the same bits of metrics");
  fuzz::require(one.worst_index == other.worst_index && one.n_mismatch == other.n_mismatch &&
                    is_same(one.my.mean, other.my.mean) &&
                    is_same(one.golden.mean, other.golden.mean),
                "every CPU level gives the same bits of what is beside metrics");
}

void check_result(const ait::JobResult& result, const ait::View& my) {
  fuzz::require(result.has_metrics == (result.status == ait::Status::kCompared),
                "a pair is compared if it has metrics");
  fuzz::require(result.has_metrics || !result.sentences.empty(), "a pair without metrics says why");
  if (!result.has_metrics || !result.my.has_sums) return;
  const uint64_t n = ait::n_values_of(my);
  fuzz::require(result.my.sums.n == n && result.golden.sums.n == n, "every value is summed");
  fuzz::require(result.figures->n_pairs <= n && result.n_mismatch <= n - result.figures->n_pairs,
                "pairs and mismatches are no more than values");
}

/// A tensor against itself.
void check_equal(const ait::View& view, const ait::Kernels& kernels) {
  const ait::JobResult result = ait::compare_views(view, view, {}, 1, kernels);
  check_result(result, view);
  if (!result.has_metrics) return;
  fuzz::require(result.metrics.max_absolute_error.value_or(0) == 0 && !result.has_worst &&
                    result.figures->n_differ == 0,
                "a tensor has no error against itself");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Choices choices(data, size);
  ait::Tensor x = chosen_tensor(choices);
  ait::Tensor y = choices.flag() ? x : chosen_tensor(choices);
  const uint8_t period = choices.byte();
  fuzz::Choices values = choices;  // of a short input the steps are values, too
  std::vector<uint8_t> x_bytes = repeated(values.rest(), x.size_bytes, 0);
  std::vector<uint8_t> y_bytes = repeated(values.rest(), y.size_bytes, period);
  x.file = ait::DataFile::of_memory(x_bytes);
  y.file = ait::DataFile::of_memory(y_bytes);
  ait::judge_size(x);
  ait::judge_size(y);
  fuzz::expect_no_crash([&] {
    const ait::View my = ait::make_view(x, chosen_steps(choices, x));
    const ait::View golden = ait::make_view(y, chosen_steps(choices, y));
    fuzz::check_view(my);
    fuzz::check_view(golden);
    if (my.n_elements > kMostValues || golden.n_elements > kMostValues) return;
    const ait::Kernels& best = ait::find_kernels("");
    const ait::JobResult result = ait::compare_views(my, golden, {}, 1, best);
    check_result(result, my);
    require_same(result, ait::compare_views(my, golden, {}, 1, ait::find_kernels("base")));
    check_equal(my, best);
    ait::describe_view(golden, "golden", true, best);
  });
  return 0;
}
