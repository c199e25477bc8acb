// Reads the protobuf wire format with every length checked against what is left.
#include "formats/protobuf.h"

#include <algorithm>

namespace ait {
namespace {

/// 64 bits in groups of seven: a longer varint has no meaning.
constexpr int kMaxVarintBytes = 10;

/// A key, and a number or a length: what must be in view to read one field without its payload.
constexpr uint64_t kMaxFieldHeadBytes = 2 * kMaxVarintBytes;

/// The largest field number there is (2^29 - 1).
constexpr uint64_t kMaxFieldNumber = (uint64_t{1} << 29) - 1;

uint64_t read_varint(Cursor& cursor) {
  const uint64_t position = cursor.position();
  uint64_t value = 0;
  for (int i = 0; i < kMaxVarintBytes; ++i) {
    const auto byte = cursor.le<uint8_t>();
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value;
  }
  throw FormatError("varint longer than 10 bytes at byte " + std::to_string(position), position);
}

[[noreturn]] void throw_wrong_type(const WireField& field, const char* name, const char* expected) {
  throw FormatError("field " + std::to_string(field.number) + " \"" + name + "\": " + expected +
                        " expected, found wire type " +
                        std::to_string(static_cast<int>(field.type)) + " at byte " +
                        std::to_string(field.position),
                    field.position);
}

}  // namespace

bool MessageReader::next(WireField* field) {
  if (at_ == end_) return false;
  const uint64_t head_bytes = std::min(end_ - at_, kMaxFieldHeadBytes);
  Cursor cursor(window_.at(at_, static_cast<size_t>(head_bytes)), at_);
  const uint64_t key = read_varint(cursor);
  const uint64_t number = key >> 3;
  if (number == 0 || number > kMaxFieldNumber) {
    throw FormatError("field number " + std::to_string(number) + " at byte " + std::to_string(at_) +
                          " (not a protobuf message?)",
                      at_);
  }
  WireField found;
  found.number = static_cast<uint32_t>(number);
  found.position = at_;
  switch (key & 7) {
    case 0:
      found.type = WireType::kVarint;
      found.value = read_varint(cursor);
      break;
    case 1:
      found.type = WireType::kFixed64;
      found.value = cursor.le<uint64_t>();
      break;
    case 2:
      found.type = WireType::kBytes;
      found.payload_bytes = read_varint(cursor);
      found.payload_position = cursor.position();
      if (found.payload_bytes > end_ - found.payload_position) {
        throw FormatError("field " + std::to_string(found.number) + ": " +
                              std::to_string(found.payload_bytes) + " bytes declared, " +
                              std::to_string(end_ - found.payload_position) + " left at byte " +
                              std::to_string(found.payload_position) + " (file cut short?)",
                          found.payload_position);
      }
      break;
    case 5:
      found.type = WireType::kFixed32;
      found.value = cursor.le<uint32_t>();
      break;
    default:
      throw FormatError("field " + std::to_string(found.number) + ": wire type " +
                            std::to_string(key & 7) + " at byte " + std::to_string(at_) +
                            " (not a protobuf message?)",
                        at_);
  }
  at_ = cursor.position() + found.payload_bytes;
  *field = found;
  return true;
}

MessageReader MessageReader::message(const WireField& field, const char* name) const {
  if (field.type != WireType::kBytes) throw_wrong_type(field, name, "a message");
  return {window_, field.payload_position, field.payload_bytes};
}

uint64_t MessageReader::number(const WireField& field, const char* name) const {
  if (field.type != WireType::kVarint) throw_wrong_type(field, name, "a number");
  return field.value;
}

std::string MessageReader::text(const WireField& field, const char* name, size_t max_bytes) const {
  if (field.type != WireType::kBytes) throw_wrong_type(field, name, "a text");
  if (field.payload_bytes > max_bytes) {
    throw FormatError("field " + std::to_string(field.number) + " \"" + name + "\": a text of " +
                          std::to_string(field.payload_bytes) + " bytes at byte " +
                          std::to_string(field.position) + ", at most " +
                          std::to_string(max_bytes) + " accepted",
                      field.position);
  }
  const Bytes bytes = window_.at(field.payload_position, static_cast<size_t>(field.payload_bytes));
  return {bytes.begin(), bytes.end()};
}

void MessageReader::append_numbers(const WireField& field, const char* name, size_t max_count,
                                   std::vector<uint64_t>* to) const {
  const auto append = [&](uint64_t value) {
    if (to->size() == max_count) {
      throw FormatError("field " + std::to_string(field.number) + " \"" + name + "\": more than " +
                            std::to_string(max_count) + " values at byte " +
                            std::to_string(field.position),
                        field.position);
    }
    to->push_back(value);
  };
  if (field.type == WireType::kVarint) {
    append(field.value);
    return;
  }
  if (field.type != WireType::kBytes) throw_wrong_type(field, name, "a list of numbers");
  // A list of this many values takes no more bytes: a longer payload fails before it is read.
  const uint64_t readable =
      std::min<uint64_t>(field.payload_bytes, (max_count + 1) * kMaxVarintBytes);
  Cursor cursor(window_.at(field.payload_position, static_cast<size_t>(readable)),
                field.payload_position);
  while (cursor.left() > 0) append(read_varint(cursor));
}

}  // namespace ait
