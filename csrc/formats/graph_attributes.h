// What the graph text says about an operator beyond edges and names: its attributes, its constant.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "io/data_file.h"

namespace ait {

/// Value of an attribute; monostate for kinds that say nothing about what is computed (tensors,
/// graphs, functions).
using AttributeValue = std::variant<std::monostate, int64_t, double, bool, std::string,
                                    std::vector<int64_t>, std::vector<double>, std::vector<bool>,
                                    std::vector<std::string>, std::vector<std::vector<int64_t>>>;

/// One operator.
struct OpAttributes {
  std::string name;
  std::vector<std::pair<std::string, AttributeValue>> attributes;  ///< In the order of the text.
  bool has_const_bytes = false;  ///< A tensor is in attribute `value`.
  std::string const_bytes;       ///< All of it, whatever its size.
};

/// Reads the attributes of the named operators of graph number `graph` of a text (read_graph_text
/// numbers them alike), in file order. On demand: a comparison needs none of it.
/// FormatError with path, line and column.
std::vector<OpAttributes> read_graph_attributes(const DataFile& file, size_t graph,
                                                const std::unordered_set<std::string>& names);

}  // namespace ait
