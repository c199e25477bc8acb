// One row of a report: its cells, and their one order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/figures.h"
#include "compare/metrics.h"

namespace ait {

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

  /// No cell: what `shape` amounts to, where it is known.
  std::optional<int64_t> n_elements;
};

/// Whether size, extrema and mean of a side are known.
inline bool has_figures(const RowSide& side) {
  return side.n_elements && side.max && side.min && side.mean;
}

/// Texts are kept by the owner of the row (`StepRows`): most are those of many rows.
struct ReportRow : Metrics {
  int64_t token_id = 0, data_id = 0;
  RowSide golden, my;
  std::string_view reason;
  int64_t rank = 0;
  std::string_view graph, op_name, io;
  int64_t index = 0;
  std::string_view status, match, verdict;
  Number upstream_error, error_growth;
  Count n_mismatch, worst_index;
  Number my_worst, golden_worst;
  std::string_view estimated;
  Number block_growth;
  Count decision_flips;
  Number own_error, own_growth;
  std::string_view fx_node, module, source;
  std::vector<std::string_view> custom;  ///< one cell per custom algorithm

  /// No cells: what the verdict needs beside them. Empty where not every pair was looked at.
  std::optional<Figures> figures;
};

/// Calls `cell` with the metrics of a row that form a group of the report.
template <class Row, class Cell>
void each_metric(Row& row, MetricGroup group, Cell&& cell) {
  for (const Metric& metric : all_metrics())
    if (metric.group == group) cell(row.*metric.value);
}

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
  each_metric(row, MetricGroup::kAfterSides, cell);
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
  each_metric(row, MetricGroup::kBeforeBlockGrowth, cell);
  cell(row.block_growth);
  each_metric(row, MetricGroup::kAfterBlockGrowth, cell);
  cell(row.decision_flips);
  cell(row.own_error);
  cell(row.own_growth);
  cell(row.fx_node);
  cell(row.module);
  cell(row.source);
  cell(row.custom);
}

}  // namespace ait
