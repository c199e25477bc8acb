// Eight lanes of float64 in as many registers as the CPU level needs: one zmm, two ymm, or four xmm
// / NEON registers. Included by kernels.cpp inside its anonymous namespace. Vector extensions of
// GCC and Clang, no intrinsics.

#if defined(__AVX512F__)
constexpr size_t kRegisterBytes = 64;
#elif defined(__AVX__)
constexpr size_t kRegisterBytes = 32;
#else
constexpr size_t kRegisterBytes = 16;
#endif

constexpr size_t kPerRegister = kRegisterBytes / sizeof(double);
constexpr size_t kRegisters = kLanes / kPerRegister;

typedef double Doubles __attribute__((vector_size(kRegisterBytes)));
typedef int64_t Ints __attribute__((vector_size(kRegisterBytes)));
typedef float HalfFloats __attribute__((vector_size(kRegisterBytes / 2)));

struct Lanes {
  Doubles v[kRegisters];
};

inline Lanes splat(double value) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = Doubles{} + value;
  return r;
}

/// Eight floats or doubles at any alignment.
template <class T>
inline Lanes load(const uint8_t* at);

template <>
inline Lanes load<float>(const uint8_t* at) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i) {
    HalfFloats narrow;
    memcpy(&narrow, at + i * sizeof narrow, sizeof narrow);
    r.v[i] = __builtin_convertvector(narrow, Doubles);
  }
  return r;
}

template <>
inline Lanes load<double>(const uint8_t* at) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i)
    memcpy(&r.v[i], at + i * sizeof(Doubles), sizeof(Doubles));
  return r;
}

#define AIT_LANES_OPERATOR(op)                                         \
  inline Lanes operator op(const Lanes& a, const Lanes& b) {           \
    Lanes r;                                                           \
    for (size_t i = 0; i < kRegisters; ++i) r.v[i] = a.v[i] op b.v[i]; \
    return r;                                                          \
  }
AIT_LANES_OPERATOR(+)
AIT_LANES_OPERATOR(-)
AIT_LANES_OPERATOR(*)
AIT_LANES_OPERATOR(/)
#undef AIT_LANES_OPERATOR

inline Lanes abs(const Lanes& a) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = (Doubles)((Ints)a.v[i] & (Ints{} + INT64_MAX));
  return r;
}

inline Lanes larger(const Lanes& a, const Lanes& b) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return r;
}

/// `a` in the lanes where b > c, else 0.
inline Lanes where_larger(const Lanes& b, const Lanes& c, const Lanes& a) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i)
    r.v[i] = (Doubles)((Ints)a.v[i] & (Ints)(b.v[i] > c.v[i]));
  return r;
}

inline void store(const Lanes& a, double* at) {
  for (size_t i = 0; i < kRegisters; ++i) memcpy(at + i * kPerRegister, &a.v[i], sizeof(Doubles));
}

/// The one fixed order in which eight lanes become a number.
inline double sum_of(const Lanes& a) {
  double l[kLanes];
  store(a, l);
  return ((l[0] + l[1]) + (l[2] + l[3])) + ((l[4] + l[5]) + (l[6] + l[7]));
}

inline double largest_of(const Lanes& a) {
  double l[kLanes];
  store(a, l);
  for (size_t i = 1; i < kLanes; ++i) l[0] = l[i] > l[0] ? l[i] : l[0];
  return l[0];
}
