// Chooses a kernel table at run time.
#pragma once

#include <string>
#include <vector>

#include "simd/kernels.h"

namespace ait {

/// The tables that this CPU can run, best first; the last one always runs.
const std::vector<const Kernels*>& supported_kernels();

/// The table called `name`; the best one for "" (or the one that the environment variable
/// AIT_CMP_ISA names). Throws std::invalid_argument when this CPU or this build has no such table.
const Kernels& find_kernels(const std::string& name);

}  // namespace ait
