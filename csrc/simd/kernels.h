// The kernel table: loops over one block of two tensors, compiled once per CPU level. C headers
// only: a std:: template compiled for AVX-512 could be the copy that the linker keeps for every
// CPU.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace ait {

/// Elements of a block: two blocks of float64 and their raw bytes stay in a 32 KiB L1 cache.
constexpr size_t kBlock = 512;

/// Partial sums of every loop. Load-bearing: the order of adds, and so every bit of a result,
/// depends on it.
constexpr size_t kLanes = 8;

/// Relative errors count where |y| is above the spacing of float32 at 1.
constexpr double kTiny = 0x1p-23;

/// Sums over one block of pairs; x is under test, y is the reference. Valid when `is_finite`. Of
/// floats, errors and what is made of them are floats, summed as float over 16 values a lane;
/// `kErrorRoundings` bounds how far one is off.
struct PairBlock {
  alignas(64) float rel[kBlock];  // of floats, relative errors as they were summed
  double sum_x, sum_y;
  double sum_xx, sum_yy, sum_xy;
  double sum_dd;     // of (x - y)^2
  double sum_abs;    // of |x - y|
  double sum_rel;    // of |x - y| / |y| where |y| > kTiny
  double sum_shift;  // of |x| - |y|
  double sum_size;   // of |y|
  double sum_ee;     // of e^2, e = min(1, |x - y| / (|y| + mean |y|)) (compare/block_error.h)
  double min_x, max_x, min_y, max_y;
  double max_abs, max_rel;
  // Pairs whose relative error is below 0.001, 0.005 (where |y| <= kTiny: the error is up to
  // kTiny).
  size_t n_thousandth, n_five_thousandths;
  bool is_finite;  // every x - y is finite; else the caller takes the pairs apart
};
/// |x - y| as float is off by one rounding, a relative error by four.
constexpr double kErrorRoundings = 4;

/// Sums over one block of one tensor. Valid when `is_finite`.
struct StatsBlock {
  double sum, sum_xx, sum_size, min, max;
  bool is_finite;
};

/// A sketch takes a tensor in rows of so many values, one for each bucket. They stand at kRowPlaces
/// places, in groups of kPlaces; the last group begins with the places that stay empty.
constexpr size_t kRowValues = 1021;
constexpr size_t kRowPlaces = 1024;
constexpr size_t kPlaces = 32;
/// Rows that are summed in registers before a sum is stored.
constexpr size_t kBandRows = 8;

/// What one pass over rows tells.
struct ScannedRows {
  uint64_t sums[kLanes];        // of the hash
  uint64_t lower_sums[kLanes];  // of the hash; only of float, as they are known of bfloat16
  double smallest, largest;     // valid when is_finite
  bool is_finite;
};

/// Sums of rows by place; of squares by place in the group.
template <class T>
struct RowSums {
  T all[kRowPlaces];
  // Each value with its sign in the sketch. Not taken from the sum of all: that of values alike
  // would be rounded the same way in every band, and these errors would add up.
  T with_signs[kRowPlaces];
  T squares[kPlaces];
};
using BandSums = RowSums<float>;  // of at most kBandRows rows
using NarrowSums = RowSums<double>;

/// The same of rows of doubles.
struct WideSums {
  double all[kRowPlaces];
  double negative[kRowPlaces];  // of values whose sign in the sketch is -1
  double squares[kPlaces];
};

/// sum_bf16 has the even places of a group before the odd ones: they are lower and upper halves of
/// 32 bits.
constexpr size_t bf16_place(size_t place) {
  return place / kPlaces * kPlaces + place % 2 * (kPlaces / 2) + place % kPlaces / 2;
}

/// Softmax sums of one block, relative to the references given with the call. Near: every |x - y|
/// <= kKlNear.
struct KlBlock {
  double weight;      // A: sum of exp(y - ref_y)
  double weighted_d;  // B: sum of exp(y - ref_y) * (x - y)
  double weighted_g;  // near only, G: sum of exp(y - ref_y) * (expm1(d) - d)
  double exp_x;       // far only: sum of exp(x - ref_x)
};
constexpr double kKlNear = 0.25;
/// In float blocks, a weight exp(t) of no more than this t counts as 0: below, floats lose bits.
constexpr float kDeepestWeight = -87;

/// Stored bytes that the next blocks will come from: asked for while this block is summed, a little
/// with every group of lanes. The sums fill the window in which a CPU looks ahead by itself. Any
/// address may be asked for, also one that does not exist.
struct Ahead {
  const uint8_t* x;
  const uint8_t* y;
  size_t x_bytes, y_bytes;  // for every kLanes values
};

