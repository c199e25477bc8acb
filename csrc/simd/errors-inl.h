// Sums over a block of pairs: values, errors, and errors beside the size of the golden values.
// Included by kernels.cpp inside its anonymous namespace.

// --- doubles -------------------------------------------------------------------------------------

struct ErrorLanes {
  Lanes dd = splat(0), sum_abs = dd, sum_rel = dd, shift = dd, max_abs = dd, max_rel = dd;

  void add(const Lanes& a, const Lanes& b) {
    const Lanes d = a - b, error = abs(d), size = abs(b);
    const Lanes rel = where_larger(size, splat(kTiny), error / size);
    dd = dd + d * d;
    sum_abs = sum_abs + error;
    sum_rel = sum_rel + rel;
    shift = shift + (abs(a) - size);
    max_abs = larger(error, max_abs);
    max_rel = larger(rel, max_rel);
  }
  void total(PairBlock* out) const {
    out->sum_dd = sum_of(dd);
    out->sum_abs = sum_of(sum_abs);
    out->sum_rel = sum_of(sum_rel);
    out->sum_shift = sum_of(shift);
    out->max_abs = largest_of(max_abs);
    out->max_rel = largest_of(max_rel);
    out->is_finite = out->sum_abs <= kLargestDouble;
  }
};

/// The divisor of a mean |y| must not be 0: where it and |y| are, any error is 1.
inline double divisor(double sum_size, size_t n, double smallest) {
  const double mean = sum_size / static_cast<double>(n);
  return mean > smallest ? mean : smallest;
}

void pair_f64(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, const Ahead* ahead,
              PairBlock* out) {
  const Block<double> x{x_bytes, n}, y{y_bytes, n};
  ValueLanes<double> values;
  ErrorLanes errors;
  Lanes size = splat(0), ee = size;
  Fetch fetch{*ahead};
  for_each_group(x, y, [&](const Lanes& a, const Lanes& b) {
    fetch.next();
    values.add(a, b);
    size = size + abs(b);
  });
  for_each_group(x, y, [&](const Lanes& a, const Lanes& b) { errors.add(a, b); });
  values.total(out);
  errors.total(out);
  out->sum_size = sum_of(size);
  const Lanes mean = splat(divisor(out->sum_size, n, 0x1p-1074)), one = splat(1);
  for_each_group(x, y, [&](const Lanes& a, const Lanes& b) {
    const Lanes e = smaller(abs(a - b) / (abs(b) + mean), one);
    ee = ee + e * e;
  });
  out->sum_ee = sum_of(ee);
  extrema(x, &out->min_x, &out->max_x);
  extrema(y, &out->min_y, &out->max_y);
}

// --- floats --------------------------------------------------------------------------------------

/// Values that a lane sums as float before they are added to double.
constexpr size_t kRun = 16;

/// A sum of floats: sixteen lanes of a run, eight lanes of all.
struct RunSum {
  Floats run = fill(0.0f);
  Lanes all = splat(0);

  void add(const Floats& a) { run = run + a; }
  void end_run() {
    all = add_floats(all, run);
    run = fill(0.0f);
  }
  double total() const { return sum_of(all); }
};

/// A block of n floats in groups of kFloats.
struct FloatBlock {
  const uint8_t* bytes;
  size_t n;

  Floats group(size_t g) const { return load_floats(bytes + g * kFloats * sizeof(float)); }
  /// The last, partial group, filled up with zeros, which add nothing.
  Floats tail() const {
    float values[kFloats] = {};
    const size_t left = n % kFloats;
    memcpy(values, bytes + (n - left) * sizeof(float), left * sizeof(float));
    return load_floats(values);
  }
};

/// Calls `add(g, x, y)` for every group of floats, `end_run` after every kRun of them and the last.
template <class Add, class EndRun>
inline void for_each_run(const FloatBlock& x, const FloatBlock& y, Add add, EndRun end_run) {
  const size_t whole = x.n / kFloats;
  for (size_t begin = 0; begin < whole; begin += kRun) {
    const size_t end = begin + kRun < whole ? begin + kRun : whole;
    for (size_t g = begin; g < end; ++g) add(g, x.group(g), y.group(g));
    end_run();
  }
  if (x.n % kFloats == 0) return;
  add(whole, x.tail(), y.tail());
  end_run();
}

/// Errors; their maximum is that of rounded ones.
struct ErrorRuns {
  RunSum sum_abs, squares, shift;
  Floats largest = fill(0.0f);

  void add(const Floats& d, const Floats& x_size, const Floats& y_size) {
    const Floats error = abs(d);
    sum_abs.add(error);
    squares.add(d * d);
    shift.add(x_size - y_size);
    largest = larger(error, largest);
  }
  void end_run() {
    sum_abs.end_run();
    squares.end_run();
    shift.end_run();
  }
  void total(PairBlock* out) const {
    out->sum_abs = sum_abs.total();
    out->sum_dd = squares.total();
    out->sum_shift = shift.total();
    out->max_abs = largest_of(largest);
    out->is_finite = out->sum_abs <= kLargestDouble;
  }
};

/// Errors beside |y|, and beside |y| + mean |y|. One division for both: it costs as much as ten
/// other instructions.
struct ShareRuns {
  Floats mean;
  RunSum sum_rel, squares;
  Floats largest = fill(0.0f);

  explicit ShareRuns(double mean_size) : mean(fill(static_cast<float>(mean_size))) {}

