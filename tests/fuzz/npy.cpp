// Arrays of NumPy: four bytes choose, the rest is the file.
#include "formats/npy_file.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kChoices = 4;
  if (size < kChoices) return 0;
  const auto file = ait::DataFile::of_memory(ait::Bytes(data + kChoices, size - kChoices));
  fuzz::expect_no_crash([&] {
    fuzz::Choices choices(data, kChoices);
    fuzz::check_tensor(ait::read_npy(file), choices);
  });
  return 0;
}
