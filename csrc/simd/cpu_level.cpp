#include "simd/cpu_level.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ait {

#if defined(__x86_64__)

// Not __builtin_cpu_supports: older compilers do not know levels, others answer with a stub.
namespace {

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf leaf_of(unsigned number, unsigned part = 0) {
  Leaf leaf;
  __get_cpuid_count(number, part, &leaf.eax, &leaf.ebx, &leaf.ecx, &leaf.edx);
  return leaf;
}

constexpr bool has(unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; }

/// Register sets that the system saves; only if the CPU has xgetbv.
unsigned saved_registers() {
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Leaf 1, ecx: SSE3, SSSE3, FMA, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE, POPCNT, OSXSAVE, AVX, F16C.
constexpr unsigned kOsXsave = 1u << 27;
constexpr unsigned kLeaf1 = 1u << 0 | 1u << 9 | 1u << 12 | 1u << 13 | 1u << 19 | 1u << 20 |
                            1u << 22 | 1u << 23 | kOsXsave | 1u << 28 | 1u << 29;
// Leaf 7, ebx: BMI1, AVX2, BMI2; AVX512F, DQ, CD, BW, VL.
constexpr unsigned kLeaf7 = 1u << 3 | 1u << 5 | 1u << 8;
constexpr unsigned kLeaf7Avx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
// Leaf 0x80000001, ecx: LAHF, LZCNT.
constexpr unsigned kExtended = 1u << 0 | 1u << 5;
constexpr unsigned kYmmSaved = 0x6, kZmmSaved = 0xe6;

}  // namespace

int cpu_level() {
  const unsigned features = leaf_of(1).ecx;
  if (!has(features, kOsXsave)) return 1;
  const unsigned saved = saved_registers(), more = leaf_of(7).ebx;
  if (!has(features, kLeaf1) || !has(more, kLeaf7) || !has(leaf_of(0x80000001).ecx, kExtended) ||
      !has(saved, kYmmSaved))
    return 1;
  return has(more, kLeaf7Avx512) && has(saved, kZmmSaved) ? 4 : 3;
}

#else

int cpu_level() { return 1; }

#endif

}  // namespace ait
