// 64 bytes of values in as many registers as the CPU level needs: one zmm, two ymm, or four xmm /
// NEON registers; eight lanes of float64, or sixteen floats. Included by kernels.cpp inside its
// anonymous namespace. Vector extensions of GCC and Clang, no intrinsics.

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
typedef float HalfFloats __attribute__((vector_size(kRegisterBytes / 2)));

template <class T>
struct IntOf;
template <>
struct IntOf<double> {
  typedef int64_t Type;
};
template <>
struct IntOf<float> {
  typedef int32_t Type;
};

/// 64 bytes of T, and the integers of the same width for its bits.
template <class T>
struct Group {
  typedef T Register __attribute__((vector_size(kRegisterBytes)));
  typedef typename IntOf<T>::Type Int;
  typedef Int Bits __attribute__((vector_size(kRegisterBytes)));
  Register v[kRegisters];
};

using Lanes = Group<double>;
using Floats = Group<float>;
constexpr size_t kFloats = 2 * kLanes;

template <class T>
inline Group<T> fill(T value) {
  Group<T> r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = typename Group<T>::Register{} + value;
  return r;
}

inline Lanes splat(double value) { return fill<double>(value); }

/// Sixteen floats at any alignment, as they are.
inline Floats load_floats(const uint8_t* at) {
  Floats r;
  for (size_t i = 0; i < kRegisters; ++i) memcpy(&r.v[i], at + i * kRegisterBytes, kRegisterBytes);
  return r;
}

/// Eight floats or doubles at any alignment.
template <class T>
inline Lanes load(const uint8_t* at);

/// Floats widened to doubles. __builtin_convertvector would do, but GCC 12 splits it into halves:
/// five instructions for one.
inline Doubles widened(const uint8_t* at) {
#if defined(__AVX512F__)
  return (Doubles)_mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(reinterpret_cast<const float*>(at)));
#elif defined(__AVX__)
  return (Doubles)_mm256_cvtps_pd(_mm_loadu_ps(reinterpret_cast<const float*>(at)));
#else
  HalfFloats narrow;
  memcpy(&narrow, at, sizeof narrow);
  return __builtin_convertvector(narrow, Doubles);
#endif
}

template <>
inline Lanes load<float>(const uint8_t* at) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = widened(at + i * sizeof(Doubles) / 2);
  return r;
}

template <>
inline Lanes load<double>(const uint8_t* at) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i)
    memcpy(&r.v[i], at + i * sizeof(Doubles), sizeof(Doubles));
  return r;
}

#define AIT_GROUP_OPERATOR(op)                                         \
  template <class T>                                                   \
  inline Group<T> operator op(const Group<T>& a, const Group<T>& b) {  \
    Group<T> r;                                                        \
    for (size_t i = 0; i < kRegisters; ++i) r.v[i] = a.v[i] op b.v[i]; \
    return r;                                                          \
  }
AIT_GROUP_OPERATOR(+)
AIT_GROUP_OPERATOR(-)
AIT_GROUP_OPERATOR(*)
AIT_GROUP_OPERATOR(/)
#undef AIT_GROUP_OPERATOR

/// a * b + c, rounded once where the CPU can. Only for exact products: elsewhere the bits would
/// differ.
inline Lanes fused_multiply_add(const Lanes& a, const Lanes& b, const Lanes& c) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i) {
#if defined(__AVX512F__)
    r.v[i] = (Doubles)_mm512_fmadd_pd((__m512d)a.v[i], (__m512d)b.v[i], (__m512d)c.v[i]);
#elif defined(__FMA__)
    r.v[i] = (Doubles)_mm256_fmadd_pd((__m256d)a.v[i], (__m256d)b.v[i], (__m256d)c.v[i]);
#elif defined(__aarch64__)
    r.v[i] = (Doubles)vfmaq_f64((float64x2_t)c.v[i], (float64x2_t)a.v[i], (float64x2_t)b.v[i]);
#else
    r.v[i] = a.v[i] * b.v[i] + c.v[i];
#endif
  }
  return r;
}

inline Lanes abs(const Lanes& a) {
  Lanes r;
  for (size_t i = 0; i < kRegisters; ++i)
    r.v[i] = (Doubles)((Lanes::Bits)a.v[i] & (Lanes::Bits{} + INT64_MAX));
  return r;
}

// a > b ? a : b in one instruction; GCC 12 makes two of it. (The maskz forms: its header warns of
// the plain ones.)
#if defined(__AVX512F__)
inline __m512d larger_register(__m512d a, __m512d b) { return _mm512_maskz_max_pd(0xff, a, b); }
inline __m512 larger_register(__m512 a, __m512 b) { return _mm512_maskz_max_ps(0xffff, a, b); }
#elif defined(__AVX__)
inline __m256d larger_register(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
inline __m256 larger_register(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
#else
template <class Register>
inline Register larger_register(Register a, Register b) {
  return a > b ? a : b;
}
#endif

template <class T>
inline Group<T> larger(const Group<T>& a, const Group<T>& b) {
  Group<T> r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = larger_register(a.v[i], b.v[i]);
  return r;
}

/// `a` in the lanes where b > c, else 0.
template <class T>
inline Group<T> where_larger(const Group<T>& b, const Group<T>& c, const Group<T>& a) {
  typedef typename Group<T>::Bits Bits;
  typedef typename Group<T>::Register Register;
  Group<T> r;
  for (size_t i = 0; i < kRegisters; ++i)
    r.v[i] = (Register)((Bits)a.v[i] & (Bits)(b.v[i] > c.v[i]));
  return r;
}

template <class T>
inline void store(const Group<T>& a, T* at) {
  for (size_t i = 0; i < kRegisters; ++i)
    memcpy(at + i * kRegisterBytes / sizeof(T), &a.v[i], kRegisterBytes);
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
