// GE dump files: a protobuf header that lists tensors, and their bytes behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/data_file.h"
#include "tensor/tensor.h"

namespace ait {

/// The tensors that one operator read and wrote in one step.
struct GeDump {
  std::string version;
  std::string op_name;     ///< Unsanitised: may hold '/', '.' and spaces.
  uint64_t dump_time = 0;  ///< Microseconds since the epoch.
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::vector<std::pair<std::string, std::string>> attrs;
  std::vector<std::string> notes;  ///< One sentence each on the file as a whole.
  uint64_t header_bytes = 0;       ///< Of the header message; 0 in the old whole-file form.
  bool is_complete = true;         ///< False if a tensor is truncated.
};

/// Reads the header and locates every tensor; reads no tensor byte, save that a mapped or small
/// file is in memory anyway. A truncated file still lists its tensors.
/// FormatError with the path if the file is no GE dump.
GeDump read_ge_dump(const std::shared_ptr<const DataFile>& file);

}  // namespace ait
