#include "report/flow.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "tensor/dtype.h"

namespace ait {
namespace {

// What the type of an op says of it. Names are GE types, or parts of them.
constexpr std::array<std::string_view, 5> kSources = {"Data", "RefData", "Const", "Constant",
                                                      "Variable"};
constexpr std::array<std::string_view, 4> kMoreSources = {"AnnData", "ConstPlaceHolder",
                                                          "FileConstant", "VariableV2"};
constexpr std::array<std::string_view, 3> kConstants = {"Const", "Constant", "ConstPlaceHolder"};
constexpr std::array<std::string_view, 2> kPowers = {"Pow", "Square"};
constexpr std::array<std::string_view, 5> kInverses = {"Rsqrt", "Reciprocal", "RealDiv", "Div",
                                                       "Log"};
constexpr std::array<std::string_view, 2> kExponentials = {"Exp", "Expm1"};
constexpr std::array<std::string_view, 3> kHoldExponentials = {"Softmax", "SoftMax", "LogSumExp"};
constexpr std::array<std::string_view, 8> kChoices = {"ArgMax", "ArgMin",  "TopK",  "Sort",
                                                      "Gating", "Routing", "Where", "NonZero"};

template <size_t n>
bool is_one_of(std::string_view type, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), type) != names.end();
}

template <size_t n>
bool holds_one_of(std::string_view type, const std::array<std::string_view, n>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return type.find(part) != std::string_view::npos;
  });
}

bool exponentiates(std::string_view type) {
  return is_one_of(type, kExponentials) || holds_one_of(type, kHoldExponentials);
}

void add_traits(FlowNode& node, std::string_view type) {
  node.exponentiates = node.exponentiates || exponentiates(type);
  node.is_attention = node.is_attention || type.find("Attention") != std::string_view::npos;
  node.is_power = node.is_power || is_one_of(type, kPowers);
  node.is_inverse = node.is_inverse || is_one_of(type, kInverses);
  node.chooses = node.chooses || holds_one_of(type, kChoices);
}

double roundoff_of_member(std::string_view dtype) {
  const DType* row = find_dtype_by_name(std::string(dtype).c_str());
  return row == nullptr || row->unit_roundoff_exp == 0 ? 0
                                                       : std::ldexp(1.0, row->unit_roundoff_exp);
}

}  // namespace

void read_type(FlowNode& node) {
  node.is_source = is_one_of(node.type, kSources) || is_one_of(node.type, kMoreSources);
  node.is_constant = is_one_of(node.type, kConstants);
  add_traits(node, node.type);
}

void add_member(FlowNode& node, const FlowMember& member) {
  node.is_fused = true;
  add_traits(node, member.type);
  if (exponentiates(member.type) && member.first_input != kNoFlow)
    node.scores.push_back(member.first_input);
  for (const std::string_view dtype : member.dtypes)
    node.member_roundoff = std::max(node.member_roundoff, roundoff_of_member(dtype));
}

std::string_view report_dtype(std::string_view header_name) {
  const DType* row = find_dtype_by_name(std::string(header_name).c_str());
  return row == nullptr ? std::string_view() : std::string_view(row->report);
}

}  // namespace ait
