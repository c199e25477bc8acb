// Sums over a block of pairs: values, errors, and errors beside the size of the golden values.
// Included by kernels.cpp inside its anonymous namespace.

// --- doubles -------------------------------------------------------------------------------------

/// How many pairs fulfil a condition, lane by lane.
template <class T>
struct Counts {
  typename Group<T>::Bits n[kRegisters] = {};

  void add_where_larger(const Group<T>& a, const Group<T>& b) {
    for (size_t i = 0; i < kRegisters; ++i) n[i] = counted(n[i], a.v[i], b.v[i]);
  }
  size_t total() const {
    constexpr size_t kValues = sizeof(Group<T>) / sizeof(T);
    typename Group<T>::Int all[kValues];
    memcpy(all, n, sizeof all);
    size_t sum = 0;
    for (size_t l = 0; l < kValues; ++l) sum += static_cast<size_t>(all[l]);
    return sum;
  }
};

struct ErrorLanes {
  Lanes dd = splat(0), sum_abs = dd, sum_rel = dd, shift = dd, max_abs = dd, max_rel = dd;
  Counts<double> thousandth, five_thousandths;

  void add(const Lanes& a, const Lanes& b) {
    const Lanes d = a - b, error = abs(d), size = abs(b);
    const Lanes quotient = error / size, tiny = splat(kTiny), one = splat(1);
    const Lanes rel = where_larger(size, tiny, quotient);
    const Lanes share = select_larger(size, tiny, quotient, where_larger(error, tiny, one));
    thousandth.add_where_larger(splat(0.001), share);
    five_thousandths.add_where_larger(splat(0.005), share);
    dd = dd + d * d;
    sum_abs = sum_abs + error;
    sum_rel = sum_rel + rel;
    shift = shift + (abs(a) - size);
    max_abs = larger(error, max_abs);
    max_rel = larger(rel, max_rel);
  }
  void total(Totals& totals, PairBlock* out) const {
    totals.add(dd, &out->sum_dd);
    totals.add(sum_abs, &out->sum_abs);
    totals.add(sum_rel, &out->sum_rel);
    totals.add(shift, &out->sum_shift);
    out->max_abs = largest_of(max_abs);
    out->max_rel = largest_of(max_rel);
    out->n_thousandth = thousandth.total();
    out->n_five_thousandths = five_thousandths.total();
  }
};

/// The zeros that fill up the last group are close to each other: not counted.
inline void leave_out_zeros(size_t n, size_t n_of_group, PairBlock* out) {
  const size_t n_zeros = (n_of_group - n % n_of_group) % n_of_group;
  out->n_thousandth -= n_zeros;
  out->n_five_thousandths -= n_zeros;
}

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
  Totals value_sums, error_sums;
  values.total(value_sums, out);
  value_sums.add(size, &out->sum_size);
  value_sums.write();
  errors.total(error_sums, out);
  error_sums.write();
  out->is_finite = out->sum_abs <= kLargestDouble;
  leave_out_zeros(n, kLanes, out);
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
  void add_square(const Floats& a) { run = fused_multiply_add(a, a, run); }
  void end_run() {
    all = add_floats(all, run);
    run = fill(0.0f);
  }
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

/// The sizes of a block: of golden values.
struct Sizes {
  double mean;     ///< as a divisor, not 0
  bool none_tiny;  ///< all are above kTiny
};

/// The size where it is above kTiny, else `other`.
template <bool kNoneTiny>
inline Floats unless_tiny(const Floats& size, const Floats& other) {
  if constexpr (kNoneTiny) return size;
  return select_larger(size, fill(static_cast<float>(kTiny)), size, other);
}

/// Errors; their maximum is that of rounded ones.
template <bool kNoneTiny>
struct ErrorRuns {
  RunSum sum_abs, squares, shift;
  Floats largest = fill(0.0f);
  Counts<float> thousandth, five_thousandths;

  [[gnu::always_inline]] void add(const Floats& d, const Floats& x_size, const Floats& y_size) {
    const Floats error = abs(d);
    sum_abs.add(error);
    squares.add_square(d);
    shift.add(x_size - y_size);
    largest = larger(error, largest);
    count_close<1000>(thousandth, error, y_size);
    count_close<200>(five_thousandths, error, y_size);
  }
  /// Counts the pairs with error / |y| < 1 / kParts. Exact: near this limit x - y is exact
  /// (Sterbenz), and one rounding leaves kParts * error - |y| its sign. Where |y| <= kTiny, those
  /// with an error up to kTiny: kParts times it is below the float after kParts * kTiny, that of
  /// the next float is not.
  template <int kParts>
  [[gnu::always_inline]] static void count_close(Counts<float>& close, const Floats& error,
                                                 const Floats& y_size) {
    constexpr auto kTinyParts = static_cast<float>(kTiny * kParts * (1 + 0x1p-24));
    const Floats size = unless_tiny<kNoneTiny>(y_size, fill(kTinyParts));
    const Floats beyond = fused_multiply_subtract(error, fill(static_cast<float>(kParts)), size);
    close.add_where_larger(fill(0.0f), beyond);
  }
  void end_run() {
    sum_abs.end_run();
    squares.end_run();
    shift.end_run();
  }
  void total(Totals& totals, PairBlock* out) const {
    totals.add(sum_abs.all, &out->sum_abs);
    totals.add(squares.all, &out->sum_dd);
    totals.add(shift.all, &out->sum_shift);
    out->max_abs = largest_of(largest);
    out->n_thousandth = thousandth.total();
    out->n_five_thousandths = five_thousandths.total();
  }
};

