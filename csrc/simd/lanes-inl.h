// 64 bytes of values in as many registers as the CPU level needs: one zmm, two ymm, or four xmm /
// NEON registers; eight lanes of float64, or sixteen floats. Included by kernels.cpp inside its
// anonymous namespace. Vector extensions of GCC and Clang; intrinsics where GCC 12 makes several
// instructions of one.

// Of lambdas that loops call: GCC gives one with two callers a frame in memory.
#define AIT_INLINE __attribute__((always_inline))

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

/// Element kIndex[i] of a and, behind it, b at each place i.
template <int... kIndex, class Register>
inline Register shuffled(const Register& a, const Register& b) {
#if defined(__clang__) || __GNUC__ >= 12
  return __builtin_shufflevector(a, b, kIndex...);
#else
  return __builtin_shuffle(a, b, (decltype(a == b)){kIndex...});
#endif
}

/// Element kIndex[i] at each place i.
template <int... kIndex, class Register>
inline Register shuffled(const Register& v) {
  return shuffled<kIndex...>(v, v);
}

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

/// 64 bytes of T at any alignment, as they are.
template <class T>
inline Group<T> load_group(const uint8_t* at) {
  Group<T> r;
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

inline Floats load_floats(const uint8_t* at) { return load_group<float>(at); }
inline Floats load_floats(const float (&values)[kFloats]) {
  return load_floats(reinterpret_cast<const uint8_t*>(values));
}

/// a * b + c, rounded once where the CPU can. Only for exact products: with others, the bits would
/// differ where it cannot.
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

#if !defined(__AVX__) && !defined(__aarch64__)
/// a * b + c of floats, rounded once, on a CPU that has no instruction for it. The product is exact
/// in double. Its sum with c is rounded to odd: when inexact, the neighbour towards 0 with its last
/// bit set. That keeps apart what rounding twice could make equal, as 53 > 24 + 2. Source: Boldo
/// and Melquiond, "Emulation of FMA and correctly rounded sums", IEEE TC 57(4), 2008.
inline Doubles multiply_add_to_odd(const Doubles& a, const Doubles& b, const Doubles& c) {
  const Doubles p = a * b, sum = p + c;
  const Doubles c_part = sum - p;
  const Doubles error = (p - (sum - c_part)) + (c - c_part);
  const Lanes::Bits is_inexact = error != Doubles{};  // all bits
  const Lanes::Bits is_past =
      ((Lanes::Bits)error ^ (Lanes::Bits)sum) >> 63;  // -1: beyond the truth
  const Lanes::Bits toward_zero = (Lanes::Bits)sum + (is_past & is_inexact);
  return (Doubles)(toward_zero | (is_inexact & 1));
}
#endif

/// a * b + c of floats, rounded once.
inline Floats fused_multiply_add(const Floats& a, const Floats& b, const Floats& c) {
  Floats r;
  for (size_t i = 0; i < kRegisters; ++i) {
#if defined(__AVX512F__)
    r.v[i] = (Floats::Register)_mm512_fmadd_ps((__m512)a.v[i], (__m512)b.v[i], (__m512)c.v[i]);
#elif defined(__FMA__)
    r.v[i] = (Floats::Register)_mm256_fmadd_ps((__m256)a.v[i], (__m256)b.v[i], (__m256)c.v[i]);
#elif defined(__aarch64__)
    r.v[i] =
        (Floats::Register)vfmaq_f32((float32x4_t)c.v[i], (float32x4_t)a.v[i], (float32x4_t)b.v[i]);
#else
    for (size_t half = 0; half < 2; ++half) {
      const auto part = [half](const Floats::Register& v) {
        HalfFloats narrow;
        memcpy(&narrow, reinterpret_cast<const uint8_t*>(&v) + half * sizeof narrow, sizeof narrow);
        return __builtin_convertvector(narrow, Doubles);
      };
      const HalfFloats rounded = __builtin_convertvector(
          multiply_add_to_odd(part(a.v[i]), part(b.v[i]), part(c.v[i])), HalfFloats);
      memcpy(reinterpret_cast<uint8_t*>(&r.v[i]) + half * sizeof rounded, &rounded, sizeof rounded);
    }
#endif
  }
  return r;
}

/// factor[0] + factor[1] x + ... by Horner's rule.
template <size_t kCount>
inline Floats polynomial(const float (&factor)[kCount], const Floats& x) {
  Floats p = fill(factor[kCount - 1]);
  for (size_t i = kCount - 1; i-- > 0;) p = fused_multiply_add(p, x, fill(factor[i]));
  return p;
}

template <class T>
inline Group<T> abs(const Group<T>& a) {
  typedef typename Group<T>::Bits Bits;
  constexpr auto kAllButSign =
      static_cast<typename Group<T>::Int>(~(uint64_t{1} << (8 * sizeof(T) - 1)));
  Group<T> r;
  for (size_t i = 0; i < kRegisters; ++i)
    r.v[i] = (typename Group<T>::Register)((Bits)a.v[i] & (Bits{} + kAllButSign));
  return r;
}

/// a * b - c of floats, rounded once.
inline Floats fused_multiply_subtract(const Floats& a, const Floats& b, const Floats& c) {
  Floats r;
#if defined(__AVX512F__)
  r.v[0] = (Floats::Register)_mm512_fmsub_ps((__m512)a.v[0], (__m512)b.v[0], (__m512)c.v[0]);
#elif defined(__FMA__)
  for (size_t i = 0; i < kRegisters; ++i)
    r.v[i] = (Floats::Register)_mm256_fmsub_ps((__m256)a.v[i], (__m256)b.v[i], (__m256)c.v[i]);
#else
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = -c.v[i];
  r = fused_multiply_add(a, b, r);
#endif
  return r;
}

/// n + 1 in the lanes where a > b. (Of a mask of its own, GCC 12 makes a register first.)
#if defined(__AVX512F__)
inline Lanes::Bits counted(Lanes::Bits n, Doubles a, Doubles b) {
  const __mmask8 larger = _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GT_OQ);
  return (Lanes::Bits)_mm512_mask_sub_epi64((__m512i)n, larger, (__m512i)n, _mm512_set1_epi64(-1));
}
inline Floats::Bits counted(Floats::Bits n, Floats::Register a, Floats::Register b) {
  const __mmask16 larger = _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
  return (Floats::Bits)_mm512_mask_sub_epi32((__m512i)n, larger, (__m512i)n, _mm512_set1_epi32(-1));
}
#else
template <class Bits, class Register>
inline Bits counted(const Bits& n, const Register& a, const Register& b) {
  return n - (Bits)(a > b);
}
#endif

