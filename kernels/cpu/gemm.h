// Register-blocked products over lane groups: out[n][lane] += Σ_k b(k, n) q[k][lane]. `b` is either a plain matrix that
// every lane shares (rows of data) or a lane array. Every sum runs over k from first to last, whatever the blocking.
#pragma once

#include "lanes.h"

namespace MS_TARGET {

// Accumulators NB × VB, VB registers of q and a broadcast must fit the register file: 32 registers on AVX-512, 16
// elsewhere.
#if defined(__AVX512F__)
constexpr int NB_MAX = 12, VB = 2;
#elif defined(__aarch64__)
constexpr int NB_MAX = 12, VB = 2;
#else
constexpr int NB_MAX = 6, VB = 2;
#endif

/// q of `product` from memory: lane groups `stride` lane groups apart.
template <class T>
MS_INLINE auto stored(const T* q, ptrdiff_t stride) {
  return [=](ptrdiff_t k, int v) { return load(q + k * stride * LANES<T> + v * W<T>); };
}

/// What becomes of the numbers in the place of the result: they are replaced, added to, or multiplied.
enum class Into { set, add, scale };

/// b(k, n) = b[k·bk + n·bn], shared by the lanes.
template <class T>
struct Shared {
  const T* b;
  ptrdiff_t bk, bn;
  MS_INLINE Vec<T> at(const Shared& s, ptrdiff_t k, int n, int) { return broadcast(s.b[k * s.bk + n * s.bn]); }
  Shared from(int n) const { return {b + n * bn, bk, bn}; }
};
/// b(k, n) = b[k·bk + n·bn][lane]; strides count lane groups.
template <class T>
struct PerLane {
  const T* b;
  ptrdiff_t bk, bn;
  MS_INLINE Vec<T> at(const PerLane& s, ptrdiff_t k, int n, int v) {
    return load(s.b + (k * s.bk + n * s.bn) * LANES<T> + v * W<T>);
  }
  PerLane from(int n) const { return {b + n * bn * LANES<T>, bk, bn}; }
};

template <class T, class B, int NB, class Q>
MS_INLINE void block(const B& b, const Q& q, int K, T* out, ptrdiff_t on, Into into) {
  constexpr int L = LANES<T>;
  for (int v0 = 0; v0 < VPL<T>; v0 += VB) {
    Vec<T> acc[NB][VB];
#pragma GCC unroll 16
    for (int n = 0; n < NB; n++)
#pragma GCC unroll 4
      for (int v = 0; v < VB; v++) acc[n][v] = into == Into::add ? load(out + n * on * L + (v0 + v) * W<T>) : Vec<T>{};
    for (int k = 0; k < K; k++) {
      Vec<T> qv[VB];
#pragma GCC unroll 4
      for (int v = 0; v < VB; v++) qv[v] = q(k, v0 + v);
#pragma GCC unroll 16
      for (int n = 0; n < NB; n++)
#pragma GCC unroll 4
        for (int v = 0; v < VB; v++) acc[n][v] = fma(B::at(b, k, n, v0 + v), qv[v], acc[n][v]);
    }
#pragma GCC unroll 16
    for (int n = 0; n < NB; n++)
#pragma GCC unroll 4
      for (int v = 0; v < VB; v++) {
        T* place = out + n * on * L + (v0 + v) * W<T>;
        store(place, into == Into::scale ? load(place) * acc[n][v] : acc[n][v]);
      }
  }
}

/// The last M < NB_MAX columns: one instance of `block` for each size keeps all accumulators busy.
template <class T, class B, int NB, class Q>
MS_INLINE void remainder(const B& b, int M, const Q& q, int K, T* out, ptrdiff_t on, Into into) {
  if constexpr (NB > 0) {
    if (M == NB) block<T, B, NB>(b, q, K, out, on, into);
    else remainder<T, B, NB - 1>(b, M, q, K, out, on, into);
  }
}

/// out[n·on] =, += or *= Σ_k b(k, n) q(k), n = 0 … M−1; strides of out count lane groups. q(k, v): register v of q(k).
template <class T, class B, class Q>
void product(B b, int M, Q q, int K, T* out, ptrdiff_t on, Into into) {
  int n = 0;
  for (; n + NB_MAX <= M; n += NB_MAX) block<T, B, NB_MAX>(b.from(n), q, K, out + n * on * LANES<T>, on, into);
  remainder<T, B, NB_MAX - 1>(b.from(n), M - n, q, K, out + n * on * LANES<T>, on, into);
}

}  // namespace MS_TARGET
