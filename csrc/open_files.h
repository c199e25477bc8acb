// From the address of a tensor to the tensor: the files that a thread reads.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "ge_dump.h"
#include "view.h"

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

  std::list<Open> open_;  ///< most recent first
};

/// Opens a file and finds the tensor. Throws FormatError (or FileError) when it cannot be read
/// value by value.
View open_view(const TensorRef& ref, Access access);

}  // namespace ait
