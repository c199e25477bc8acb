// The plainest loop over memory: what this machine can read at all.
#pragma once

#include <cstdint>

#include "io/bytes.h"

namespace ait {

/// Sum of all whole 64-bit words, each thread over its own part.
uint64_t sum_words(Bytes bytes, unsigned n_threads);

}  // namespace ait
