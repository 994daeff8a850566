// Dense matrices of one point, row-major doubles, for proofs: inverse, Cholesky, eigenvectors. What they give need not
// be exact: bounds are derived afterwards.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace MS_TARGET {

using Matrix = std::vector<double>;

/// L with L Lᵀ = A − shift·I in the lower triangle; false where a pivot is not positive.
inline bool cholesky(Matrix& a, int n, double shift = 0) {
  for (int j = 0; j < n; j++) {
    double* row = &a[size_t(j) * n];
    for (int i = 0; i < j; i++) {
      const double* other = &a[size_t(i) * n];
      double sum = row[i];
      for (int k = 0; k < i; k++) sum -= row[k] * other[k];
      row[i] = sum / other[i];
    }
    double pivot = row[j] - shift;
    for (int k = 0; k < j; k++) pivot -= row[k] * row[k];
    if (!(pivot > 0)) return false;
    row[j] = std::sqrt(pivot);
  }
  return true;
}

/// The inverse by Gauss-Jordan elimination with column pivots; false where a pivot is 0 or not finite.
inline bool invert(Matrix a, int n, Matrix& out) {
  out.assign(size_t(n) * n, 0);
  for (int i = 0; i < n; i++) out[size_t(i) * n + i] = 1;
  for (int k = 0; k < n; k++) {
    int best = k;
    for (int i = k + 1; i < n; i++)
      if (std::fabs(a[size_t(i) * n + k]) > std::fabs(a[size_t(best) * n + k])) best = i;
    const double pivot = a[size_t(best) * n + k];
    if (!(std::fabs(pivot) > 0 && std::fabs(pivot) < 1e300)) return false;
    for (int j = 0; best != k && j < n; j++) {
      std::swap(a[size_t(k) * n + j], a[size_t(best) * n + j]);
      std::swap(out[size_t(k) * n + j], out[size_t(best) * n + j]);
    }
    const double scale = 1 / pivot;
    for (int j = 0; j < n; j++) a[size_t(k) * n + j] *= scale, out[size_t(k) * n + j] *= scale;
    for (int i = 0; i < n; i++) {
      const double factor = i == k ? 0 : a[size_t(i) * n + k];
      if (factor == 0) continue;
      for (int j = k; j < n; j++) a[size_t(i) * n + j] -= factor * a[size_t(k) * n + j];
      for (int j = 0; j < n; j++) out[size_t(i) * n + j] -= factor * out[size_t(k) * n + j];
    }
  }
  return true;
}

/// Eigenvectors as the columns of `vectors` by cyclic Jacobi rotations; eigenvalues on the diagonal of `a`.
inline void jacobi(Matrix& a, int n, Matrix& vectors) {
  vectors.assign(size_t(n) * n, 0);
  for (int i = 0; i < n; i++) vectors[size_t(i) * n + i] = 1;
  for (int sweep = 0; sweep < 30; sweep++) {
    bool turned = false;
    for (int p = 0; p < n; p++)
      for (int q = p + 1; q < n; q++) {
        const double apq = a[size_t(p) * n + q], app = a[size_t(p) * n + p], aqq = a[size_t(q) * n + q];
        if (!(std::fabs(apq) > 0x1p-54 * std::sqrt(std::fabs(app * aqq)))) continue;
        turned = true;
        const double theta = (aqq - app) / (2 * apq);
        const double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::sqrt(1 + theta * theta));
        const double c = 1 / std::sqrt(1 + t * t), s = t * c;
        for (int k = 0; k < n; k++) {
          const double x = a[size_t(k) * n + p], y = a[size_t(k) * n + q];
          a[size_t(k) * n + p] = c * x - s * y, a[size_t(k) * n + q] = s * x + c * y;
        }
        for (int k = 0; k < n; k++) {
          const double x = a[size_t(p) * n + k], y = a[size_t(q) * n + k];
          a[size_t(p) * n + k] = c * x - s * y, a[size_t(q) * n + k] = s * x + c * y;
          const double v = vectors[size_t(k) * n + p], w = vectors[size_t(k) * n + q];
          vectors[size_t(k) * n + p] = c * v - s * w, vectors[size_t(k) * n + q] = s * v + c * w;
        }
      }
    if (!turned) return;
  }
}

}  // namespace MS_TARGET
