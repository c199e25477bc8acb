// From stored bits to numbers: one decoder per Coding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/kernels.h"
#include "tensor/dtype.h"

namespace ait {

/// The value of each of the 256 byte codes of a coding of at most 8 bits; a narrower coding repeats
/// its values, because only its low bits count. Nullptr for other codings.
const float* code_values(Coding coding);

/// Decodes n values; one of the two is set. Values of less than 8 bits come one per byte.
struct Decoder {
  void (*to_float)(const Kernels& kernels, const uint8_t* raw, size_t n, float* out);
  void (*to_double)(const Kernels& kernels, const uint8_t* raw, size_t n, double* out);
};
Decoder find_decoder(Coding coding);

/// Elements [first, first + n) of a packed stream, one per byte. 1-bit elements start at the most
/// significant bit of a byte, all others at the least significant one.
void unpack(const Kernels& kernels, uint32_t bits, const uint8_t* packed, uint64_t first, size_t n,
            uint8_t* codes);

}  // namespace ait
