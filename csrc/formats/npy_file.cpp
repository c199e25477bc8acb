// Reads the header of .npy files with a parser of the few Python literals that occur there.
#include "formats/npy_file.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string_view>

namespace ait {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

/// NumPy writes 118 bytes for simple arrays; only records with thousands of fields need more.
constexpr uint64_t kMaxHeaderBytes = uint64_t{1} << 20;

/// NumPy 2 holds 64 dimensions.
constexpr size_t kMaxDims = 64;

/// Tuples inside lists inside tuples: what describes a record needs a few levels.
constexpr int kMaxNesting = 32;

/// NumPy's short names of the numbers that the dtype table has, without the byte order.
struct NpyType {
  std::string_view code;
  const char* dtype_name;
};
constexpr NpyType kNpyTypes[] = {
    {"f2", "DT_FLOAT16"},   {"f4", "DT_FLOAT"},      {"f8", "DT_DOUBLE"}, {"b1", "DT_BOOL"},
    {"i1", "DT_INT8"},      {"i2", "DT_INT16"},      {"i4", "DT_INT32"},  {"i8", "DT_INT64"},
    {"u1", "DT_UINT8"},     {"u2", "DT_UINT16"},     {"u4", "DT_UINT32"}, {"u8", "DT_UINT64"},
    {"c8", "DT_COMPLEX64"}, {"c16", "DT_COMPLEX128"}};

/// What the header dictionary says.
struct NpyHeader {
  std::string descr;  ///< "<f4"; empty for a record.
  bool has_descr = false;
  bool fortran_order = false;
  bool has_order = false;
  Dims shape;
  bool has_shape = false;
};

/// Reads the dictionary `{'descr': ..., 'fortran_order': ..., 'shape': ...}`.
class DictParser {
 public:
  DictParser(std::string_view text, uint64_t position) : text_(text), first_position_(position) {}

  NpyHeader parse() {
    NpyHeader header;
    expect('{');
    while (!accept('}')) {
      const std::string key = parse_string();
      expect(':');
      if (key == "descr") {
        header.has_descr = true;
        if (peek() == '\'' || peek() == '"') {
          header.descr = parse_string();
        } else {
          skip_value(0);
        }
      } else if (key == "fortran_order") {
        header.has_order = true;
        header.fortran_order = parse_bool();
      } else if (key == "shape") {
        header.has_shape = true;
        header.shape = parse_shape();
      } else {
        fail("'descr', 'fortran_order' or 'shape' expected");
      }
      if (peek() != '}') expect(',');
    }
    if (peek() != '\0') fail("end of the header expected");
    if (!header.has_descr || !header.has_order || !header.has_shape) {
      fail("'descr', 'fortran_order' and 'shape' expected, one is missing");
    }
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    const uint64_t position = first_position_ + at_;
    throw FormatError(".npy header: " + message + " at byte " + std::to_string(position), position);
  }

  /// The next character that is no blank, or NUL at the end.
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(char wanted) {
    if (peek() != wanted || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(std::string("'") + wanted + "' expected");
  }

  std::string parse_string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("a string expected");
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    if (at_ >= text_.size()) fail("end of a string expected");
    ++at_;
    return value;
  }

  std::string_view parse_word() {
    peek();
    const size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
                                  text_[at_] == '-' || text_[at_] == '+')) {
      ++at_;
    }
    if (at_ == begin) fail("a value expected");
    return text_.substr(begin, at_ - begin);
  }

  bool parse_bool() {
    const std::string_view word = parse_word();
    if (word != "True" && word != "False") fail("True or False expected");
    return word == "True";
  }

  int64_t parse_dim() {
    std::string_view digits = parse_word();
    if (digits.back() == 'L') digits.remove_suffix(1);  // written by Python 2
    int64_t value = 0;
    if (digits.empty()) fail("a dimension expected");
    for (const char digit : digits) {
      if (digit < '0' || digit > '9') fail("a dimension expected");
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, digit - '0', &value)) {
        fail("a dimension below 2^63 expected");
      }
    }
    return value;
  }

  Dims parse_shape() {
    Dims shape;
    expect('(');
    while (!accept(')')) {
      if (shape.size() == kMaxDims) fail("at most 64 dimensions expected");
      shape.push_back(parse_dim());
      if (peek() != ')') expect(',');
    }
    return shape;
  }

  /// Skips any literal: the description of a record.
  void skip_value(int depth) {
    if (depth > kMaxNesting) fail("at most 32 nested brackets expected");
    const char first = peek();
    if (first == '\'' || first == '"') {
      parse_string();
      return;
    }
    if (first != '(' && first != '[' && first != '{') {
      parse_word();
      return;
    }
    const char last = first == '(' ? ')' : first == '[' ? ']' : '}';
    expect(first);
    while (!accept(last)) {
      skip_value(depth + 1);
      if (first == '{') {
        expect(':');
        skip_value(depth + 1);
      }
      if (peek() != last) expect(',');
    }
  }

  std::string_view text_;
  uint64_t first_position_;
  size_t at_ = 0;
};