/// Errors beside |y|, and beside |y| + mean |y|. One division for both: it costs as much as ten
/// other instructions.
template <bool kNoneTiny>
struct ShareRuns {
  Floats mean;
  RunSum sum_rel, squares;
  Floats largest = fill(0.0f);

  explicit ShareRuns(double mean_size) : mean(fill(static_cast<float>(mean_size))) {}

  /// Returns the relative error.
  [[gnu::always_inline]] Floats add(const Floats& error, const Floats& y_size) {
    const Floats one = fill(1.0f), tiny = fill(static_cast<float>(kTiny));
    const Floats both = y_size + mean, size = unless_tiny<kNoneTiny>(y_size, one);
    const Floats quotient = error / (size * both);
    Floats rel = quotient * both;
    if constexpr (!kNoneTiny) rel = where_larger(y_size, tiny, rel);
    const Floats e = smaller(quotient * size, one);
    sum_rel.add(rel);
    squares.add_square(e);
    largest = larger(rel, largest);
    return rel;
  }
  void end_run() {
    sum_rel.end_run();
    squares.end_run();
  }
  void total(Totals& totals, PairBlock* out) const {
    totals.add(sum_rel.all, &out->sum_rel);
    totals.add(squares.all, &out->sum_ee);
    out->max_rel = largest_of(largest);
  }
};

/// Golden values, as they are summed.
struct SizeRuns {
  RunSum sum;
  Floats least = fill(__builtin_inff());

  void add(const Floats& y_size) {
    sum.add(y_size);
    least = smaller(y_size, least);
  }
  /// Of n values, whose sum is known.
  Sizes total(size_t n, const PairBlock& block) const {
    return {divisor(block.sum_size, n, 0x1p-126),
            smallest_value(least) > static_cast<float>(kTiny)};
  }
};

/// Sums over the values of a whole block, and what add_sizes gives, in one loop.
inline Sizes whole_values(const uint8_t* x_bytes, const uint8_t* y_bytes, Fetch& fetch,
                          PairBlock* out) {
  const FloatBlock x{x_bytes, kBlock}, y{y_bytes, kBlock};
  const Block<float> x_lanes{x_bytes, kBlock}, y_lanes{y_bytes, kBlock};
  Extrema<float> x_found(x_lanes.first()), y_found(y_lanes.first());
  ValueLanes<float> values;
  SizeRuns sizes;
  for_each_run(
      x, y,
      [&](size_t g, const Floats& a, const Floats& b) {
        if (g % 2 == 0) fetch.next_x();
        x_found.add(a);
        y_found.add(b);
        sizes.add(abs(b));
        values.add(x_lanes.group(2 * g), y_lanes.group(2 * g));
        values.add(x_lanes.group(2 * g + 1), y_lanes.group(2 * g + 1));
      },
      [&] { sizes.sum.end_run(); });
  Totals totals;
  values.total(totals, out);
  totals.add(sizes.sum.all, &out->sum_size);
  totals.write();
  x_found.total(&out->min_x, &out->max_x);
  y_found.total(&out->min_y, &out->max_y);
  return sizes.total(kBlock, *out);
}

/// Errors in two loops, each of which has registers enough.
template <bool kNoneTiny>
void errors_in_loops(const FloatBlock& x, const FloatBlock& y, double mean, Fetch& fetch,
                     PairBlock* out) {
  ErrorRuns<kNoneTiny> errors;
  Totals totals;
  for_each_run(
      x, y,
      [&](size_t, const Floats& a, const Floats& b) AIT_INLINE {
        fetch.next_x();
        errors.add(a - b, abs(a), abs(b));
      },
      [&] { errors.end_run(); });
  errors.total(totals, out);
  leave_out_zeros(x.n, kFloats, out);
  ShareRuns<kNoneTiny> shares(mean);
  for_each_run(
      x, y,
      [&](size_t g, const Floats& a, const Floats& b) AIT_INLINE {
        fetch.next_y();
        store(shares.add(abs(a - b), abs(b)), out->rel + g * kFloats);
      },
      [&] { shares.end_run(); });
  shares.total(totals, out);
  totals.write();
}

/// In several loops.
void pair_in_loops(const uint8_t* x_bytes, const uint8_t* y_bytes, size_t n, const Ahead* ahead,
                   PairBlock* out) {
  const Block<float> x_lanes{x_bytes, n}, y_lanes{y_bytes, n};
  const FloatBlock x{x_bytes, n}, y{y_bytes, n};
  ValueLanes<float> values;
  for_each_group(x_lanes, y_lanes,
                 [&](const Lanes& a, const Lanes& b) AIT_INLINE { values.add(a, b); });
  SizeRuns runs;
  for_each_run(
      x, y, [&](size_t, const Floats&, const Floats& b) AIT_INLINE { runs.add(abs(b)); },
      [&] { runs.sum.end_run(); });
  Totals totals;
  values.total(totals, out);
  totals.add(runs.sum.all, &out->sum_size);
  totals.write();
  extrema(x_lanes, &out->min_x, &out->max_x);
  extrema(y_lanes, &out->min_y, &out->max_y);
  Fetch fetch = fetch_for_floats(*ahead);
  const Sizes sizes = runs.total(n, *out);
  if (sizes.none_tiny)
    errors_in_loops<true>(x, y, sizes.mean, fetch, out);
  else
    errors_in_loops<false>(x, y, sizes.mean, fetch, out);
  out->is_finite = out->sum_abs <= kLargestDouble;
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
