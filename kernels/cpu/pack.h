// A pack of U SIMD registers that go through the same operations together. Elementary functions are long chains of
// dependent operations: a single chain leaves the arithmetic units idle, U of them in step keep the units busy (on a
// core with two 512-bit units tanh takes half the time at U = 8).
#pragma once

#include "lanes.h"

namespace MS_TARGET {

/// Registers of a pack: as many as leave room for the intermediate results of tanh.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int PACK = 8;
#else
constexpr int PACK = 4;
#endif

#define MS_MEMBER inline __attribute__((always_inline))
#define MS_EACH _Pragma("GCC unroll 8") for (int k = 0; k < U; k++)

/// All bits or none in every lane.
template <class T, int U>
struct Mask {
  Int<T> m[U];
  friend MS_MEMBER Mask operator&(const Mask& a, const Mask& b) {
    Mask r;
    MS_EACH r.m[k] = a.m[k] & b.m[k];
    return r;
  }
  friend MS_MEMBER Mask operator|(const Mask& a, const Mask& b) {
    Mask r;
    MS_EACH r.m[k] = a.m[k] | b.m[k];
    return r;
  }
  friend MS_MEMBER Mask operator~(const Mask& a) {
    Mask r;
    MS_EACH r.m[k] = ~a.m[k];
    return r;
  }
  /// Whether any lane is in it.
  friend MS_MEMBER bool any(const Mask& a) {
    Int<T> all = a.m[0];
    for (int k = 1; k < U; k++) all |= a.m[k];
    return any_lane<T>(all);
  }
};

/// The bits of a pack as integers.
template <class T, int U>
struct Bits {
  using S = typename VecOf<T>::scalar_int;
  using Wrapping = typename VecOf<T>::unsigned_ints;
  Int<T> i[U];
  friend MS_MEMBER Bits operator+(const Bits& a, const Bits& b) {
    Bits r;
    MS_EACH r.i[k] = (Int<T>)((Wrapping)a.i[k] + (Wrapping)b.i[k]);
    return r;
  }
  friend MS_MEMBER Bits operator+(const Bits& a, S b) {
    Bits r;
    MS_EACH r.i[k] = (Int<T>)((Wrapping)a.i[k] + std::make_unsigned_t<S>(b));
    return r;
  }
  friend MS_MEMBER Bits operator-(const Bits& a, const Bits& b) {
    Bits r;
    MS_EACH r.i[k] = (Int<T>)((Wrapping)a.i[k] - (Wrapping)b.i[k]);
    return r;
  }
  friend MS_MEMBER Bits operator&(const Bits& a, S b) {
    Bits r;
    MS_EACH r.i[k] = a.i[k] & b;
    return r;
  }
  friend MS_MEMBER Bits operator|(const Bits& a, const Bits& b) {
    Bits r;
    MS_EACH r.i[k] = a.i[k] | b.i[k];
    return r;
  }
  friend MS_MEMBER Bits operator|(const Bits& a, S b) {
    Bits r;
    MS_EACH r.i[k] = a.i[k] | b;
    return r;
  }
  friend MS_MEMBER Bits operator<<(const Bits& a, int n) {
    Bits r;
    MS_EACH r.i[k] = (Int<T>)((Wrapping)a.i[k] << n);
    return r;
  }
  /// With the sign kept.
  friend MS_MEMBER Bits operator>>(const Bits& a, int n) {
    Bits r;
    MS_EACH r.i[k] = a.i[k] >> n;
    return r;
  }
};

template <class T, int U>
struct Pack {
  using S = typename VecOf<T>::scalar_int;
  Vec<T> v[U];
  MS_MEMBER Pack() {}
  MS_MEMBER Pack(T x) { MS_EACH v[k] = broadcast(x); }
  MS_MEMBER explicit Pack(const Bits<T, U>& b) { MS_EACH v[k] = (Vec<T>)b.i[k]; }

#define MS_ARITHMETIC(op)                                           \
  friend MS_MEMBER Pack operator op(const Pack& a, const Pack& b) { \
    Pack r;                                                         \
    MS_EACH r.v[k] = a.v[k] op b.v[k];                              \
    return r;                                                       \
  }
  MS_ARITHMETIC(+)
  MS_ARITHMETIC(-)
  MS_ARITHMETIC(*)
  MS_ARITHMETIC(/)
#undef MS_ARITHMETIC

#define MS_COMPARISON(op)                                                 \
  friend MS_MEMBER Mask<T, U> operator op(const Pack& a, const Pack& b) { \
    Mask<T, U> r;                                                         \
    MS_EACH r.m[k] = a.v[k] op b.v[k];                                    \
    return r;                                                             \
  }
  MS_COMPARISON(<)
  MS_COMPARISON(<=)
  MS_COMPARISON(>)
  MS_COMPARISON(>=)
  MS_COMPARISON(==)
#undef MS_COMPARISON