/// Sets dtype and, for anything but a little-endian number, state and note.
void set_dtype(const std::string& descr, Tensor* tensor) {
  std::string reason;
  const std::string_view code = descr.size() > 1 ? std::string_view(descr).substr(1) : "";
  const auto* const row = std::find_if(std::begin(kNpyTypes), std::end(kNpyTypes),
                                       [&](const NpyType& type) { return type.code == code; });
  if (row != std::end(kNpyTypes)) {
    const DType* dtype = find_dtype_by_name(row->dtype_name);
    tensor->dtype_number = dtype->number;
    if (descr[0] == '>' && dtype->bits / dtype->components > 8) {
      reason = "big-endian numbers ('" + descr + "') are not read: save the array as '<" +
               std::string(code) + "'";
    }
  } else if (descr.empty()) {
    reason = "not a tensor: a record of several fields";
  } else if (code.substr(0, 1) == "O") {
    reason = "not a tensor: pickled Python object (None, dtype, ...); never unpickled";
  } else if (code.substr(0, 1) == "U" || code.substr(0, 1) == "S") {
    reason = "not a tensor: text";
  } else {
    reason = "dtype '" + descr + "' is not a number of the dtype table";
  }
  resolve_dtype(*tensor);
  if (reason.empty()) return;
  tensor->state = TensorState::kUnsupported;
  add_note(*tensor, reason);
}

Tensor read_header(const DataFile& file) {
  FileWindow window(file);
  const uint64_t file_bytes = file.size_bytes();
  if (file_bytes == 0) throw FormatError("the file is empty");
  const size_t prefix_bytes = static_cast<size_t>(std::min<uint64_t>(file_bytes, 12));
  Cursor cursor(window.at(0, prefix_bytes));
  const Bytes magic = cursor.take(std::min(kMagic.size(), cursor.left()));
  if (!std::equal(magic.begin(), magic.end(), kMagic.begin(), kMagic.end(),
                  [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); })) {
    throw FormatError("'\\x93NUMPY' expected at byte 0 (no .npy file?)", 0);
  }
  const auto major = cursor.le<uint8_t>();
  cursor.le<uint8_t>();
  if (major < 1 || major > 3) {
    throw FormatError(".npy version 1, 2 or 3 expected, found " + std::to_string(major), 6);
  }
  const uint64_t header_bytes = major == 1 ? cursor.le<uint16_t>() : cursor.le<uint32_t>();
  const uint64_t header_position = cursor.position();
  if (header_bytes > kMaxHeaderBytes) {
    throw FormatError(".npy header of at most " + std::to_string(kMaxHeaderBytes) +
                          " bytes expected, found one of " + std::to_string(header_bytes),
                      header_position);
  }
  if (header_bytes > file_bytes - header_position) {
    throw FormatError(".npy header of " + std::to_string(header_bytes) + " bytes declared, " +
                          std::to_string(file_bytes - header_position) + " left at byte " +
                          std::to_string(header_position) + " (file cut short?)",
                      header_position);
  }
  const Bytes bytes = window.at(header_position, static_cast<size_t>(header_bytes));
  const std::string text(bytes.begin(), bytes.end());
  const NpyHeader header = DictParser(text, header_position).parse();

  Tensor tensor;
  tensor.storage_shape = header.shape;
  tensor.has_shape = true;
  tensor.fortran_order = header.fortran_order;
  tensor.offset_bytes = header_position + header_bytes;
  set_dtype(header.descr, &tensor);
  const uint64_t left = file_bytes - tensor.offset_bytes;
  if (tensor.state != TensorState::kOk) {
    tensor.size_bytes = left;
    return tensor;
  }
  const auto expected = packed_size_bytes(tensor.storage_shape, *tensor.dtype);
  tensor.size_bytes = expected.value_or(left);
  if (!expected) {
    judge_size(tensor);
  } else if (*expected > left) {
    tensor.state = TensorState::kTruncated;
    add_note(tensor, std::to_string(*expected) + " bytes declared, " + std::to_string(left) +
                         " left at byte " + std::to_string(tensor.offset_bytes) +
                         " (file cut short?)");
  } else if (*expected < left) {
    add_note(tensor,
             "trailing bytes: " + std::to_string(left - *expected) + " behind the array ignored");
  }
  return tensor;
}

}  // namespace

Tensor read_npy(const std::shared_ptr<const DataFile>& file) {
  try {
    Tensor tensor = read_header(*file);
    tensor.file = file;
    return tensor;
  } catch (const FormatError& error) {
    throw FormatError(file->path() + ": " + error.what(), error.position);
  }
}

}  // namespace ait
