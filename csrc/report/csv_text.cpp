#include "report/csv_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "io/number_text.h"

namespace ait {
namespace {

bool is_number(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const size_t length = read_number(text).length;
  return length > 0 && length == text.size();
}

/// Length of the UTF-8 character that `text` begins with, 0 if it begins with none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0), second = byte(1);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !continues(1)) return 0;
  if (lead < 0xE0) return 2;
  // Longer forms than need be, surrogates and what is beyond the last character are no UTF-8.
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || !continues(2)) return 0;
  if (lead < 0xF0) return 3;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F) || !continues(3)) return 0;
  return 4;
}

/// What stands in a text, found in one pass: most cells are paths.
struct Contents {
  bool is_ascii = true, needs_quotes = false;
};

Contents look_at(std::string_view text) {
  Contents found;
  for (const char c : text) {
    found.is_ascii = found.is_ascii && static_cast<uint8_t>(c) < 0x80;
    found.needs_quotes = found.needs_quotes || c == ',' || c == '"' || c == '\r' || c == '\n';
  }
  return found;
}

}  // namespace

std::string printable(std::string_view text) {
  if (look_at(text).is_ascii) return std::string(text);
  std::string shown;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length != 0) {
      shown += text.substr(0, length);
    } else {
      constexpr char kHex[] = "0123456789abcdef";
      const auto byte = static_cast<uint8_t>(text.front());
      shown += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return shown;
}

void append_number(std::string& line, double value) {
  if (std::isnan(value)) {
    line += "nan";
    return;
  }
  NumberBuffer text;
  const std::string_view number = shortest_text(value, text);
  line += number;
  if (std::isfinite(value) && number.find_first_of(".e") == std::string_view::npos) line += ".0";
}

void append_number(std::string& line, int64_t value) {
  char text[24];
  line.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_text(std::string& line, std::string_view text) {
  if (text.empty()) return;
  const Contents contents = look_at(text);
  if (!contents.is_ascii) {
    const std::string shown = printable(text);
    if (shown != text) return append_text(line, shown);
  }
  constexpr std::string_view kFormulaStarts = "=+-@\t\r";
  const bool is_formula =
      kFormulaStarts.find(text.front()) != std::string_view::npos && !is_number(text);
  if (!contents.needs_quotes) {
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
