// SIMD lanes: one source for SSE2/NEON, AVX2+FMA and AVX-512. Each target_*.cc sets MS_TARGET (a namespace) and is
// compiled with its own -m flags. A lane group is LANES<T> runs; its arrays are [..][LANES<T>], 64-byte aligned.
//
// Fused multiply-adds happen only where fma() is written, so that targets with FMA hardware agree bit for bit.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#if defined(__x86_64__) || defined(_M_X64)
# include <immintrin.h>
#elif defined(__aarch64__)
# include <arm_neon.h>
#endif

namespace MS_TARGET {

#if defined(__AVX512F__)
constexpr int BYTES = 64;
#elif defined(__AVX2__)
constexpr int BYTES = 32;
#else
constexpr int BYTES = 16;
#endif

/// Runs in a lane group, on every target.
template <class T>
constexpr int LANES = 128 / int(sizeof(T));
/// Lanes of one register, and registers of one lane group.
template <class T>
constexpr int W = BYTES / int(sizeof(T));
template <class T>
constexpr int VPL = LANES<T> / W<T>;

typedef double VecD __attribute__((vector_size(BYTES)));
typedef float VecF __attribute__((vector_size(BYTES)));
typedef int64_t IntD __attribute__((vector_size(BYTES)));
typedef int32_t IntF __attribute__((vector_size(BYTES)));
/// For sums and shifts that may leave the range: of signed integers these are not defined.
typedef uint64_t UintD __attribute__((vector_size(BYTES)));
typedef uint32_t UintF __attribute__((vector_size(BYTES)));

template <class T>
struct VecOf;
template <>
struct VecOf<double> {
  using type = VecD;
  using ints = IntD;
  using unsigned_ints = UintD;
  using scalar_int = int64_t;
};
template <>
struct VecOf<float> {
  using type = VecF;
  using ints = IntF;
  using unsigned_ints = UintF;
  using scalar_int = int32_t;
};
template <class T>
using Vec = typename VecOf<T>::type;
/// Integers of the same width; also the masks that comparisons give (all bits or none).
template <class T>
using Int = typename VecOf<T>::ints;

#define MS_INLINE static inline __attribute__((always_inline))

template <class T>
MS_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const Vec<T>*>(p);
}
template <class T>
MS_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<Vec<T>*>(p) = v;
}
template <class T>
MS_INLINE Vec<T> broadcast(T x) {
  return x - Vec<T>{};
}
MS_INLINE VecD fma(VecD a, VecD b, VecD c) {
#if defined(__AVX512F__)
  return VecD(_mm512_fmadd_pd(__m512d(a), __m512d(b), __m512d(c)));
#elif defined(__AVX2__)
  return VecD(_mm256_fmadd_pd(__m256d(a), __m256d(b), __m256d(c)));
#elif defined(__aarch64__)
  return VecD(vfmaq_f64(float64x2_t(c), float64x2_t(a), float64x2_t(b)));
#else
  return a * b + c;
#endif
}
MS_INLINE VecF fma(VecF a, VecF b, VecF c) {
#if defined(__AVX512F__)
  return VecF(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(c)));
#elif defined(__AVX2__)
  return VecF(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(c)));
#elif defined(__aarch64__)
  return VecF(vfmaq_f32(float32x4_t(c), float32x4_t(a), float32x4_t(b)));
#else
  return a * b + c;
