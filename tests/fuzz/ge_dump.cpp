// GE dumps: four bytes choose, the rest is the file.
#include "formats/ge_dump.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kChoices = 4;
  if (size < kChoices) return 0;
  const auto file = ait::DataFile::of_memory(ait::Bytes(data + kChoices, size - kChoices));
  fuzz::expect_no_crash([&] {
    const ait::GeDump dump = ait::read_ge_dump(file);
    bool is_complete = true;
    for (const auto* tensors : {&dump.inputs, &dump.outputs}) {
      for (const ait::Tensor& tensor : *tensors) {
        fuzz::Choices choices(data, kChoices);
        fuzz::check_tensor(tensor, choices);
        is_complete = is_complete && tensor.state != ait::TensorState::kTruncated;
      }
    }
    fuzz::require(is_complete || !dump.is_complete, "a dump with a truncated tensor is incomplete");
    fuzz::require(dump.header_bytes <= file->size_bytes(), "a header lies in its file");
  });
  return 0;
}
