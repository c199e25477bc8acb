#include "sketch/sketch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <type_traits>
#include <vector>

#include "parallel.h"
#include "sketch/sketch_hash.h"

namespace ait {
namespace {

constexpr size_t kBandValues = kBandRows * kRowValues;
/// A task of a thread: a megabyte of bfloat16.
constexpr size_t kChunkValues = 64 * kBandValues;

constexpr size_t kSignWordsOfRow = kRowPlaces / 64;

template <class T>
const uint8_t* bytes_of(const std::vector<T>& values) {
  return reinterpret_cast<const uint8_t*>(values.data());
}

// The types that have kernels. `Bits` is an integer of the size of a value; a value is not finite
// if its bits but the sign are at least kInfinity.
struct Bfloat16 {
  using Bits = uint16_t;
  static constexpr Bits kInfinity = 0x7f80, kQuietNan = 0x7fc0;
  static bool is_stored(const DType&) { return true; }
  static const uint8_t* read(BlockReader& reader, uint64_t at, size_t n) {
    return reader.stored(at, n);
  }
  /// Returns the hash.
  static uint64_t sum(const Kernels& k, const uint8_t* x, size_t n_rows, const uint64_t* signs,
                      ScannedRows* out, BandSums* band) {
    k.sum_bf16(x, n_rows, hash_keys().wide.data(), signs, out, band);
    return hash_of_lanes(out->sums, 0) + hash_of_lanes(hash_keys().zeros[n_rows], kLanes);
  }
  static size_t place_of(size_t place) { return bf16_place(place); }
  static void widen(const Kernels& k, const std::vector<Bits>& values, double* out) {
    std::vector<float> floats(values.size());
    k.decode_bfloat16(bytes_of(values), values.size(), floats.data());
    k.widen(floats.data(), floats.size(), out);
  }
};

struct Float32 {
  using Bits = uint32_t;
  static constexpr Bits kInfinity = 0x7f800000, kQuietNan = 0x7fc00000;
  static bool is_stored(const DType& dtype) {
    return dtype.coding == Coding::kFloat32 && dtype.components == 1;
  }
  static const uint8_t* read(BlockReader& reader, uint64_t at, size_t n) {
    return reader.read(at, n, false);
  }
  static uint64_t sum(const Kernels& k, const uint8_t* x, size_t n_rows, const uint64_t* signs,
                      ScannedRows* out, BandSums* band) {
    k.sum_f32(x, n_rows, hash_keys().single.data(), signs, out, band);
    return hash_of_lanes(out->sums, 0) + hash_of_lanes(out->lower_sums, kLanes);
  }
  static size_t place_of(size_t place) { return place; }
  static void widen(const Kernels& k, const std::vector<Bits>& values, double* out) {
    k.widen(reinterpret_cast<const float*>(values.data()), values.size(), out);
  }
};

struct Float64 {
  using Bits = uint64_t;
  static constexpr Bits kInfinity = 0x7ff0000000000000, kQuietNan = 0x7ff8000000000000;
  static bool is_stored(const DType& dtype) {
    return dtype.coding == Coding::kFloat64 && dtype.components == 1;
  }
  static const uint8_t* read(BlockReader& reader, uint64_t at, size_t n) {
    return reader.read(at, n, true);
  }
  static uint64_t scan(const Kernels& k, const uint8_t* x, size_t n_rows, ScannedRows* out) {
    k.scan_f64(x, n_rows, hash_keys().wide.data(), out);
    return hash_of_lanes(out->sums, 0);
  }
};

/// Whether sums of eight values and of 256 squares are as good in float32 as its rounding: none
/// overflows, and a square that vanishes is one beside a much larger one.
bool fits_float_sums(const ScannedRows& rows) {
  const double largest = std::max(-rows.smallest, rows.largest);
  return largest == 0 || (largest >= 0x1p-40 && largest <= 0x1p59);
}

/// The buckets of a chunk, and the rest of what is merged.
struct ChunkSketch {
  SideSums sums;
  double sum_squares = 0;
  uint64_t hash = 0;
  std::array<double, kSketchBuckets> buckets{};
};

template <size_t kCount>
double sum_of(const double (&values)[kCount]) {
  double lane[kLanes] = {};
  for (size_t i = 0; i < kCount; i += kLanes)
    for (size_t l = 0; l < kLanes; ++l) lane[l] += values[i + l];
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/// A chunk, band by band.
template <class Type>
class Chunk {
 public:
  explicit Chunk(const Kernels& kernels) : kernels_(kernels) {}

  /// n values from value `at` of the tensor on, where a row begins.
  void add(const uint8_t* x, size_t n, uint64_t at) {
    n_rows_ = (n + kRowValues - 1) / kRowValues;
    kernels_.sign_words(at / kRowValues * kSignWordsOfRow, n_rows_ * kSignWordsOfRow, signs_);
    made_.sums.n += n;
    uint64_t hash = 0;
    const bool is_whole = n == n_rows_ * kRowValues;
    if (is_whole) hash = scan(x);
    if (is_whole && rows_.is_finite) {
      add_extrema();
      add_sums(x);
    } else {
      hash = add_part_by_part(x, n);
    }
    made_.hash += mix(hash + random_word(kBandSeed, at / kBandValues));
  }

  ChunkSketch total() {
    WideSums& sums = wide_;
    constexpr size_t kEmpty = kRowPlaces - kRowValues;
    for (size_t i = 0; i < kSketchBuckets; ++i) {
      const size_t place = i < kRowPlaces - kPlaces ? i : i + kEmpty;
      // Values whose sign is -1 are part of all: taken off twice.
      made_.buckets[i] = (sums.all[place] - sums.negative[place]) - sums.negative[place];
      if constexpr (!kIsWide) made_.buckets[i] += narrow_.with_signs[Type::place_of(place)];
    }
    if constexpr (!kIsWide) {
      for (size_t place = 0; place < kRowPlaces; ++place)
        sums.all[place] += narrow_.all[Type::place_of(place)];
      for (size_t place = 0; place < kPlaces; ++place)
        sums.squares[place] += narrow_.squares[Type::place_of(place)];
    }
    made_.sums.sum = sum_of(sums.all);
    made_.sum_squares = sum_of(sums.squares);
    return made_;
  }

 private:
  using Bits = typename Type::Bits;
  static constexpr bool kIsWide = sizeof(Bits) == sizeof(double);

  static bool is_finite(Bits bits) {
    constexpr Bits kMagnitude = std::numeric_limits<std::make_signed_t<Bits>>::max();
    return (bits & kMagnitude) < Type::kInfinity;
  }

  /// Looks at n_rows_ rows; sums them meanwhile, if they are not wide. Returns their hash.
  uint64_t scan(const uint8_t* x) {
    if constexpr (kIsWide)
      return Type::scan(kernels_, x, n_rows_, &rows_);
    else
      return Type::sum(kernels_, x, n_rows_, signs_, &rows_, &band_);
  }

  /// Extrema of the finite rows that were scanned last.
  void add_extrema() {
    made_.sums.min = std::min(made_.sums.min, rows_.smallest);
    made_.sums.max = std::max(made_.sums.max, rows_.largest);
  }

  /// Sums of the finite rows that were scanned last.
  void add_sums(const uint8_t* x) {
    if constexpr (kIsWide) {
      kernels_.add_f64(x, n_rows_, signs_, &wide_);
    } else if (fits_float_sums(rows_)) {
      kernels_.add_band(&band_, &narrow_);
    } else {
      std::vector<Bits> values(n_rows_ * kRowValues);
      std::memcpy(values.data(), x, values.size() * sizeof(Bits));
      std::vector<double> wide(values.size());
      Type::widen(kernels_, values, wide.data());
      kernels_.add_f64(bytes_of(wide), n_rows_, signs_, &wide_);
    }
  }

  /// Rows that are filled up with zeros, or hold NaN or infinities: these are counted, add 0 to the
  /// sums, and enter the hash with one NaN for all of them. Returns the hash.
  uint64_t add_part_by_part(const uint8_t* x, size_t n) {
    std::vector<Bits> hashed(n_rows_ * kRowValues);
    std::memcpy(hashed.data(), x, n * sizeof(Bits));
    std::vector<Bits> summed = hashed;
    for (size_t i = 0; i < n; ++i) {
      const Bits bits = hashed[i];
      if (is_finite(bits)) continue;
      summed[i] = 0;
      if (bits == Type::kInfinity) {
        ++made_.sums.n_positive_inf;
      } else if (static_cast<Bits>(bits << 1) == static_cast<Bits>(Type::kInfinity << 1)) {
        ++made_.sums.n_negative_inf;
      } else {
        ++made_.sums.n_nan;
        hashed[i] = Type::kQuietNan;
      }
    }
    const uint64_t hash = scan(bytes_of(hashed));
    const auto end = hashed.begin() + static_cast<std::ptrdiff_t>(n);
    const auto first = std::find_if(hashed.begin(), end, is_finite);
    if (first == end) return hash;
    // Its extrema are those of the finite values.
    std::vector<Bits> bounded(hashed.size(), *first);
    std::copy_if(first, end, bounded.begin(), is_finite);
    scan(bytes_of(bounded));
    add_extrema();
    scan(bytes_of(summed));
    add_sums(bytes_of(summed));
    return hash;
  }

  const Kernels& kernels_;
  ChunkSketch made_;
  WideSums wide_{};
  NarrowSums narrow_{};  ///< of bands that fit_float_sums(); places as Type::place_of() has them
  // Of the band in hand.
  size_t n_rows_ = 0;
  uint64_t signs_[kBandRows * kSignWordsOfRow];
  ScannedRows rows_;
  BandSums band_;
};

/// Values of a type that has kernels, in place where they are stored so.
template <class Type>
const uint8_t* read_band(BlockReader& reader, const DType& dtype, uint64_t at, size_t n,
                         std::vector<uint8_t>& band) {
  if (Type::is_stored(dtype))
    if (const uint8_t* stored = reader.in_place(at, n)) return stored;
  constexpr size_t kBytes = sizeof(typename Type::Bits);
  band.resize(n * kBytes);
  for (size_t done = 0; done < n; done += kBlock) {
    const size_t part = std::min(kBlock, n - done);
    std::memcpy(band.data() + done * kBytes, Type::read(reader, at + done, part), part * kBytes);
    reader.fetch_ahead();
  }
  return band.data();
}

template <class Type>
ChunkSketch sketch_chunk_of(const View& view, uint64_t begin, uint64_t end,
                            const Kernels& kernels) {
  BlockReader reader(view, kernels);
  reader.stop_at(end);
  Chunk<Type> chunk(kernels);
  std::vector<uint8_t> band;
  for (uint64_t at = begin; at < end; at += kBandValues) {
    const auto n = static_cast<size_t>(std::min<uint64_t>(kBandValues, end - at));
    chunk.add(read_band<Type>(reader, *view.tensor.dtype, at, n, band), n, at);
  }
  return chunk.total();
}

ChunkSketch sketch_chunk(const View& view, uint64_t begin, uint64_t end, const Kernels& kernels) {
  const DType& dtype = *view.tensor.dtype;
  if (dtype.wide) return sketch_chunk_of<Float64>(view, begin, end, kernels);
  if (dtype.coding == Coding::kBfloat16)
    return sketch_chunk_of<Bfloat16>(view, begin, end, kernels);
  return sketch_chunk_of<Float32>(view, begin, end, kernels);
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
  const uint64_t n_chunks = (n_values + kChunkValues - 1) / kChunkValues;
  OrderedMerge merged(into);
  parallel_for(n_chunks, n_threads, [&](uint64_t chunk) {
    const uint64_t begin = chunk * kChunkValues;
    const uint64_t end = std::min(begin + kChunkValues, n_values);
    merged.add(chunk, sketch_chunk(view, begin, end, kernels));
  });
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
