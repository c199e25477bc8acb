// Tokens of the protobuf text format. Strings and whole messages are passed over by searching for
// their end, at the speed of memory; only values that are asked for are decoded.
#include "formats/text_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "io/bytes.h"

namespace ait {
namespace {

/// A flag per byte value.
using ByteSet = std::array<bool, 256>;

constexpr ByteSet make_set(std::string_view members) {
  ByteSet set{};
  for (const char c : members) set[static_cast<uint8_t>(c)] = true;
  return set;
}

constexpr std::string_view kWordMembers =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
constexpr ByteSet kIsWord = make_set(kWordMembers);
constexpr ByteSet kIsBlank = make_set(" \n\t\r\v\f");
/// What can begin or end a message, or hide such a character.
constexpr ByteSet kIsStructure = make_set("{}<>\"'#");

constexpr bool is_in(const ByteSet& set, char c) { return set[static_cast<uint8_t>(c)]; }

/// The first `c` in [from, to), or nullptr.
const char* find(const char* from, const char* to, char c) {
  return static_cast<const char*>(std::memchr(from, c, static_cast<size_t>(to - from)));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// What `\c` stands for, or -1.
int simple_escape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case '"':
    case '\'':
    case '\\':
    case '?':
      return c;
    default:
      return -1;
  }
}

}  // namespace

void TextScanner::fail_at(const char* where, const std::string& message) const {
  const auto line = 1 + std::count(begin_, where, '\n');
  const char* line_begin = where;
  while (line_begin != begin_ && line_begin[-1] != '\n') --line_begin;
  throw FormatError("line " + std::to_string(line) + ", column " +
                        std::to_string(where - line_begin + 1) + ": " + message,
                    static_cast<uint64_t>(where - begin_));
}

void TextScanner::skip_blanks() {
  while (at_ != end_) {
    if (is_in(kIsBlank, *at_)) {
      ++at_;
    } else if (*at_ == '#') {
      const char* line_end = find(at_, end_, '\n');
      at_ = line_end == nullptr ? end_ : line_end;
    } else {
      return;
    }
  }
}

std::string_view TextScanner::next_field() {
  Level& level = levels_[depth_];
  while (true) {
    skip_blanks();
    if (level.in_list) {
      if (at_ != end_ && *at_ == ',') {
        ++at_;
        skip_blanks();
        if (at_ == end_) fail("a value expected, the text ends (file cut short?)");
        return level.list_name;
      }
      if (at_ == end_ || *at_ != ']') fail("',' or ']' expected");
      ++at_;
      level.in_list = false;
      skip_blanks();
    }
    while (at_ != end_ && (*at_ == ',' || *at_ == ';')) {
      ++at_;
      skip_blanks();
    }
    if (at_ == end_) {
      if (depth_ > 0) fail("the text ends inside a message (file cut short?)");
      return {};
    }
    if (*at_ == '}' || *at_ == '>') {
      if (depth_ == 0) fail("a field expected, found the end of a message");
      if (*at_ != level.closer) fail(std::string("'") + level.closer + "' expected");
      ++at_;
      --depth_;
      return {};
    }
    const std::string_view name = take_field_name();
    if (*at_ != '[') return name;
    ++at_;
    level.in_list = true;
    level.list_name = name;
    skip_blanks();
    if (at_ == end_) fail("a value expected, the text ends (file cut short?)");
    if (*at_ != ']') return name;  // an empty list has no value
  }
}

/// The name and the colon; what follows is a value.
std::string_view TextScanner::take_field_name() {
  const char* const begin = at_;
  if (*at_ == '[') {  // the name of an extension: who skips messages must see the same braces
    while (at_ != end_ && *at_ != ']' && !is_in(kIsStructure, *at_)) ++at_;
    if (at_ == end_ || *at_ != ']') fail_at(begin, "']' expected");
    ++at_;
  } else {
    while (at_ != end_ && is_in(kIsWord, *at_)) ++at_;
  }
  const std::string_view name(begin, static_cast<size_t>(at_ - begin));
  if (name.empty()) fail("a field name expected");
  skip_blanks();
  const bool has_colon = at_ != end_ && *at_ == ':';
  if (has_colon) {
    ++at_;
    skip_blanks();
  }
  if (at_ == end_) fail("a value expected, the text ends (file cut short?)");
  if (!has_colon && !is_message() && *at_ != '[') fail("':' or '{' expected");
  return name;
}

bool TextScanner::is_message() { return *at_ == '{' || *at_ == '<'; }

void TextScanner::enter_message() {
  if (!is_message()) fail("'{' expected");
  if (depth_ == kMaxTextNesting) fail("at most 100 nested messages expected");
  levels_[++depth_] = {*at_ == '{' ? '}' : '>', false, {}};
  ++at_;
}

