#include "formats/file_names.h"

#include <algorithm>
#include <array>

namespace ait {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return '0' <= c && c <= '9'; });
}

/// A number without zeros in front.
bool is_index(std::string_view text) {
  return is_number(text) && (text.size() == 1 || text.front() != '0');
}

bool is_io(std::string_view text) { return text == "INPUT" || text == "OUTPUT"; }

/// Splits off what stands behind the last dot; "" if there is none.
std::string_view take_last_part(std::string_view& text) {
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view last = text.substr(dot + 1);
  text = text.substr(0, dot);
  return last;
}

bool is_exception_dump(std::string_view name) { return name.starts_with("exception_info."); }

bool is_overflow_record(std::string_view op_type) {
  constexpr std::string_view kOverflow = "opdebug";
  const auto is_letter = [](char c, char wanted) { return (c | 0x20) == wanted; };
  return std::equal(op_type.begin(), op_type.end(), kOverflow.begin(), kOverflow.end(), is_letter);
}

}  // namespace

std::optional<PlainGeName> parse_plain_ge_name(std::string_view name) {
  if (is_exception_dump(name)) return {};
  std::array<std::string_view, 5> parts;
  for (size_t i = parts.size(); i-- > 1;) parts[i] = take_last_part(name);
  parts[0] = name;
  const auto& [op_type, op_name, task, stream, time] = parts;
  if (op_type.empty() || op_name.empty() || op_type.find('.') != std::string_view::npos) return {};
  if (!is_number(task) || !is_number(stream) || !is_number(time)) return {};
  if (time.size() < 10 || time.size() > 20 || is_overflow_record(op_type)) return {};
  return PlainGeName{op_type, op_name, task, stream, time};
}

std::optional<PlainFxName> parse_plain_fx_name(std::string_view name) {
  constexpr std::string_view kEnding = ".npy";
  const size_t dash = name.find('-');
  if (is_exception_dump(name) || !name.ends_with(kEnding)) return {};
  if (dash == 0 || dash == std::string_view::npos) return {};
  std::string_view target = name.substr(dash + 1, name.size() - kEnding.size() - dash - 1);
  const std::string_view time = take_last_part(target);
  if (!is_number(time) || time.size() < 14 || time.size() > 20) return {};
  std::string_view index = take_last_part(target), sub_index = "-1", io = take_last_part(target);
  if (!is_io(io)) {
    sub_index = index;
    index = io;
    io = take_last_part(target);
    if (!is_io(io) || !is_index(sub_index)) return {};
  }
  if (!is_index(index) || target.empty()) return {};
  return PlainFxName{name.substr(0, dash), target, io, index, sub_index, time};
}

}  // namespace ait
