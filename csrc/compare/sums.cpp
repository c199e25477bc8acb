#include "compare/sums.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compare/block_error.h"

namespace ait {
namespace {

// float64 squares overflow above 2^511 and lose bits below 2^-485 (2^-1022 with 52 bits to spare);
// differences may be 53 bits smaller than the values.
constexpr double kLargeForSquares = 0x1p480;
constexpr double kSmallForSquares = 0x1p-430;

constexpr Ahead kNothingAhead{nullptr, nullptr, 0, 0};

/// One kind of block: its value type and the kernels that go with it.
struct F32 {
  using Value = float;
  static constexpr bool kWide = false;
  static auto count_differ(const Kernels& k) { return k.count_differ_f32; }
  static auto pair(const Kernels& k) { return k.pair_f32; }
  static auto stats(const Kernels& k) { return k.stats_f32; }
  static auto kl_near(const Kernels& k) { return k.kl_near_f32; }
  static auto kl_far(const Kernels& k) { return k.kl_far_f32; }
};
struct F64 {
  using Value = double;
  static constexpr bool kWide = true;
  static auto count_differ(const Kernels& k) { return k.count_differ_f64; }
  static auto pair(const Kernels& k) { return k.pair_f64; }
  static auto stats(const Kernels& k) { return k.stats_f64; }
  static auto kl_near(const Kernels& k) { return k.kl_near_f64; }
  static auto kl_far(const Kernels& k) { return k.kl_far_f64; }
};

template <class Value>
const uint8_t* bytes_of(const Value* values) {
  return reinterpret_cast<const uint8_t*>(values);
}

template <class Value>
Value value_at(const uint8_t* bytes, size_t i) {
  Value value;
  std::memcpy(&value, bytes + i * sizeof value, sizeof value);
  return value;
}

// A float32 whose lower half is 0 is a bfloat16.
constexpr uint32_t kBeyondBf16 = 0xffff;

/// Joins the bits of floats, until they are known to be more than bfloat16.
void join_bits(uint32_t& bits, const uint8_t* block, size_t n) {
  if ((bits & kBeyondBf16) != 0) return;
  for (size_t i = 0; i < n; ++i) bits |= value_at<uint32_t>(block, i);
}

void add_finite(SideSums& side, double sum, double min, double max) {
  side.sum += sum;
  side.min = std::min(side.min, min);
  side.max = std::max(side.max, max);
}

/// Counts a value that is not finite by its kind.
void count_nonfinite(SideSums& side, double value) {
  if (std::isnan(value))
    ++side.n_nan;
  else if (value > 0)
    ++side.n_positive_inf;
  else
    ++side.n_negative_inf;
}

/// Moves the references up to the block's extremes and rescales what was summed relative to the old
/// ones.
void raise_reference(double* reference, double largest, const Kernels& kernels,
                     std::initializer_list<double*> sums) {
  if (largest <= *reference) return;
  const double factor = kernels.exp_of_nonpositive(*reference - largest);
  for (double* sum : sums) *sum *= factor;
  *reference = largest;
}

/// Adds what no mask covers of a block whose errors are known.
void add_unmasked(UnmaskedSums& sums, const PairBlock& block, size_t n) {
  sums.n += n;
  sums.sum_dd += block.sum_dd;
  sums.sum_shift += block.sum_shift;
  sums.sum_size += block.sum_size;
  if (n < kFewestOfBlock) return;
  sums.has_block = true;
  sums.block_square = std::max(sums.block_square, block.sum_ee / static_cast<double>(n));
}

/// Adds those of the finite pairs of a block that no mask covers.
template <class Type>
void add_unmasked(UnmaskedSums& sums, const PairBlock& block, const uint8_t* x, const uint8_t* y,
                  size_t n, const Kernels& kernels, const Scale& scale) {
  using Value = typename Type::Value;
  const double masked_x = kMasked * scale.x, masked_y = kMasked * scale.y;
  if (block.min_x > masked_x || block.min_y > masked_y) return add_unmasked(sums, block, n);
  if (block.max_x <= masked_x && block.max_y <= masked_y) return;
  Value kept_x[kBlock], kept_y[kBlock];
  size_t n_kept = 0;
  for (size_t i = 0; i < n; ++i) {
    const Value a = value_at<Value>(x, i), b = value_at<Value>(y, i);
    kept_x[n_kept] = a;
    kept_y[n_kept] = b;
    n_kept += a <= masked_x && b <= masked_y ? 0 : 1;
  }
  if (n_kept == 0) return;
  PairBlock kept;
  const uint8_t *kept_x_bytes = bytes_of(kept_x), *kept_y_bytes = bytes_of(kept_y);
  Type::pair(kernels)(kept_x_bytes, kept_y_bytes, n_kept, &kNothingAhead, &kept);
  refine_errors(kept, kept_x_bytes, kept_y_bytes, n_kept, Type::kWide, kernels);
  add_unmasked(sums, kept, n_kept);
}

/// Takes over the largest errors of a block. Those of rounded errors only say that it may have
/// larger ones than were seen.
template <class Type>
void add_largest(PairSums& sums, const PairBlock& block, bool is_exact, const uint8_t* x,
                 const uint8_t* y, size_t n, uint64_t begin, const uint16_t* index) {
  using Value = typename Type::Value;
  const double more = is_exact ? 1 : 1 + kErrorRoundings * 0x1p-23;
  if (is_exact) {
    sums.max_rel = std::max(sums.max_rel, block.max_rel);
  } else if (block.max_rel * more > sums.max_rel) {
    const auto candidate = static_cast<float>(block.max_rel * (2 - more));
    for (size_t i = 0; i < n; ++i) {
      if (block.rel[i] < candidate) continue;
      const double a = value_at<Value>(x, i), b = value_at<Value>(y, i);
      if (std::fabs(b) > kTiny)
        sums.max_rel = std::max(sums.max_rel, std::fabs(a - b) / std::fabs(b));
    }
  }
  if (block.max_abs * more <= sums.max_abs) return;
  for (size_t i = 0; i < n; ++i) {
    const double a = value_at<Value>(x, i), b = value_at<Value>(y, i);
    if (std::fabs(a - b) <= sums.max_abs) continue;
    sums.max_abs = std::fabs(a - b);
    sums.worst_index = begin + (index != nullptr ? index[i] : i);
    sums.worst_x = a;
    sums.worst_y = b;
  }
}

/// Adds the softmax sums of a block. `near` are those relative to ref_y, if known.
template <class Type>
void add_softmax(KlSums& kl, const PairBlock& block, const KlBlock* near, const uint8_t* x,
                 const uint8_t* y, size_t n, const Kernels& kernels) {
  raise_reference(&kl.ref_y, block.max_y, kernels,
                  {&kl.near_weight, &kl.near_d, &kl.near_g, &kl.far_weight, &kl.far_d});
  KlBlock part;
  kl.last_is_near = block.max_abs <= kKlNear;
  if (kl.last_is_near) {
    if (near != nullptr)
      part = *near;
    else
      Type::kl_near(kernels)(x, y, n, kl.ref_y, &part);
    kl.near_weight += part.weight;
    kl.near_d += part.weighted_d;
    kl.near_g += part.weighted_g;
  } else {
    raise_reference(&kl.ref_x, block.max_x, kernels, {&kl.far_exp_x});
    Type::kl_far(kernels)(x, y, n, kl.ref_x, kl.ref_y, &part);
    kl.far_weight += part.weight;
    kl.far_d += part.weighted_d;
    kl.far_exp_x += part.exp_x;
  }
}

/// Adds the finite pairs of one block, n >= 1, to the sums. `index[i]` is the flat index of pair i,
/// or begin + i without it. `near` are the block's softmax sums relative to ref_y, if known.
template <class Type>
void add_pairs(PairSums& sums, const uint8_t* x, const uint8_t* y, size_t n, PairBlock& block,
               const KlBlock* near, uint64_t begin, const uint16_t* index, const Kernels& kernels,
               const CompareOptions& options, const Scale& scale) {
  const bool is_exact = refine_errors(block, x, y, n, Type::kWide, kernels);
  sums.n_pairs += n;
  sums.sum_xx += block.sum_xx;
  sums.sum_yy += block.sum_yy;
  sums.sum_xy += block.sum_xy;
  sums.sum_dd += block.sum_dd;
  sums.sum_abs += block.sum_abs;
  sums.sum_rel += block.sum_rel;
  sums.largest_x = std::max({sums.largest_x, std::fabs(block.min_x), std::fabs(block.max_x)});
  sums.largest_y = std::max({sums.largest_y, std::fabs(block.min_y), std::fabs(block.max_y)});
  sums.n_thousandth += block.n_thousandth;
  sums.n_five_thousandths += block.n_five_thousandths;
  if (options.count_differ && block.max_abs > 0)
    sums.n_differ += Type::count_differ(kernels)(x, y, n);
  if (block.max_abs > 0) add_largest<Type>(sums, block, is_exact, x, y, n, begin, index);
  add_unmasked<Type>(sums.unmasked, block, x, y, n, kernels, scale);
  if (options.with_kl) add_softmax<Type>(sums.kl, block, near, x, y, n, kernels);
}

/// The sums of a block of equal finite values, without a look at their errors; false if some are
/// not finite.
template <class Type>
bool sum_equal_block(const uint8_t* x, size_t n, const Kernels& kernels, PairBlock* out) {
  StatsBlock stats;
  Type::stats(kernels)(x, n, &stats);
  if (!stats.is_finite) return false;
  out->sum_x = out->sum_y = stats.sum;
  out->sum_xx = out->sum_yy = out->sum_xy = stats.sum_xx;
  out->sum_size = stats.sum_size;
  out->sum_dd = out->sum_abs = out->sum_rel = out->sum_shift = out->sum_ee = 0;
  out->min_x = out->min_y = stats.min;
  out->max_x = out->max_y = stats.max;
  out->max_abs = out->max_rel = 0;
  out->n_thousandth = out->n_five_thousandths = n;
  out->is_finite = true;
  return true;
}

/// A block with NaN or Inf (or float64 differences that overflow): finite values are packed
/// together, then summed as usual.
template <class Type>
void add_mixed_block(PairSums& sums, const uint8_t* x, const uint8_t* y, size_t n, uint64_t begin,
                     const Kernels& kernels, const CompareOptions& options, const Scale& scale) {
  using Value = typename Type::Value;
  Value finite_x[kBlock], finite_y[kBlock], pair_x[kBlock], pair_y[kBlock];
  uint16_t index[kBlock];
  size_t n_x = 0, n_y = 0, n_pairs = 0;
  for (size_t i = 0; i < n; ++i) {
    const Value a = value_at<Value>(x, i), b = value_at<Value>(y, i);
    const bool a_ok = std::isfinite(a), b_ok = std::isfinite(b);
    if (a_ok) finite_x[n_x++] = a;
    if (b_ok) finite_y[n_y++] = b;
    if (a_ok && b_ok) {
      pair_x[n_pairs] = a;
      pair_y[n_pairs] = b;
      index[n_pairs++] = static_cast<uint16_t>(i);
      continue;
    }
    if (!a_ok) count_nonfinite(sums.x, a);
    if (!b_ok) count_nonfinite(sums.y, b);
    const bool agree = !a_ok && !b_ok && ((std::isnan(a) && std::isnan(b)) || a == b);
    if (agree) continue;
    ++sums.n_mismatch;
    if (const uint32_t types = saturated_types(a, b); types != 0)
      add_saturated(sums.saturated, {types, 1});
  }
  StatsBlock stats;
  if (n_x > 0) {
    Type::stats(kernels)(bytes_of(finite_x), n_x, &stats);
    add_finite(sums.x, stats.sum, stats.min, stats.max);
  }
  if (n_y > 0) {
    Type::stats(kernels)(bytes_of(finite_y), n_y, &stats);
    add_finite(sums.y, stats.sum, stats.min, stats.max);
  }
  if (n_pairs > 0) {
    PairBlock block;
    Type::pair(kernels)(bytes_of(pair_x), bytes_of(pair_y), n_pairs, &kNothingAhead, &block);
    add_pairs<Type>(sums, bytes_of(pair_x), bytes_of(pair_y), n_pairs, block, nullptr, begin, index,
                    kernels, options, scale);
  }
}

template <class Type>
void add_block(PairSums& sums, const uint8_t* x, const uint8_t* y, size_t n, uint64_t begin,
               const Ahead& ahead, const Kernels& kernels, const CompareOptions& options,
               const Scale& scale) {
  PairBlock block;
  KlBlock near;
  bool has_near = false;
  // One loop for all sums, if the block is likely to be near. What it gives is the same.
  const bool is_equal = std::memcmp(x, y, n * sizeof(typename Type::Value)) == 0;
  if (is_equal && sum_equal_block<Type>(x, n, kernels, &block))
    ;  // nothing to subtract
  else if (!Type::kWide && kernels.pair_near_f32 != nullptr && options.with_kl &&
           sums.kl.last_is_near && n == kBlock)
    has_near = kernels.pair_near_f32(x, y, &ahead, sums.kl.ref_y, &block, &near);
  else
    Type::pair(kernels)(x, y, n, &ahead, &block);
  if (!block.is_finite) {
    add_mixed_block<Type>(sums, x, y, n, begin, kernels, options, scale);
    return;
  }
  add_finite(sums.x, block.sum_x, block.min_x, block.max_x);
  add_finite(sums.y, block.sum_y, block.min_y, block.max_y);
  add_pairs<Type>(sums, x, y, n, block, has_near ? &near : nullptr, begin, nullptr, kernels,
                  options, scale);
}

template <class Type>
void add_block(SideSums& sums, const uint8_t* x, size_t n, const Kernels& kernels) {
  using Value = typename Type::Value;
  StatsBlock stats;
  Type::stats(kernels)(x, n, &stats);
  if (stats.is_finite) {
    add_finite(sums, stats.sum, stats.min, stats.max);
    return;
  }
  Value finite[kBlock];
  size_t n_finite = 0;
  for (size_t i = 0; i < n; ++i) {
    const Value value = value_at<Value>(x, i);
    if (std::isfinite(value))
      finite[n_finite++] = value;
    else
      count_nonfinite(sums, value);
  }
  if (n_finite == 0) return;
  Type::stats(kernels)(bytes_of(finite), n_finite, &stats);
  add_finite(sums, stats.sum, stats.min, stats.max);
}

/// The block times a power of two; only for float64 blocks.
const uint8_t* scaled(const uint8_t* block, size_t n, double factor, double* out) {
  if (factor == 1) return block;
  for (size_t i = 0; i < n; ++i) out[i] = value_at<double>(block, i) * factor;
  return bytes_of(out);
}

bool far_from_one(double largest) {
  return largest > kLargeForSquares || (largest > 0 && largest < kSmallForSquares);
}

}  // namespace

double SideSums::largest() const {
  return n_finite() == 0 ? 0 : std::max(std::fabs(min), std::fabs(max));
}

SideSums sum_chunk(BlockReader& x, uint64_t begin, uint64_t end, bool wide, const Kernels& kernels,
                   double scale) {
  SideSums sums;
  double scaled_x[kBlock];
  for (uint64_t at = begin; at < end; at += kBlock) {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(kBlock, end - at));
    const uint8_t* block = x.read(at, n, wide);
    x.fetch_ahead();
    sums.n += n;
    if (wide)
      add_block<F64>(sums, scaled(block, n, scale, scaled_x), n, kernels);
    else
      add_block<F32>(sums, block, n, kernels);
  }
  return sums;
}

