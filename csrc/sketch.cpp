#include "sketch.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace ait {
namespace {

// Seeds of the counter-based generator: one for the signs, one for the keys of the hash, one for
// the order of the blocks. Digits of the golden ratio, of pi and of e.
constexpr uint64_t kGolden = 0x9e3779b97f4a7c15u;
constexpr uint64_t kKeySeed = 0x243f6a8885a308d3u;
constexpr uint64_t kBlockSeed = 0xadf85458a2bb4a9au;

/// The output function of SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom
/// number generators", OOPSLA 2014, with the constants of Vigna's splitmix64.c.
uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Number `counter` of the generator started at `seed`.
uint64_t random_word(uint64_t seed, uint64_t counter) {
  return mix(seed + (counter + 1) * kGolden);
}

constexpr size_t kSignWords = kBlock / 64;

/// Key i is XORed to value i of a block; float32 takes the upper half of a word.
struct HashKeys {
  std::array<uint32_t, kBlock> narrow;
  std::array<uint64_t, kBlock> wide;

  HashKeys() {
    for (size_t i = 0; i < kBlock; ++i) {
      wide[i] = random_word(kKeySeed, i);
      narrow[i] = static_cast<uint32_t>(wide[i] >> 32);
    }
  }
};

const HashKeys& hash_keys() {
  static const HashKeys keys;
  return keys;
}

/// Sums of a chunk. A block starts at any bucket and runs past the last one; what lies there is
/// folded back once per chunk, so that the kernel never wraps.
struct ChunkSketch {
  SideSums sums;
  double sum_squares = 0;
  uint64_t hash = 0;
  std::array<double, kSketchBuckets + kBlock + kLanes> buckets{};

  void fold() {
    static_assert(kBlock + kLanes <= kSketchBuckets);
    for (size_t i = kSketchBuckets; i < buckets.size(); ++i) {
      buckets[i - kSketchBuckets] += buckets[i];
      buckets[i] = 0;
    }
  }
};

/// The kernels for blocks of one type.
struct F32 {
  using Value = float;
  static auto stats(const Kernels& k) { return k.stats_f32; }
  static void sketch(const Kernels& k, const uint8_t* x, size_t n, const uint64_t* signs,
                     double* buckets, SketchBlock* out) {
    k.sketch_f32(x, n, signs, hash_keys().narrow.data(), buckets, out);
  }
};
struct F64 {
  using Value = double;
  static auto stats(const Kernels& k) { return k.stats_f64; }
  static void sketch(const Kernels& k, const uint8_t* x, size_t n, const uint64_t* signs,
                     double* buckets, SketchBlock* out) {
    k.sketch_f64(x, n, signs, hash_keys().wide.data(), buckets, out);
  }
};

template <class Block>
void add_finite(ChunkSketch& chunk, const Block& block) {
  chunk.sums.sum += block.sum;
  chunk.sum_squares += block.sum_xx;
  chunk.sums.min = std::min(chunk.sums.min, block.min);
  chunk.sums.max = std::max(chunk.sums.max, block.max);
}

template <class Value>
const uint8_t* bytes_of(const Value* values) {
  return reinterpret_cast<const uint8_t*>(values);
}

/// A block with NaN or Inf: they are counted, add 0 to the buckets, and enter the hash with one NaN
/// for all of them. Returns the hash.
template <class Type>
uint64_t add_mixed_block(ChunkSketch& chunk, const uint8_t* bytes, size_t n, const uint64_t* signs,
                         double* buckets, const Kernels& kernels) {
  using Value = typename Type::Value;
  Value finite[kBlock], zeroed[kBlock], hashed[kBlock];
  size_t n_finite = 0;
  for (size_t i = 0; i < n; ++i) {
    Value value;
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
    hashed[i] = std::isnan(value) ? std::numeric_limits<Value>::quiet_NaN() : value;
    zeroed[i] = std::isfinite(value) ? value : 0;
    if (std::isfinite(value))
      finite[n_finite++] = value;
    else if (std::isnan(value))
      ++chunk.sums.n_nan;
    else if (value > 0)
      ++chunk.sums.n_positive_inf;
    else
      ++chunk.sums.n_negative_inf;
  }
  if (n_finite > 0) {
    StatsBlock stats;
    Type::stats(kernels)(bytes_of(finite), n_finite, &stats);
    add_finite(chunk, stats);
  }
  SketchBlock block;
  Type::sketch(kernels, bytes_of(zeroed), n, signs, buckets, &block);
  Type::sketch(kernels, bytes_of(hashed), n, signs, buckets, &block);
  return block.hash;
}

template <class Type>
void add_block(ChunkSketch& chunk, const uint8_t* bytes, size_t n, uint64_t at,
               const Kernels& kernels) {
  uint64_t signs[kSignWords];
  for (size_t i = 0; i < kSignWords; ++i) signs[i] = random_word(0, at / 64 + i);
  double* buckets = chunk.buckets.data() + at % kSketchBuckets;
  chunk.sums.n += n;
  SketchBlock block;
  Type::sketch(kernels, bytes, n, signs, buckets, &block);
  if (block.is_finite)
    add_finite(chunk, block);
  else
    block.hash = add_mixed_block<Type>(chunk, bytes, n, signs, buckets, kernels);
  chunk.hash += mix(block.hash + random_word(kBlockSeed, at / kBlock));
}

ChunkSketch sketch_chunk(const View& view, uint64_t begin, uint64_t end, const Kernels& kernels) {
  BlockReader reader(view, kernels);
  reader.expect(begin, end);
  const bool wide = view.tensor.dtype->wide;
  ChunkSketch chunk;
  for (uint64_t at = begin; at < end; at += kBlock) {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(kBlock, end - at));
    const uint8_t* block = reader.read(at, n, wide);
    reader.fetch_ahead();
    if (wide)
      add_block<F64>(chunk, block, n, at, kernels);
    else
      add_block<F32>(chunk, block, n, at, kernels);
  }
  chunk.fold();
  return chunk;
}

