// From the address of a tensor to the tensor: the files that a thread reads.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "formats/ge_dump.h"
#include "formats/scan.h"
#include "tensor/view.h"

namespace ait {

/// Which tensor of which file.
struct TensorRef {
  enum class Io : uint8_t { kInputs, kOutputs, kNpy };
  std::string path;
  Io io = Io::kNpy;
  uint32_t index = 0;  ///< among the inputs or outputs of a GE dump; 0 for an .npy file
  std::vector<ViewStep> steps;
};

/// The files that a thread read last: neighbours in a list of jobs share them.
class OpenFiles {
 public:
  /// `headers`: what is kept of files that were read before; they outlive this.
  explicit OpenFiles(const std::vector<std::shared_ptr<const GeHeaders>>& headers = {})
      : headers_(headers) {}

  /// Throws FormatError or FileError when the file cannot be read or lacks the tensor.
  View view(const TensorRef& ref, Access access);

 private:
  struct Open {
    std::string path;
    bool is_npy;
    std::shared_ptr<const DataFile> file;
    GeDump ge;
    Tensor npy;
  };

  const Open& open(const TensorRef& ref, Access access);

  /// The dump of a file, opened now if no header kept it.
  const GeDump& ge_dump(const TensorRef& ref, Access access);

  std::vector<std::shared_ptr<const GeHeaders>> headers_;
  std::list<Open> open_;  ///< most recent first
};

/// Opens a file and finds the tensor. Throws FormatError (or FileError) when it cannot be read
/// value by value.
View open_view(const TensorRef& ref, Access access);

}  // namespace ait
