#include "bench/plain_read.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "parallel.h"

namespace ait {

uint64_t sum_words(Bytes bytes, unsigned n_threads) {
  const size_t n_words = bytes.size() / sizeof(uint64_t), n_parts = std::max(1u, n_threads);
  std::vector<uint64_t> sums(n_parts);
  parallel_for(n_parts, n_parts, [&](size_t part) {
    uint64_t sum = 0;
    const size_t end = n_words * (part + 1) / n_parts;
    for (size_t i = n_words * part / n_parts; i < end; ++i) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + i * sizeof word, sizeof word);
      sum += word;
    }
    sums[part] = sum;
  });
  uint64_t total = 0;
  for (const uint64_t sum : sums) total += sum;
  return total;
}

}  // namespace ait
