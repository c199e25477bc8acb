#include "compare/figures.h"

#include <cmath>
#include <iterator>

namespace ait {

uint32_t saturated_types(double x, double y) {
  const double infinite = std::isinf(x) ? x : y, finite = std::isinf(x) ? y : x;
  if (!std::isinf(infinite) || !std::isfinite(finite)) return 0;
  if (std::signbit(infinite) != std::signbit(finite)) return 0;
  uint32_t types = 0;
  for (size_t i = 0; i < std::size(kSaturatingTypes); ++i)
    if (kSaturatingTypes[i].is_saturated(std::fabs(finite))) types |= uint32_t{1} << i;
  return types;
}

void add_saturated(std::vector<SaturatedPairs>& all, const SaturatedPairs& pairs) {
  for (SaturatedPairs& known : all) {
    if (known.types != pairs.types) continue;
    known.n += pairs.n;
    return;
  }
  all.push_back(pairs);
}

}  // namespace ait
