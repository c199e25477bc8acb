// Reads a tensor block by block, decoded.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "simd/kernels.h"
#include "tensor/decode.h"
#include "tensor/gather.h"
#include "tensor/view.h"

namespace ait {

/// Reads a tensor's values in logical order; a complex number is two values (re, im). Not shared
/// between threads.
class BlockReader {
 public:
  /// `view` must outlive the reader. FormatError if it has a problem. A raw tensor has no values,
  /// only stored().
  BlockReader(const View& view, const Kernels& kernels);

  uint64_t n_values() const { return n_values_; }

  /// Says that no value from `end` on will be read: a device layout is gathered no further.
  void stop_at(uint64_t end);

  /// n <= kBlock values from value `at` on: n floats, or n doubles when `wide`, at any alignment;
  /// valid until the next call.
  const uint8_t* read(uint64_t at, size_t n, bool wide);

  /// n elements from element `at` on, as stored, if they lie in order and whole bytes; else
  /// nullptr. Not copied, where the file is in memory, and so of any number. Valid until the next
  /// call.
  const uint8_t* in_place(uint64_t at, size_t n);

  /// Stored bytes some blocks behind the last one read, for kernels that ask for them while they
  /// sum; and how many make kLanes values (0: the bytes are not in order, or not in memory).
  const uint8_t* ahead() const { return ahead_; }
  size_t ahead_step() const { return ahead_step_; }
  /// Asks for them at once, for kernels that do not.
  void fetch_ahead() const;

  /// n <= kBlock elements from element `at` on, as stored but in logical order; elements of less
  /// than 8 bits one per byte; of a raw tensor, bytes. Valid until the next call.
  const uint8_t* stored(uint64_t at, size_t n);

 private:
  const uint8_t* stored_in_order(uint64_t at, size_t n);
  const uint8_t* stored_in_tiles(uint64_t at, size_t n);
  const uint8_t* stored_one_by_one(uint64_t at, size_t n);
  const uint8_t* bytes(uint64_t at, size_t n);

  const View& view_;
  const Kernels& kernels_;
  const Decoder decoder_;
  const uint32_t bits_;
  const uint64_t element_bytes_;  ///< of what stored() returns
  uint64_t n_values_;
  std::optional<uint64_t> in_order_from_;  ///< first stored element, if all lie in order
  std::optional<Gather> gather_;
  std::vector<uint8_t> block_;  ///< put together from parts
  std::vector<uint8_t> scratch_;
  std::vector<uint8_t> window_;  ///< what one pread fetched of a file not in memory
  uint64_t window_begin_ = 0;
  const uint8_t* ahead_ = nullptr;
  size_t ahead_step_ = 0;
  // Lines of a cache: a register of 64 bytes is then loaded from one of them.
  alignas(64) float floats_[kBlock];
  alignas(64) double doubles_[kBlock];
};

/// What the values of a view become in NumPy: the row's type in the logical shape; bytes in a row
/// where the type has no NumPy type or the shape does not hold.
struct ArrayType {
  const char* name;
  Dims shape;
};
ArrayType array_type(const View& view);

/// Writes all values in logical order as array_type() has them.
void read_array(const View& view, const Kernels& kernels, uint8_t* out);

}  // namespace ait
