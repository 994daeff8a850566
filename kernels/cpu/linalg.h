// Symmetric linear algebra for one lane group: every lane has its own matrix. Twin with the explanations and sources:
// src/core/linalg.ts. Loops over lanes are left to the compiler's vectoriser; a lane that is done is frozen by selects, so its
// result never depends on its neighbours, and every loop is bounded, so NaN cannot hold it up.
#pragma once

#include <algorithm>

#include "lanes.h"
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

#define MS_LANES for (int l = 0; l < L; l++)

/// Reads row ≤ column of A [P·P][L]; scale [P] is shared by all lanes.
template <class T>
void tridiagonalize(const T* A, const T* scale, int P, Factor<T>& out, T* p /*[P][L]*/) {
  constexpr int L = LANES<T>;
  T* M = out.v.get();
  for (int i = 0; i < P; i++)
    for (int j = i; j < P; j++) {
      const T s = scale[size_t(i) * L] * scale[size_t(j) * L];
      const size_t at = (size_t(i) * P + j) * L;
      MS_LANES M[at + l] = A[at + l] * s;
    }
  for (int k = 0; k < P; k++) {
    T* row = M + size_t(k) * P * L;
    T* d = out.d.get() + size_t(k) * L;
    T* e = out.e.get() + size_t(k) * L;
    T* tau = out.tau.get() + size_t(k) * L;
    MS_LANES d[l] = row[size_t(k) * L + l], tau[l] = 0, e[l] = 0;
    if (k == P - 1) break;
    alignas(64) T largest[L] = {}, tail[L] = {}, square[L] = {}, unit[L], head[L], norm[L], alpha[L];
    for (int j = k + 1; j < P; j++)
      MS_LANES {
        const T a = std::abs(row[size_t(j) * L + l]);
        largest[l] = a > largest[l] ? a : largest[l];
        tail[l] += j > k + 1 ? a : T(0);
      }
    MS_LANES unit[l] = largest[l] > 0 ? T(1) / largest[l] : T(0);
    MS_LANES head[l] = row[size_t(k + 1) * L + l] * unit[l];
    for (int j = k + 1; j < P; j++)
      MS_LANES {
        const T a = row[size_t(j) * L + l] * unit[l];
        square[l] = fmas(a, a, square[l]);
      }
    MS_LANES norm[l] = std::sqrt(square[l]);
    MS_LANES alpha[l] = head[l] > 0 ? -norm[l] : norm[l];
    // Nothing below the sub-diagonal: no reflection in that lane.
    MS_LANES tau[l] = tail[l] == 0 ? T(0) : T(1) / (norm[l] * (norm[l] + std::abs(head[l])));
    MS_LANES e[l] = tail[l] == 0 ? row[size_t(k + 1) * L + l] : alpha[l] * largest[l];
    for (int j = k + 1; j < P; j++)
      MS_LANES row[size_t(j) * L + l] = tau[l] == 0 ? T(0) : row[size_t(j) * L + l] * unit[l];
    MS_LANES row[size_t(k + 1) * L + l] = tau[l] == 0 ? T(0) : head[l] - alpha[l];
    // p = τ A v over the trailing block, from its upper triangle.
    for (int j = k + 1; j < P; j++) MS_LANES p[size_t(j) * L + l] = 0;
    for (int i = k + 1; i < P; i++) {
      const T* a = M + size_t(i) * P * L;
      const T* vi = row + size_t(i) * L;
      alignas(64) T sum[L];
      MS_LANES sum[l] = fmas(a[size_t(i) * L + l], vi[l], p[size_t(i) * L + l]);
      for (int j = i + 1; j < P; j++)
        MS_LANES {
          const T x = a[size_t(j) * L + l];
          sum[l] = fmas(x, row[size_t(j) * L + l], sum[l]);
          p[size_t(j) * L + l] = fmas(x, vi[l], p[size_t(j) * L + l]);
        }
      MS_LANES p[size_t(i) * L + l] = sum[l];
    }
    alignas(64) T vp[L] = {}, half[L];
    for (int j = k + 1; j < P; j++) MS_LANES vp[l] = fmas(p[size_t(j) * L + l], row[size_t(j) * L + l], vp[l]);
    MS_LANES half[l] = T(0.5) * tau[l] * tau[l] * vp[l];
    for (int j = k + 1; j < P; j++)
      MS_LANES p[size_t(j) * L + l] = fmas(-half[l], row[size_t(j) * L + l], tau[l] * p[size_t(j) * L + l]);
    for (int i = k + 1; i < P; i++) {
      T* a = M + size_t(i) * P * L;
      const T* vi = row + size_t(i) * L;
      const T* pi = p + size_t(i) * L;
      for (int j = i; j < P; j++)
        MS_LANES a[size_t(j) * L + l] =
            fmas(-vi[l], p[size_t(j) * L + l], fmas(-pi[l], row[size_t(j) * L + l], a[size_t(j) * L + l]));
    }
  }
}

