#include "simd/dispatch.h"

#include <cstdlib>

#include "simd/cpu_level.h"

namespace ait {

extern const Kernels kernels_base;
#if defined(AIT_HAS_X86_LEVELS)
extern const Kernels kernels_v3;
extern const Kernels kernels_v4;
#endif

const std::vector<const Kernels*>& supported_kernels() {
  static const std::vector<const Kernels*> kSupported = [] {
    std::vector<const Kernels*> found;
#if defined(AIT_HAS_X86_LEVELS)
    if (cpu_level() >= 4) found.push_back(&kernels_v4);
    if (cpu_level() >= 3) found.push_back(&kernels_v3);
#endif
    found.push_back(&kernels_base);
    return found;
  }();
  return kSupported;
}

const Kernels& find_kernels(const std::string& name) {
  const char* forced = std::getenv("AIT_CMP_ISA");
  const std::string wanted = name.empty() && forced != nullptr ? forced : name;
  const auto& supported = supported_kernels();
  if (wanted.empty()) return *supported.front();
  std::string names;
  for (const Kernels* kernels : supported) {
    if (wanted == kernels->name) return *kernels;
    names += (names.empty() ? "" : ", ") + std::string(kernels->name);
  }
  const std::string who = name.empty() ? "AIT_CMP_ISA" : "CPU level";
  throw CpuLevelError(who + ": one of " + names + " expected, which this machine runs, found " +
                      wanted);
}

}  // namespace ait
