#include "io/number_text.h"

#include <locale.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <version>

namespace ait {
namespace {

/// This thread has the C locale as long as it lives: a decimal point, no groups.
class CLocale {
 public:
  CLocale() : before_(uselocale(c_locale())) {}
  ~CLocale() { uselocale(before_); }
  CLocale(const CLocale&) = delete;
  CLocale& operator=(const CLocale&) = delete;

 private:
  static locale_t c_locale() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
  }
  locale_t before_;
};

/// Decimal digits d1 d2 d3 ... and the exponent of d1.
struct Decimal {
  std::string digits;
  int exponent;
};

/// The number that digits and exponent say.
double value_of(const Decimal& number) {
  const std::string text =
      number.digits + "e" +
      std::to_string(number.exponent + 1 - static_cast<int>(number.digits.size()));
  return std::strtod(text.c_str(), nullptr);
}

/// The value to so many digits, rounded as it should be.
Decimal rounded(double value, int n_digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*e", n_digits - 1, value);
  const char* const e = std::strchr(text, 'e');
  Decimal found{{}, std::atoi(e + 1)};
  for (const char* c = text; c < e; ++c)
    if (*c != '.') found.digits += *c;
  return found;
}

/// The fewest digits that read back to the same number; of a finite number above 0. Beside a power
/// of two it may be a neighbour of the rounded ones that does.
Decimal shortest_digits(double value) {
  for (int n_digits = 1; n_digits < 17; ++n_digits) {
    const Decimal found = rounded(value, n_digits);
    if (value_of(found) == value) return found;
    for (const int step : {1, -1}) {
      Decimal other{std::to_string(std::stoull(found.digits) + static_cast<uint64_t>(step)),
                    found.exponent};
      if (other.digits.size() == found.digits.size() && value_of(other) == value) return other;
    }
  }
  return rounded(value, 17);
}

std::string scientific(const Decimal& number) {
  std::string text(1, number.digits[0]);
  if (number.digits.size() > 1) text.append(".").append(number.digits, 1);
  char exponent[8];
  std::snprintf(exponent, sizeof exponent, "e%+03d", number.exponent);
  return text + exponent;
}

/// Without an exponent; of whole numbers every digit is right, not only the shortest ones.
std::string fixed(const Decimal& number, double value) {
  const auto n_digits = static_cast<int>(number.digits.size());
  if (number.exponent < 0)
    return std::string("0.")
        .append(static_cast<size_t>(-number.exponent - 1), '0')
        .append(number.digits);
  if (number.exponent + 1 < n_digits) {
    const auto n_whole = static_cast<size_t>(number.exponent) + 1;
    return number.digits.substr(0, n_whole).append(".").append(number.digits, n_whole);
  }
  char text[400];
  std::snprintf(text, sizeof text, "%.0f", value);
  return text;
}

size_t fixed_length(const Decimal& number) {
  const auto n_digits = static_cast<int>(number.digits.size());
  if (number.exponent < 0) return static_cast<size_t>(n_digits - number.exponent + 1);
  return static_cast<size_t>(std::max(number.exponent + 1, n_digits)) +
         (number.exponent + 1 < n_digits ? 1 : 0);
}

}  // namespace

namespace by_c_library {

std::string_view shortest_text(double value, NumberBuffer& buffer) {
  std::string text = std::signbit(value) ? "-" : "";
  const double size = std::fabs(value);
  if (std::isnan(size) || std::isinf(size) || size == 0) {
    text += std::isnan(size) ? "nan" : std::isinf(size) ? "inf" : "0";
  } else {
    const CLocale here;
    const Decimal digits = shortest_digits(size);
    const std::string with_exponent = scientific(digits);
    // The shorter one; of equal ones that without an exponent.
    text += fixed_length(digits) <= with_exponent.size() ? fixed(digits, size) : with_exponent;
  }
  std::memcpy(buffer, text.data(), text.size());
  return {buffer, text.size()};
}

std::string rounded_text(double value, int digits) {
  const CLocale here;
  NumberBuffer buffer;
  std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
  return buffer;
}

ReadNumber read_number(std::string_view text) {
  constexpr ReadNumber kNone{0, 0, true};
  const bool is_negative = !text.empty() && text.front() == '-';
  const std::string_view size = text.substr(is_negative ? 1 : 0);
  if (size.empty() || std::strchr("0123456789.iInN", size.front()) == nullptr) return kNone;
  if (size.size() > 1 && size[0] == '0' && (size[1] == 'x' || size[1] == 'X'))
    return {is_negative ? -0.0 : 0.0, text.size() - size.size() + 1, true};
  const CLocale here;
  const std::string copy(text);  // ends with a zero byte
  char* end = nullptr;
  errno = 0;
  const double value = std::strtod(copy.c_str(), &end);
  const bool is_beyond = errno == ERANGE && (std::isinf(value) || value == 0);
  return {value, static_cast<size_t>(end - copy.c_str()), !is_beyond};
}

}  // namespace by_c_library

#if defined(__cpp_lib_to_chars) || (defined(_LIBCPP_VERSION) && _LIBCPP_VERSION >= 200000)

std::string_view shortest_text(double value, NumberBuffer& buffer) {
  const char* const end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, static_cast<size_t>(end - buffer)};
}

std::string rounded_text(double value, int digits) {
  NumberBuffer buffer;
  return {
      buffer,
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, digits).ptr};
}

ReadNumber read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return {value, static_cast<size_t>(end - text.data()), error != std::errc::result_out_of_range};
}

#else

std::string_view shortest_text(double value, NumberBuffer& buffer) {
  return by_c_library::shortest_text(value, buffer);
}
std::string rounded_text(double value, int digits) {
  return by_c_library::rounded_text(value, digits);
}
ReadNumber read_number(std::string_view text) { return by_c_library::read_number(text); }

#endif

}  // namespace ait
