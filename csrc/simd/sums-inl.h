// Sums and extrema of a block. Included by kernels.cpp inside its anonymous namespace.

/// A block of n values as whole groups of lanes; the last, partial group comes from a copy that is
/// filled up.
template <class T>
struct Block {
  const uint8_t* bytes;
  size_t n;

  size_t whole() const { return n / kLanes; }
  Lanes group(size_t g) const {
    // Straight from the bytes: GCC would copy an array in between by halves, and each load would
    // wait for two stores.
    return load<T>(bytes + g * kLanes * sizeof(T));
  }
  /// Values past the end become `fill`; called when n % kLanes != 0.
  Lanes tail(T fill) const {
    T value[kLanes];
    const size_t left = n % kLanes;
    for (size_t l = 0; l < kLanes; ++l) value[l] = fill;
    memcpy(value, bytes + (n - left) * sizeof(T), left * sizeof(T));
    return load<T>(reinterpret_cast<const uint8_t*>(value));
  }
  T first() const {
    T value;
    memcpy(&value, bytes, sizeof value);
    return value;
  }
};

/// Calls `add(x, y)` for every group of lanes; the last one filled up with zeros, which add
/// nothing.
template <class T, class Add>
inline void for_each_group(const Block<T>& x, const Block<T>& y, Add add) {
  const size_t groups = x.whole();
  for (size_t g = 0; g < groups; ++g) add(x.group(g), y.group(g));
  if (x.n % kLanes != 0) add(x.tail(0), y.tail(0));
}

/// Smallest and largest value, in the values' own type: a quarter of the cost of extrema of lanes
/// in double. 64 bytes of partial results on every CPU level, so that the same zero of +0 and -0
/// wins everywhere.
template <class T>
struct Extrema {
  Group<T> low, high;

  explicit Extrema(T any) : low(fill(any)), high(low) {}
  void add(const Group<T>& v) {
    low = smaller(v, low);
    high = larger(v, high);
  }
  void total(double* smallest, double* largest) const {
    *smallest = smallest_value(low);
    *largest = largest_value(high);
  }
};

template <class T>
inline void extrema(const Block<T>& x, double* smallest, double* largest) {
  constexpr size_t kBytes = sizeof(Group<T>);
  Extrema<T> found(x.first());
  const size_t groups = x.n * sizeof(T) / kBytes;
  for (size_t g = 0; g < groups; ++g) found.add(load_group<T>(x.bytes + g * kBytes));
  if (const size_t left = x.n * sizeof(T) % kBytes; left != 0) {
    uint8_t filled[kBytes];  // a value twice does no harm
    store(fill(x.first()), reinterpret_cast<T*>(filled));
    memcpy(filled, x.bytes + groups * kBytes, left);
    found.add(load_group<T>(filled));
  }
  found.total(smallest, largest);
}

constexpr double kLargestDouble = 0x1.fffffffffffffp1023;

/// sum + a * b. Products of floats are exact in double, so that a fused multiply-add, which rounds
/// once, gives the same bits as the two instructions of CPUs without it.
template <class T>
inline Lanes add_product(const Lanes& sum, const Lanes& a, const Lanes& b) {
  if constexpr (sizeof(T) == sizeof(float)) return fused_multiply_add(a, b, sum);
  return sum + a * b;
}

/// Eight lanes of the sums over values.
template <class T>
struct ValueLanes {
  Lanes sx = splat(0), sy = sx, xx = sx, yy = sx, xy = sx;

  void add(const Lanes& a, const Lanes& b) {
    sx = sx + a;
    sy = sy + b;
    xx = add_product<T>(xx, a, a);
    yy = add_product<T>(yy, b, b);
    xy = add_product<T>(xy, a, b);
  }
  void total(Totals& totals, PairBlock* out) const {
    totals.add(sx, &out->sum_x);
    totals.add(sy, &out->sum_y);
    totals.add(xx, &out->sum_xx);
    totals.add(yy, &out->sum_yy);
    totals.add(xy, &out->sum_xy);
  }
};

/// Asks for stored bytes of the next blocks, a little at each call.
struct Fetch {
  Ahead at;

  void next() {
    next_x();
    next_y();
  }
  void next_x() {
    __builtin_prefetch(at.x);
    at.x += at.x_bytes;
  }
  void next_y() {
    __builtin_prefetch(at.y);
    at.y += at.y_bytes;
  }
};

/// One call for every 16 values.
inline Fetch fetch_for_floats(const Ahead& ahead) {
  return {{ahead.x, ahead.y, 2 * ahead.x_bytes, 2 * ahead.y_bytes}};
}

template <class T>
void stats(const uint8_t* bytes, size_t n, StatsBlock* out) {
  const Block<T> x{bytes, n};
  Lanes sum = splat(0), xx = sum, size = sum;
  const auto add = [&](const Lanes& a) {
    sum = sum + a;
    xx = add_product<T>(xx, a, a);
    size = size + abs(a);
  };
  for (size_t g = 0; g < x.whole(); ++g) add(x.group(g));
  if (n % kLanes != 0) add(x.tail(0));
  out->sum = sum_of(sum);
  out->sum_xx = sum_of(xx);
  out->sum_size = sum_of(size);
  out->is_finite = out->sum_size <= kLargestDouble;
  extrema(x, &out->min, &out->max);
}
