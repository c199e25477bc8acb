// Chooses a kernel table at run time.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "simd/kernels.h"

namespace ait {

/// The tables that this CPU can run, best first; the last one always runs.
const std::vector<const Kernels*>& supported_kernels();

/// A CPU level was asked for that this CPU or this build has not.
struct CpuLevelError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// The table called `name`; the best one for "" (or the one that the environment variable
/// AIT_CMP_ISA names). Throws CpuLevelError where there is no such table.
const Kernels& find_kernels(const std::string& name);

}  // namespace ait
