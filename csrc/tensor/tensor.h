// One tensor of a file: where its bytes lie, what they mean, and whether they can be used.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/data_file.h"
#include "tensor/dtype.h"

namespace ait {

using Dims = std::vector<int64_t>;

/// What can be done with the bytes of a tensor. Anything but kOk has a note that says why.
enum class TensorState : uint8_t {
  kOk,          ///< All bytes that shape and dtype need are there.
  kNoData,      ///< Listed in the header, not written.
  kTruncated,   ///< The file ends before the declared bytes do.
  kShort,       ///< Fewer bytes were declared than shape and dtype need.
  kUnsupported  ///< The bytes are there, their meaning is not known or not numeric.
};

/// "ok", "no_data", "truncated", "short" or "unsupported".
const char* state_name(TensorState state);

/// Format number of ND: plain C order. Source: spec of the dump, proto `OutputFormat`.
inline constexpr uint32_t kFormatNd = 2;

/// A tensor of a dump or of an .npy file. It keeps its file alive and owns none of its bytes.
struct Tensor {
  std::shared_ptr<const DataFile> file;
  uint64_t offset_bytes = 0;     ///< First byte in the file.
  uint64_t size_bytes = 0;       ///< As declared; in state kTruncated more than the file holds.
  uint32_t dtype_number = 0;     ///< As declared, known or not.
  const DType* dtype = nullptr;  ///< Never null once read; DT_UNDEFINED if the number is unknown.
  uint32_t format = kFormatNd;   ///< Storage format number.
  int32_t sub_format = 0;        ///< Number of groups; 0 and 1 mean none.
  Dims storage_shape;            ///< Padded and blocked, as stored.
  bool has_shape = false;        ///< False: unknown; the bytes are a row of elements.
  Dims original_shape;           ///< Logical shape; never empty if has_original_shape.
  bool has_original_shape = false;
  TensorState state = TensorState::kOk;
  std::string note;         ///< Sentences joined by "; ".
  std::string original_op;  ///< Framework op that produced this output; often empty.
  int32_t original_op_index = -1;
  bool fortran_order = false;  ///< First dimension runs fastest (.npy only).
  uint64_t address = 0;        ///< Device address at dump time.
};

/// Number of elements; 1 for no dimensions. Empty if a dimension is negative or the product
/// overflows 64 bits (a dimension 0 makes the product 0, however large the others are).
std::optional<uint64_t> element_count(const Dims& shape);

/// Bytes of a packed tensor, rounded up once; empty if they overflow 64 bits.
std::optional<uint64_t> packed_size_bytes(const Dims& shape, const DType& dtype);

/// "(2, 3)", "(5,)" or "()", as Python writes it.
std::string shape_text(const Dims& shape);

/// Adds a sentence to the note.
void add_note(Tensor& tensor, const std::string& sentence);

/// Sets `dtype` from `dtype_number`. An unknown one gets the DT_UNDEFINED row and kUnsupported.
void resolve_dtype(Tensor& tensor);

/// Compares the declared size with what shape and dtype need, and sets state and note by it.
/// Does nothing to a tensor whose state is no longer kOk.
void judge_size(Tensor& tensor);

}  // namespace ait
