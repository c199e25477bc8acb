// Reads the messages of `dump_task.proto` (package toolkit.dumpdata) and the data behind them.
#include "formats/ge_dump.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "formats/protobuf.h"

namespace ait {
namespace {

/// The writer keeps the length below 2^31; real headers stay below 1 MiB. Far above that it is
/// damage, and walking it would take long.
constexpr uint64_t kMaxHeaderBytes = uint64_t{256} << 20;

/// Tensors, buffers and workspaces of one operator; the largest seen have some hundreds.
constexpr size_t kMaxTensors = 65536;

/// NumPy 1.x holds 32 dimensions, no GE operator more than 25.
constexpr size_t kMaxDims = 32;

/// Operator names of fused operators reach some kilobytes, slice descriptions some hundred.
constexpr size_t kMaxTextBytes = size_t{16} << 20;

/// Attributes of one operator; one is used (slices).
constexpr size_t kMaxAttrs = 4096;

/// Dumps appended to one path; more than one is already rare.
constexpr int kMaxRecords = 1024;

/// Bytes 8 to 11 of the nano (TLV) format, which is another one.
constexpr uint32_t kNanoMagic = 0x5A5A5A5A;

/// The u64 before the header.
constexpr uint64_t kLengthBytes = 8;

/// OpInput and OpOutput number the same fields differently; 0 = no such field.
struct TensorFields {
  uint32_t data_type;
  uint32_t format;
  uint32_t shape;
  uint32_t original_op;
  uint32_t data;
  uint32_t size;
  uint32_t original_shape;
  uint32_t sub_format;
  uint32_t address;
};
constexpr TensorFields kOutputFields = {1, 2, 3, 4, 5, 6, 7, 8, 9};
constexpr TensorFields kInputFields = {1, 2, 3, 0, 4, 5, 6, 7, 8};

/// A parsed header whose tensors are not located yet.
struct Header {
  GeDump dump;
  std::vector<uint64_t> buffer_bytes;
  std::vector<uint64_t> space_bytes;

  size_t n_tensors() const {
    return dump.inputs.size() + dump.outputs.size() + buffer_bytes.size() + space_bytes.size();
  }

