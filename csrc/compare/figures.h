// What the verdict must know of a pair of tensors beside its metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ait {

/// A float dtype whose largest value may stand where the other side has an infinity.
struct SaturatingType {
  const char* dtype;  ///< name in the report
  double largest, roundoff;
  bool is_narrow;  ///< of 8 bits: explains pairs only in rows that have this dtype themselves

  /// Whether a finite value, without its sign, is the largest one but for four roundings.
  bool is_saturated(double size) const {
    return size >= largest * (1 - 4 * roundoff) && size <= largest * (1 + 4 * roundoff);
  }
};
/// The number of a row is that of its bit in `SaturatedPairs::types`.
inline constexpr SaturatingType kSaturatingTypes[] = {
    {"torch.float16", 65504, 0x1p-11, false},
    {"torch.bfloat16", 0x1.fep127, 0x1p-8, false},
    {"torch.float32", 0x1.fffffep127, 0x1p-24, false},
    {"torch.float64", 0x1.fffffffffffffp1023, 0x1p-53, false},
    {"torch.float8_e4m3fn", 448, 0x1p-4, true},
    {"torch.float8_e5m2", 57344, 0x1p-3, true},
    {"hifloat8", 32768, 0x1p-4, true},
};

/// Mismatching pairs, an infinity against a finite value of its sign, that these types explain.
struct SaturatedPairs {
  uint32_t types = 0;  ///< bits
  uint64_t n = 0;

  bool operator==(const SaturatedPairs&) const = default;
};

/// The types by which an infinity and a finite value are the same, as bits; 0 for other pairs.
uint32_t saturated_types(double x, double y);
void add_saturated(std::vector<SaturatedPairs>& all, const SaturatedPairs& pairs);

/// Unmasked: a finite pair unless both values are at most kMasked.
inline constexpr double kMasked = -1000;

/// Of all pairs of two tensors; complex numbers are two values each.
struct Figures {
  uint64_t n_pairs = 0;     ///< finite on both sides
  uint64_t n_unmasked = 0;  ///< of these
  /// Pairs of different values (of floats: by a thousandth or more, at least one if any differs),
  /// mismatches of non-finite ones too.
  uint64_t n_differ = 0;
  double rms_error = 0;   ///< root of the mean of (x - y)^2 over unmasked pairs
  double bias = 0;        ///< sum of |x| - |y| over sum of |y|, unmasked pairs
  double golden_rms = 0;  ///< root of the mean of y^2 over finite pairs
  bool my_fits_bf16 = false, golden_fits_bf16 = false;  ///< float32, all lower halves 0
  std::vector<SaturatedPairs> saturated;  ///< by the set of types; empty in most tensors

  /// Mismatches that saturation in one of these types explains.
  uint64_t n_saturated(uint32_t types) const {
    uint64_t n = 0;
    for (const SaturatedPairs& pairs : saturated)
      if ((pairs.types & types) != 0) n += pairs.n;
    return n;
  }
};

/// Calls `visit` with the name and the value of every figure but the saturated pairs.
template <class F, class Visit>
void each_figure(F& figures, Visit&& visit) {
  visit("n_pairs", figures.n_pairs);
  visit("n_unmasked", figures.n_unmasked);
  visit("n_differ", figures.n_differ);
  visit("rms_error", figures.rms_error);
  visit("bias", figures.bias);
  visit("golden_rms", figures.golden_rms);
  visit("my_fits_bf16", figures.my_fits_bf16);
  visit("golden_fits_bf16", figures.golden_fits_bf16);
}

}  // namespace ait