  MS_MEMBER Pack& operator+=(const Pack& b) { return *this = *this + b; }
  friend MS_MEMBER Pack operator-(const Pack& a) {
    Pack r;
    MS_EACH r.v[k] = -a.v[k];
    return r;
  }
  friend MS_MEMBER Pack fma(const Pack& a, const Pack& b, const Pack& c) {
    Pack r;
    MS_EACH r.v[k] = MS_TARGET::fma(a.v[k], b.v[k], c.v[k]);
    return r;
  }
  friend MS_MEMBER Pack select(const Mask<T, U>& mask, const Pack& a, const Pack& b) {
    Pack r;
    MS_EACH r.v[k] = mask.m[k] ? a.v[k] : b.v[k];
    return r;
  }
  /// The larger; the second where either is NaN, as the processors have it.
  friend MS_MEMBER Pack max(const Pack& a, const Pack& b) {
    Pack r;
    MS_EACH r.v[k] = vmax(a.v[k], b.v[k]);
    return r;
  }
  friend MS_MEMBER Pack min(const Pack& a, const Pack& b) {
    Pack r;
    MS_EACH r.v[k] = vmin(a.v[k], b.v[k]);
    return r;
  }
  friend MS_MEMBER Pack sqrt(const Pack& a) {
    Pack r;
    MS_EACH r.v[k] = vsqrt(a.v[k]);
    return r;
  }
  friend MS_MEMBER Bits<T, U> bits(const Pack& a) {
    Bits<T, U> r;
    MS_EACH r.i[k] = (Int<T>)a.v[k];
    return r;
  }
  friend MS_MEMBER Pack abs(const Pack& a) { return Pack(bits(a) & std::numeric_limits<S>::max()); }
  friend MS_MEMBER Pack negative_abs(const Pack& a) { return Pack(bits(a) | std::numeric_limits<S>::min()); }
  /// |a| with the sign of b, for a whose sign bit is set.
  friend MS_MEMBER Pack negative_with_sign(const Pack& a, const Pack& b) {
    Pack r;
    const Int<T> sign = Int<T>{} + std::numeric_limits<S>::min();
    MS_EACH r.v[k] = (Vec<T>)((Int<T>)a.v[k] ^ (~(Int<T>)b.v[k] & sign));
    return r;
  }
  /// |a| with the sign of b.
  friend MS_MEMBER Pack copysign(const Pack& a, const Pack& b) {
    return Pack((bits(a) & std::numeric_limits<S>::max()) | (bits(b) & std::numeric_limits<S>::min()));
  }
};

/// Integers as numbers.
template <class T, int U>
MS_INLINE Pack<T, U> number(const Bits<T, U>& a) {
  Pack<T, U> r;
  MS_EACH r.v[k] = __builtin_convertvector(a.i[k], Vec<T>);
  return r;
}

/// The entries of an eight-entry table at the last three bits of `at`.
template <class T, class Entry>
MS_INLINE Int<T> pick(const Entry* table, Int<T> at) {
  static_assert(sizeof(Entry) == sizeof(T));
#if defined(__AVX512F__)
  // The forms without a mask warn of a variable of their own.
  if constexpr (sizeof(T) == 8)
    return Int<T>(_mm512_maskz_permutexvar_epi64(-1, __m512i(at), _mm512_load_si512(table)));
  const __m512i twice = _mm512_maskz_broadcast_i64x4(-1, _mm256_load_si256((const __m256i*)table));
  return Int<T>(_mm512_maskz_permutexvar_epi32(-1, __m512i(at), twice));
#elif defined(__AVX2__)
  const __m256i low = _mm256_load_si256((const __m256i*)table);
  if constexpr (sizeof(T) == 4) {
    return Int<T>(_mm256_permutevar8x32_epi32(low, __m256i(at)));
  } else {
    // Pairs of 32-bit halves, from the lower and the upper four entries.
    const __m256i high = _mm256_load_si256((const __m256i*)table + 1);
    const __m256i twice = _mm256_slli_epi64(__m256i(at), 1);
    const __m256i pair = _mm256_or_si256(_mm256_shuffle_epi32(twice, 0xa0), _mm256_set1_epi64x(int64_t(1) << 32));
    const __m256d from_low = __m256d(_mm256_permutevar8x32_epi32(low, pair));
    const __m256d from_high = __m256d(_mm256_permutevar8x32_epi32(high, pair));
    return Int<T>(_mm256_blendv_pd(from_low, from_high, __m256d(_mm256_slli_epi64(__m256i(at), 61))));
  }
#else
  Int<T> r;
  for (int l = 0; l < W<T>; l++) {
    typename VecOf<T>::scalar_int entry;
    std::memcpy(&entry, table + (at[l] & 7), sizeof entry);
    r[l] = entry;
  }
  return r;
#endif
}
template <class T, int U, class Entry>
MS_INLINE Bits<T, U> pick(const Entry* table, const Bits<T, U>& at) {
  Bits<T, U> r;
  MS_EACH r.i[k] = pick<T>(table, at.i[k]);
  return r;
}

/// U consecutive registers.
template <int U, class T>
MS_INLINE Pack<T, U> load_pack(const T* p) {
  Pack<T, U> r;
  MS_EACH r.v[k] = load(p + k * W<T>);
  return r;
}
template <class T, int U>
MS_INLINE void store(T* p, const Pack<T, U>& a) {
  MS_EACH store(p + k * W<T>, a.v[k]);
}

}  // namespace MS_TARGET
