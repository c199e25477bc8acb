#include "csv_text.h"

#include <charconv>
#include <cmath>

namespace ait {
namespace {

// The longest shortest text of a float64 has 24 characters: -2.2250738585072014e-308.
constexpr size_t kNumberChars = 32;

bool is_number(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error != std::errc::invalid_argument && end == text.data() + text.size();
}

}  // namespace

void append_number(std::string& line, double value) {
  if (std::isnan(value)) {
    line += "nan";
    return;
  }
  char text[kNumberChars];
  const char* end = std::to_chars(text, text + sizeof text, value).ptr;
  const std::string_view number(text, static_cast<size_t>(end - text));
  line += number;
  if (std::isfinite(value) && number.find_first_of(".e") == std::string_view::npos) line += ".0";
}

void append_number(std::string& line, int64_t value) {
  char text[kNumberChars];
  line.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_text(std::string& line, std::string_view text) {
  if (text.empty()) return;
  constexpr std::string_view kFormulaStarts = "=+-@\t\r";
  const bool is_formula =
      kFormulaStarts.find(text.front()) != std::string_view::npos && !is_number(text);
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    if (is_formula) line += '\'';
    line += text;
    return;
  }
  line += '"';
  if (is_formula) line += '\'';
  for (const char c : text) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

}  // namespace ait
