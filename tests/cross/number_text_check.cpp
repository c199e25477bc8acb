// The number texts made with the C library are those of <charconv>: of special values, of every
// power of two and ten, and of random bits. Prints how many were compared; ends with 1 at the first
// other one.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "io/number_text.h"

namespace {

using ait::NumberBuffer;
namespace other = ait::by_c_library;

uint64_t n_checked = 0;

void expect(bool holds, double value, const std::string& found, const std::string& wanted) {
  if (holds) return;
  std::printf("%a: expected %s, found %s\n", value, wanted.c_str(), found.c_str());
  std::exit(1);
}

void check(double value) {
  char wanted[64];
  NumberBuffer buffer;
  std::string text(wanted, std::to_chars(wanted, wanted + sizeof wanted, value).ptr);
  const std::string shortest(other::shortest_text(value, buffer));
  // The sign of a NaN is in no report.
  expect(std::isnan(value) || shortest == text, value, shortest, text);
  const ait::ReadNumber back = other::read_number(text);
  expect(
      std::isnan(value) || (back.value == value && back.length == text.size() && back.is_in_range),
      value, std::to_string(back.value), text);
  text = {wanted,
          std::to_chars(wanted, wanted + sizeof wanted, value, std::chars_format::general, 3).ptr};
  const std::string rounded = other::rounded_text(value, 3);
  expect(std::isnan(value) || rounded == text, value, rounded, text);
  ++n_checked;
}

void check_text(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const ait::ReadNumber found = other::read_number(text);
  const auto length = static_cast<size_t>(end - text.data());
  const bool is_in_range = error != std::errc::result_out_of_range;
  expect(found.length == length && found.is_in_range == is_in_range, value,
         text + " of length " + std::to_string(found.length), std::to_string(length));
  ++n_checked;
}

}  // namespace

int main() {
  using Limits = std::numeric_limits<double>;
  for (const double value :
       {0.0, 1.0, 0.1, 123456.0, 1e5, 1e16, 123456789012345678.0, 0.0001, 1e-5, Limits::infinity(),
        Limits::max(), Limits::min(), Limits::denorm_min()})
    for (const double sign : {1.0, -1.0}) check(sign * value);
  for (int exponent = -1074; exponent < 1024; ++exponent) check(std::ldexp(1.0, exponent));
  for (int exponent = -320; exponent < 309; ++exponent) check(std::pow(10.0, exponent));
  for (const char* text :
       {"",       "-",      "+1",     " 1",    "1 ",    "0x10",     "-0x1", "1e",        "1e+",
        "1e999",  "-1e999", "1e-999", ".5",    "5.",    ".",        "inf",  "-infinity", "nan",
        "nan(1)", "1f",     "e5",     "00012", "1.5.2", "infinite", "n"})
    check_text(text);
  uint64_t state = 1;
  for (int i = 0; i < 200000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    double value;
    const uint64_t bits = state ^ (state >> 29);
    std::memcpy(&value, &bits, sizeof value);
    check(value);
    check(static_cast<double>(static_cast<int64_t>(bits) >> (bits % 60)));
  }
  std::printf("%llu numbers have the same text\n", static_cast<unsigned long long>(n_checked));
}