/// Blocks come as bytes of n floats (f32) or doubles (f64) at any alignment, 1 <= n <= kBlock.
struct Kernels {
  const char* name;

  void (*pair_f32)(const uint8_t* x, const uint8_t* y, size_t n, const Ahead* ahead,
                   PairBlock* out);
  void (*pair_f64)(const uint8_t* x, const uint8_t* y, size_t n, const Ahead* ahead,
                   PairBlock* out);
  void (*stats_f32)(const uint8_t* x, size_t n, StatsBlock* out);
  void (*stats_f64)(const uint8_t* x, size_t n, StatsBlock* out);

  /// How many pairs of n values differ.
  size_t (*count_differ_f32)(const uint8_t* x, const uint8_t* y, size_t n);
  size_t (*count_differ_f64)(const uint8_t* x, const uint8_t* y, size_t n);

  /// ref_y >= every y of the block, ref_x >= every x.
  void (*kl_near_f32)(const uint8_t* x, const uint8_t* y, size_t n, double ref_y, KlBlock* out);
  void (*kl_near_f64)(const uint8_t* x, const uint8_t* y, size_t n, double ref_y, KlBlock* out);
  void (*kl_far_f32)(const uint8_t* x, const uint8_t* y, size_t n, double ref_x, double ref_y,
                     KlBlock* out);
  void (*kl_far_f64)(const uint8_t* x, const uint8_t* y, size_t n, double ref_x, double ref_y,
                     KlBlock* out);
  /// pair_f32 and kl_near_f32 of a whole block; null where the two apart are faster. Should the
  /// block prove near, `kl` is what kl_near_f32 gives if true is returned.
  bool (*pair_near_f32)(const uint8_t* x, const uint8_t* y, const Ahead* ahead, double ref_y,
                        PairBlock* out, KlBlock* kl);
  /// exp(t) for t <= 0: the same bits on every CPU, unlike libm's.
  double (*exp_of_nonpositive)(double t);

  // Sketches of n_rows <= kBandRows rows at any alignment. Row r takes the keys from word r on, of
  // floats from word 2 r on. Sign words have a bit for each place of a row, row after row. Sums of
  // values that are not finite are of no use.
  void (*sum_bf16)(const uint8_t* x, size_t n_rows, const uint64_t* keys, const uint64_t* signs,
                   ScannedRows* out, BandSums* band);
  void (*sum_f32)(const uint8_t* x, size_t n_rows, const uint64_t* keys, const uint64_t* signs,
                  ScannedRows* out, BandSums* band);
  void (*add_band)(const BandSums* band, NarrowSums* sums);
  void (*scan_f64)(const uint8_t* x, size_t n_rows, const uint64_t* keys, ScannedRows* out);
  void (*add_f64)(const uint8_t* x, size_t n_rows, const uint64_t* signs, WideSums* sums);
  void (*sign_words)(uint64_t first, size_t n, uint64_t* words);

  // Decoders: n stored values at any alignment -> n floats or doubles.
  void (*decode_float16)(const uint8_t* raw, size_t n, float* out);
  void (*decode_bfloat16)(const uint8_t* raw, size_t n, float* out);
  void (*decode_int8)(const uint8_t* raw, size_t n, float* out);
  void (*decode_uint8)(const uint8_t* raw, size_t n, float* out);
  void (*decode_bool)(const uint8_t* raw, size_t n, float* out);
  void (*decode_int16)(const uint8_t* raw, size_t n, float* out);
  void (*decode_uint16)(const uint8_t* raw, size_t n, float* out);
  void (*decode_int32)(const uint8_t* raw, size_t n, double* out);
  void (*decode_uint32)(const uint8_t* raw, size_t n, double* out);
  void (*decode_int64)(const uint8_t* raw, size_t n, double* out);
  void (*decode_uint64)(const uint8_t* raw, size_t n, double* out);
  void (*widen)(const float* in, size_t n, double* out);
  /// table[code] of n bytes.
  void (*look_up)(const uint8_t* codes, size_t n, const float* table, float* out);

  // Packed elements -> one per byte; n is a multiple of 8, the first starts at a byte.
  void (*unpack_1)(const uint8_t* packed, size_t n, uint8_t* codes);
  void (*unpack_2)(const uint8_t* packed, size_t n, uint8_t* codes);
  void (*unpack_4)(const uint8_t* packed, size_t n, uint8_t* codes);
  void (*unpack_6)(const uint8_t* packed, size_t n, uint8_t* codes);
};

}  // namespace ait
