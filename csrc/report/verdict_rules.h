// The rules of the verdict by name, so that a measurement can leave one out.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string_view>

namespace ait {

enum class Rule {
  kSaturation,
  kFitsBfloat16,
  kInputRoundoff,
  kMemberRoundoff,
  kAncestorRoundoff,
  kCodes,
  kNumbers,
  kDecisions,
  kThroughAncestors,
  kLendCap,
  kMaskedLendAll,
  kOwnInputs,
  kReadersMeasure,
  kInPlace,
  kUnreadOutputs,
  kSoftmax,
  kAttention,
  kPower,
  kInverse,
  kLargeErrors,
  kMismatchShare,
  kGrowth,
  kBlockGrowth,
  kNonfiniteOnly,
  kExact,
  kEdge,
  kSuspectGrowth,
  kSuspectBias,
  kInputsDiffer,
  kState,
  kCount,
};

inline constexpr size_t kRuleCount = static_cast<size_t>(Rule::kCount);

inline constexpr std::array<std::string_view, kRuleCount> kRuleNames = {
    "saturation",
    "fits_bfloat16",
    "input_roundoff",
    "member_roundoff",
    "ancestor_roundoff",
    "codes",
    "numbers",
    "decisions",
    "through_ancestors",
    "lend_cap",
    "masked_lend_all",
    "own_inputs",
    "readers_measure",
    "in_place",
    "unread_outputs",
    "softmax",
    "attention",
    "power",
    "inverse",
    "large_errors",
    "mismatch_share",
    "growth",
    "block",
    "nonfinite",
    "exact",
    "edge",
    "suspect_growth",
    "suspect_bias",
    "inputs_differ",
    "state",
};

/// The rules that are in force: all, but for a measurement.
class Rules {
 public:
  bool has(Rule rule) const { return !left_out_[static_cast<size_t>(rule)]; }
  /// Whether a rule has this name.
  bool leave_out(std::string_view name) {
    for (size_t i = 0; i < kRuleCount; ++i) {
      if (kRuleNames[i] != name) continue;
      left_out_.set(i);
      return true;
    }
    return false;
  }

 private:
  std::bitset<kRuleCount> left_out_;
};

}  // namespace ait
