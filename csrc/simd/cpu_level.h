// Which CPU level this machine runs.
#pragma once

namespace ait {

/// 4 (AVX-512), 3 (AVX2, FMA) or 1 of x86-64 by cpuid, if the system keeps the registers too; 1
/// elsewhere. Source: x86-64 psABI, "Micro-Architecture Levels".
int cpu_level();

}  // namespace ait
