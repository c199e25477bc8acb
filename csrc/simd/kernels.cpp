// One kernel table: this file is compiled once per CPU level (AIT_ISA) with that level's flags.
// Everything but the table is in the anonymous namespace, so that no function compiled for one CPU
// is linked for another.
#include "simd/kernels.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define AIT_CONCAT_(a, b) a##b
#define AIT_CONCAT(a, b) AIT_CONCAT_(a, b)
#define AIT_STRING_(a) #a
#define AIT_STRING(a) AIT_STRING_(a)

namespace ait {
namespace {

// The later files use the earlier ones.
// clang-format off
#include "simd/lanes-inl.h"
#include "simd/totals-inl.h"
#include "simd/sums-inl.h"
#include "simd/errors-inl.h"
#include "simd/exp-inl.h"
#include "simd/kl-inl.h"
#include "simd/sketch-inl.h"
#include "simd/sketch_wide-inl.h"
#include "simd/decode-inl.h"
// clang-format on

}  // namespace

// The one symbol that this object exports.
extern const Kernels AIT_CONCAT(kernels_, AIT_ISA);
const Kernels AIT_CONCAT(kernels_, AIT_ISA) = {
    .name = AIT_STRING(AIT_ISA),
    .pair_f32 = pair_f32,
    .pair_f64 = pair_f64,
    .stats_f32 = stats<float>,
    .stats_f64 = stats<double>,
    .count_differ_f32 = count_differ<float>,
    .count_differ_f64 = count_differ<double>,
    .kl_near_f32 = kl_near_f32,
    .kl_near_f64 = kl_near_f64,
    .kl_far_f32 = kl_far<float>,
    .kl_far_f64 = kl_far<double>,
    .pair_near_f32 = kHasWholeBlock ? pair_near_f32 : nullptr,
    .exp_of_nonpositive = exp_of_nonpositive,
    .sum_bf16 = sum_rows<int16_t>,
    .sum_f32 = sum_rows<int32_t>,
    .add_band = add_band,
    .scan_f64 = scan_doubles,
    .add_f64 = add_doubles,
    .sign_words = sign_words,
    .decode_float16 = decode_float16,
    .decode_bfloat16 = decode_bfloat16,
    .decode_int8 = decode_number<int8_t, float>,
    .decode_uint8 = decode_number<uint8_t, float>,
    .decode_bool = decode_bool,
    .decode_int16 = decode_number<int16_t, float>,
    .decode_uint16 = decode_number<uint16_t, float>,
    .decode_int32 = decode_number<int32_t, double>,
    .decode_uint32 = decode_number<uint32_t, double>,
    .decode_int64 = decode_number<int64_t, double>,
    .decode_uint64 = decode_number<uint64_t, double>,
    .widen = widen,
    .look_up = look_up,
    .unpack_1 = unpack_1,
    .unpack_2 = unpack_2,
    .unpack_4 = unpack_4,
    .unpack_6 = unpack_6,
};

}  // namespace ait
