// What the fuzz targets share: how an input is taken apart, and what every tensor must hold.
//
// A target is one format: LLVMFuzzerTestOneInput reads an input in every way that a user of the
// format does. Nothing but FormatError may come out of a reader, and every promise of its header
// must hold. With Clang libFuzzer drives the targets, else standalone.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "io/bytes.h"
#include "io/data_file.h"
#include "tensor/view.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace fuzz {

inline void require(bool condition, const char* promise) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

inline void expect_no_crash(const std::function<void()>& read) {
  try {
    read();
  } catch (const ait::FormatError& error) {
    require(error.what()[0] != '\0', "an error says something");
  }
}

/// The front of an input says what is done, the rest is what it is done with. Used up it says 0.
class Choices {
 public:
  Choices(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  size_t below(size_t limit) { return byte() % limit; }
  bool flag() { return (byte() & 1) != 0; }
  ait::Bytes rest() const { return ait::Bytes(data_, left_); }

 private:
  const uint8_t* data_;
  size_t left_;
};

/// One chosen step from the order of a shape: mostly one that is possible.
ait::ViewStep chosen_step(Choices& choices, const ait::Dims& shape);

/// Reads every value of a view of a small tensor, and holds what was read against its index maps.
void check_view(const ait::View& view);

/// What every user of a tensor relies on; touches each byte that the tensor claims. Then its values
/// in one order and, whatever its header says, one device format: which ones is chosen.
void check_tensor(const ait::Tensor& tensor, Choices& choices);

}  // namespace fuzz