/// x ← Qᵀx (forward) or Qx (backward), x [P][L].
template <class T>
void apply_q(const Factor<T>& t, int P, T* x, bool transposed) {
  constexpr int L = LANES<T>;
  for (int n = 0; n < P - 1; n++) {
    const int k = transposed ? n : P - 2 - n;
    const T* row = t.v.get() + size_t(k) * P * L;
    const T* tau = t.tau.get() + size_t(k) * L;
    alignas(64) T sum[L] = {};
    for (int j = k + 1; j < P; j++) MS_LANES sum[l] = fmas(row[size_t(j) * L + l], x[size_t(j) * L + l], sum[l]);
    MS_LANES sum[l] *= -tau[l];
    for (int j = k + 1; j < P; j++)
      MS_LANES x[size_t(j) * L + l] = fmas(sum[l], row[size_t(j) * L + l], x[size_t(j) * L + l]);
  }
}

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

/// y ← (T + μI)⁻¹ y and form[l] = old yᵀ(T + μI)⁻¹y, from the reciprocals of the pivots.
template <class T>
void tridiagonal_solve(const Factor<T>& t, int P, const T* inverse, T* y, T* form) {
  constexpr int L = LANES<T>;
  const T* e = t.e.get();
  MS_LANES form[l] = y[l] * y[l] * inverse[l];
  for (int i = 1; i < P; i++) {
    const size_t at = size_t(i) * L, before = at - L;
    MS_LANES {
      y[at + l] = fmas(-e[before + l] * inverse[before + l], y[before + l], y[at + l]);
      form[l] = fmas(y[at + l] * y[at + l], inverse[at + l], form[l]);
    }
  }
  MS_LANES y[size_t(P - 1) * L + l] *= inverse[size_t(P - 1) * L + l];
  for (int i = P - 2; i >= 0; i--) {
    const size_t at = size_t(i) * L;
    MS_LANES y[at + l] = fmas(-e[at + l], y[at + L + l], y[at + l]) * inverse[at + l];
  }
}

template <class T>
void dot(const T* a, const T* b, int P, T* out) {
  constexpr int L = LANES<T>;
  alignas(64) T sum[L] = {};
  for (int i = 0; i < P; i++) MS_LANES sum[l] = fmas(a[size_t(i) * L + l], b[size_t(i) * L + l], sum[l]);
  MS_LANES out[l] = sum[l];
}

/// out[l] = xᵀ(T + μI)x
template <class T>
void tridiagonal_form(const Factor<T>& t, int P, const T* mu, const T* x, T* out) {
  constexpr int L = LANES<T>;
  const T *d = t.d.get(), *e = t.e.get();
  alignas(64) T sum[L] = {};
  for (int i = 0; i < P; i++) {
    const size_t at = size_t(i) * L;
    MS_LANES {
      const T next = i + 1 < P ? 2 * e[at + l] * x[at + L + l] : T(0);
      sum[l] = fmas(x[at + l], fmas(d[at + l] + mu[l], x[at + l], next), sum[l]);
    }
  }
  MS_LANES out[l] = sum[l];
}