PairSums sum_chunk(BlockReader& x, BlockReader& y, uint64_t begin, uint64_t end, bool wide,
                   const Kernels& kernels, const CompareOptions& options, const Scale& scale) {
  PairSums sums;
  double scaled_x[kBlock], scaled_y[kBlock];
  for (uint64_t at = begin; at < end; at += kBlock) {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(kBlock, end - at));
    const uint8_t* block_x = x.read(at, n, wide);
    const uint8_t* block_y = y.read(at, n, wide);
    if (options.x_is_float32) join_bits(sums.bits_x, block_x, n);
    if (options.y_is_float32) join_bits(sums.bits_y, block_y, n);
    const Ahead ahead{x.ahead(), y.ahead(), x.ahead_step(), y.ahead_step()};
    sums.x.n += n;
    sums.y.n += n;
    if (wide)
      add_block<F64>(sums, scaled(block_x, n, scale.x, scaled_x),
                     scaled(block_y, n, scale.y, scaled_y), n, at, ahead, kernels, options, scale);
    else
      add_block<F32>(sums, block_x, block_y, n, at, ahead, kernels, options, scale);
  }
  return sums;
}

void merge(SideSums& into, const SideSums& next) {
  into.n += next.n;
  into.n_nan += next.n_nan;
  into.n_positive_inf += next.n_positive_inf;
  into.n_negative_inf += next.n_negative_inf;
  add_finite(into, next.sum, next.min, next.max);
}

