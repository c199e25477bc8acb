// The dtype table: one row per number of the dump's OutputDataType enum.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ait {

/// How stored bits become a number. One decoder (decode.h) per entry.
enum class Coding : uint8_t {
  kRaw,  // no public value coding: bytes only
  kFloat64,
  kFloat32,
  kFloat16,
  kBfloat16,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kBool,
  kFloat8E5m2,
  kFloat8E4m3fn,
  kFloat8E8m0,
  kHifloat8,
  kFloat6E3m2,
  kFloat6E2m3,
  kFloat4E2m1,
  kFloat4E1m2,
  kInt4,
  kInt2,
  kUint2,
  kUint1,
};

/// One row of the table.
struct DType {
  uint32_t number;        ///< number in the dump header
  const char* name;       ///< DT_BF16
  const char* report;     ///< torch.bfloat16; a type that torch lacks without the prefix
  const char* numpy;      ///< dtype of Tensor.numpy(); "" = raw uint8
  Coding coding;          ///< how one component is stored
  uint32_t bits;          ///< of one element in storage, all components together
  uint32_t components;    ///< 2 for complex numbers (re, im), else 1
  bool wide;              ///< needs float64 blocks: more than 24 significant bits
  int unit_roundoff_exp;  ///< log2 of the unit roundoff; 0 for integers: exact
};

/// Number of the row DT_UNDEFINED: raw bytes.
inline constexpr uint32_t kUndefinedDtype = 0;

/// The row of a number in the dump header; nullptr when the number is unknown.
const DType* find_dtype(uint32_t number);

/// The row with this header name ("DT_BF16"); nullptr when there is none.
const DType* find_dtype_by_name(const char* name);

/// All rows, in order of their numbers.
const DType* dtype_rows(size_t* count);

}  // namespace ait
