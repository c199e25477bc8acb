// The module `_bench`: what benchmarks need beside the comparison. No wheel has it; it is built
// with the option AIT_BENCH.
#include <pybind11/pybind11.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/plain_read.h"
#include "simd/dispatch.h"

namespace py = pybind11;

namespace ait {
namespace {

/// Runs a kernel `calls` times on one block of benign numbers (as float32 or float64 from 0.5 to
/// 1.5, or their stored form), or on the rows of a sketch.
void repeat_kernel(const std::string& name, const std::string& isa, size_t calls) {
  const Kernels& kernels = find_kernels(isa);
  alignas(64) float x[kBlock], y[kBlock];
  alignas(64) double wide_x[kBlock], wide_y[kBlock];
  alignas(64) uint8_t stored[kBlock * 2];  // fp16 near 1
  for (size_t i = 0; i < kBlock; ++i) {
    wide_y[i] = 0.5 + static_cast<double>(i) / kBlock;
    wide_x[i] = wide_y[i] * (1 + 1e-3 * static_cast<double>(i % 7));
    x[i] = static_cast<float>(wide_x[i]);
    y[i] = static_cast<float>(wide_y[i]);
    stored[2 * i] = static_cast<uint8_t>(i);
    stored[2 * i + 1] = 0x3c;
  }
  // A band of rows of a sketch: bfloat16 near 1.
  std::vector<uint16_t> band(kBandRows * kRowValues);
  for (size_t i = 0; i < band.size(); ++i) band[i] = static_cast<uint16_t>(0x3f80 + i % 128);
  const auto* rows = reinterpret_cast<const uint8_t*>(band.data());
  const std::vector<uint64_t> random(4 * kRowPlaces, 0x9e3779b97f4a7c15u);
  ScannedRows scanned;
  BandSums band_sums;
  NarrowSums sums{};
  const auto bytes = [](const auto& values) { return reinterpret_cast<const uint8_t*>(values); };
  const Ahead ahead{nullptr, nullptr, 0, 0};
  PairBlock pair;
  StatsBlock stats;
  KlBlock kl;
  const auto repeat = [calls](const auto& call) {
    for (size_t i = 0; i < calls; ++i) call();
  };
  if (name == "pair_f32")
    repeat([&] { kernels.pair_f32(bytes(x), bytes(y), kBlock, &ahead, &pair); });
  else if (name == "pair_f64")
    repeat([&] { kernels.pair_f64(bytes(wide_x), bytes(wide_y), kBlock, &ahead, &pair); });
  else if (name == "stats_f32")
    repeat([&] { kernels.stats_f32(bytes(x), kBlock, &stats); });
  else if (name == "kl_near_f32")
    repeat([&] { kernels.kl_near_f32(bytes(x), bytes(y), kBlock, 2, &kl); });
  else if (name == "kl_far_f32")
    repeat([&] { kernels.kl_far_f32(bytes(x), bytes(y), kBlock, 2, 2, &kl); });
  else if (name == "decode_float16")
    repeat([&] { kernels.decode_float16(stored, kBlock, x); });
  else if (name == "decode_bfloat16")
    repeat([&] { kernels.decode_bfloat16(stored, kBlock, x); });
  else if (name == "sum_bf16")
    repeat([&] {
      kernels.sum_bf16(rows, kBandRows, random.data(), random.data(), &scanned, &band_sums);
      kernels.add_band(&band_sums, &sums);
    });
  else
    throw std::invalid_argument("kernel \"" + name + "\": not known to the benchmark");
}

/// Sum of all 64-bit words of a buffer.
uint64_t plain_read(const py::buffer& buffer, unsigned threads) {
  const py::buffer_info info = buffer.request();
  const auto* bytes = static_cast<const uint8_t*>(info.ptr);
  const auto n_bytes = static_cast<size_t>(info.size * info.itemsize);
  const py::gil_scoped_release release;
  return sum_words({bytes, n_bytes}, threads);
}

}  // namespace
}  // namespace ait

PYBIND11_MODULE(_bench, m) {
  m.doc() = "What only benchmarks call.";
  m.def("repeat_kernel", &ait::repeat_kernel, py::arg("name"), py::arg("isa"), py::arg("calls"),
        py::call_guard<py::gil_scoped_release>(),
        "Runs one kernel `calls` times on data that stays in L1.");
  m.def(
      "plain_read", &ait::plain_read, py::arg("buffer"), py::arg("threads") = 1,
      "Sum of all 64-bit words of a buffer: the read bandwidth that a benchmark is held against.");
}
