#include "tensor/view.h"

#include <algorithm>

namespace ait {
namespace {

void add_sentence(std::string& text, const std::string& sentence) {
  if (sentence.empty()) return;
  if (!text.empty()) text += "; ";
  text += sentence;
}

/// Follows the steps by reordering the loops of an index map; never touches a value.
class OrderBuilder {
 public:
  explicit OrderBuilder(const Layout& layout) : shape_(layout.shape), maps_{layout.map} {}

  const Dims& shape() const { return shape_; }

  /// The maps, the one from the final order first.
  std::vector<IndexMap> take_maps() {
    std::reverse(maps_.begin(), maps_.end());
    for (IndexMap& map : maps_) map.simplify();
    return std::move(maps_);
  }

  /// Empty, or why the step is not possible.
  std::string apply(const ViewStep& step) {
    switch (step.kind) {
      case ViewStep::Kind::kReshape:
        return reshape(step.dims);
      case ViewStep::Kind::kTranspose:
        return transpose(step.dims);
      case ViewStep::Kind::kSelect:
        return select(step.dims);
      case ViewStep::Kind::kSlice:
        return slice(step.dims);
      case ViewStep::Kind::kStored:
        return "the shape of the stored bytes can only be the first view step";
      case ViewStep::Kind::kOriginal:
        return "the original shape can only be the first view step";
    }
    return "unknown view step";
  }

 private:
  std::string reshape(Dims dims) {
    const uint64_t n = element_count(shape_).value_or(0);
    const auto rest = std::find(dims.begin(), dims.end(), -1);
    if (rest != dims.end()) {
      *rest = 1;
      const uint64_t others = element_count(dims).value_or(0);
      if (others != 0) *rest = static_cast<int64_t>(n / others);
    }
    if (element_count(dims) != n)
      return "cannot view shape " + shape_text(shape_) + " as " + shape_text(dims) +
             ": another element count";
    shape_ = dims;  // the order of the loops stays
    return "";
  }

  std::string transpose(const Dims& permutation) {
    Dims sorted = permutation;
    std::sort(sorted.begin(), sorted.end());
    bool is_permutation = sorted.size() == shape_.size();
    for (size_t i = 0; is_permutation && i < sorted.size(); ++i)
      is_permutation = sorted[i] == static_cast<int64_t>(i);
    if (!is_permutation)
      return "cannot transpose shape " + shape_text(shape_) + " by " + shape_text(permutation);
    const std::vector<std::vector<Axis>> loops = loops_of_dims();
    Dims shape;
    std::vector<Axis>& axes = maps_.back().axes;
    axes.clear();
    for (const int64_t from : permutation) {
      const auto at = static_cast<size_t>(from);
      shape.push_back(shape_[at]);
      axes.insert(axes.end(), loops[at].begin(), loops[at].end());
    }
    shape_ = shape;
    return "";
  }

  std::string select(const Dims& dims) {
    if (dims.size() != 1 || shape_.empty() || dims[0] < 0 || dims[0] >= shape_[0])
      return "cannot select " + shape_text(dims) + " along the first dimension of shape " +
             shape_text(shape_);
    std::vector<std::vector<Axis>> loops = loops_of_dims();
    IndexMap& map = maps_.back();
    auto index = static_cast<uint64_t>(dims[0]);
    for (size_t i = loops[0].size(); i-- > 0;) {
      const Axis& axis = loops[0][i];
      const auto step = static_cast<int64_t>(index % axis.size) * axis.stride;
      index /= axis.size;
      if (axis.term == Axis::kLinear)
        map.start += step;
      else
        map.terms[static_cast<size_t>(axis.term)].start += static_cast<uint64_t>(step);
    }
    map.axes.clear();
    for (size_t i = 1; i < loops.size(); ++i)
      map.axes.insert(map.axes.end(), loops[i].begin(), loops[i].end());
    shape_.erase(shape_.begin());
    return "";
  }

