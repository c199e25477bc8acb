// The graph of a step as the verdict walks it: ops in topological order, the tensors between them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ait {

/// Number of a tensor or op that there is none of.
inline constexpr uint32_t kNoFlow = UINT32_MAX;

/// An op of a step; fused members are one.
struct FlowNode {
  std::string_view name, type;
  std::vector<uint32_t> reads;    ///< tensors that arrive, as they are when the op reads them
  std::vector<uint32_t> outputs;  ///< its tensors
  double member_roundoff = 0;     ///< coarsest unit roundoff of what members of a fused op write
  std::vector<uint32_t> scores;   ///< what members of a fused op exponentiate
  bool knows_reads = true;        ///< false: it may have read whatever was written before
  // What its type says, of a fused op the types of its members.
  bool is_source = false;      ///< graph inputs, constants: it computes nothing
  bool is_constant = false;    ///< a constant of the graph text
  bool exponentiates = false;  ///< turns absolute errors into relative ones
  bool is_attention = false;   ///< attention in one op, which hides its scores
  bool is_power = false;       ///< doubles relative errors
  bool is_inverse = false;     ///< makes the largest values of the smallest
  bool chooses = false;        ///< its integers are decisions, whatever they were made from
  bool is_fused = false;
};

/// A tensor between ops.
struct FlowTensor {
  uint32_t node = kNoFlow;     ///< op that writes it
  bool is_read = true;         ///< by an op, or by the end of the graph
  uint32_t becomes = kNoFlow;  ///< what it is after the last op that writes it in place
  std::string_view dtype;      ///< as the graph text has it, in the words of the report; "" unknown
};

/// An op that a fused one stands for.
struct FlowMember {
  std::string_view type;
  uint32_t first_input = kNoFlow;        ///< tensor that its first input reads
  std::vector<std::string_view> dtypes;  ///< of its outputs: "DT_BF16"
};

struct Flow {
  std::vector<FlowNode> nodes;
  std::vector<FlowTensor> tensors;
};

/// Fills in what the type of an op says of it.
void read_type(FlowNode& node);
/// Adds what a member of a fused op says of it.
void add_member(FlowNode& node, const FlowMember& member);
/// "DT_BF16" -> "torch.bfloat16"; "" for a name that nobody knows.
std::string_view report_dtype(std::string_view header_name);

}  // namespace ait