TextScanner::Mark TextScanner::mark() const { return {at_, depth_, levels_[depth_]}; }

void TextScanner::return_to(const Mark& mark) {
  at_ = mark.at_;
  depth_ = mark.depth_;
  levels_[depth_] = mark.level_;
}

void TextScanner::skip_value() {
  if (is_message()) {
    skip_message();
  } else if (is_at_string()) {
    while (is_at_string()) {
      take_string();
      skip_blanks();
    }
  } else {
    word();
  }
}

void TextScanner::skip_message() {
  char closers[kMaxTextNesting + 1];
  int open = 0;
  do {
    while (at_ != end_ && !is_in(kIsStructure, *at_)) ++at_;
    if (at_ == end_) fail("the text ends inside a message (file cut short?)");
    const char c = *at_;
    if (c == '"' || c == '\'') {
      take_string();
    } else if (c == '#') {
      skip_blanks();
    } else if (c == '{' || c == '<') {
      if (depth_ + open == kMaxTextNesting) fail("at most 100 nested messages expected");
      closers[open++] = c == '{' ? '}' : '>';
      ++at_;
    } else {
      if (c != closers[open - 1]) fail(std::string("'") + closers[open - 1] + "' expected");
      --open;
      ++at_;
    }
  } while (open > 0);
}

/// The raw text between the quotes; moves behind the second one.
std::string_view TextScanner::take_string() {
  const char quote = *at_;
  const char* const begin = at_ + 1;
  const char* end = begin;
  while (true) {
    end = find(end, end_, quote);
    if (end == nullptr) fail("a string without end (file cut short?)");
    const char* escapes = end;
    while (escapes != begin && escapes[-1] == '\\') --escapes;
    if ((end - escapes) % 2 == 0) break;
    ++end;  // an escaped quote
  }
  if (find(begin, end, '\n') != nullptr) fail("a string without end on its line");
  at_ = end + 1;
  return {begin, static_cast<size_t>(end - begin)};
}

bool TextScanner::append_string(std::string* to, size_t max_bytes) {
  if (!is_at_string()) fail("a string expected");
  // No escape is longer than four characters: what is longer by more is too long without a look.
  const size_t max_raw_bytes = max_bytes > SIZE_MAX / 4 ? SIZE_MAX : 4 * max_bytes;
  const size_t old_bytes = to->size();
  bool fits = true;
  while (is_at_string()) {
    const std::string_view raw = take_string();
    fits = fits && raw.size() <= max_raw_bytes;
    if (fits) {
      unescape(raw, to);
      fits = to->size() - old_bytes <= max_bytes;
    }
    skip_blanks();
  }
  if (!fits) to->resize(old_bytes);
  return fits;
}

void TextScanner::unescape(std::string_view raw, std::string* to) const {
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at != end) {
    const char* escape = find(at, end, '\\');
    if (escape == nullptr) escape = end;
    to->append(at, escape);
    if (escape == end) return;
    at = escape + 1;  // a string never ends behind a lone backslash
    int value = simple_escape(*at);
    if (value >= 0) {
      ++at;
    } else if (*at >= '0' && *at <= '7') {
      value = 0;
      for (int i = 0; i < 3 && at != end && *at >= '0' && *at <= '7'; ++i) {
        value = value * 8 + (*at++ - '0');
      }
    } else if (*at == 'x' || *at == 'X') {
      ++at;
      for (int i = 0; i < 2 && at != end && hex_digit(*at) >= 0; ++i) {
        value = (i == 0 ? 0 : value * 16) + hex_digit(*at++);
      }
    }
    if (value < 0 || value > 255) fail_at(escape, "unknown escape in a string");
    to->push_back(static_cast<char>(value));
  }
}

std::string_view TextScanner::word() {
  const char* const begin = at_;
  while (at_ != end_ && is_in(kIsWord, *at_)) ++at_;
  if (at_ == begin) fail("a value expected");
  return {begin, static_cast<size_t>(at_ - begin)};
}

int64_t TextScanner::integer() {
  const char* const begin = at_;
  std::string_view digits = word();
  if (digits == "true") return 1;
  if (digits == "false") return 0;
  const bool is_negative = digits.front() == '-';
  if (is_negative) digits.remove_prefix(1);
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0') {
    base = 8;
    digits.remove_prefix(1);
  }
  uint64_t magnitude = 0;
  const char* const last = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), last, magnitude, base);
  const uint64_t limit = static_cast<uint64_t>(INT64_MAX) + (is_negative ? 1 : 0);
  if (error == std::errc::result_out_of_range || magnitude > limit) {
    fail_at(begin, "a 64-bit number expected");
  }
  if (error != std::errc() || stop != last) fail_at(begin, "a whole number expected");
  return static_cast<int64_t>(is_negative ? 0 - magnitude : magnitude);
}

}  // namespace ait