  std::string slice(const Dims& dims) {
    const auto rank = static_cast<int64_t>(shape_.size());
    const bool has_axis = dims.size() == 3 && dims[0] >= 0 && dims[0] < rank;
    const auto at = has_axis ? static_cast<size_t>(dims[0]) : 0;
    if (!has_axis || dims[1] < 0 || dims[2] < dims[1] || dims[2] > shape_[at])
      return "cannot take the slice (axis, begin, end) " + shape_text(dims) + " of shape " +
             shape_text(shape_);
    std::vector<std::vector<Axis>> loops = loops_of_dims();
    if (loops[at].size() > 1) {  // a range of several loops is none of each: one loop is needed
      maps_.push_back(IndexMap::contiguous(element_count(shape_).value_or(0)));
      loops = loops_of_dims();
    }
    IndexMap& map = maps_.back();
    map.axes.clear();
    for (size_t i = 0; i < loops.size(); ++i) {
      if (i == at && !loops[i].empty()) {
        Axis& axis = loops[i][0];
        const int64_t skipped = dims[1] * axis.stride;
        if (axis.term == Axis::kLinear)
          map.start += skipped;
        else
          map.terms[static_cast<size_t>(axis.term)].start += static_cast<uint64_t>(skipped);
        axis.size = static_cast<uint64_t>(dims[2] - dims[1]);
      }
      map.axes.insert(map.axes.end(), loops[i].begin(), loops[i].end());
    }
    shape_[at] = dims[2] - dims[1];
    return "";
  }

  /// The loops of each dimension of shape_, loops cut where a dimension begins inside of them. If
  /// one begins where no cut is possible, the order so far becomes a map of its own.
  std::vector<std::vector<Axis>> loops_of_dims() {
    // No element, no place that could be wrong: only the shape is followed.
    if (element_count(shape_) == 0) return std::vector<std::vector<Axis>>(shape_.size());
    std::vector<std::vector<Axis>> loops;
    if (cut(maps_.back().axes, &loops)) return loops;
    maps_.push_back(IndexMap::contiguous(element_count(shape_).value_or(0)));
    cut(maps_.back().axes, &loops);
    return loops;
  }

  bool cut(std::vector<Axis> axes, std::vector<std::vector<Axis>>* loops) const {
    loops->clear();
    std::reverse(axes.begin(), axes.end());  // the outermost last
    for (const int64_t dim : shape_) {
      loops->emplace_back();
      auto left = static_cast<uint64_t>(dim);
      while (left > 1) {
        Axis axis = axes.back();
        axes.pop_back();
        if (left % axis.size != 0) {
          if (axis.size % left != 0) return false;
          const uint64_t inner = axis.size / left;
          axes.push_back({inner, axis.stride, axis.term});
          axis = {left, axis.stride * static_cast<int64_t>(inner), axis.term};
        }
        loops->back().push_back(axis);
        left /= axis.size;
      }
    }
    return true;
  }

