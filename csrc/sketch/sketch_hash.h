// The content hash of a sketch: its keys, and what becomes of the sums of its lanes. Definition:
// docs/en/info-format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "simd/kernels.h"

namespace ait {

// Seeds of the counter-based generator beside that of the signs: one for the keys of the hash, one
// for its lanes, one for the order of the bands. Digits of pi, of the root of 2 and of e.
inline constexpr uint64_t kKeySeed = 0x243f6a8885a308d3u;
inline constexpr uint64_t kLaneSeed = 0x6a09e667f3bcc908u;
inline constexpr uint64_t kBandSeed = 0xadf85458a2bb4a9au;
inline constexpr uint64_t kGolden = 0x9e3779b97f4a7c15u;

/// The output function of SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom
/// number generators", OOPSLA 2014, with the constants of Vigna's splitmix64.c.
inline uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Number `counter` of the generator started at `seed`.
inline uint64_t random_word(uint64_t seed, uint64_t counter) {
  return mix(seed + (counter + 1) * kGolden);
}

/// Key i meets word i of the first row, word i - 1 of the second one, and so on. Words of float32
/// hold the upper or the lower halves of four values.
struct HashKeys {
  static constexpr size_t kWide = kRowPlaces + kBandRows - 1;
  static constexpr size_t kNarrow = kRowPlaces / 4 + kBandRows - 1;
  /// The lower halves take the keys from here on.
  static constexpr size_t kFirstLower = 2048;

  std::array<uint64_t, kWide> wide;  ///< also of upper halves, and so of bfloat16
  std::array<uint64_t, 2 * kNarrow>
      single;  ///< float32: four for upper halves, then four for lower
  /// What lower halves of zeros add to the sums in so many rows.
  std::array<std::array<uint64_t, kLanes>, kBandRows + 1> zeros{};

  HashKeys() {
    for (size_t i = 0; i < kWide; ++i) wide[i] = random_word(kKeySeed, i);
    for (size_t i = 0; i < kNarrow; ++i) {
      single[2 * i] = wide[i];
      single[2 * i + 1] = random_word(kKeySeed, kFirstLower + i);
    }
    for (size_t row = 0; row < kBandRows; ++row) {
      zeros[row + 1] = zeros[row];
      for (size_t i = 0; i < kRowPlaces / 4; ++i) {
        const uint64_t key = single[2 * (row + i) + 1];
        zeros[row + 1][i % kLanes] += (key & 0xffffffffu) * (key >> 32);
      }
    }
  }
};

inline const HashKeys& hash_keys() {
  static const HashKeys keys;
  return keys;
}

inline std::array<uint64_t, 2 * kLanes> lane_words() {
  std::array<uint64_t, 2 * kLanes> words{};
  for (size_t l = 0; l < words.size(); ++l) words[l] = random_word(kLaneSeed, l);
  return words;
}

template <class Sums>
uint64_t hash_of_lanes(const Sums& sums, size_t first_lane) {
  static const auto kLaneWords = lane_words();
  uint64_t hash = 0;
  for (size_t l = 0; l < kLanes; ++l) hash += mix(sums[l] + kLaneWords[first_lane + l]);
  return hash;
}

}  // namespace ait
