// Where the elements of a logical order lie in storage: sums of integer functions of coordinates.
#pragma once

#include <cstdint>
#include <vector>

namespace ait {

/// Contributes ((u % modulo) / divisor) * stride to an offset; modulo 0 stands for none.
struct Piece {
  uint64_t modulo;
  uint64_t divisor;
  int64_t stride;
};

/// A sum of pieces of one number u, which is itself a weighted sum of coordinates. Device layouts
/// cut a dimension into blocks of C0: u / C0 and u % C0 have strides of their own.
struct Term {
  std::vector<Piece> pieces;
  uint64_t start = 0;  ///< u where all coordinates are 0

  int64_t at(uint64_t u) const;
};

/// One loop of the logical order, the outermost first.
struct Axis {
  static constexpr int kLinear = -1;

  uint64_t size;
  int64_t stride;  ///< added to the offset, or to u of `term`, per step
  int term = kLinear;
};

/// offset = start + sum over linear axes of coordinate * stride + sum over terms of term(u).
/// The number of axes and pieces is that of the dimensions; nothing grows with the tensor.
struct IndexMap {
  std::vector<Axis> axes;
  std::vector<Term> terms;
  int64_t start = 0;

  /// Elements in C order: position p lies at offset p.
  static IndexMap contiguous(uint64_t n);

  /// Adds an inner loop whose coordinate is multiplied by `stride`.
  void add_linear(uint64_t size, int64_t stride);

  /// Adds an inner loop over blocks: (i / block) * outer + (i % block) * inner.
  void add_blocked(uint64_t size, uint64_t block, int64_t outer, int64_t inner);

  uint64_t n_positions() const;

  /// Offset of one position; divides once per axis.
  uint64_t offset(uint64_t position) const;

  /// Drops loops of one step, turns terms that never leave their first block into linear axes and
  /// merges loops that step evenly.
  void simplify();

  /// After simplify(): whether position p lies at start + p.
  bool is_contiguous() const;
};

}  // namespace ait
