// Copies stored elements into logical order, a tile of rows at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "simd/kernels.h"
#include "tensor/view.h"

namespace ait {

/// Holds one tile: consecutive logical elements, as stored; elements of less than 8 bits one per
/// byte. A device layout scatters a logical row over far-apart runs, while the same runs of the
/// next rows lie beside them. So runs are copied for several rows before the next run is touched:
/// every cache line is fetched once.
class Gather {
 public:
  /// `view` must outlive this, have elements, no problem and one map.
  Gather(const View& view, const Kernels& kernels);

  /// Says that no element from `end` on will be asked for: tiles need not hold them.
  void stop_at(uint64_t end) { end_ = end; }

  /// Some n >= 1 elements from `at` on, valid until the next call.
  const uint8_t* at(uint64_t at, size_t* n);

 private:
  /// A run that a row takes from storage: `n` elements from `from` (relative to the row's base) on.
  struct Run {
    int64_t from;
    size_t to;
    size_t n;
  };
  struct Row {
    int64_t base;  ///< offset without the inner axis's term
    uint64_t u;    ///< start of the inner axis's term
  };
  /// Bytes of stored elements.
  struct Source {
    const uint8_t* bytes;
    int64_t first;  ///< the element that they begin with
  };

  void fill(uint64_t at);
  void find_rows(uint64_t first, size_t n);
  void find_runs(uint64_t u, uint64_t begin, uint64_t end);
  void add_run(int64_t from, size_t to, size_t n);
  void copy_rows(size_t first, size_t last);
  void copy_run(const Run& run, size_t first, size_t last);
  void copy_elements(const Source& source, const Run& run, size_t first, size_t last);
  Source fetch(int64_t first, int64_t last);

  const View& view_;
  const Kernels& kernels_;
  const IndexMap& map_;
  const uint32_t bits_;
  const size_t element_bytes_;  ///< in the tile
  const uint64_t n_elements_;
  Axis inner_{1, 1};
  std::vector<Axis> outer_;
  int64_t step_ = 1;      ///< between neighbours of a run in storage
  size_t rows_together_;  ///< whose runs are copied before the next run is touched
  uint64_t end_ = UINT64_MAX;

  std::vector<Row> rows_;
  std::vector<Run> runs_;
  uint64_t runs_u_ = 0, runs_begin_ = 0, runs_end_ = 0;  ///< what runs_ is of
  size_t row_elements_ = 0;                              ///< of a row, in the tile
  std::unique_ptr<uint8_t[]> tile_;
  size_t tile_bytes_ = 0;
  uint64_t tile_begin_ = 0, tile_end_ = 0;
  std::vector<uint8_t> scratch_;
};

}  // namespace ait
