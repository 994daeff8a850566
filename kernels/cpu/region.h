// The trust-region step of every lane in the tridiagonal basis. Twin with the explanations and sources:
// src/core/linalg.ts. A lane that is done is frozen by selects, so its result never depends on its neighbours, and
// every loop is bounded, so NaN cannot hold it up.
#pragma once

#include "tridiagonal.h"

namespace MS_TARGET {

constexpr double radius_tolerance = 0.1;
constexpr int secular_iterations = 60;

/// Work arrays [P][L] of `trust_region`.
template <class T>
struct RegionScratch {
  Aligned<T> c, s, w, z, pivots, best;
  void resize(int P) {
    for (auto* a : {&c, &s, &w, &z, &pivots, &best}) a->resize(size_t(P) * LANES<T>);
  }
};

/// U registers of lanes from `offset` on: sums and solutions run along the parameters, and U of them keep the units
/// busy.
template <class T, int U>
class Region {
  static constexpr int L = LANES<T>;
  using V = Pack<T, U>;

 public:
  Region(const Factor<T>& t, int P, RegionScratch<T>& w, size_t offset)
      : t(t), P(P), offset(offset), d(t.d.get() + offset), e(t.e.get() + offset), inverse(w.pivots.get() + offset),
        w(w) {}

  void solve(const T* g, const T* radii, T* p, T* predicted) {
    const T eps = std::numeric_limits<T>::epsilon();
    const V zero = T(0), inf = std::numeric_limits<T>::infinity(), radius = load_pack<U>(radii + offset);
    T *c = w.c.get() + offset, *s = w.s.get() + offset, *z = w.z.get() + offset, *best = w.best.get() + offset;
    for (int i = 0; i < P; i++) put(c, i, at(g + offset, i));
    apply_q<T, U>(t, P, w.c.get(), true, offset);
    V norm_t = zero, lowest = inf, smallest = inf;
    for (int i = 0; i < P; i++) {
      const V before = i > 0 ? abs(at(e, i - 1)) : zero;
      const V off = before + (i + 1 < P ? abs(at(e, i)) : zero);
      norm_t = max(abs(at(d, i)) + off, norm_t);
      lowest = min(at(d, i) - off, lowest);
      smallest = min(at(d, i), smallest);
    }
    const V floor = T(4) * eps * T(P) * norm_t;
    V low = max(-smallest, floor);
    const V bound = sqrt(dot(c, c)) / radius - lowest;
    // The margin matters where the bound is met exactly: a diagonal matrix and no gradient.
    V high = max(bound, low) + floor;
    V mu = floor;
    auto open = zero == zero;
    for (int i = 0; i < P; i++) put(best, i, zero);
    for (int iteration = 0; iteration < secular_iterations; iteration++) {
      const auto positive = factorize(mu);
      for (int i = 0; i < P; i++) put(s, i, -at(c, i));
      const V shs = substitute(s);
      const V square = dot(s, s), length = sqrt(square);
      const auto take = open & positive;
      const auto interior = (mu <= floor) & (length <= radius);
      auto close = take & (interior | (abs(length - radius) <= T(radius_tolerance) * radius));
      for (int i = 0; i < P; i++) put(best, i, select(take, at(s, i), at(best, i)));
      const auto candidate = take & ~close & (length < radius);
      if (any(candidate)) {
        // Hard case: complete the step along an approximate eigenvector of the smallest eigenvalue.
        for (int i = 0; i < P; i++) put(z, i, V(T(1) + T(0.37) * T((i * 7) % 11)));
        for (int k = 0; k < 2; k++) {
          substitute(z);
          const V scale = T(1) / sqrt(dot(z, z));
          for (int i = 0; i < P; i++) put(z, i, at(z, i) * scale);
        }
        const V curvature = form(mu, z), sz = dot(s, z);
        const V gap = radius * radius - square;
        const V root = sqrt(sz * sz + gap);
        const V tau = gap / select(sz > zero, sz + root, sz - root);
        const V limit = T(radius_tolerance) * (shs + mu * radius * radius);
        const auto hard = candidate & (tau * tau * curvature <= limit);
        close = close | hard;
        for (int i = 0; i < P; i++) put(best, i, select(hard, fma(tau, at(z, i), at(best, i)), at(best, i)));
      }
      // Newton's step for the secular equation 1/‖s‖ = 1/Δ, safeguarded.
      T* again = w.w.get() + offset;
      for (int i = 0; i < P; i++) put(again, i, at(s, i));
      const V derivative = substitute(again);
      const auto shorter = positive & (length < radius);
      const V new_high = select(shorter & (mu < high), mu, high), new_low = select(~shorter & (mu > low), mu, low);
      const V safe = max(sqrt(new_low * new_high), fma(V(T(0.01)), new_high - new_low, new_low));
      const V next = mu + square / derivative * ((length - radius) / radius);
      const auto usable = positive & (next > new_low) & (next < new_high);
      open = open & ~close;
      high = select(open, new_high, high);
      low = select(open, new_low, low);
      mu = select(open, select(usable, next, safe), mu);
      if (!any(open)) break;
    }
    // Where the iteration ran out, the last step is cut back to the region.
    const V length = sqrt(dot(best, best));
    const V factor = select(length > (1 + T(radius_tolerance)) * radius, radius / length, V(T(1)));
    T* const out = p + offset;
    for (int i = 0; i < P; i++) put(out, i, at(best, i) * factor);
    const V decrease = -fma(V(T(0.5)), form(zero, out), dot(out, c));
    store(predicted + offset, select(decrease < zero, zero, decrease));
    apply_q<T, U>(t, P, p, false, offset);
  }