/// The step p [P][L] that minimises gᵀp + ½ pᵀBp over ‖p‖ ≤ radius, B = QTQᵀ, and its predicted decrease.
template <class T>
void trust_region(const Factor<T>& t, int P, const T* g, const T* radius, T* p, T* predicted, RegionScratch<T>& w) {
  constexpr int L = LANES<T>;
  const T eps = std::numeric_limits<T>::epsilon(), inf = std::numeric_limits<T>::infinity();
  const size_t n = size_t(P) * L;
  const T *d = t.d.get(), *e = t.e.get();
  T *c = w.c.get(), *s = w.s.get(), *z = w.z.get(), *inverse = w.pivots.get(), *best = w.best.get();
  std::copy(g, g + n, c);
  apply_q(t, P, c, true);
  alignas(64) T zero[L] = {}, cc[L], norm_t[L] = {}, lowest[L], smallest[L], floor[L], low[L], high[L], mu[L], open[L];
  dot(c, c, P, cc);
  MS_LANES lowest[l] = smallest[l] = inf;
  for (int i = 0; i < P; i++) {
    const size_t at = size_t(i) * L;
    MS_LANES {
      const T before = i > 0 ? std::abs(e[at - L + l]) : T(0);
      const T off = before + (i + 1 < P ? std::abs(e[at + l]) : T(0));
      const T sum = std::abs(d[at + l]) + off, least = d[at + l] - off;
      norm_t[l] = sum > norm_t[l] ? sum : norm_t[l];
      lowest[l] = least < lowest[l] ? least : lowest[l];
      smallest[l] = d[at + l] < smallest[l] ? d[at + l] : smallest[l];
    }
  }
  MS_LANES {
    floor[l] = 4 * eps * T(P) * norm_t[l];
    low[l] = -smallest[l] > floor[l] ? -smallest[l] : floor[l];
    const T bound = std::sqrt(cc[l]) / radius[l] - lowest[l];
    // The margin matters where the bound is met exactly: a diagonal matrix and no gradient.
    high[l] = (bound > low[l] ? bound : low[l]) + floor[l];
    mu[l] = floor[l];
    open[l] = 1;
  }
  std::fill(best, best + n, T(0));
  for (int iteration = 0; iteration < secular_iterations; iteration++) {
    alignas(64) T positive[L], form[L], square[L], shs[L], next[L], take[L], close[L];
    MS_LANES positive[l] = d[l] + mu[l] > 0 ? T(1) : T(0), inverse[l] = 1 / (d[l] + mu[l]);
    for (int i = 1; i < P; i++) {
      const size_t at = size_t(i) * L;
      MS_LANES {
        const T pivot = fmas(-e[at - L + l] * inverse[at - L + l], e[at - L + l], d[at + l] + mu[l]);
        positive[l] = pivot > 0 ? positive[l] : T(0);
        inverse[at + l] = 1 / pivot;
      }
    }
    for (size_t i = 0; i < n; i++) s[i] = -c[i];
    tridiagonal_solve(t, P, inverse, s, shs);
    dot(s, s, P, square);
    T any_short = 0;
    MS_LANES {
      const T length = std::sqrt(square[l]);
      const bool ok = open[l] != 0 && positive[l] != 0;
      const bool interior = mu[l] <= floor[l] && length <= radius[l];
      const bool on = std::abs(length - radius[l]) <= T(radius_tolerance) * radius[l];
      take[l] = ok ? T(1) : T(0);
      close[l] = ok && (interior || on) ? T(1) : T(0);
      any_short += ok && !(interior || on) && length < radius[l] ? T(1) : T(0);
    }
    for (int i = 0; i < P; i++) {
      const size_t at = size_t(i) * L;
      MS_LANES best[at + l] = take[l] != 0 ? s[at + l] : best[at + l];
    }
    if (any_short > 0) {
      // Hard case: complete the step along an approximate eigenvector of the smallest eigenvalue.
      for (int i = 0; i < P; i++) MS_LANES z[size_t(i) * L + l] = T(1) + T(0.37) * T((i * 7) % 11);
      alignas(64) T zz[L], sz[L], tau[L];
      for (int k = 0; k < 2; k++) {
        tridiagonal_solve(t, P, inverse, z, form);
        dot(z, z, P, zz);
        MS_LANES zz[l] = 1 / std::sqrt(zz[l]);
        for (int i = 0; i < P; i++) MS_LANES z[size_t(i) * L + l] *= zz[l];
      }
      tridiagonal_form(t, P, mu, z, form);
      dot(s, z, P, sz);
      MS_LANES {
        const T gap = radius[l] * radius[l] - square[l];
        const T root = std::sqrt(sz[l] * sz[l] + gap);
        tau[l] = gap / (sz[l] > 0 ? sz[l] + root : sz[l] - root);
        const T limit = T(radius_tolerance) * (shs[l] + mu[l] * radius[l] * radius[l]);
        const bool candidate = take[l] != 0 && close[l] == 0 && square[l] < radius[l] * radius[l];
        const bool hard = candidate && tau[l] * tau[l] * form[l] <= limit;
        tau[l] = hard ? tau[l] : T(0);
        close[l] = hard ? T(1) : close[l];
      }
      for (int i = 0; i < P; i++) {
        const size_t at = size_t(i) * L;
        MS_LANES best[at + l] = tau[l] != 0 ? fmas(tau[l], z[at + l], best[at + l]) : best[at + l];
      }
    }
    // Newton's step for the secular equation 1/‖s‖ = 1/Δ, safeguarded.
    std::copy(s, s + n, w.w.get());
    tridiagonal_solve(t, P, inverse, w.w.get(), form);
    T remaining = 0;
    MS_LANES {
      const T length = std::sqrt(square[l]);
      const bool pd = positive[l] != 0, shorter = pd && length < radius[l];
      const T new_high = shorter && mu[l] < high[l] ? mu[l] : high[l];
      const T new_low = !shorter && mu[l] > low[l] ? mu[l] : low[l];
      const T middle = std::sqrt(new_low * new_high), nudged = fmas(T(0.01), new_high - new_low, new_low);
      const T safe = middle > nudged ? middle : nudged;
      next[l] = mu[l] + square[l] / form[l] * ((length - radius[l]) / radius[l]);
      const bool usable = pd && next[l] > new_low && next[l] < new_high;
      const bool still = open[l] != 0 && close[l] == 0;
      high[l] = still ? new_high : high[l];
      low[l] = still ? new_low : low[l];
      mu[l] = still ? (usable ? next[l] : safe) : mu[l];
      open[l] = still ? T(1) : T(0);
      remaining += open[l];
    }
    if (!(remaining > 0)) break;
  }
  // Where the iteration ran out, the last step is cut back to the region.
  alignas(64) T square[L], factor[L], linear[L], quadratic[L];
  dot(best, best, P, square);
  MS_LANES {
    const T length = std::sqrt(square[l]);
    factor[l] = length > (1 + T(radius_tolerance)) * radius[l] ? radius[l] / length : T(1);
  }
  for (int i = 0; i < P; i++) MS_LANES p[size_t(i) * L + l] = best[size_t(i) * L + l] * factor[l];
  dot(p, c, P, linear);
  tridiagonal_form(t, P, zero, p, quadratic);
  MS_LANES {
    const T decrease = -fmas(T(0.5), quadratic[l], linear[l]);
    predicted[l] = decrease < 0 ? T(0) : decrease;
  }
  apply_q(t, P, p, false);
}

