// NumPy .npy files: a small text header, then the elements of one array.
#pragma once

#include <memory>

#include "tensor/tensor.h"

namespace ait {

/// Reads the header of a .npy file (versions 1 to 3) and locates its array; reads no element.
/// Objects, texts, records and big-endian numbers give a tensor in state kUnsupported with a note;
/// nothing is ever unpickled. A file cut short gives state kTruncated.
/// FormatError with the path if the header is damaged.
/// Source: NEP 1 and `numpy/lib/format.py`.
Tensor read_npy(const std::shared_ptr<const DataFile>& file);

}  // namespace ait
