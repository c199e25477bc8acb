// A tokenizer of the protobuf text format over bytes in memory; knows no message.
//
// Source: https://protobuf.dev/reference/protobuf/textformat-spec
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ait {

/// Messages inside messages; protobuf's own readers stop there, too.
inline constexpr int kMaxTextNesting = 100;

/// Walks a text front to back. Every error names line and column.
class TextScanner {
 public:
  /// A place to come back to.
  class Mark;

  explicit TextScanner(std::string_view text)
      : begin_(text.data()), end_(begin_ + text.size()), at_(begin_) {}

  /// Name of the next field of the current message, or an empty name at its end. The caller then
  /// takes the value by exactly one of the calls below.
  std::string_view next_field();

  /// Whether the value is a message.
  bool is_message();

  /// Enters the message that is the value; `next_field()` then gives its fields until it returns
  /// an empty name, which also leaves it.
  void enter_message();

  /// Passes over the value without decoding it.
  void skip_value();

  /// Appends the string value, its pieces joined and unescaped. Returns false, with the value
  /// skipped and `*to` unchanged, if that is more than `max_bytes`.
  bool append_string(std::string* to, size_t max_bytes = SIZE_MAX);

  /// A decimal, octal or hexadecimal integer of 64 bits with sign, or true or false as 1 or 0.
  int64_t integer();

  /// A number or a name as it stands: the value of an enum.
  std::string_view word();

  /// Where the value stands: an attribute may name its key after its value. Valid until the message
  /// around it is followed by another one.
  Mark mark() const;
  void return_to(const Mark& mark);

  /// Throws FormatError that names the place where the scanner stands.
  [[noreturn]] void fail(const std::string& message) const { fail_at(at_, message); }

 private:
  /// One open message.
  struct Level {
    char closer = '}';
    bool in_list = false;        ///< Inside `name: [ ... ]`.
    std::string_view list_name;  ///< That name.
  };

  [[noreturn]] void fail_at(const char* where, const std::string& message) const;
  void skip_blanks();
  bool is_at_string() const { return at_ != end_ && (*at_ == '"' || *at_ == '\''); }
  std::string_view take_field_name();
  std::string_view take_string();
  void skip_message();
  void unescape(std::string_view raw, std::string* to) const;

  const char* begin_;
  const char* end_;
  const char* at_;
  int depth_ = 0;
  Level levels_[kMaxTextNesting + 1];
};

class TextScanner::Mark {
  friend class TextScanner;
  Mark(const char* at, int depth, const Level& level) : at_(at), depth_(depth), level_(level) {}

  const char* at_;
  int depth_;
  Level level_;
};

}  // namespace ait
