// Householder tridiagonalisation of a symmetric matrix of every lane, a register of lanes at a time. Twin with the
// explanations and sources: src/core/linalg.ts.
#pragma once

#include <algorithm>

#include "pack.h"
#include "problem.h"

namespace MS_TARGET {

using manystart::Aligned;

/// diag(s) A diag(s) = Q T Qᵀ. Reflector k stands in row k of `v`, columns k + 1 …; e[P−1] is not used.
template <class T>
struct Factor {
  Aligned<T> v, d, e, tau;
  void resize(int P) {
    const size_t L = LANES<T>;
    v.resize(size_t(P) * P * L);
    for (auto* a : {&d, &e, &tau}) {
      a->resize(P * L);
      std::fill(a->get(), a->get() + P * L, T(0));
    }
  }
};

/// Numbers of scratch memory that `tridiagonalize` wants.
template <class T>
constexpr size_t tridiagonal_scratch(size_t P) {
  return 2 * P * LANES<T>;
}

/// The matrix of one register of lanes; element i of a vector is L numbers after element i − 1.
template <class T>
class Tridiagonal {
  static constexpr int L = LANES<T>;
  using V = Vec<T>;
  /// Rows that pass together: their vectors stay in registers.
#if defined(__AVX512F__) || defined(__aarch64__)
  static constexpr int together = 4;
#else
  static constexpr int together = 2;
#endif

 public:
  Tridiagonal(T* matrix, int P, T* scratch) : M(matrix), P(P), y(scratch), w(scratch + size_t(P) * L) {}

  void run(T* d, T* e, T* tau) {
    for (int k = 0; k < P; k++) {
      T* row = at(k);
      if (k > 0) {
        // A ← A − v wᵀ − w vᵀ, of which the trailing rows get their share in the pass for the next product.
        const T* v = at(k - 1);
        const V vk = element(v, k), wk = element(w, k);
        for (int j = k; j < P; j++) put(row, j, fma(-vk, element(w, j), fma(-wk, element(v, j), element(row, j))));
      }
      store(d + size_t(k) * L, element(row, k));
      if (k == P - 1) {
        store(e + size_t(k) * L, V{});
        store(tau + size_t(k) * L, V{});
        return;
      }
      const V t = reflector(row, k, e + size_t(k) * L);
      store(tau + size_t(k) * L, t);
      for (int j = k + 1; j < P; j++) put(y, j, V{});
      if (k > 0) pass<true>(k, at(k - 1), row);
      else pass<false>(k, nullptr, row);
      V vy{};
      for (int j = k + 1; j < P; j++) vy = fma(element(y, j), element(row, j), vy);
      const V half = T(0.5) * t * t * vy;
      for (int j = k + 1; j < P; j++) put(y, j, fma(-half, element(row, j), t * element(y, j)));
      std::swap(y, w);
    }
  }

 private:
  T* at(int row) const { return M + size_t(row) * P * L; }
  static inline __attribute__((always_inline)) V element(const T* a, int i) { return load(a + size_t(i) * L); }
  static inline __attribute__((always_inline)) void put(T* a, int i, V value) { store(a + size_t(i) * L, value); }

  /// Turns columns k + 1 … of row k into the reflector's vector; returns τ and stores the sub-diagonal element.
  V reflector(T* row, int k, T* e) {
    V largest{}, tail{}, square{};
    const V zero{}, one = broadcast(T(1));
    const V first = element(row, k + 1);
    for (int j = k + 1; j < P; j++) {
      const V a = vabs<T>(element(row, j));
      largest = vmax(a, largest);
      if (j > k + 1) tail += a;
    }
    // The reciprocal of a subnormal number may overflow; what is that small beside the diagonal is nothing.
    const auto tiny = largest < broadcast(std::numeric_limits<T>::min());
    const V unit = tiny ? zero : one / largest;
    const V head = first * unit;
    for (int j = k + 1; j < P; j++) {
      const V a = element(row, j) * unit;
      square = fma(a, a, square);
    }
    const V norm = vsqrt(square);
    const V alpha = head > zero ? -norm : norm;
    // Nothing below the sub-diagonal: no reflection in that lane.
    const auto none = (tail == zero) | tiny;
    const V tau = none ? zero : one / (norm * (norm + vabs<T>(head)));
    store(e, V(none ? first : alpha * largest));
    for (int j = k + 1; j < P; j++) put(row, j, V(none ? zero : element(row, j) * unit));
    put(row, k + 1, V(none ? zero : head - alpha));
    return tau;
  }

