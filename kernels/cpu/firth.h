// Firth's penalty −½ log det I(θ) / Σw of a model without hidden layer, lane by lane in double precision
// (src/models/penalty.ts has the formulas): its cost is that of P³ numbers a row, beside which the lanes' registers
// would save little on models this small.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "math.h"
#include "problem.h"

namespace MS_TARGET {

/// φ(z)/Φ(z) and that plus z, which cancels in the lower tail when it is formed from the ratio.
struct NormalHazard {
  double r, excess;
};
inline NormalHazard normal_hazard(double z) {
  if (z > -5.65685424949238) {
    const double r = 0.39894228040143267794 * std::exp(-0.5 * z * z) / (0.5 * std::erfc(-z * 0.70710678118654752440));
    return {r, r + z};
  }
  const double t = -z, y = 2 / (t * t);
  double p = 0, q = 0;
  for (int i = 5; i >= 0; i--) p = p * y + far_p[i], q = q * y + far_q[i];
  const double w = 1.7724538509055160273 * y * p / q;
  return {t / (1 - w), t * w / (1 - w)};
}

/// Expected information per unit of weight at z, with its first two derivatives.
inline void information(manystart::Loss loss, double z, double* h) {
  using manystart::Loss;
  if (loss == Loss::logistic) {
    const double e = std::exp(-std::fabs(z)), big = 1 / (1 + e), small = e * big;
    h[0] = big * small, h[1] = h[0] * (z > 0 ? small - big : big - small), h[2] = h[0] * (1 - 6 * h[0]);
  } else if (loss == Loss::probit) {
    const auto a = normal_hazard(z), b = normal_hazard(-z);
    const double slope = b.excess - a.excess;
    h[0] = a.r * b.r, h[1] = h[0] * slope, h[2] = h[0] * (slope * slope + b.r * b.excess + a.r * a.excess - 2);
  } else if (loss == Loss::cloglog) {
    const double u = std::exp(z);
    h[0] = h[1] = h[2] = 0;
    if (u > 700) return;
    const double q = u == 0 ? 1 : u / std::expm1(u);
    const double k =
        u < 0.25
            ? -u / 2 - u * u *
                           (1.0 / 12 -
                            u * u * (1.0 / 720 - u * u * (1.0 / 30240 - u * u * (1.0 / 1209600 - u * u / 47900160))))
            : 1 - u / -std::expm1(-u);
    const double slope = q * k;
    h[0] = u * q, h[1] = u * (q + slope), h[2] = u * (q + 2 * slope + slope * k - q * (slope + u));
  } else {
    h[0] = h[1] = h[2] = std::exp(z);
  }
}

/// R of A Π = Q R in place, A [N, P] with its largest rows first, and log det AᵀA: Householder's reflections with
/// pivoting, which keep the digits of small rows beside large ones (Cox and Higham 1998), where AᵀA would be singular
/// to rounding.
inline double triangular(double* A, int N, int P, int* order) {
  for (int k = 0; k < P; k++) order[k] = k;
  const auto square = [&](int k, int from) {
    double sum = 0;
    for (int i = from; i < N; i++) sum += A[size_t(i) * P + k] * A[size_t(i) * P + k];
    return sum;
  };
  double log_det = N < P ? std::numeric_limits<double>::quiet_NaN() : 0;
  for (int k = 0; k < std::min(N, P); k++) {
    int best = k, top = k;
    for (int c = k + 1; c < P; c++) best = square(c, k) > square(best, k) ? c : best;
    std::swap(order[k], order[best]);
    for (int i = 0; i < N; i++) std::swap(A[size_t(i) * P + k], A[size_t(i) * P + best]);
    for (int i = k + 1; i < N; i++) top = std::fabs(A[size_t(i) * P + k]) > std::fabs(A[size_t(top) * P + k]) ? i : top;
    for (int c = 0; c < P; c++) std::swap(A[size_t(k) * P + c], A[size_t(top) * P + c]);
    const double norm = std::sqrt(square(k, k)), head = A[size_t(k) * P + k];
    log_det += 2 * std::log(norm);
    if (!(norm > 0)) continue;
    const double alpha = head > 0 ? -norm : norm, v0 = head - alpha, scale = 1 / (norm * (norm + std::fabs(head)));
    for (int c = k + 1; c < P; c++) {
      double dot = v0 * A[size_t(k) * P + c];
      for (int i = k + 1; i < N; i++) dot += A[size_t(i) * P + k] * A[size_t(i) * P + c];
      dot *= scale;
      A[size_t(k) * P + c] -= dot * v0;
      for (int i = k + 1; i < N; i++) A[size_t(i) * P + c] -= dot * A[size_t(i) * P + k];
    }
    A[size_t(k) * P + k] = alpha;
  }
  return log_det;
}

/// Adds the penalty to f [L], and to g [P][L] and the entries of H [P][P][L] with row ≤ column, where not null. +∞
/// where the information is singular to rounding.
template <class T>
void add_firth(const manystart::Problem<T>& p, const T* theta, T* f, T* g, T* H) {
  constexpr int L = LANES<T>;
  const int P = p.P, N = p.d.rows;
  std::vector<double> h(3 * size_t(N)), A(size_t(N) * P), b(P), slope(P), curve(size_t(P) * P), third;
  std::vector<int> used, order(P);
  if (H) third.resize(size_t(P) * P * P);
  for (int l = 0; l < L; l++) {
    double total = 0;
    used.clear();
    for (int i = 0; i < N; i++) {
      const double w = p.weight[i];
      total += w;
      if (w == 0) continue;
      const T* x = p.x.get() + size_t(i) * p.S;
      double z = p.offset[i];
      for (int k = 0; k < P; k++) z += double(theta[size_t(k) * L + l]) * double(x[k]);
      information(p.d.loss, z, &h[3 * size_t(i)]);
      for (int k = 0; k < 3; k++) h[3 * size_t(i) + k] *= w;
      used.push_back(i);
    }
    std::stable_sort(used.begin(), used.end(), [&](int i, int k) { return h[3 * size_t(i)] > h[3 * size_t(k)]; });
    for (size_t n = 0; n < used.size(); n++)
      for (int k = 0; k < P; k++)
        A[n * P + k] = std::sqrt(h[3 * size_t(used[n])]) * double(p.x[size_t(used[n]) * p.S + k]);
    const double log_det = triangular(A.data(), int(used.size()), P, order.data());
    const double half = -0.5 / total;
    const bool singular = !std::isfinite(log_det);
    f[l] = singular ? std::numeric_limits<T>::infinity() : T(double(f[l]) + half * log_det);
    if (!g && !H) continue;
    std::fill(slope.begin(), slope.end(), 0.0), std::fill(curve.begin(), curve.end(), 0.0),
        std::fill(third.begin(), third.end(), 0.0);
    for (int i = 0; i < N; i++) {
      if (p.weight[i] == T(0)) continue;
      const T* x = p.x.get() + size_t(i) * p.S;
      const double* t = &h[3 * size_t(i)];
      double q = 0;
      for (int r = 0; r < P; r++) {
        double sum = x[order[r]];
        for (int k = 0; k < r; k++) sum -= A[size_t(k) * P + r] * b[k];
        b[r] = sum / A[size_t(r) * P + r];
        q += b[r] * b[r];
      }
      for (int a = 0; a < P; a++) {
        slope[a] += t[1] * q * double(x[a]);
        if (!H) continue;
        for (int c = a; c < P; c++) curve[size_t(a) * P + c] += t[2] * q * double(x[a]) * double(x[c]);
        for (int j = 0; j < P; j++)
          for (int k = 0; k <= j; k++) third[(size_t(j) * P + k) * P + a] += t[1] * b[j] * b[k] * double(x[a]);
      }
    }
    const T nan = std::numeric_limits<T>::quiet_NaN();
    for (int a = 0; a < P; a++)
      if (g) g[size_t(a) * L + l] = singular ? nan : T(double(g[size_t(a) * L + l]) + half * slope[a]);
    if (!H) continue;
    for (int j = 0; j < P; j++)
      for (int k = 0; k <= j; k++) {
        const double* row = &third[(size_t(j) * P + k) * P];
        for (int a = 0; a < P; a++)
          for (int c = a; c < P; c++) curve[size_t(a) * P + c] -= (j == k ? 1 : 2) * row[a] * row[c];
      }
    for (int a = 0; a < P; a++)
      for (int c = a; c < P; c++) {
        T& at = H[(size_t(a) * P + c) * L + l];
        at = singular ? nan : T(double(at) + half * curve[size_t(a) * P + c]);
      }
  }
}

}  // namespace MS_TARGET
