// Rows that leave memory: the cells of some rows as bytes, and the way back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/report_row.h"

namespace ait {

/// The cells of rows `begin` to `end` as bytes; what is no cell is left out.
std::string pack_rows(const std::vector<ReportRow>& rows, size_t begin, size_t end);

/// Packed rows, each read when it is asked for. FormatError where the bytes are not what
/// `pack_rows` gave.
class PackedRows {
 public:
  explicit PackedRows(std::string bytes);

  PackedRows(PackedRows&&) = delete;  // the texts look into the bytes

  size_t size() const { return begins_.size(); }
  /// A row; its texts are those of this object.
  ReportRow row(size_t i) const;

 private:
  std::string bytes_;
  std::vector<std::string_view> texts_;
  std::vector<uint64_t> begins_;  ///< of the rows in the bytes
};

}  // namespace ait
