#include "tensor/dtype.h"

#include <cstring>
#include <iterator>

namespace ait {
namespace {

// Numbers, names and bits: enum OutputDataType of dump_task.proto. The numpy type is the narrowest
// that holds every value exactly. Unit roundoff: half the distance from 1 to the next value.
constexpr DType kRows[] = {
    {0, "DT_UNDEFINED", "undefined", "", Coding::kRaw, 8, 1, false, 0},
    {1, "DT_FLOAT", "torch.float32", "float32", Coding::kFloat32, 32, 1, false, -24},
    {2, "DT_FLOAT16", "torch.float16", "float16", Coding::kFloat16, 16, 1, false, -11},
    {3, "DT_INT8", "torch.int8", "int8", Coding::kInt8, 8, 1, false, 0},
    {4, "DT_UINT8", "torch.uint8", "uint8", Coding::kUint8, 8, 1, false, 0},
    {5, "DT_INT16", "torch.int16", "int16", Coding::kInt16, 16, 1, false, 0},
    {6, "DT_UINT16", "torch.uint16", "uint16", Coding::kUint16, 16, 1, false, 0},
    {7, "DT_INT32", "torch.int32", "int32", Coding::kInt32, 32, 1, true, 0},
    {8, "DT_INT64", "torch.int64", "int64", Coding::kInt64, 64, 1, true, 0},
    {9, "DT_UINT32", "torch.uint32", "uint32", Coding::kUint32, 32, 1, true, 0},
    {10, "DT_UINT64", "torch.uint64", "uint64", Coding::kUint64, 64, 1, true, 0},
    {11, "DT_BOOL", "torch.bool", "bool", Coding::kBool, 8, 1, false, 0},
    {12, "DT_DOUBLE", "torch.float64", "float64", Coding::kFloat64, 64, 1, true, -53},
    {13, "DT_STRING", "string", "", Coding::kRaw, 8, 1, false, 0},
    {14, "DT_DUAL_SUB_INT8", "dual_sub_int8", "int8", Coding::kInt8, 8, 1, false, 0},
    {15, "DT_DUAL_SUB_UINT8", "dual_sub_uint8", "uint8", Coding::kUint8, 8, 1, false, 0},
    {16, "DT_COMPLEX64", "torch.complex64", "complex64", Coding::kFloat32, 64, 2, false, -24},
    {17, "DT_COMPLEX128", "torch.complex128", "complex128", Coding::kFloat64, 128, 2, true, -53},
    {18, "DT_QINT8", "torch.qint8", "int8", Coding::kInt8, 8, 1, false, 0},
    {19, "DT_QINT16", "qint16", "int16", Coding::kInt16, 16, 1, false, 0},
    {20, "DT_QINT32", "torch.qint32", "int32", Coding::kInt32, 32, 1, true, 0},
    {21, "DT_QUINT8", "torch.quint8", "uint8", Coding::kUint8, 8, 1, false, 0},
    {22, "DT_QUINT16", "quint16", "uint16", Coding::kUint16, 16, 1, false, 0},
    {23, "DT_RESOURCE", "resource", "int64", Coding::kRaw, 64, 1, false, 0},
    {24, "DT_STRING_REF", "string_ref", "", Coding::kRaw, 8, 1, false, 0},
    {25, "DT_DUAL", "dual", "", Coding::kRaw, 40, 1, false, 0},
    {26, "DT_VARIANT", "variant", "", Coding::kRaw, 64, 1, false, 0},
    {27, "DT_BF16", "torch.bfloat16", "float32", Coding::kBfloat16, 16, 1, false, -8},
    {28, "DT_INT4", "int4", "int8", Coding::kInt4, 4, 1, false, 0},
    {29, "DT_UINT1", "uint1", "uint8", Coding::kUint1, 1, 1, false, 0},
    {30, "DT_INT2", "int2", "int8", Coding::kInt2, 2, 1, false, 0},
    {31, "DT_UINT2", "uint2", "uint8", Coding::kUint2, 2, 1, false, 0},
    {32, "DT_COMPLEX32", "torch.complex32", "complex64", Coding::kFloat16, 32, 2, false, -11},
    {33, "DT_HIFLOAT8", "hifloat8", "float32", Coding::kHifloat8, 8, 1, false, -4},
    {34, "DT_FLOAT8_E5M2", "torch.float8_e5m2", "float32", Coding::kFloat8E5m2, 8, 1, false, -3},
    {35, "DT_FLOAT8_E4M3FN", "torch.float8_e4m3fn", "float32", Coding::kFloat8E4m3fn, 8, 1, false,
     -4},
    {36, "DT_FLOAT8_E8M0", "torch.float8_e8m0fnu", "float32", Coding::kFloat8E8m0, 8, 1, false, -1},
    {37, "DT_FLOAT6_E3M2", "float6_e3m2", "float32", Coding::kFloat6E3m2, 6, 1, false, -3},
    {38, "DT_FLOAT6_E2M3", "float6_e2m3", "float32", Coding::kFloat6E2m3, 6, 1, false, -4},
    {39, "DT_FLOAT4_E2M1", "float4_e2m1", "float32", Coding::kFloat4E2m1, 4, 1, false, -2},
    {40, "DT_FLOAT4_E1M2", "float4_e1m2", "float32", Coding::kFloat4E1m2, 4, 1, false, -3},
    {41, "DT_HIFLOAT4", "hifloat4", "", Coding::kRaw, 4, 1, false, 0},
    {42, "DT_HIFLOAT4_SCALE", "hifloat4_scale", "", Coding::kRaw, 8, 1, false, 0},
};

constexpr bool rows_are_in_order() {
  for (size_t i = 0; i < std::size(kRows); ++i)
    if (kRows[i].number != i) return false;
  return true;
}
static_assert(rows_are_in_order(), "find_dtype indexes the table by number");

}  // namespace

const DType* find_dtype(uint32_t number) {
  return number < std::size(kRows) ? &kRows[number] : nullptr;
}

const DType* find_dtype_by_name(const char* name) {
  for (const DType& row : kRows)
    if (std::strcmp(row.name, name) == 0) return &row;
  return nullptr;
}

const DType* dtype_rows(size_t* count) {
  *count = std::size(kRows);
  return kRows;
}

}  // namespace ait
