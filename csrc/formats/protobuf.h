// The protobuf wire format: field numbers, wire types and values; knows no message.
//
// Source: https://protobuf.dev/programming-guides/encoding
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/bytes.h"
#include "io/data_file.h"

namespace ait {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field of a message. A payload is located, not read: see MessageReader::payload.
struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;             ///< Of a varint or a fixed number.
  uint64_t position = 0;          ///< Byte in the file where the field begins.
  uint64_t payload_position = 0;  ///< Of a kBytes field.
  uint64_t payload_bytes = 0;     ///< Of a kBytes field.
};

/// Walks the fields of one message, a byte range of a file, in the order of the file.
class MessageReader {
 public:
  MessageReader(FileWindow& window, uint64_t position, uint64_t size_bytes)
      : window_(window), at_(position), end_(position + size_bytes) {}

  /// The message in the payload of `field`, which `name` calls in messages.
  MessageReader message(const WireField& field, const char* name) const;

  /// Fills `*field` with the next field; false at the end of the message. Groups (deprecated since
  /// 2008, in no dump) and field number 0 are a FormatError.
  bool next(WireField* field);

  /// Value of a varint field. FormatError if the field is of another wire type.
  uint64_t number(const WireField& field, const char* name) const;

  /// Payload as text, at most `max_bytes` long.
  std::string text(const WireField& field, const char* name, size_t max_bytes) const;

  /// Appends the values of a repeated integer, packed or not; at most `max_count` in all.
  void append_numbers(const WireField& field, const char* name, size_t max_count,
                      std::vector<uint64_t>* to) const;

 private:
  FileWindow& window_;
  uint64_t at_;
  uint64_t end_;
};

}  // namespace ait
