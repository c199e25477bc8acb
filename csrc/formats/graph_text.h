// The graph text: protobuf text of ge.proto GraphDef or ModelDef -> operators, edges, FX names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/data_file.h"
#include "tensor/tensor.h"

namespace ait {

/// One TensorDescriptor: what the graph says about one input or output of an operator.
struct GraphTensorDesc {
  std::string fx_name;  ///< `_fx_tensor_name`: "{node}-{target}.OUTPUT.{suffix}".
  bool has_fx_name = false;
  std::string dtype;  ///< "DT_FLOAT"; a number for values this proto does not know; "" if unset.
  Dims shape;         ///< -1 = unknown dimension, -2 = unknown rank.
  bool has_shape = false;  ///< False: unknown; an empty shape is a scalar.
  std::string layout;
  std::string name;
  std::string origin_name;  ///< `_datadump_origin_name`: framework op that produced this output.
  int64_t origin_index = -1;
  bool unfed_optional = false;  ///< `_is_unfed_optional`: no tensor arrives here.
};

/// One OpDef.
struct GraphOp {
  std::string name;
  std::string type;
  std::vector<std::string> inputs;  ///< "{op}:{index}", "{op}:-1" for a control edge, "" if unfed.
  std::vector<GraphTensorDesc> input_descs;  ///< One per input that is no control edge.
  std::vector<GraphTensorDesc> output_descs;
  int64_t index = -1;      ///< Which graph input a Data op is; -1 if it does not say.
  bool has_const = false;  ///< A tensor is in attribute `value`.
  std::string const_dtype;
  Dims const_shape;
  bool has_const_bytes = false;  ///< False if larger than kMaxConstBytes: then not decoded.
  std::string const_bytes;
  std::string readable_value;  ///< Python repr of a constant.
  bool has_readable_value = false;
  std::vector<std::string> original_op_names;  ///< What a fused operator stands for.
  std::string meta;  ///< `_meta` of the operator, or else of its first output that has one.
};

/// One GraphDef. Operators stand in the order of the file; equal names are not judged.
struct Graph {
  std::string name;
  std::vector<GraphOp> ops;
};

/// Constants up to this size are decoded; a literal argument has a few elements.
inline constexpr size_t kMaxConstBytes = 1024;

/// Reads the text of a GraphDef (one graph) or of a ModelDef (its graphs, in order).
/// FormatError with path, line and column. A file that is read on demand is held in memory for
/// the time of the call: tokens must not end at a window.
std::vector<Graph> read_graph_text(const DataFile& file);

}  // namespace ait
