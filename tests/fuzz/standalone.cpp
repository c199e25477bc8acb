// Drives a target where there is no libFuzzer: `TARGET N FILE_OR_FOLDER...` replays every file and
// N mutations of each; they depend on N and the file alone, so that a failure can be repeated.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz.h"

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
    std::fprintf(stderr, "usage: %s MUTATIONS FILE_OR_FOLDER...\n", argv[0]);
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
  std::printf("%s: %zu files, %llu mutations each: no crash\n", argv[0], paths.size(),
              static_cast<unsigned long long>(n_mutations));
  return paths.empty() ? 1 : 0;
}