  Dims shape_;
  std::vector<IndexMap> maps_;  ///< the one to storage first
};

uint32_t stored_bits(const Tensor& tensor) {
  const uint32_t bits = tensor.dtype->bits;
  const bool is_one_per_byte =
      bits == 6 && tensor.has_shape && element_count(tensor.storage_shape) == tensor.size_bytes;
  return is_one_per_byte ? 8 : bits;
}

/// The tensor as the bytes of one slice, whose shape is `dims`.
Tensor stored_as(Tensor tensor, const Dims& dims) {
  if (tensor.state == TensorState::kShort) {
    tensor.state = TensorState::kOk;
    tensor.note.clear();
  }
  tensor.storage_shape = dims;
  tensor.has_shape = true;
  tensor.has_original_shape = false;
  judge_size(tensor);
  return tensor;
}

/// The tensor with the original shape `dims`; a header that has one of its own knows better.
Tensor with_original_shape(Tensor tensor, const Dims& dims) {
  if (tensor.has_original_shape || dims.empty()) return tensor;
  tensor.original_shape = dims;
  tensor.has_original_shape = true;
  return tensor;
}

}  // namespace

View make_view(const Tensor& tensor, const std::vector<ViewStep>& steps) {
  if (!steps.empty() && steps[0].kind == ViewStep::Kind::kOriginal)
    return make_view(with_original_shape(tensor, steps[0].dims), {steps.begin() + 1, steps.end()});
  if (!steps.empty() && steps[0].kind == ViewStep::Kind::kStored)
    return make_view(stored_as(tensor, steps[0].dims), {steps.begin() + 1, steps.end()});
  View view;
  view.tensor = tensor;
  view.stored_bits = stored_bits(tensor);
  const Layout layout = find_layout(tensor);
  view.shape = layout.shape;
  const bool has_raw_bytes = tensor.state == TensorState::kUnsupported && view.is_raw();
  if (tensor.state != TensorState::kOk && !has_raw_bytes) {
    view.problem = tensor.note.empty() ? state_name(tensor.state) : tensor.note;
    return view;
  }
  if (view.is_raw()) {
    view.n_elements = tensor.size_bytes;
    view.maps = {IndexMap::contiguous(view.n_elements)};
    return view;
  }
  view.note = layout.note;
  view.is_storage_order = !layout.is_converted;
  if (view.is_storage_order && !steps.empty()) {
    view.problem = layout.note;
    return view;
  }
  view.n_elements = element_count(layout.shape).value_or(0);
  view.is_whole = std::none_of(steps.begin(), steps.end(), [](const ViewStep& step) {
    return step.kind == ViewStep::Kind::kSelect || step.kind == ViewStep::Kind::kSlice;
  });
  OrderBuilder order(layout);
  for (const ViewStep& step : steps) {
    view.problem = order.apply(step);
    if (!view.problem.empty()) return view;
    view.shape = order.shape();
    view.n_elements = element_count(view.shape).value_or(0);
  }
  view.maps = view.n_elements == 0 ? std::vector{IndexMap::contiguous(0)} : order.take_maps();
  return view;
}

std::string why_not_comparable(const View& my, const View& golden) {
  if (!my.is_storage_order && !golden.is_storage_order) return "";
  const bool is_same_storage = my.is_storage_order && golden.is_storage_order &&
                               my.tensor.format == golden.tensor.format &&
                               my.tensor.sub_format == golden.tensor.sub_format &&
                               my.tensor.storage_shape == golden.tensor.storage_shape;
  if (is_same_storage) return "";
  std::string why;
  if (my.is_storage_order) add_sentence(why, "my_data: " + my.note);
  if (golden.is_storage_order) add_sentence(why, "golden_data: " + golden.note);
  return why + " (only the same storage format and shape on both sides can be compared)";
}

bool reinterpret_packed(View& golden, const View& my) {
  const DType& packed = *my.tensor.dtype;
  const Coding coding = golden.tensor.dtype->coding;
  const bool is_int32 = coding == Coding::kInt32 || coding == Coding::kUint32;
  const bool is_byte = coding == Coding::kInt8 || coding == Coding::kUint8;
  if (packed.bits != 4 || my.is_raw() || !my.problem.empty() || !golden.problem.empty() ||
      (!is_int32 && !is_byte))
    return false;
  const uint64_t per_element = is_int32 ? 8 : 2;
  const bool is_in_order = !golden.is_storage_order && golden.maps.size() == 1 &&
                           golden.maps[0].is_contiguous() && golden.maps[0].start == 0;
  if (golden.shape.empty() || golden.n_elements == 0 || !is_in_order ||
      my.n_elements != golden.n_elements * per_element)
    return false;
  Tensor tensor = golden.tensor;
  add_note(tensor, std::string(tensor.dtype->name) + " " + shape_text(golden.shape) +
                       " read as packed " + packed.name + ", low nibble first");
  tensor.storage_shape = golden.shape;
  tensor.storage_shape.back() *= static_cast<int64_t>(per_element);
  tensor.has_shape = true;
  tensor.has_original_shape = false;
  tensor.fortran_order = false;
  tensor.format = kFormatNd;
  tensor.dtype = &packed;
  tensor.dtype_number = packed.number;
  golden = make_view(tensor, {});
  return true;
}

}  // namespace ait