  /// Inputs, then outputs: the order of the data.
  std::vector<Tensor*> tensors() {
    std::vector<Tensor*> all;
    for (Tensor& tensor : dump.inputs) all.push_back(&tensor);
    for (Tensor& tensor : dump.outputs) all.push_back(&tensor);
    return all;
  }
};

/// A sum that stays at the largest number instead of wrapping: then no file is large enough.
uint64_t saturating_add(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return checked_add(a, b, &sum) ? sum : UINT64_MAX;
}

/// Reads a Shape. Empty if a dimension is 2^63 or more: a negative, that is unknown, one.
std::optional<Dims> parse_shape(MessageReader shape) {
  std::vector<uint64_t> values;
  WireField field;
  while (shape.next(&field)) {
    if (field.number == 1) shape.append_numbers(field, "dim", kMaxDims, &values);
  }
  Dims dims;
  for (const uint64_t value : values) {
    if (value > static_cast<uint64_t>(INT64_MAX)) return {};
    dims.push_back(static_cast<int64_t>(value));
  }
  return dims;
}

void parse_original_op(MessageReader original, Tensor* tensor) {
  WireField field;
  while (original.next(&field)) {
    if (field.number == 1) {
      tensor->original_op = original.text(field, "original_op.name", kMaxTextBytes);
    } else if (field.number == 2) {
      // -1 is stored as 0xFFFFFFFF.
      const auto index = static_cast<uint32_t>(original.number(field, "original_op.output_index"));
      tensor->original_op_index = static_cast<int32_t>(index);
    }
  }
}

/// Reads an OpInput or OpOutput. With `has_inline_data` (the old form) its bytes are in the
/// message.
Tensor parse_tensor(MessageReader message, const TensorFields& fields, bool has_inline_data) {
  Tensor tensor;
  tensor.format = 0;  // proto3 does not write a 0, which is NCHW
  std::optional<uint64_t> declared_bytes;
  WireField field;
  while (message.next(&field)) {
    const uint32_t number = field.number;
    if (number == fields.data_type) {
      tensor.dtype_number = static_cast<uint32_t>(message.number(field, "data_type"));
    } else if (number == fields.format) {
      tensor.format = static_cast<uint32_t>(message.number(field, "format"));
    } else if (number == fields.shape) {
      const std::optional<Dims> dims = parse_shape(message.message(field, "shape"));
      tensor.has_shape = dims.has_value();
      tensor.storage_shape = dims.value_or(Dims());
      if (!dims) add_note(tensor, "shape has a negative (unknown) dimension: read as a row");
    } else if (number == fields.original_op && number != 0) {
      parse_original_op(message.message(field, "original_op"), &tensor);
    } else if (number == fields.data) {
      const MessageReader data = message.message(field, "data");
      static_cast<void>(data);  // checked for its wire type alone, never decoded
      if (has_inline_data) {
        tensor.offset_bytes = field.payload_position;
        tensor.size_bytes = field.payload_bytes;
      }
    } else if (number == fields.size) {
      declared_bytes = message.number(field, "size");
    } else if (number == fields.original_shape) {
      // Empty for operators without a logical shape, never to say "scalar".
      tensor.original_shape =
          parse_shape(message.message(field, "original_shape")).value_or(Dims());
      tensor.has_original_shape = !tensor.original_shape.empty();
    } else if (number == fields.sub_format) {
      tensor.sub_format = static_cast<int32_t>(message.number(field, "sub_format"));
    } else if (number == fields.address) {
      tensor.address = message.number(field, "address");
    }
  }
  if (!has_inline_data) {
    tensor.size_bytes = declared_bytes.value_or(0);
  } else if (declared_bytes && *declared_bytes != tensor.size_bytes) {
    add_note(tensor, std::to_string(*declared_bytes) + " bytes declared, " +
                         std::to_string(tensor.size_bytes) + " stored");
  }
  resolve_dtype(tensor);
  return tensor;
}

/// Reads the `size` of an OpBuffer or a Workspace: field 3 in both.
uint64_t parse_extra_bytes(MessageReader message) {
  uint64_t size_bytes = 0;
  WireField field;
  while (message.next(&field)) {
    if (field.number == 3) size_bytes = message.number(field, "size");
  }
  return size_bytes;
}

std::pair<std::string, std::string> parse_attr(MessageReader message) {
  std::pair<std::string, std::string> attr;
  WireField field;
  while (message.next(&field)) {
    if (field.number == 1) attr.first = message.text(field, "attr.name", kMaxTextBytes);
    if (field.number == 2) attr.second = message.text(field, "attr.value", kMaxTextBytes);
  }
  return attr;
}

/// Reads a DumpData. FormatError if it is none, or holds nothing by which to know it for one.
Header parse_header(MessageReader message, bool has_inline_data) {
  Header header;
  GeDump& dump = header.dump;
  WireField field;
  while (message.next(&field)) {
    switch (field.number) {
      case 1:
        dump.version = message.text(field, "version", kMaxTextBytes);
        break;
      case 2:
        dump.dump_time = message.number(field, "dump_time");
        break;
      case 3:
        dump.outputs.push_back(
            parse_tensor(message.message(field, "output"), kOutputFields, has_inline_data));
        break;
      case 4:
        dump.inputs.push_back(
            parse_tensor(message.message(field, "input"), kInputFields, has_inline_data));
        break;
      case 5:
        header.buffer_bytes.push_back(parse_extra_bytes(message.message(field, "buffer")));
        break;
      case 6:
        dump.op_name = message.text(field, "op_name", kMaxTextBytes);
        break;
      case 7:
        dump.attrs.push_back(parse_attr(message.message(field, "attr")));
        break;
      case 8:
        header.space_bytes.push_back(parse_extra_bytes(message.message(field, "space")));
        break;
      default:
        break;  // newer fields
    }
    if (header.n_tensors() > kMaxTensors || dump.attrs.size() > kMaxAttrs) {
      throw FormatError("more than " + std::to_string(kMaxTensors) + " tensors or " +
                            std::to_string(kMaxAttrs) + " attributes at byte " +
                            std::to_string(field.position),
                        field.position);
    }
  }
  if (dump.version.empty() && dump.op_name.empty() && header.n_tensors() == 0) {
    throw FormatError("no version, no operator name and no tensor (not a GE dump?)");
  }
  return header;
}

/// Bytes that all tensors, buffers and workspaces of the header take if none was skipped.
uint64_t needed_bytes(Header& header) {
  uint64_t need = 0;
  for (const Tensor* tensor : header.tensors()) need = saturating_add(need, tensor->size_bytes);
  for (const uint64_t size : header.buffer_bytes) need = saturating_add(need, size);
  for (const uint64_t size : header.space_bytes) need = saturating_add(need, size);
  return need;
}

/// Bytes of the tensors with a null address, which the writer skips without a trace.
uint64_t null_address_bytes(Header& header) {
  uint64_t bytes = 0;
  for (const Tensor* tensor : header.tensors()) {
    if (tensor->address == 0) bytes = saturating_add(bytes, tensor->size_bytes);
  }
  return bytes;
}

/// Whether `missing` bytes are explained by the tensors with a null address, and by the last
/// buffers and workspaces, whose address is not written.
bool is_explained_by_skips(Header& header, uint64_t missing) {
  uint64_t skipped = null_address_bytes(header);
  if (skipped == missing) return true;
  std::vector<uint64_t> extra = header.buffer_bytes;
  extra.insert(extra.end(), header.space_bytes.begin(), header.space_bytes.end());
  for (auto size = extra.rbegin(); size != extra.rend(); ++size) {
    skipped = saturating_add(skipped, *size);
    if (skipped == missing) return true;
  }
  return false;
}

/// Gives every tensor its offset, its state and its note; `have` bytes of data begin at `position`.
void locate_tensors(Header& header, uint64_t position, uint64_t have) {
  const uint64_t need = needed_bytes(header);
  const bool has_skips = have < need && is_explained_by_skips(header, need - have);
  uint64_t left = have;
  for (Tensor* tensor : header.tensors()) {
    if (has_skips && tensor->address == 0 && tensor->size_bytes > 0) {
      tensor->state = TensorState::kNoData;
      add_note(*tensor, "no data: null device address, " + std::to_string(tensor->size_bytes) +
                            " bytes declared, none written");
      continue;
    }
    tensor->offset_bytes = position;
    if (tensor->size_bytes > left) {
      tensor->state = TensorState::kTruncated;
      add_note(*tensor, std::to_string(tensor->size_bytes) + " bytes declared, " +
                            std::to_string(left) + " left at byte " + std::to_string(position) +
                            " (file cut short?)");
      header.dump.is_complete = false;
      position += left;
      left = 0;
      continue;
    }
    judge_size(*tensor);
    position += tensor->size_bytes;
    left -= tensor->size_bytes;
  }
}

/// Why the bytes from `position` hold no length and header, or the header.
struct RecordHead {
  std::optional<Header> header;
  std::string reason;
  uint64_t data_position = 0;
};

/// Reads u64 and header at `position`, of which `size` bytes are left.
RecordHead read_record_head(FileWindow& window, uint64_t position, uint64_t size) {
  RecordHead head;
  if (size <= kLengthBytes) {
    head.reason = std::to_string(size) + " bytes: too few for a length and a header";
    return head;
  }
  const Bytes length_bytes = window.at(position, kLengthBytes);
  const bool is_text = std::all_of(length_bytes.begin(), length_bytes.end(),
                                   [](uint8_t c) { return (c >= ' ' && c <= '~') || c == '\n'; });
  const uint64_t length = Cursor(length_bytes, position).le<uint64_t>();
  const uint64_t header_position = position + kLengthBytes;
  const uint64_t left = size - kLengthBytes;
  if (length == 0 || length > left) {
    head.reason = "header of " + std::to_string(length) + " bytes declared, " +
                  std::to_string(left) + " left at byte " + std::to_string(header_position) +
                  (is_text ? " (a text file, such as a graph, and no GE dump?)"
                           : " (file cut short, or no GE dump?)");
  } else if (length > kMaxHeaderBytes) {
    head.reason = "header of " + std::to_string(length) + " bytes declared, at most " +
                  std::to_string(kMaxHeaderBytes) + " accepted (no GE dump?)";
  } else {
    try {
      head.header = parse_header(MessageReader(window, header_position, length), false);
      head.header->dump.header_bytes = length;
      head.data_position = header_position + length;
    } catch (const FormatError& error) {
      head.reason = std::string("header: ") + error.what();
    }
  }
  return head;
}

/// The record that was appended to one whose data, of which `have` bytes are left, begins at
/// `position`: behind all its tensors, or behind those that were not skipped.
std::optional<RecordHead> find_next_record(FileWindow& window, Header& header, uint64_t position,
                                           uint64_t have) {
  const uint64_t need = needed_bytes(header);
  for (const uint64_t skipped : {uint64_t{0}, null_address_bytes(header)}) {
    const uint64_t taken = need - std::min(need, skipped);
    if (taken >= have) continue;
    const uint64_t left = have - taken;
    RecordHead next = read_record_head(window, position + taken, left);
    // Data can look like a header by chance, but not like one with a version.
    if (!next.header || next.header->dump.version != header.dump.version) continue;
    const uint64_t next_have = position + have - next.data_position;
    const uint64_t next_need = needed_bytes(*next.header);
    if (next_have >= next_need || is_explained_by_skips(*next.header, next_need - next_have))
      return next;
  }
  return {};
}

/// Follows dumps that were appended to one path; the last complete one counts.
GeDump read_records(FileWindow& window, RecordHead head, uint64_t file_bytes) {
  std::vector<std::string> notes;
  for (int n_records = 1;; ++n_records) {
    const uint64_t have = file_bytes - head.data_position;
    const uint64_t need = needed_bytes(*head.header);
    if (have == need || (have < need && is_explained_by_skips(*head.header, need - have))) break;
    std::optional<RecordHead> next;
    if (n_records < kMaxRecords)
      next = find_next_record(window, *head.header, head.data_position, have);
    if (!next && have > need) {
      notes.push_back(std::to_string(have - need) + " trailing bytes at byte " +
                      std::to_string(head.data_position + need) + " ignored");
    }
    if (!next) break;
    notes.assign(
        1, std::to_string(n_records + 1) + " dumps were appended to this path, the last is used");
    head = std::move(*next);
  }
  locate_tensors(*head.header, head.data_position, file_bytes - head.data_position);
  GeDump dump = std::move(head.header->dump);
  dump.notes = std::move(notes);
  return dump;
}

/// The whole file as one message with the tensor bytes inside: CANN before "version 2.0".
std::optional<GeDump> read_old_form(FileWindow& window, uint64_t file_bytes) {
  try {
    Header header = parse_header(MessageReader(window, 0, file_bytes), true);
    if (header.tensors().empty()) return {};
    for (Tensor* tensor : header.tensors()) judge_size(*tensor);
    header.dump.notes.emplace_back("old form: the whole file is one protobuf message");
    return std::move(header.dump);
  } catch (const FormatError&) {
    return {};  // the caller reports why the file is no dump of the current form
  }
}

GeDump read_any_form(const DataFile& file) {
  const uint64_t file_bytes = file.size_bytes();
  if (file_bytes == 0) throw FormatError("the file is empty");
  FileWindow window(file);
  constexpr uint64_t kMagicEnd = kLengthBytes + sizeof kNanoMagic;
  if (file_bytes >= kMagicEnd &&
      Cursor(window.at(kLengthBytes, sizeof kNanoMagic)).le<uint32_t>() == kNanoMagic) {
    throw FormatError("nano (TLV) dump, magic 5A5A5A5A at byte 8: this format is not supported",
                      kLengthBytes);
  }
  RecordHead head = read_record_head(window, 0, file_bytes);
  if (head.header) return read_records(window, std::move(head), file_bytes);
  std::optional<GeDump> old_dump = read_old_form(window, file_bytes);
  if (!old_dump) throw FormatError(head.reason);
  return std::move(*old_dump);
}

}  // namespace

GeDump read_ge_dump(const std::shared_ptr<const DataFile>& file) {
  try {
    GeDump dump = read_any_form(*file);
    for (Tensor& tensor : dump.inputs) tensor.file = file;
    for (Tensor& tensor : dump.outputs) tensor.file = file;
    return dump;
  } catch (const FormatError& error) {
    throw FormatError(file->path() + ": " + error.what(), error.position);
  }
}

}  // namespace ait
