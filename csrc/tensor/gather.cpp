#include "tensor/gather.h"

#include <algorithm>
#include <cstring>

#include "tensor/decode.h"

namespace ait {
namespace {

// A tile stays in the L2 cache together with the lines that it is copied from.
constexpr size_t kTileBytes = 64 * 1024;

// Rows whose runs are copied together, if they are no longer than kLongRow: what a run of 16 fp16
// elements needs to take whole cache lines, and no more than the ways of an L1 set, because rows of
// a power of two bytes all fall into one set.
constexpr size_t kRowsTogether = 8;
constexpr size_t kLongRow = 512 * 1024;

// Elements that are not neighbours are copied in short runs for many rows: neighbours of one row
// are then far apart, and the rows are neighbours.
constexpr size_t kShortRun = 8;
constexpr size_t kLineBytes = 64;

// A file that is not in memory costs a call per run: each call then serves many rows.
constexpr size_t kRowsPerCall = 64;
constexpr size_t kCallTileBytes = 4 << 20;

// How far ahead lines are asked for, in runs.
constexpr size_t kRunsAhead = 4;

// What one pread takes at most to serve one run of several rows.
constexpr int64_t kFetchBytes = 1 << 20;

/// Copies of a size that is known when compiled are a few instructions.
template <size_t kBytes>
void copy_fixed(uint8_t* to, size_t to_step, const uint8_t* const* from, size_t n) {
  for (size_t i = 0; i < n; ++i) std::memcpy(to + i * to_step, from[i], kBytes);
}

template <size_t kBytes>
void copy_strided(uint8_t* to, const uint8_t* from, int64_t from_step, size_t n) {
  for (size_t i = 0; i < n; ++i)
    std::memcpy(to + i * kBytes, from + static_cast<int64_t>(i) * from_step, kBytes);
}

}  // namespace

Gather::Gather(const View& view, const Kernels& kernels)
    : view_(view),
      kernels_(kernels),
      map_(view.maps.front()),
      bits_(view.stored_bits),
      element_bytes_(view.stored_bits < 8 ? 1 : view.stored_bits / 8),
      n_elements_(view.n_elements),
      rows_together_(kRowsTogether) {
  outer_ = map_.axes;
  if (!outer_.empty()) {
    inner_ = outer_.back();
    outer_.pop_back();
  }
  if (inner_.term == Axis::kLinear) {
    step_ = inner_.stride;
  } else {
    step_ = 0;
    for (const Piece& piece : map_.terms[static_cast<size_t>(inner_.term)].pieces)
      if (piece.divisor == 1) step_ += piece.stride * inner_.stride;
  }
  if (!view.tensor.file->in_memory())
    rows_together_ =
        std::clamp<size_t>(kCallTileBytes / std::max<size_t>(1, inner_.size * element_bytes_),
                           kRowsTogether, kRowsPerCall);
  else if (step_ != 1)  // whole lines are used only together with many other rows
    rows_together_ = kLineBytes / element_bytes_;
}

const uint8_t* Gather::at(uint64_t at, size_t* n) {
  if (at < tile_begin_ || at >= tile_end_) fill(at);
  *n = static_cast<size_t>(tile_end_ - at);
  return tile_.get() + (at - tile_begin_) * element_bytes_;
}

void Gather::fill(uint64_t at) {
  const uint64_t row = at / inner_.size, n_rows = n_elements_ / inner_.size;
  const uint64_t row_bytes = inner_.size * element_bytes_;
  uint64_t begin = 0, end = inner_.size, rows = 1;
  if (row_bytes > kLongRow) {
    begin = at % inner_.size;
    end = std::min<uint64_t>(inner_.size, begin + kTileBytes / element_bytes_);
    if (end_ > at) end = std::min(end, begin + (end_ - at));
  } else {
    rows = std::max<uint64_t>(kTileBytes / row_bytes, rows_together_);
    rows = std::min(rows, n_rows - row);
    if (end_ > at) rows = std::min(rows, (end_ - 1) / inner_.size - row + 1);
  }
  row_elements_ = static_cast<size_t>(end - begin);
  const size_t bytes = static_cast<size_t>(rows) * row_elements_ * element_bytes_;
  if (bytes > tile_bytes_) {
    tile_.reset(new uint8_t[bytes]);
    tile_bytes_ = bytes;
  }
  tile_begin_ = tile_end_ = 0;  // nothing, should a read fail
  find_rows(row, static_cast<size_t>(rows));
  for (size_t first = 0; first < rows_.size();) {
    size_t last = first + 1;
    while (last < rows_.size() && last - first < rows_together_ && rows_[last].u == rows_[first].u)
      ++last;
    find_runs(rows_[first].u, begin, end);
    copy_rows(first, last);
    first = last;
  }
  tile_begin_ = row * inner_.size + begin;
  tile_end_ = tile_begin_ + rows * row_elements_;
}

/// Offsets of n rows from row `first` on. One division per axis for the first row, then counting.
void Gather::find_rows(uint64_t first, size_t n) {
  std::vector<uint64_t> at(outer_.size()), u(map_.terms.size());
  for (size_t t = 0; t < u.size(); ++t) u[t] = map_.terms[t].start;
  int64_t linear = map_.start;
  const auto move = [&](const Axis& axis, int64_t steps) {
    if (axis.term == Axis::kLinear)
      linear += steps * axis.stride;
    else
      u[static_cast<size_t>(axis.term)] += static_cast<uint64_t>(steps * axis.stride);
  };
  for (size_t a = outer_.size(); a-- > 0;) {
    at[a] = first % outer_[a].size;
    first /= outer_[a].size;
    move(outer_[a], static_cast<int64_t>(at[a]));
  }
  rows_.clear();
  for (size_t r = 0; r < n; ++r) {
    Row row{linear, 0};
    for (size_t t = 0; t < u.size(); ++t) {
      if (static_cast<int>(t) == inner_.term)
        row.u = u[t];
      else if (!map_.terms[t].pieces.empty())
        row.base += map_.terms[t].at(u[t]);
    }
    rows_.push_back(row);
    for (size_t a = outer_.size(); a-- > 0;) {
      move(outer_[a], 1);
      if (++at[a] < outer_[a].size) break;
      move(outer_[a], -static_cast<int64_t>(at[a]));
      at[a] = 0;
    }
  }
}

void Gather::add_run(int64_t from, size_t to, size_t n) {
  if (step_ == 1) {
    runs_.push_back({from, to, n});
    return;
  }
  for (size_t i = 0; i < n; i += kShortRun)
    runs_.push_back({from + static_cast<int64_t>(i) * step_, to + i, std::min(kShortRun, n - i)});
}

/// Cuts the elements [begin, end) of a row where its offsets stop rising evenly.
void Gather::find_runs(uint64_t u, uint64_t begin, uint64_t end) {
  if (!runs_.empty() && runs_u_ == u && runs_begin_ == begin && runs_end_ == end) return;
  runs_.clear();
  runs_u_ = u;
  runs_begin_ = begin;
  runs_end_ = end;
  if (inner_.term == Axis::kLinear) {
    add_run(static_cast<int64_t>(begin) * step_, 0, static_cast<size_t>(end - begin));
    return;
  }
  const Term& term = map_.terms[static_cast<size_t>(inner_.term)];
  const auto stride = static_cast<uint64_t>(inner_.stride);
  for (uint64_t at = begin; at < end;) {
    const uint64_t here = u + at * stride;
    uint64_t n = end - at;
    for (const Piece& piece : term.pieces) {
      const uint64_t v = piece.modulo == 0 ? here : here % piece.modulo;
      if (piece.divisor > 1) n = std::min(n, (piece.divisor - v % piece.divisor - 1) / stride + 1);
      if (piece.modulo != 0) n = std::min(n, (piece.modulo - v - 1) / stride + 1);
    }
    add_run(term.at(here), static_cast<size_t>(at - begin), static_cast<size_t>(n));
    at += n;
  }
}

void Gather::copy_rows(size_t first, size_t last) {
  const DataFile& file = *view_.tensor.file;
  if (!file.in_memory() || bits_ < 8 || step_ != 1) {
    for (const Run& run : runs_) copy_run(run, first, last);
    return;
  }
  const auto bytes = static_cast<int64_t>(element_bytes_);
  const uint8_t* const tensor = fetch(0, 0).bytes;
  const uint8_t* rows[kRowsTogether];
  const size_t n_rows = last - first, row_bytes = row_elements_ * element_bytes_;
  for (size_t r = 0; r < n_rows; ++r) rows[r] = tensor + rows_[first + r].base * bytes;
  const bool is_narrow = runs_.front().n * element_bytes_ < 4 * kLineBytes;
  for (size_t i = 0; i < runs_.size(); ++i) {
    const Run& run = runs_[i];
    if (is_narrow && i + kRunsAhead < runs_.size()) {
      // Rows that follow each other: their runs are one stretch of bytes.
      const int64_t ahead = runs_[i + kRunsAhead].from * bytes;
      for (size_t r = 0; r < n_rows; ++r) __builtin_prefetch(rows[r] + ahead);
    }
    const uint8_t* from[kRowsTogether];
    for (size_t r = 0; r < n_rows; ++r) from[r] = rows[r] + run.from * bytes;
    uint8_t* to = tile_.get() + first * row_bytes + run.to * element_bytes_;
    const size_t run_bytes = run.n * element_bytes_;
    switch (run_bytes) {
      case 16:
        copy_fixed<16>(to, row_bytes, from, n_rows);
        break;
      case 32:
        copy_fixed<32>(to, row_bytes, from, n_rows);
        break;
      case 64:
        copy_fixed<64>(to, row_bytes, from, n_rows);
        break;
      default:
        for (size_t r = 0; r < n_rows; ++r) std::memcpy(to + r * row_bytes, from[r], run_bytes);
    }
  }
}

/// The general way: packed elements, elements that are not neighbours, files that are not mapped.
void Gather::copy_run(const Run& run, size_t first, size_t last) {
  const int64_t reach = static_cast<int64_t>(run.n - 1) * step_;
  int64_t lowest = INT64_MAX, highest = INT64_MIN;
  for (size_t r = first; r < last; ++r) {
    lowest = std::min(lowest, rows_[r].base + run.from + std::min<int64_t>(reach, 0));
    highest = std::max(highest, rows_[r].base + run.from + std::max<int64_t>(reach, 0));
  }
  const bool is_near = (highest - lowest) * static_cast<int64_t>(bits_) / 8 <= kFetchBytes;
  if (view_.tensor.file->in_memory() || is_near) {
    copy_elements(fetch(lowest, highest), run, first, last);
  } else if (last - first > 1) {
    for (size_t r = first; r < last; ++r) copy_run(run, r, r + 1);
  } else {
    // One row, elements far apart: one read for each half.
    const size_t half = run.n / 2;
    copy_run({run.from, run.to, half}, first, last);
    copy_run({run.from + static_cast<int64_t>(half) * step_, run.to + half, run.n - half}, first,
             last);
  }
}

void Gather::copy_elements(const Source& source, const Run& run, size_t first, size_t last) {
  for (size_t r = first; r < last; ++r) {
    const int64_t from = rows_[r].base + run.from - source.first;
    uint8_t* to = tile_.get() + (r * row_elements_ + run.to) * element_bytes_;
    const auto bytes = static_cast<int64_t>(element_bytes_);
    if (bits_ < 8) {
      if (step_ == 1) {
        unpack(kernels_, bits_, source.bytes, static_cast<uint64_t>(from), run.n, to);
      } else {
        for (size_t i = 0; i < run.n; ++i)
          unpack(kernels_, bits_, source.bytes,
                 static_cast<uint64_t>(from + static_cast<int64_t>(i) * step_), 1, to + i);
      }
      continue;
    }
    const uint8_t* at = source.bytes + from * bytes;
    if (step_ == 1) {
      std::memcpy(to, at, run.n * element_bytes_);
      continue;
    }
    switch (element_bytes_) {
      case 1:
        copy_strided<1>(to, at, step_, run.n);
        break;
      case 2:
        copy_strided<2>(to, at, step_ * 2, run.n);
        break;
      case 4:
        copy_strided<4>(to, at, step_ * 4, run.n);
        break;
      case 8:
        copy_strided<8>(to, at, step_ * 8, run.n);
        break;
      default:
        copy_strided<16>(to, at, step_ * 16, run.n);
    }
  }
}

/// The bytes of stored elements [first, last]; of a file in memory, those of all.
Gather::Source Gather::fetch(int64_t first, int64_t last) {
  const Tensor& tensor = view_.tensor;
  const DataFile& file = *tensor.file;
  if (file.in_memory())
    return {file.at(tensor.offset_bytes, static_cast<size_t>(tensor.size_bytes), scratch_), 0};
  const int64_t whole = first / 8 * 8;  // starts at a byte, however few bits an element has
  const uint64_t begin = static_cast<uint64_t>(whole) * bits_ / 8;
  const uint64_t end = ((static_cast<uint64_t>(last) + 1) * bits_ + 7) / 8;
  return {file.at(tensor.offset_bytes + begin, static_cast<size_t>(end - begin), scratch_), whole};
}

}  // namespace ait