// a > b ? a : b and a < b ? a : b in one instruction; GCC 12 makes two of it. (The maskz forms: its
// header warns of the plain ones.)
#if defined(__AVX512F__)
inline __m512d larger_register(__m512d a, __m512d b) { return _mm512_maskz_max_pd(0xff, a, b); }
inline __m512 larger_register(__m512 a, __m512 b) { return _mm512_maskz_max_ps(0xffff, a, b); }
inline __m512d smaller_register(__m512d a, __m512d b) { return _mm512_maskz_min_pd(0xff, a, b); }
inline __m512 smaller_register(__m512 a, __m512 b) { return _mm512_maskz_min_ps(0xffff, a, b); }
#elif defined(__AVX__)
inline __m256d larger_register(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
inline __m256 larger_register(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
inline __m256d smaller_register(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
inline __m256 smaller_register(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
#else
template <class Register>
inline Register larger_register(Register a, Register b) {
  return a > b ? a : b;
}
template <class Register>
inline Register smaller_register(Register a, Register b) {
  return a < b ? a : b;
}
#endif

template <class T>
inline Group<T> larger(const Group<T>& a, const Group<T>& b) {
  Group<T> r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = larger_register(a.v[i], b.v[i]);
  return r;
}

template <class T>
inline Group<T> smaller(const Group<T>& a, const Group<T>& b) {
  Group<T> r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = smaller_register(a.v[i], b.v[i]);
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

/// `a` in the lanes where b > c, else `other`.
template <class T>
inline Group<T> select_larger(const Group<T>& b, const Group<T>& c, const Group<T>& a,
                              const Group<T>& other) {
  Group<T> r;
  for (size_t i = 0; i < kRegisters; ++i) r.v[i] = b.v[i] > c.v[i] ? a.v[i] : other.v[i];
  return r;
}

template <class T>
inline void store(const Group<T>& a, T* at) {
  for (size_t i = 0; i < kRegisters; ++i)
    memcpy(at + i * kRegisterBytes / sizeof(T), &a.v[i], kRegisterBytes);
}