void merge(UnmaskedSums& into, const UnmaskedSums& next) {
  into.n += next.n;
  into.sum_dd += next.sum_dd;
  into.sum_shift += next.sum_shift;
  into.sum_size += next.sum_size;
  into.block_square = std::max(into.block_square, next.block_square);
  into.has_block = into.has_block || next.has_block;
}

void merge(PairSums& into, const PairSums& next, const Kernels& kernels) {
  merge(into.x, next.x);
  merge(into.y, next.y);
  into.n_pairs += next.n_pairs;
  into.n_mismatch += next.n_mismatch;
  into.sum_xx += next.sum_xx;
  into.sum_yy += next.sum_yy;
  into.sum_xy += next.sum_xy;
  into.sum_dd += next.sum_dd;
  into.sum_abs += next.sum_abs;
  into.sum_rel += next.sum_rel;
  into.max_rel = std::max(into.max_rel, next.max_rel);
  into.n_thousandth += next.n_thousandth;
  into.n_five_thousandths += next.n_five_thousandths;
  into.largest_x = std::max(into.largest_x, next.largest_x);
  into.largest_y = std::max(into.largest_y, next.largest_y);
  if (next.max_abs > into.max_abs) {
    into.max_abs = next.max_abs;
    into.worst_index = next.worst_index;
    into.worst_x = next.worst_x;
    into.worst_y = next.worst_y;
  }
  merge(into.unmasked, next.unmasked);
  into.n_differ += next.n_differ;
  for (const SaturatedPairs& pairs : next.saturated) add_saturated(into.saturated, pairs);
  into.bits_x |= next.bits_x;
  into.bits_y |= next.bits_y;
  KlSums a = into.kl, b = next.kl;
  const double ref_y = std::max(a.ref_y, b.ref_y), ref_x = std::max(a.ref_x, b.ref_x);
  for (KlSums* kl : {&a, &b}) {
    raise_reference(&kl->ref_y, ref_y, kernels,
                    {&kl->near_weight, &kl->near_d, &kl->near_g, &kl->far_weight, &kl->far_d});
    raise_reference(&kl->ref_x, ref_x, kernels, {&kl->far_exp_x});
  }
  into.kl = {ref_x,
             ref_y,
             a.near_weight + b.near_weight,
             a.near_d + b.near_d,
             a.near_g + b.near_g,
             a.far_weight + b.far_weight,
             a.far_d + b.far_d,
             a.far_exp_x + b.far_exp_x};
}

bool is_bf16(uint32_t bits) { return (bits & kBeyondBf16) == 0; }

bool needs_scale(const PairSums& sums) {
  return far_from_one(sums.largest_x) || far_from_one(sums.largest_y);
}

}  // namespace ait
