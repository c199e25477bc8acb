// Feeds damaged files to every reader: nothing but FormatError may come out.
//
// Without libFuzzer, `fuzz_files N FILE...` replays every file and N mutations of each; the
// mutations depend on N and the file alone, so that a failure can be repeated.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "formats/ge_dump.h"
#include "formats/graph_text.h"
#include "formats/npy_file.h"
#include "simd/dispatch.h"
#include "sketch/sketch.h"
#include "tensor/block_reader.h"
#include "tensor/layout.h"
#include "tensor/view.h"

namespace {

void require(bool condition, const char* promise) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// Reads and sketches every value of a small tensor, in logical order and transposed.
void read_values(const ait::Tensor& tensor) {
  constexpr uint64_t kSmall = 20000;  // more than two bands of a sketch
  for (const bool is_reversed : {false, true}) {
    std::vector<ait::ViewStep> steps;
    if (is_reversed) {
      const size_t rank = ait::logical_shape(tensor).size();
      steps.push_back({ait::ViewStep::Kind::kTranspose, {}});
      for (size_t i = rank; i-- > 0;) steps[0].dims.push_back(static_cast<int64_t>(i));
    }
    const ait::View view = ait::make_view(tensor, steps);
    if (!view.problem.empty() || view.n_elements > kSmall) continue;
    ait::BlockReader reader(view, ait::find_kernels(""));
    for (uint64_t at = 0; at < reader.n_values(); at += ait::kBlock) {
      const uint64_t left = reader.n_values() - at;
      const auto n = static_cast<size_t>(std::min<uint64_t>(ait::kBlock, left));
      reader.read(at, n, true);
    }
    ait::sketch_view(view, 1, ait::find_kernels(""));
  }
}

/// What every user of a tensor relies on; touches each byte that the tensor claims.
void check_tensor(const ait::Tensor& tensor) {
  require(tensor.dtype != nullptr, "a tensor has a row of the dtype table");
  require((tensor.state == ait::TensorState::kOk) || !tensor.note.empty(), "a bad state is noted");
  static_cast<void>(ait::logical_shape(tensor));
  if (tensor.state != ait::TensorState::kOk) return;
  const uint64_t size = tensor.file->size_bytes();
  require(tensor.offset_bytes <= size && tensor.size_bytes <= size - tensor.offset_bytes,
          "the bytes of a good tensor lie in the file");
  std::vector<uint8_t> scratch;
  const uint8_t* bytes =
      tensor.file->at(tensor.offset_bytes, static_cast<size_t>(tensor.size_bytes), scratch);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < tensor.size_bytes; ++i) sum += bytes[i];
  require(sum <= 255 * tensor.size_bytes, "bytes are bytes");
  const auto count = ait::element_count(ait::logical_shape(tensor));
  require(count.has_value(), "the element count of a good tensor fits 64 bits");
  // The header may name any format: whatever the shapes, no element lies outside.
  constexpr uint32_t kFormats = 56;
  ait::Tensor other = tensor;
  for (other.format = 0; other.format < kFormats; ++other.format) read_values(other);
}

void expect_no_crash(const std::function<void()>& read) {
  try {
    read();
  } catch (const ait::FormatError& error) {
    require(error.what()[0] != '\0', "an error says something");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = ait::DataFile::of_memory(ait::Bytes(data, size));
  expect_no_crash([&] {
    const ait::GeDump dump = ait::read_ge_dump(file);
    for (const ait::Tensor& tensor : dump.inputs) check_tensor(tensor);
    for (const ait::Tensor& tensor : dump.outputs) check_tensor(tensor);
  });
  expect_no_crash([&] { check_tensor(ait::read_npy(file)); });
  expect_no_crash([&] { ait::read_graph_text(*file); });
  return 0;
}

#ifndef AIT_LIBFUZZER
namespace {

/// xorshift64: the same numbers on every machine.
class Random {
 public:
  uint64_t below(uint64_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % limit;
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15;
};

/// Bytes that steer readers: ends of varints, quotes, braces, escapes, digits.
constexpr uint8_t kTelling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '{', '}', '<', '>', '[', ']',
                                '"',  '\'', '\\', '#',  ':',  ',', '(', ')', '-', '9', '\n'};

std::vector<uint8_t> mutate(std::vector<uint8_t> bytes, Random& random) {
  for (uint64_t change = 1 + random.below(4); change > 0; --change) {
    const size_t at = random.below(bytes.size() + 1);
    const auto where = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const size_t n = std::min<size_t>(1 + random.below(16), bytes.size() - at);
    switch (random.below(6)) {
      case 0:
        if (n > 0) bytes[at] = static_cast<uint8_t>(random.below(256));
        break;
      case 1:
        if (n > 0) bytes[at] = kTelling[random.below(std::size(kTelling))];
        break;
      case 2:
        bytes.insert(where, kTelling[random.below(std::size(kTelling))]);
        break;
      case 3:
        bytes.erase(where, where + static_cast<std::ptrdiff_t>(n));
        break;
      case 4: {
        const std::vector<uint8_t> piece(where, where + static_cast<std::ptrdiff_t>(n));
        const size_t to = random.below(bytes.size() + 1);
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(to), piece.begin(), piece.end());
        break;
      }
      default:
        if (random.below(8) == 0) bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: fuzz_files MUTATIONS FILE_OR_FOLDER...\n");
    return 2;
  }
  const uint64_t n_mutations = std::strtoull(argv[1], nullptr, 10);
  std::vector<std::filesystem::path> paths;
  for (int i = 2; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      paths.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      paths.push_back(entry.path());
    }
  }
  for (const std::filesystem::path& path : paths) {
    std::ifstream stream(path, std::ios::binary);
    const std::vector<uint8_t> seed((std::istreambuf_iterator<char>(stream)), {});
    LLVMFuzzerTestOneInput(seed.data(), seed.size());
    Random random;
    for (uint64_t i = 0; i < n_mutations; ++i) {
      const std::vector<uint8_t> bytes = mutate(seed, random);
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
  std::printf("%zu files, %llu mutations each: no crash\n", paths.size(),
              static_cast<unsigned long long>(n_mutations));
  return 0;
}
#endif
