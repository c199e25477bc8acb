// Numbers as text and back, the same on every compiler and in every locale.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ait {

/// The longest shortest text of a float64 has 24 characters: -2.2250738585072014e-308.
using NumberBuffer = char[32];

/// The shortest text that reads back to the same number, as std::to_chars gives it.
std::string_view shortest_text(double value, NumberBuffer& buffer);

/// As printf's %.{digits}g, of at most 17 digits.
std::string rounded_text(double value, int digits);

struct ReadNumber {
  double value;
  size_t length;     ///< characters read; 0: no number stands there
  bool is_in_range;  ///< of float64
};

/// The number that a text begins with, as std::from_chars reads it: no white space, no '+', no hex.
ReadNumber read_number(std::string_view text);

/// The same by way of the C library, for compilers whose <charconv> has no floating-point numbers.
namespace by_c_library {
std::string_view shortest_text(double value, NumberBuffer& buffer);
std::string rounded_text(double value, int digits);
ReadNumber read_number(std::string_view text);
}  // namespace by_c_library

}  // namespace ait
