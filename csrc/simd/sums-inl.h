// Sums and extrema of a block. Included by kernels.cpp inside its anonymous namespace.
// Each loop keeps at most six lane sums: with more, AVX2's sixteen registers spill.

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

template <class T>
void pair(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, PairBlock* out) {
  const Block<T> x{x_bytes, n}, y{y_bytes, n};
  const Lanes zero = splat(0);
  {
    Lanes sx = zero, sy = zero, xx = zero, yy = zero, xy = zero;
    for_each_group(x, y, [&](const Lanes& a, const Lanes& b) {
      sx = sx + a;
      sy = sy + b;
      xx = xx + a * a;
      yy = yy + b * b;
      xy = xy + a * b;
    });
    out->sum_x = sum_of(sx);
    out->sum_y = sum_of(sy);
    out->sum_xx = sum_of(xx);
    out->sum_yy = sum_of(yy);
    out->sum_xy = sum_of(xy);
  }
  {
    // Relative errors count where |y| is above the spacing of float32 at 1.
    const Lanes tiny = splat(0x1p-23);
    Lanes dd = zero, sum_abs = zero, sum_rel = zero, max_abs = zero, max_rel = zero;
    for_each_group(x, y, [&](const Lanes& a, const Lanes& b) {
      const Lanes d = a - b;
      const Lanes error = abs(d);
      const Lanes size = abs(b);
      const Lanes rel = where_larger(size, tiny, error / size);
      dd = dd + d * d;
      sum_abs = sum_abs + error;
      sum_rel = sum_rel + rel;
      max_abs = larger(error, max_abs);
      max_rel = larger(rel, max_rel);
    });
    out->sum_dd = sum_of(dd);
    out->sum_abs = sum_of(sum_abs);
    out->sum_rel = sum_of(sum_rel);
    out->max_abs = largest_of(max_abs);
    out->max_rel = largest_of(max_rel);
    out->is_finite = out->sum_abs <= 0x1.fffffffffffffp1023;
  }
  {
    // Extrema do not mind a value twice: the tail is filled with the first one.
    Lanes min_x = splat(x.first()), max_x = min_x, min_y = splat(y.first()), max_y = min_y;
    const auto add = [&](const Lanes& a, const Lanes& b) {
      min_x = smaller(a, min_x);
      max_x = larger(a, max_x);
      min_y = smaller(b, min_y);
      max_y = larger(b, max_y);
    };
    for (size_t g = 0; g < x.whole(); ++g) add(x.group(g), y.group(g));
    if (n % kLanes != 0) add(x.tail(x.first()), y.tail(y.first()));
    out->min_x = smallest_of(min_x);
    out->max_x = largest_of(max_x);
    out->min_y = smallest_of(min_y);
    out->max_y = largest_of(max_y);
  }
}

template <class T>
void stats(const uint8_t* bytes, size_t n, StatsBlock* out) {
  const Block<T> x{bytes, n};
  Lanes sum = splat(0), xx = sum, min = splat(x.first()), max = min, size = sum;
  const auto add = [&](const Lanes& a, const Lanes& extreme) {
    sum = sum + a;
    xx = xx + a * a;
    size = size + abs(a);
    min = smaller(extreme, min);
    max = larger(extreme, max);
  };
  for (size_t g = 0; g < x.whole(); ++g) {
    const Lanes a = x.group(g);
    add(a, a);
  }
  if (n % kLanes != 0) add(x.tail(0), x.tail(x.first()));
  out->sum = sum_of(sum);
  out->sum_xx = sum_of(xx);
  out->min = smallest_of(min);
  out->max = largest_of(max);
  out->is_finite = sum_of(size) <= 0x1.fffffffffffffp1023;
}