#endif
}
/// Scalar form for loops over lanes that the compiler vectorises.
template <class T>
MS_INLINE T fmas(T a, T b, T c) {
#if defined(__AVX512F__) || defined(__AVX2__) || defined(__aarch64__)
  if constexpr (sizeof(T) == 8) return __builtin_fma(a, b, c);
  else return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

template <class T, class M>
MS_INLINE Vec<T> select(M mask, Vec<T> a, Vec<T> b) {
  return mask ? a : b;
}
// a < b ? a : b and a > b ? a : b, which is what the x86 instructions do; GCC takes two for them. (Its AVX-512 forms
// without a mask warn of a variable of their own.)
#if defined(__AVX512F__)
MS_INLINE VecD vmin(VecD a, VecD b) { return VecD(_mm512_maskz_min_pd(__mmask8(-1), __m512d(a), __m512d(b))); }
MS_INLINE VecD vmax(VecD a, VecD b) { return VecD(_mm512_maskz_max_pd(__mmask8(-1), __m512d(a), __m512d(b))); }
MS_INLINE VecF vmin(VecF a, VecF b) { return VecF(_mm512_maskz_min_ps(__mmask16(-1), __m512(a), __m512(b))); }
MS_INLINE VecF vmax(VecF a, VecF b) { return VecF(_mm512_maskz_max_ps(__mmask16(-1), __m512(a), __m512(b))); }
#elif defined(__AVX2__)
MS_INLINE VecD vmin(VecD a, VecD b) { return VecD(_mm256_min_pd(__m256d(a), __m256d(b))); }
MS_INLINE VecD vmax(VecD a, VecD b) { return VecD(_mm256_max_pd(__m256d(a), __m256d(b))); }
MS_INLINE VecF vmin(VecF a, VecF b) { return VecF(_mm256_min_ps(__m256(a), __m256(b))); }
MS_INLINE VecF vmax(VecF a, VecF b) { return VecF(_mm256_max_ps(__m256(a), __m256(b))); }
#elif defined(__x86_64__) || defined(_M_X64)
MS_INLINE VecD vmin(VecD a, VecD b) { return VecD(_mm_min_pd(__m128d(a), __m128d(b))); }
MS_INLINE VecD vmax(VecD a, VecD b) { return VecD(_mm_max_pd(__m128d(a), __m128d(b))); }
MS_INLINE VecF vmin(VecF a, VecF b) { return VecF(_mm_min_ps(__m128(a), __m128(b))); }
MS_INLINE VecF vmax(VecF a, VecF b) { return VecF(_mm_max_ps(__m128(a), __m128(b))); }
#else
template <class V>
MS_INLINE V vmin(V a, V b) {
  return a < b ? a : b;
}
template <class V>
MS_INLINE V vmax(V a, V b) {
  return a > b ? a : b;
}
#endif
MS_INLINE VecD vsqrt(VecD a) {
#if defined(__AVX512F__)
  return VecD(_mm512_maskz_sqrt_pd(__mmask8(-1), __m512d(a)));
#elif defined(__AVX2__)
  return VecD(_mm256_sqrt_pd(__m256d(a)));
#elif defined(__x86_64__) || defined(_M_X64)
  return VecD(_mm_sqrt_pd(__m128d(a)));
#else
  for (int l = 0; l < W<double>; l++) a[l] = std::sqrt(a[l]);
  return a;
#endif
}
MS_INLINE VecF vsqrt(VecF a) {
#if defined(__AVX512F__)
  return VecF(_mm512_maskz_sqrt_ps(__mmask16(-1), __m512(a)));
#elif defined(__AVX2__)
  return VecF(_mm256_sqrt_ps(__m256(a)));
#elif defined(__x86_64__) || defined(_M_X64)
  return VecF(_mm_sqrt_ps(__m128(a)));
#else
  for (int l = 0; l < W<float>; l++) a[l] = std::sqrt(a[l]);
  return a;
#endif
}
template <class T>
MS_INLINE Vec<T> vabs(Vec<T> a) {
  using S = typename VecOf<T>::scalar_int;
  return (Vec<T>)((Int<T>)a & (Int<T>{} + std::numeric_limits<S>::max()));
}

/// Whether any lane of a mask is set.
template <class T>
MS_INLINE bool any_lane(Int<T> mask) {
#if defined(__AVX512F__)
  return _mm512_test_epi64_mask(__m512i(mask), __m512i(mask)) != 0;
#elif defined(__AVX2__)
  return !_mm256_testz_si256(__m256i(mask), __m256i(mask));
#else
  typename VecOf<T>::scalar_int all = 0;
  for (int l = 0; l < W<T>; l++) all |= mask[l];
  return all != 0;
#endif
}

/// `value` in the lanes whose byte has the bit, 0 in the others.
template <class T>
MS_INLINE Vec<T> keep(const uint8_t* bytes, uint8_t bit, Vec<T> value) {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
  if constexpr (sizeof(T) == 8) {
    const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes));
    return Vec<T>(_mm512_maskz_mov_pd(__mmask8(_mm_test_epi8_mask(low, _mm_set1_epi8(char(bit)))), __m512d(value)));
  } else {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    return Vec<T>(_mm512_maskz_mov_ps(_mm_test_epi8_mask(low, _mm_set1_epi8(char(bit))), __m512(value)));
  }
#else
  typedef uint8_t Bytes __attribute__((vector_size(W<T>)));
  Bytes low;
  std::memcpy(&low, bytes, sizeof low);
  return (__builtin_convertvector(low, Int<T>) & bit) != 0 ? value : broadcast(T(0));
#endif
}

/// Every lane of a lane group, in loops that are not worth registers by hand.
#define MS_LANES for (int l = 0; l < L; l++)

}  // namespace MS_TARGET
