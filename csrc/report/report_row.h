// One row of a report: its cells, and their one order.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ait {

/// A cell that is empty where nothing was computed.
using Number = std::optional<double>;
using Count = std::optional<uint64_t>;

/// The path of a file and, of a GE dump, which tensor of it: ",outputs,0".
struct DataPath {
  std::string_view file, tensor;
};

/// Cells of one side of a pair.
struct RowSide {
  DataPath path;
  std::string_view op_type, dtype, shape;
  Number max, min, mean;
  Count n_nan, n_inf;
};

/// Texts are kept by the owner of the row (`StepRows`): most are those of many rows.
struct ReportRow {
  int64_t token_id = 0, data_id = 0;
  RowSide golden, my;
  Number cosine_similarity, max_relative_error, mean_relative_error, max_absolute_error,
      mean_absolute_error, kl_divergence, relative_euclidean_distance;
  std::string_view reason;
  int64_t rank = 0;
  std::string_view graph, op_name, io;
  int64_t index = 0;
  std::string_view status, match, verdict;
  Number upstream_error, error_growth;
  Count n_mismatch, worst_index;
  Number my_worst, golden_worst;
  std::string_view estimated;
  std::vector<std::string_view> custom;  ///< one cell per custom algorithm
};

/// Calls `cell` with every cell of a row in the order of the report; `custom` comes last, as one.
template <class Row, class Cell>
void each_cell(Row& row, Cell&& cell) {
  cell(row.token_id);
  cell(row.data_id);
  for (auto* side : {&row.golden, &row.my}) {
    cell(side->path);
    cell(side->op_type);
    cell(side->dtype);
    cell(side->shape);
    cell(side->max);
    cell(side->min);
    cell(side->mean);
  }
  cell(row.cosine_similarity);
  cell(row.max_relative_error);
  cell(row.mean_relative_error);
  cell(row.max_absolute_error);
  cell(row.mean_absolute_error);
  cell(row.kl_divergence);
  cell(row.relative_euclidean_distance);
  cell(row.reason);
  cell(row.rank);
  cell(row.graph);
  cell(row.op_name);
  cell(row.io);
  cell(row.index);
  cell(row.status);
  cell(row.match);
  cell(row.verdict);
  cell(row.upstream_error);
  cell(row.error_growth);
  for (auto* side : {&row.my, &row.golden}) {
    cell(side->n_nan);
    cell(side->n_inf);
  }
  cell(row.n_mismatch);
  cell(row.worst_index);
  cell(row.my_worst);
  cell(row.golden_worst);
  cell(row.estimated);
  cell(row.custom);
}

}  // namespace ait