  /// Returns the relative error.
  Floats add(const Floats& error, const Floats& y_size) {
    const Floats tiny = fill(static_cast<float>(kTiny)), one = fill(1.0f);
    const Floats both = y_size + mean, size = select_larger(y_size, tiny, y_size, one);
    const Floats quotient = error / (size * both);
    const Floats rel = where_larger(y_size, tiny, quotient * both);
    const Floats e = smaller(quotient * size, one);
    sum_rel.add(rel);
    squares.add(e * e);
    largest = larger(rel, largest);
    return rel;
  }
  void end_run() {
    sum_rel.end_run();
    squares.end_run();
  }
  void total(PairBlock* out) const {
    out->sum_rel = sum_rel.total();
    out->sum_ee = squares.total();
    out->max_rel = largest_of(largest);
  }
};

/// Extrema, and the sum of |y|; returns the mean of |y| as a divisor.
inline double add_sizes(const FloatBlock& x, const FloatBlock& y, PairBlock* out) {
  RunSum size;
  for_each_run(
      x, y, [&](size_t, const Floats&, const Floats& b) { size.add(abs(b)); },
      [&] { size.end_run(); });
  extrema(Block<float>{x.bytes, x.n}, &out->min_x, &out->max_x);
  extrema(Block<float>{y.bytes, y.n}, &out->min_y, &out->max_y);
  out->sum_size = size.total();
  return divisor(out->sum_size, x.n, 0x1p-126);
}

/// Sums over the values of a whole block, and what add_sizes gives, in one loop.
inline double whole_values(const FloatBlock& x, const FloatBlock& y, const Ahead& ahead,
                           PairBlock* out) {
  const Block<float> x_lanes{x.bytes, kBlock}, y_lanes{y.bytes, kBlock};
  Extrema<float> x_found(x_lanes.first()), y_found(y_lanes.first());
  ValueLanes<float> values;
  RunSum size;
  Fetch fetch{ahead};
  for_each_run(
      x, y,
      [&](size_t g, const Floats& a, const Floats& b) {
        fetch.next();
        fetch.next();
        x_found.add(a);
        y_found.add(b);
        size.add(abs(b));
        values.add(x_lanes.group(2 * g), y_lanes.group(2 * g));
        values.add(x_lanes.group(2 * g + 1), y_lanes.group(2 * g + 1));
      },
      [&] { size.end_run(); });
  values.total(out);
  x_found.total(&out->min_x, &out->max_x);
  y_found.total(&out->min_y, &out->max_y);
  out->sum_size = size.total();
  return divisor(out->sum_size, kBlock, 0x1p-126);
}

/// In several loops, each of which has registers enough.
void pair_in_loops(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, const Ahead* ahead,
                   PairBlock* out) {
  const Block<float> x_lanes{x_bytes, n}, y_lanes{y_bytes, n};
  const FloatBlock x{x_bytes, n}, y{y_bytes, n};
  ValueLanes<float> values;
  Fetch fetch{*ahead};
  for_each_group(x_lanes, y_lanes, [&](const Lanes& a, const Lanes& b) {
    fetch.next();
    values.add(a, b);
  });
  values.total(out);
  ShareRuns shares(add_sizes(x, y, out));
  ErrorRuns errors;
  for_each_run(
      x, y, [&](size_t, const Floats& a, const Floats& b) { errors.add(a - b, abs(a), abs(b)); },
      [&] { errors.end_run(); });
  errors.total(out);
  for_each_run(
      x, y,
      [&](size_t g, const Floats& a, const Floats& b) {
        store(shares.add(abs(a - b), abs(b)), out->rel + g * kFloats);
      },
      [&] { shares.end_run(); });
  shares.total(out);
}

/// How many values of n are below the limit; `add` makes groups of all bits where they are.
size_t count_below(const float* values, size_t n, float limit) {
  const Floats most = fill(limit);
  Floats::Bits count[kRegisters] = {};
  const FloatBlock block{reinterpret_cast<const uint8_t*>(values), n};
  const auto add = [&](const Floats& v) {
    for (size_t i = 0; i < kRegisters; ++i) count[i] -= v.v[i] < most.v[i];
  };
  for (size_t g = 0; g < n / kFloats; ++g) add(block.group(g));
  size_t below = 0;
  for (size_t i = 0; i < kRegisters; ++i)
    for (size_t l = 0; l < kFloats / kRegisters; ++l) below += static_cast<size_t>(count[i][l]);
  for (size_t i = n / kFloats * kFloats; i < n; ++i) below += values[i] < limit ? 1 : 0;
  return below;
}

/// How many pairs of n values differ.
template <class T>
size_t count_differ(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n) {
  typedef typename Group<T>::Bits Bits;
  constexpr size_t kValues = sizeof(Group<T>) / sizeof(T);
  Bits count[kRegisters] = {};
  for (size_t g = 0; g < n / kValues; ++g) {
    const Group<T> a = load_group<T>(x_bytes + g * sizeof a),
                   b = load_group<T>(y_bytes + g * sizeof b);
    for (size_t i = 0; i < kRegisters; ++i) count[i] -= a.v[i] != b.v[i];
  }
  size_t differ = 0;
  for (size_t i = 0; i < kRegisters; ++i)
    for (size_t l = 0; l < kValues / kRegisters; ++l) differ += static_cast<size_t>(count[i][l]);
  for (size_t i = n / kValues * kValues; i < n; ++i) {
    T a, b;
    memcpy(&a, x_bytes + i * sizeof a, sizeof a);
    memcpy(&b, y_bytes + i * sizeof b, sizeof b);
    differ += a != b ? 1 : 0;
  }
  return differ;
}