  /// y += A v over the rows and columns after k, from the upper triangle; before that, with `update`, A ← A − u wᵀ − w
  /// uᵀ.
  template <bool update>
  void pass(int k, const T* u, const T* v) {
    int i = k + 1;
    for (; i + together <= P; i += together) rows<update, together>(i, u, v);
    for (; i < P; i++) rows<update, 1>(i, u, v);
  }

  template <bool update, int R>
  inline __attribute__((always_inline)) void rows(int i, const T* u, const T* v) {
    V ui[R], wi[R], vi[R], sum[R] = {};
    T* row[R];
#pragma GCC unroll 4
    for (int a = 0; a < R; a++) {
      row[a] = at(i + a);
      vi[a] = element(v, i + a);
      if (update) ui[a] = -element(u, i + a), wi[a] = -element(w, i + a);
    }
#pragma GCC unroll 4
    for (int a = 0; a < R; a++)
#pragma GCC unroll 4
      for (int b = a; b < R; b++) {
        V x = element(row[a], i + b);
        if (update) {
          x = fma(ui[a], element(w, i + b), fma(wi[a], element(u, i + b), x));
          put(row[a], i + b, x);
        }
        sum[a] = fma(x, vi[b], sum[a]);
        if (b > a) sum[b] = fma(x, vi[a], sum[b]);
      }
    for (int j = i + R; j < P; j++) {
      const V vj = element(v, j);
      V yj = element(y, j), uj, wj;
      if (update) uj = element(u, j), wj = element(w, j);
#pragma GCC unroll 4
      for (int a = 0; a < R; a++) {
        V x = element(row[a], j);
        if (update) {
          x = fma(ui[a], wj, fma(wi[a], uj, x));
          put(row[a], j, x);
        }
        sum[a] = fma(x, vj, sum[a]);
        yj = fma(x, vi[a], yj);
      }
      put(y, j, yj);
    }
#pragma GCC unroll 4
    for (int a = 0; a < R; a++) put(y, i + a, element(y, i + a) + sum[a]);
  }

  T* const M;
  const int P;
  T *y, *w;
};

/// Reads row ≤ column of A [P·P][L]; scale [P] is shared by all lanes; scratch [2][P][L].
template <class T>
void tridiagonalize(const T* A, const T* scale, int P, Factor<T>& out, T* scratch) {
  constexpr int L = LANES<T>;
  for (int v = 0; v < L; v += W<T>) {
    T* M = out.v.get() + v;
    for (int i = 0; i < P; i++)
      for (int j = i; j < P; j++) {
        const size_t at = (size_t(i) * P + j) * L;
        store(M + at, load(A + v + at) * broadcast(scale[size_t(i) * L] * scale[size_t(j) * L]));
      }
    Tridiagonal<T>(M, P, scratch + v).run(out.d.get() + v, out.e.get() + v, out.tau.get() + v);
  }
}

/// x ← Qᵀx (transposed) or Qx, x [P][L], for U registers of lanes from `offset` on.
template <class T, int U>
void apply_q(const Factor<T>& t, int P, T* x, bool transposed, size_t offset) {
  constexpr int L = LANES<T>;
  for (int n = 0; n < P - 1; n++) {
    const int k = transposed ? n : P - 2 - n;
    const T* row = t.v.get() + size_t(k) * P * L + offset;
    // Two sums in step: one alone would wait for its own additions.
    Pack<T, U> sum = T(0), other = T(0);
    int j = k + 1;
    for (; j + 2 <= P; j += 2) {
      sum = fma(load_pack<U>(row + size_t(j) * L), load_pack<U>(x + size_t(j) * L + offset), sum);
      other = fma(load_pack<U>(row + size_t(j + 1) * L), load_pack<U>(x + size_t(j + 1) * L + offset), other);
    }
    if (j < P) sum = fma(load_pack<U>(row + size_t(j) * L), load_pack<U>(x + size_t(j) * L + offset), sum);
    sum = -load_pack<U>(t.tau.get() + size_t(k) * L + offset) * (sum + other);
    for (j = k + 1; j < P; j++) {
      T* place = x + size_t(j) * L + offset;
      store(place, fma(sum, load_pack<U>(row + size_t(j) * L), load_pack<U>(place)));
    }
  }
}

}  // namespace MS_TARGET