/// Chunks merged in order, whichever thread made them; a chunk waits for those before it.
class OrderedMerge {
 public:
  explicit OrderedMerge(TensorSketch& into) : into_(into) {}

  void add(uint64_t index, ChunkSketch&& chunk) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(index, std::move(chunk));
    for (auto next = waiting_.find(next_); next != waiting_.end(); next = waiting_.find(next_)) {
      merge_one(next->second);
      waiting_.erase(next);
      ++next_;
    }
  }

 private:
  void merge_one(const ChunkSketch& chunk) {
    merge(into_.sums, chunk.sums);
    into_.sum_squares += chunk.sum_squares;
    into_.hash += chunk.hash;
    for (size_t i = 0; i < kSketchBuckets; ++i) into_.buckets[i] += chunk.buckets[i];
  }

  TensorSketch& into_;
  std::mutex mutex_;
  uint64_t next_ = 0;
  std::map<uint64_t, ChunkSketch> waiting_;
};

void sketch_chunks(TensorSketch& into, const View& view, uint64_t n_values, unsigned n_threads,
                   const Kernels& kernels) {
  const uint64_t n_chunks = (n_values + kChunk - 1) / kChunk;
  OrderedMerge merged(into);
  std::atomic<uint64_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    try {
      for (uint64_t chunk = next++; chunk < n_chunks; chunk = next++) {
        const uint64_t begin = chunk * kChunk;
        merged.add(chunk, sketch_chunk(view, begin, std::min(begin + kChunk, n_values), kernels));
      }
    } catch (...) {  // rethrown below, on the thread of the caller
      const std::lock_guard lock(failure_mutex);
      failure = std::current_exception();
      next = n_chunks;
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (uint64_t i = 1; i < std::min<uint64_t>(n_threads, n_chunks); ++i)
      helpers.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

void keep_values(TensorSketch& into, const View& view, uint64_t n_values, const Kernels& kernels) {
  BlockReader reader(view, kernels);
  into.values.resize(n_values);
  for (uint64_t at = 0; at < n_values; at += kBlock) {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(kBlock, n_values - at));
    std::memcpy(into.values.data() + at, reader.read(at, n, true), n * sizeof(double));
  }
}

/// The bytes of a tensor without a value coding, as numbers.
View bytes_view(const View& view) {
  Tensor bytes = view.tensor;
  bytes.dtype = find_dtype_by_name("DT_UINT8");
  bytes.has_shape = true;
  bytes.has_original_shape = false;
  bytes.storage_shape = {static_cast<int64_t>(bytes.size_bytes)};
  bytes.format = kFormatNd;
  bytes.state = TensorState::kOk;
  return make_view(bytes, {});
}

}  // namespace

TensorSketch sketch_view(const View& view, unsigned n_threads, const Kernels& kernels) {
  std::optional<View> bytes;
  if (view.is_raw()) bytes = bytes_view(view);
  const View& read = bytes ? *bytes : view;
  const uint64_t n_values = read.n_elements * read.tensor.dtype->components;
  TensorSketch sketch;
  sketch.buckets.resize(kSketchBuckets);
  sketch_chunks(sketch, read, n_values, n_threads, kernels);
  sketch.hash = mix(sketch.hash + n_values);
  if (n_values <= kSketchBuckets) {
    sketch.buckets.clear();
    keep_values(sketch, read, n_values, kernels);
  }
  view.tensor.file->check_unchanged();
  return sketch;
}

}  // namespace ait
