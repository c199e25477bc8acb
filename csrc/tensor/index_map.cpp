#include "tensor/index_map.h"

#include <algorithm>

namespace ait {
namespace {

/// The pieces that can differ from 0 for u <= largest, those of one kind summed.
std::vector<Piece> needed_pieces(const std::vector<Piece>& pieces, uint64_t largest) {
  std::vector<Piece> needed;
  for (Piece piece : pieces) {
    if (piece.modulo > largest) piece.modulo = 0;
    const uint64_t reach = piece.modulo == 0 ? largest : piece.modulo - 1;
    if (piece.divisor > reach) continue;
    const auto same = std::find_if(needed.begin(), needed.end(), [&](const Piece& other) {
      return other.modulo == piece.modulo && other.divisor == piece.divisor;
    });
    if (same == needed.end())
      needed.push_back(piece);
    else
      same->stride += piece.stride;
  }
  std::erase_if(needed, [](const Piece& piece) { return piece.stride == 0; });
  return needed;
}

}  // namespace

int64_t Term::at(uint64_t u) const {
  int64_t offset = 0;
  for (const Piece& piece : pieces) {
    const uint64_t v = piece.modulo == 0 ? u : u % piece.modulo;
    offset += static_cast<int64_t>(piece.divisor == 1 ? v : v / piece.divisor) * piece.stride;
  }
  return offset;
}

IndexMap IndexMap::contiguous(uint64_t n) {
  IndexMap map;
  map.add_linear(n, 1);
  return map;
}

void IndexMap::add_linear(uint64_t size, int64_t stride) { axes.push_back({size, stride}); }

void IndexMap::add_blocked(uint64_t size, uint64_t block, int64_t outer, int64_t inner) {
  axes.push_back({size, 1, static_cast<int>(terms.size())});
  // (i / block) * outer + (i - (i / block) * block) * inner.
  terms.push_back({{{0, block, outer - static_cast<int64_t>(block) * inner}, {0, 1, inner}}});
}

uint64_t IndexMap::n_positions() const {
  uint64_t n = 1;
  for (const Axis& axis : axes) n *= axis.size;
  return n;
}

uint64_t IndexMap::offset(uint64_t position) const {
  int64_t offset = start;
  std::vector<uint64_t> u(terms.size());
  for (size_t t = 0; t < terms.size(); ++t) u[t] = terms[t].start;
  for (size_t a = axes.size(); a-- > 0;) {
    const Axis& axis = axes[a];
    const auto step = static_cast<int64_t>(position % axis.size) * axis.stride;
    position /= axis.size;
    if (axis.term == Axis::kLinear)
      offset += step;
    else
      u[static_cast<size_t>(axis.term)] += static_cast<uint64_t>(step);
  }
  for (size_t t = 0; t < terms.size(); ++t) offset += terms[t].at(u[t]);
  return static_cast<uint64_t>(offset);
}

void IndexMap::simplify() {
  std::erase_if(axes, [](const Axis& axis) { return axis.size == 1; });
  for (size_t t = 0; t < terms.size(); ++t) {
    const auto is_of_term = [t](const Axis& axis) { return axis.term == static_cast<int>(t); };
    uint64_t largest = terms[t].start;
    for (const Axis& axis : axes)
      if (is_of_term(axis)) largest += (axis.size - 1) * static_cast<uint64_t>(axis.stride);
    if (largest == terms[t].start) {  // no axis moves it
      start += terms[t].at(largest);
      terms[t] = {};
      continue;
    }
    terms[t].pieces = needed_pieces(terms[t].pieces, largest);
    int64_t slope = 0;
    bool is_linear = true;
    for (const Piece& piece : terms[t].pieces) {
      is_linear = is_linear && piece.modulo == 0 && piece.divisor == 1;
      slope += piece.stride;
    }
    if (!is_linear) continue;
    start += static_cast<int64_t>(terms[t].start) * slope;
    for (Axis& axis : axes)
      if (is_of_term(axis)) axis = {axis.size, axis.stride * slope};
    terms[t] = {};
  }
  std::vector<Axis> merged;
  for (const Axis& axis : axes) {
    if (!merged.empty() && merged.back().term == axis.term &&
        merged.back().stride == axis.stride * static_cast<int64_t>(axis.size))
      merged.back() = {merged.back().size * axis.size, axis.stride, axis.term};
    else
      merged.push_back(axis);
  }
  axes = merged;
}

bool IndexMap::is_contiguous() const {
  if (axes.empty()) return true;
  return axes.size() == 1 && axes[0].term == Axis::kLinear && axes[0].stride == 1;
}

}  // namespace ait
