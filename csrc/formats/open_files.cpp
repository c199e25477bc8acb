#include "formats/open_files.h"

#include "formats/npy_file.h"

namespace ait {
namespace {

// Files that a thread keeps open: the one in hand and the last few of the other side.
constexpr size_t kOpenFiles = 4;

}  // namespace

View OpenFiles::view(const TensorRef& ref, Access access) {
  if (ref.io == TensorRef::Io::kNpy) return make_view(open(ref, access).npy, ref.steps);
  const GeDump& dump = ge_dump(ref, access);
  const bool is_input = ref.io == TensorRef::Io::kInputs;
  const auto& tensors = is_input ? dump.inputs : dump.outputs;
  if (ref.index >= tensors.size())
    throw FormatError(ref.path + ": " + (is_input ? "input " : "output ") +
                      std::to_string(ref.index) + " expected, the file has " +
                      std::to_string(tensors.size()) + " (changed since it was listed?)");
  return make_view(tensors[ref.index], ref.steps);
}

const GeDump& OpenFiles::ge_dump(const TensorRef& ref, Access access) {
  for (const auto& headers : headers_)
    if (const GeDump* kept = headers->kept(ref.path)) return *kept;
  return open(ref, access).ge;
}

const OpenFiles::Open& OpenFiles::open(const TensorRef& ref, Access access) {
  const bool is_npy = ref.io == TensorRef::Io::kNpy;
  for (auto it = open_.begin(); it != open_.end(); ++it) {
    if (it->path != ref.path || it->is_npy != is_npy) continue;
    open_.splice(open_.begin(), open_, it);
    return open_.front();
  }
  Open entry{ref.path, is_npy, DataFile::open(ref.path, access), {}, {}};
  if (is_npy)
    entry.npy = read_npy(entry.file);
  else
    entry.ge = read_ge_dump(entry.file);
  open_.push_front(std::move(entry));
  if (open_.size() > kOpenFiles) open_.pop_back();
  return open_.front();
}

View open_view(const TensorRef& ref, Access access) {
  View view = OpenFiles().view(ref, access);
  const std::string problem =
      view.tensor.state != TensorState::kOk ? view.tensor.note : view.problem;
  if (!problem.empty() || view.is_raw())
    throw FormatError(ref.path + ": " + (problem.empty() ? "values without a coding" : problem));
  return view;
}

}  // namespace ait