 private:
  static MS_MEMBER V at(const T* a, int i) { return load_pack<U>(a + size_t(i) * L); }
  static MS_MEMBER void put(T* a, int i, const V& value) { store(a + size_t(i) * L, value); }

  V dot(const T* a, const T* b) const {
    V sum = T(0);
    for (int i = 0; i < P; i++) sum = fma(at(a, i), at(b, i), sum);
    return sum;
  }

  /// xᵀ(T + μI)x
  V form(const V& mu, const T* x) const {
    V sum = T(0);
    for (int i = 0; i < P; i++) {
      const V next = i + 1 < P ? T(2) * at(e, i) * at(x, i + 1) : V(T(0));
      sum = fma(at(x, i), fma(at(d, i) + mu, at(x, i), next), sum);
    }
    return sum;
  }

  /// Reciprocals of the pivots of T + μI; whether all are positive.
  Mask<T, U> factorize(const V& mu) {
    V last = T(1) / (at(d, 0) + mu);
    auto positive = at(d, 0) + mu > V(T(0));
    put(inverse, 0, last);
    for (int i = 1; i < P; i++) {
      const V off = at(e, i - 1);
      const V pivot = fma(-off * last, off, at(d, i) + mu);
      positive = positive & (pivot > V(T(0)));
      last = T(1) / pivot;
      put(inverse, i, last);
    }
    return positive;
  }

  /// y ← (T + μI)⁻¹ y; returns old yᵀ(T + μI)⁻¹y.
  V substitute(T* y) const {
    V last = at(y, 0), form = last * last * at(inverse, 0);
    for (int i = 1; i < P; i++) {
      last = fma(-at(e, i - 1) * at(inverse, i - 1), last, at(y, i));
      put(y, i, last);
      form = fma(last * last, at(inverse, i), form);
    }
    last = last * at(inverse, P - 1);
    put(y, P - 1, last);
    for (int i = P - 2; i >= 0; i--) {
      last = fma(-at(e, i), last, at(y, i)) * at(inverse, i);
      put(y, i, last);
    }
    return form;
  }

  const Factor<T>& t;
  const int P;
  const size_t offset;
  const T *d, *e;
  T* inverse;
  RegionScratch<T>& w;
};

/// The step p [P][L] that minimises gᵀp + ½ pᵀBp over ‖p‖ ≤ radius, B = QTQᵀ, and its predicted decrease.
template <class T>
void trust_region(const Factor<T>& t, int P, const T* g, const T* radius, T* p, T* predicted, RegionScratch<T>& w) {
  constexpr int U = VPL<T> < 4 ? VPL<T> : 4;
  for (int v = 0; v < VPL<T>; v += U) Region<T, U>(t, P, w, size_t(v) * W<T>).solve(g, radius, p, predicted);
}

}  // namespace MS_TARGET
