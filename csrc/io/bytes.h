// Untrusted bytes: a view of them, the only reader that walks them, and the error it throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace ait {

using Bytes = std::span<const uint8_t>;

/// The bytes of a file are not what its format asks for. The message is one sentence.
struct FormatError : std::runtime_error {
  /// Says that no single byte is to blame.
  static constexpr uint64_t kNoPosition = UINT64_MAX;

  explicit FormatError(const std::string& message, uint64_t at = kNoPosition)
      : std::runtime_error(message), position(at) {}

  uint64_t position;  ///< Byte in the file, or kNoPosition.
};

/// The bits of a number. (std::bit_cast comes with GCC 11.)
inline uint64_t bits_of(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// `*product = a * b`; false, and an unspecified product, if that does not fit 64 bits.
[[nodiscard]] inline bool checked_mul(uint64_t a, uint64_t b, uint64_t* product) {
  return !__builtin_mul_overflow(a, b, product);
}

/// `*sum = a + b`; false, and an unspecified sum, if that does not fit 64 bits.
[[nodiscard]] inline bool checked_add(uint64_t a, uint64_t b, uint64_t* sum) {
  return !__builtin_add_overflow(a, b, sum);
}

/// Walks untrusted bytes front to back. A read past the end throws; the cursor then has not moved.
class Cursor {
 public:
  /// `first_position` is the place of the first byte in the file, for messages alone.
  explicit Cursor(Bytes bytes, uint64_t first_position = 0)
      : bytes_(bytes), first_position_(first_position) {}

  size_t left() const noexcept { return bytes_.size() - at_; }
  uint64_t position() const noexcept { return first_position_ + at_; }

  /// The next `n` bytes. The only place that moves: every other read goes through here.
  Bytes take(uint64_t n) {
    if (n > left()) {
      throw FormatError(std::to_string(n) + " bytes expected, " + std::to_string(left()) +
                            " left at byte " + std::to_string(position()) + " (file cut short?)",
                        position());
    }
    const Bytes taken = bytes_.subspan(at_, static_cast<size_t>(n));
    at_ += taken.size();
    return taken;
  }

  /// A little-endian number at any alignment.
  template <class T>
  T le() {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
  uint64_t first_position_;
};

}  // namespace ait
