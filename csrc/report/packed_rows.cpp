// The bytes: how many rows and texts; of each text its length; of each row its length; the texts;
// the rows. A row is a mask of the cells that are not empty where they may be (31 of them), then
// the cells in the order of the report: integers as varints, numbers as float64, texts by their
// number.
#include "report/packed_rows.h"

#include <unordered_map>

#include "io/bytes.h"

namespace ait {
namespace {

void put_varint(std::string& to, uint64_t value) {
  for (; value > 127; value >>= 7) to += static_cast<char>(value | 128);
  to += static_cast<char>(value);
}

uint64_t take_varint(Cursor& from) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = from.le<uint8_t>();
    value |= uint64_t{byte & 127u} << shift;
    if (byte < 128) return value;
  }
  throw FormatError("a number of at most 10 bytes expected", from.position());
}

/// Small numbers of either sign are small ones without.
uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ (value < 0 ? UINT64_MAX : 0);
}
int64_t unzigzag(uint64_t value) { return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1))); }

Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Writer {
 public:
  void begin_row() { mask_ = next_ = 0, cells_.clear(); }

  void operator()(int64_t value) { put_varint(cells_, zigzag(value)); }
  void operator()(std::string_view text) { put_varint(cells_, number_of(text)); }
  void operator()(const DataPath& path) { (*this)(path.file), (*this)(path.tensor); }
  void operator()(const Number& value) {
    if (is_there(value.has_value())) {
      const uint64_t bits = bits_of(*value);
      cells_.append(reinterpret_cast<const char*>(&bits), sizeof bits);
    }
  }
  void operator()(const Count& value) {
    if (is_there(value.has_value())) put_varint(cells_, *value);
  }
  void operator()(const std::vector<std::string_view>& texts) {
    put_varint(cells_, texts.size());
    for (const std::string_view text : texts) (*this)(text);
  }

  void end_row() {
    const size_t before = rows_.size();
    put_varint(rows_, mask_);
    rows_ += cells_;
    row_sizes_.push_back(rows_.size() - before);
  }

  std::string packed() const {
    std::string head, content;
    put_varint(head, row_sizes_.size());
    put_varint(head, texts_.size());
    for (const std::string_view text : texts_) {
      put_varint(head, text.size());
      content += text;
    }
    for (const size_t size : row_sizes_) put_varint(head, size);
    return head + content + rows_;
  }

 private:
  bool is_there(bool is_filled) {
    mask_ |= uint64_t{is_filled} << next_++;
    return is_filled;
  }

  size_t number_of(std::string_view text) {
    const auto [known, is_new] = numbers_.emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return known->second;
  }

  std::unordered_map<std::string_view, size_t> numbers_;
  std::vector<std::string_view> texts_;
  std::vector<size_t> row_sizes_;
  std::string rows_, cells_;  ///< all rows; the one in hand
  uint64_t mask_ = 0;
  unsigned next_ = 0;
};

class Reader {
 public:
  Reader(Cursor from, const std::vector<std::string_view>& texts)
      : from_(from), texts_(texts), mask_(take_varint(from_)) {}

  void operator()(int64_t& value) { value = unzigzag(take_varint(from_)); }
  void operator()(std::string_view& text) {
    const uint64_t number = take_varint(from_);
    if (number >= texts_.size()) throw FormatError("a text of these rows expected");
    text = texts_[number];
  }
  void operator()(DataPath& path) { (*this)(path.file), (*this)(path.tensor); }
  void operator()(Number& value) {
    if (is_there()) value = from_.le<double>();
  }
  void operator()(Count& value) {
    if (is_there()) value = take_varint(from_);
  }
  void operator()(std::vector<std::string_view>& texts) {
    const uint64_t n = take_varint(from_);
    if (n > from_.left()) throw FormatError("fewer cells expected");
    texts.resize(n);
    for (std::string_view& text : texts) (*this)(text);
  }

 private:
  bool is_there() { return (mask_ >> next_++ & 1) != 0; }

  Cursor from_;
  const std::vector<std::string_view>& texts_;
  uint64_t mask_;
  unsigned next_ = 0;
};

}  // namespace

std::string pack_rows(const std::vector<ReportRow>& rows, size_t begin, size_t end) {
  Writer writer;
  for (size_t i = begin; i < end && i < rows.size(); ++i) {
    writer.begin_row();
    each_cell(rows[i], writer);
    writer.end_row();
  }
  return writer.packed();
}

PackedRows::PackedRows(std::string bytes) : bytes_(std::move(bytes)) {
  Cursor from(as_bytes(bytes_));
  const uint64_t n_rows = take_varint(from), n_texts = take_varint(from);
  if (n_rows > from.left() || n_texts > from.left()) throw FormatError("packed rows cut short");
  std::vector<uint64_t> sizes(n_texts + n_rows);
  for (uint64_t& size : sizes) size = take_varint(from);
  for (size_t i = 0; i < n_texts; ++i) texts_.push_back(as_text(from.take(sizes[i])));
  for (size_t i = 0; i < n_rows; ++i) {
    begins_.push_back(from.position());
    from.take(sizes[n_texts + i]);
  }
}

ReportRow PackedRows::row(size_t i) const {
  ReportRow row;
  Cursor from(as_bytes(bytes_));
  from.take(begins_.at(i));
  each_cell(row, Reader(from, texts_));
  return row;
}

}  // namespace ait
