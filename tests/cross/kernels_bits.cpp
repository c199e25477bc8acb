// Prints a hash of everything that the kernels and the metrics give for fixed pseudo-random values,
// one line per CPU level, function and case: "v3 pair_f32 17+1 0123456789abcdef". The lines of two
// machines are compared by `nox -s cross`. Every NaN counts as the same value.
#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "compare/batch.h"
#include "simd/dispatch.h"
#include "tensor/dtype.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

namespace ait {
namespace {

constexpr size_t kSizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 255, 256, 257, 511, 512};
constexpr size_t kOffsets[] = {0, 1, 3};  // bytes past an aligned address

/// SplitMix64: the same numbers everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t bits() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// From -1 to 1, of 53 bits.
  double near_one() { return static_cast<double>(bits() >> 11) * 0x1p-52 - 1; }
  /// Of any sign, with a magnitude from 2^-exponent to 2^exponent.
  double spread(int exponent) {
    const int power = static_cast<int>(bits() % (2 * static_cast<unsigned>(exponent))) - exponent;
    return std::ldexp(near_one(), power);
  }

 private:
  uint64_t state_;
};

/// FNV-1a over numbers.
class Hash {
 public:
  void add(uint64_t value) {
    for (int i = 0; i < 8; ++i) {
      hash_ = (hash_ ^ (value & 0xff)) * 0x100000001b3u;
      value >>= 8;
    }
  }
  void add(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    add(std::isnan(value) ? uint64_t{0x7ff8000000000000u} : bits);
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325u;
};

void print(const Kernels& kernels, const std::string& name, const std::string& what,
           const Hash& hash) {
  std::printf("%s %s %s %016" PRIx64 "\n", kernels.name, name.c_str(), what.c_str(), hash.value());
}

std::string case_name(size_t n, size_t offset) {
  return std::to_string(n) + "+" + std::to_string(offset);
}

/// The values as T, `offset` bytes past an aligned address.
template <class T>
std::vector<uint8_t> stored(const std::vector<double>& values, size_t offset) {
  std::vector<uint8_t> bytes(offset + values.size() * sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    const T value = static_cast<T>(values[i]);
    std::memcpy(bytes.data() + offset + i * sizeof value, &value, sizeof value);
  }
  return bytes;
}

/// The sums of a pair; only that they are not finite, if they are not.
void add(Hash& hash, const PairBlock& pair) {
  hash.add(uint64_t{pair.is_finite});
  if (!pair.is_finite) return;
  for (const double value :
       {pair.sum_x, pair.sum_y, pair.sum_xx, pair.sum_yy, pair.sum_xy, pair.sum_dd, pair.sum_abs,
        pair.sum_shift, pair.sum_size, pair.sum_ee, pair.sum_rel, pair.min_x, pair.max_x,
        pair.min_y, pair.max_y, pair.max_abs, pair.max_rel})
    hash.add(value);
}

void add(Hash& hash, const StatsBlock& stats) {
  hash.add(uint64_t{stats.is_finite});
  if (!stats.is_finite) return;
  for (const double value : {stats.sum, stats.sum_xx, stats.sum_size, stats.min, stats.max})
    hash.add(value);
}

void add(Hash& hash, const KlBlock& kl) {
  for (const double value : {kl.weight, kl.weighted_d, kl.weighted_g, kl.exp_x}) hash.add(value);
}

/// The loops of one width: float or double.
struct Loops {
  decltype(Kernels::pair_f32) pair;
  decltype(Kernels::stats_f32) stats;
  decltype(Kernels::kl_near_f32) kl_near;
  decltype(Kernels::kl_far_f32) kl_far;
};

template <class T>
void print_sums(const Kernels& kernels, const Loops& loops, const std::string& width, size_t n,
                size_t offset) {
  Random random(n * 16 + offset);
  const std::string what = case_name(n, offset);
  std::vector<double> x(n), y(n), wide_x(n), wide_y(n), near_x(n);
  double largest_x = -1e9, largest_y = -1e9;
  for (size_t i = 0; i < n; ++i) {
    // Rounded to T first, so that differences and maxima are those that the kernel sees.
    y[i] = static_cast<T>(random.near_one() * 20);
    x[i] = static_cast<T>(y[i] + random.near_one());
    near_x[i] = static_cast<T>(y[i] + random.near_one() * 0.06);
    wide_x[i] = random.spread(sizeof(T) == 4 ? 100 : 900);
    wide_y[i] = random.bits() % 8 == 0 ? 0.0 : random.spread(sizeof(T) == 4 ? 100 : 900);
    largest_x = std::fmax(largest_x, x[i]);
    largest_y = std::fmax(largest_y, y[i]);
  }
  const auto x_bytes = stored<T>(x, offset), y_bytes = stored<T>(y, offset);
  const auto near_bytes = stored<T>(near_x, offset);
  const auto wide_x_bytes = stored<T>(wide_x, offset), wide_y_bytes = stored<T>(wide_y, offset);
  Hash pairs, stats, near, far;
  const Ahead ahead{nullptr, nullptr, 0, 0};
  PairBlock pair;
  loops.pair(x_bytes.data() + offset, y_bytes.data() + offset, n, &ahead, &pair);
  add(pairs, pair);
  loops.pair(wide_x_bytes.data() + offset, wide_y_bytes.data() + offset, n, &ahead, &pair);
  add(pairs, pair);
  print(kernels, "pair_" + width, what, pairs);
  StatsBlock one;
  loops.stats(x_bytes.data() + offset, n, &one);
  add(stats, one);
  loops.stats(wide_x_bytes.data() + offset, n, &one);
  add(stats, one);
  print(kernels, "stats_" + width, what, stats);
  KlBlock kl{};
  loops.kl_near(near_bytes.data() + offset, y_bytes.data() + offset, n, largest_y, &kl);
  add(near, kl);
  print(kernels, "kl_near_" + width, what, near);
  loops.kl_far(x_bytes.data() + offset, y_bytes.data() + offset, n, largest_x, largest_y, &kl);
  add(far, kl);
  print(kernels, "kl_far_" + width, what, far);
}

/// The sums of a sketch one after the other, after its loops added rows of one type to `first`.
using SumRows = std::vector<double> (*)(const Kernels&, const uint8_t* x, size_t n_rows,
                                        const uint64_t* keys, const uint64_t* signs, double first,
                                        ScannedRows* out);

std::vector<double> numbers(const NarrowSums& sums) {
  std::vector<double> all(std::begin(sums.all), std::end(sums.all));
  all.insert(all.end(), std::begin(sums.with_signs), std::end(sums.with_signs));
  all.insert(all.end(), std::begin(sums.squares), std::end(sums.squares));
  return all;
}

template <auto kSumRows>
std::vector<double> sum_narrow(const Kernels& kernels, const uint8_t* x, size_t n_rows,
                               const uint64_t* keys, const uint64_t* signs, double first,
                               ScannedRows* out) {
  BandSums band;
  NarrowSums sums{};
  std::fill(std::begin(sums.all), std::end(sums.all), first);
  (kernels.*kSumRows)(x, n_rows, keys, signs, out, &band);
  kernels.add_band(&band, &sums);
  return numbers(sums);
}

std::vector<double> sum_f64(const Kernels& kernels, const uint8_t* x, size_t n_rows,
                            const uint64_t* keys, const uint64_t* signs, double first,
                            ScannedRows* out) {
  WideSums sums{};
  std::fill(std::begin(sums.all), std::end(sums.all), first);
  kernels.scan_f64(x, n_rows, keys, out);
  kernels.add_f64(x, n_rows, signs, &sums);
  std::vector<double> all(std::begin(sums.all), std::end(sums.all));
  all.insert(all.end(), std::begin(sums.negative), std::end(sums.negative));
  all.insert(all.end(), std::begin(sums.squares), std::end(sums.squares));
  return all;
}

/// `rows` begin after `offset` bytes.
void print_sketch(const Kernels& kernels, SumRows sum_rows, const std::string& width,
                  const std::vector<uint8_t>& rows, size_t n_rows, size_t offset) {
  Random random(n_rows * 16 + offset + 7);
  std::vector<uint64_t> signs(kBandRows * kRowPlaces / 64), keys(2 * kRowPlaces);
  kernels.sign_words(random.bits() % 1000, signs.size(), signs.data());
  for (uint64_t& key : keys) key = random.bits();
  ScannedRows scanned{};
  const std::vector<double> sums = sum_rows(kernels, rows.data() + offset, n_rows, keys.data(),
                                            signs.data(), random.near_one(), &scanned);
  Hash hash;
  hash.add(uint64_t{scanned.is_finite});
  for (const uint64_t sum : scanned.sums) hash.add(sum);
  for (const uint64_t sum : scanned.lower_sums) hash.add(sum);
  for (const double value : {scanned.smallest, scanned.largest}) hash.add(value);
  for (const double sum : sums) hash.add(sum);
  print(kernels, "sketch_" + width, case_name(n_rows, offset), hash);
}

void print_sketches(const Kernels& kernels) {
  for (const size_t n_rows : {size_t{1}, size_t{3}, kBandRows}) {
    for (const size_t offset : kOffsets) {
      Random random(n_rows * 16 + offset + 5);
      std::vector<double> values(n_rows * kRowValues);
      for (double& value : values) value = random.bits() % 16 == 0 ? -0.0 : random.spread(60);
      std::vector<uint16_t> upper;
      for (const double value : values) {
        const auto single = static_cast<float>(value);
        uint32_t bits;
        std::memcpy(&bits, &single, sizeof bits);
        upper.push_back(static_cast<uint16_t>(bits >> 16));
      }
      std::vector<uint8_t> halves(offset + upper.size() * sizeof(uint16_t));
      std::memcpy(halves.data() + offset, upper.data(), upper.size() * sizeof(uint16_t));
      print_sketch(kernels, sum_narrow<&Kernels::sum_bf16>, "bf16", halves, n_rows, offset);
      print_sketch(kernels, sum_narrow<&Kernels::sum_f32>, "f32", stored<float>(values, offset),
                   n_rows, offset);
      print_sketch(kernels, sum_f64, "f64", stored<double>(values, offset), n_rows, offset);
    }
  }
}

/// Random bytes are random values of every stored type: infinities, NaNs and subnormals too.
template <class Out>
void print_decoder(const Kernels& kernels, void (*decode)(const uint8_t*, size_t, Out*),
                   const std::string& name) {
  for (const size_t n : kSizes) {
    for (const size_t offset : kOffsets) {
      Random random(n * 16 + offset + 3);
      std::vector<uint8_t> raw(offset + n * sizeof(uint64_t));
      for (uint8_t& byte : raw) byte = static_cast<uint8_t>(random.bits());
      std::vector<Out> out(n);
      decode(raw.data() + offset, n, out.data());
      Hash hash;
      for (const Out value : out) hash.add(static_cast<double>(value));
      print(kernels, name, case_name(n, offset), hash);
    }
  }
}

void print_exp(const Kernels& kernels) {
  Hash hash;
  for (int i = 0; i < 100000; ++i) hash.add(kernels.exp_of_nonpositive(-i / 128.0));
  print(kernels, "exp_of_nonpositive", "100000", hash);
}

Tensor tensor_of(const std::vector<uint8_t>& bytes, uint32_t dtype_number) {
  Tensor tensor;
  tensor.file = DataFile::of_memory(bytes);
  tensor.size_bytes = bytes.size();
  tensor.dtype_number = dtype_number;
  resolve_dtype(tensor);
  tensor.has_shape = true;
  tensor.storage_shape = {static_cast<int64_t>(bytes.size() * 8 / tensor.dtype->bits)};
  judge_size(tensor);
  return tensor;
}

/// Whole comparisons: chunks, tails, merging and the formulas of the metrics.
void print_metrics(const Kernels& kernels, const std::string& name, uint32_t x_dtype,
                   const std::vector<uint8_t>& x, uint32_t y_dtype, const std::vector<uint8_t>& y) {
  const View my = make_view(tensor_of(x, x_dtype), {}),
             golden = make_view(tensor_of(y, y_dtype), {});
  const JobResult result = compare_views(my, golden, {}, 2, kernels);
  Hash hash;
  for (const Metric& metric : all_metrics()) hash.add((result.metrics.*metric.value).value_or(-1));
  each_figure(result.figures.value(),
              [&](const char*, const auto& value) { hash.add(static_cast<double>(value)); });
  hash.add(result.my.mean);
  hash.add(result.golden.mean);
  hash.add(result.n_mismatch);
  hash.add(result.worst_index);
  print(kernels, "metrics", name, hash);
}

void print_comparisons(const Kernels& kernels) {
  constexpr size_t n = 300001;
  constexpr uint32_t kFloat32 = 1, kFloat16 = 2, kInt32 = 7, kFloat64 = 12, kBfloat16 = 27;
  Random random(1);
  std::vector<double> y(n), x(n);
  std::vector<uint8_t> raw(2 * n);
  for (size_t i = 0; i < n; ++i) {
    y[i] = random.near_one();
    x[i] = y[i] + random.near_one() * 1e-3;
    const uint64_t bits = random.bits();
    std::memcpy(raw.data() + 2 * i, &bits, 2);
  }
  x[777] = std::numeric_limits<double>::quiet_NaN();
  y[200000] = std::numeric_limits<double>::infinity();
  const auto x32 = stored<float>(x, 0), y32 = stored<float>(y, 0);
  print_metrics(kernels, "float32", kFloat32, x32, kFloat32, y32);
  print_metrics(kernels, "float64", kFloat64, stored<double>(x, 0), kFloat64, stored<double>(y, 0));
  print_metrics(kernels, "bfloat16-float32", kBfloat16, raw, kFloat32, y32);
  print_metrics(kernels, "float16-float32", kFloat16, raw, kFloat32, y32);
  print_metrics(kernels, "int32", kInt32, x32, kInt32, y32);
}

void print_all(const Kernels& kernels) {
  const Loops single{kernels.pair_f32, kernels.stats_f32, kernels.kl_near_f32, kernels.kl_far_f32};
  const Loops wide{kernels.pair_f64, kernels.stats_f64, kernels.kl_near_f64, kernels.kl_far_f64};
  for (const size_t n : kSizes) {
    for (const size_t offset : kOffsets) {
      print_sums<float>(kernels, single, "f32", n, offset);
      print_sums<double>(kernels, wide, "f64", n, offset);
    }
  }
  print_sketches(kernels);
  print_exp(kernels);
#define AIT_DECODER(name) print_decoder(kernels, kernels.name, #name)
  AIT_DECODER(decode_float16);
  AIT_DECODER(decode_bfloat16);
  AIT_DECODER(decode_int8);
  AIT_DECODER(decode_uint8);
  AIT_DECODER(decode_bool);
  AIT_DECODER(decode_int16);
  AIT_DECODER(decode_uint16);
  AIT_DECODER(decode_int32);
  AIT_DECODER(decode_uint32);
  AIT_DECODER(decode_int64);
  AIT_DECODER(decode_uint64);
#undef AIT_DECODER
  print_comparisons(kernels);
}

}  // namespace
}  // namespace ait

int main() {
  for (const ait::Kernels* kernels : ait::supported_kernels()) ait::print_all(*kernels);
}