/// Eigenvalues (ascending, [P][L]) and eigenvectors (columns of V [P·P][L]). The rotations of implicit QL work on one lane at
/// a time, on contiguous rows of Vᵀ.
template <class T>
void eigh(const T* A, const T* scale, int P, T* values, T* V, Factor<T>& t, T* scratch, std::vector<T>& lane) {
  constexpr int L = LANES<T>;
  const T eps = std::numeric_limits<T>::epsilon();
  tridiagonalize(A, scale, P, t, scratch);
  lane.resize(size_t(P) * P + 3 * P);
  T *Z = lane.data(), *d = Z + size_t(P) * P, *e = d + P, *v = e + P;
  std::vector<int> order(P);
  for (int l = 0; l < L; l++) {
    bool finite = true;
    for (int i = 0; i < P; i++) {
      d[i] = t.d[size_t(i) * L + l], e[i] = t.e[size_t(i) * L + l];
      finite = finite && std::isfinite(d[i]) && std::isfinite(e[i]);
    }
    // Rows of Z: Qᵀ = (I − τ v vᵀ)… applied to the identity from the right, last reflector first.
    std::fill(Z, Z + size_t(P) * P, T(0));
    for (int i = 0; i < P; i++) Z[size_t(i) * P + i] = 1;
    for (int k = P - 2; k >= 0 && finite; k--) {
      const T tau = t.tau[size_t(k) * L + l];
      if (tau == 0) continue;
      for (int j = k + 1; j < P; j++) v[j] = t.v[(size_t(k) * P + j) * L + l];
      // Row i of Z is column i of Q built so far; reflectors touch entries from k + 1 on.
      for (int i = k + 1; i < P; i++) {
        T* row = Z + size_t(i) * P;
        T sum = 0;
        for (int j = k + 1; j < P; j++) sum = fmas(v[j], row[j], sum);
        sum *= -tau;
        for (int j = k + 1; j < P; j++) row[j] = fmas(sum, v[j], row[j]);
      }
    }
    for (int a = 0; a < P && finite; a++)
      for (int iteration = 0; iteration < 60; iteration++) {
        int m = a;
        for (; m < P - 1; m++)
          if (std::abs(e[m]) <= eps / 2 * (std::abs(d[m]) + std::abs(d[m + 1]))) break;
        if (m == a) break;
        T g = (d[a + 1] - d[a]) / (2 * e[a]);
        T r = std::hypot(g, T(1));
        g = d[m] - d[a] + e[a] / (g + (g >= 0 ? r : -r));
        T sine = 1, cosine = 1, p = 0;
        int i = m - 1;
        for (; i >= a; i--) {
          const T f = sine * e[i], b = cosine * e[i];
          r = std::hypot(f, g);
          e[i + 1] = r;
          if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            break;
          }
          sine = f / r, cosine = g / r;
          g = d[i + 1] - p;
          r = (d[i] - g) * sine + 2 * cosine * b;
          p = sine * r;
          d[i + 1] = g + p;
          g = cosine * r - b;
          T* __restrict low = Z + size_t(i) * P;
          T* __restrict up = low + P;
          for (int k = 0; k < P; k++) {
            const T x = up[k];
            up[k] = fmas(sine, low[k], cosine * x);
            low[k] = fmas(cosine, low[k], -(sine * x));
          }
        }
        if (r == 0 && i >= a) continue;
        d[a] -= p;
        e[a] = g;
        e[m] = 0;
      }
    for (int i = 0; i < P; i++) order[i] = i;
    if (finite) std::sort(order.begin(), order.end(), [&](int x, int y) { return d[x] < d[y] || (d[x] == d[y] && x < y); });
    const T nan = std::numeric_limits<T>::quiet_NaN();
    for (int i = 0; i < P; i++) {
      values[size_t(i) * L + l] = finite ? d[order[i]] : nan;
      for (int k = 0; k < P; k++) V[(size_t(k) * P + i) * L + l] = finite ? Z[size_t(order[i]) * P + k] : nan;
    }
  }
}

}  // namespace MS_TARGET
