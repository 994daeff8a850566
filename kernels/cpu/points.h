// Evaluation of many points through the boundary: row-major arrays in and out, lanes innermost between. The kernels'
// results are transposed in blocks that stay in the first-level cache, and every cache line of the caller's arrays is
// written whole.
#pragma once

#include "model.h"

namespace MS_TARGET {

/// in [L][P] row-major → out [P][L] for `used` points; empty lanes hold 0, which every problem can evaluate.
template <class T>
void lanes_from_rows(const double* in, size_t P, size_t used, T* out) {
  constexpr size_t L = LANES<T>, line = 8;
  for (size_t p0 = 0; p0 < P; p0 += line) {
    const size_t p1 = std::min(P, p0 + line);
    for (size_t l = 0; l < L; l++)
      for (size_t p = p0; p < p1; p++) out[p * L + l] = l < used ? T(in[l * P + p]) : T(0);
  }
}

/// W registers as the columns of a square become its rows: entry k of register i and entry i of register k change
/// places.
MS_INLINE void transpose(VecD (&v)[W<double>]) {
  constexpr int w = W<double>;
#if defined(__clang__)
  for (int i = 0; i < w; i++)
    for (int k = 0; k < i; k++) {
      const double upper = v[k][i];
      v[k][i] = v[i][k], v[i][k] = upper;
    }
#else
  // Squares of side s off the diagonal of squares of side 2s change places.
# pragma GCC unroll 4
  for (int s = 1; s < w; s *= 2) {
    Int<double> low, high;
    for (int k = 0; k < w; k++) low[k] = k & s ? w + k - s : k, high[k] = k & s ? w + k : k + s;
# pragma GCC unroll 8
    for (int i = 0; i < w; i++) {
      if (i & s) continue;
      const VecD a = v[i], b = v[i + s];
      v[i] = __builtin_shuffle(a, b, low);
      v[i + s] = __builtin_shuffle(a, b, high);
    }
  }
#endif
}

/// W entries of every lane, entry k at in[source(k)·L]: those of lane l go to out + l·stride, side by side.
template <class Source>
MS_INLINE void entries_to_rows(const double* in, Source source, size_t used, double* out, size_t stride) {
  constexpr int L = LANES<double>, w = W<double>;
  for (int l0 = 0; l0 < L && size_t(l0) < used; l0 += w) {
    VecD v[w];
    for (int k = 0; k < w; k++) v[k] = load(in + source(k) * L + l0);
    transpose(v);
    for (int l = 0; l < w && size_t(l0 + l) < used; l++) std::memcpy(out + (l0 + l) * stride, &v[l], sizeof v[l]);
  }
}
/// The same for f32, where widening costs more than the order of the accesses.
template <class Source>
MS_INLINE void entries_to_rows(const float* in, Source source, size_t used, double* out, size_t stride) {
  for (size_t l = 0; l < used; l++)
    for (int k = 0; k < W<double>; k++) out[l * stride + k] = in[source(k) * LANES<float> + l];
}

/// Calls f with the first entry of blocks of W that cover 0 … n−1, the last one overlapping its neighbour where they do
/// not fit.
template <class F>
MS_INLINE void over_blocks(size_t n, F f) {
  constexpr size_t w = W<double>;
  for (size_t i = 0; i < n; i += w) f(std::min(i, n - w));
}

/// in [n][L] → out [used][n] row-major.
template <class T>
void rows_from_lanes(const T* in, size_t n, size_t used, double* out) {
  if (n < size_t(W<double>)) {
    for (size_t l = 0; l < used; l++)
      for (size_t i = 0; i < n; i++) out[l * n + i] = in[i * LANES<T> + l];
    return;
  }
  over_blocks(n, [&](size_t i) { entries_to_rows(in, [&](size_t k) { return i + k; }, used, out + i, n); });
}

/// Calls f with the ends of tiles of entries 0 … n−1.
template <class F>
MS_INLINE void over_tiles(size_t n, F f) {
  constexpr size_t tile = 32;
  for (size_t i = 0; i < n; i += tile) f(i, std::min(i + tile, n));
}

/// in [P·P][L], entries with row ≤ column → out [used][P, P], both triangles.
template <class T>
void symmetric_from_lanes(const T* in, size_t P, size_t used, double* out) {
  constexpr size_t w = W<double>;
  const size_t size = P * P;
  if (P < w) {
    for (size_t l = 0; l < used; l++)
      for (size_t p = 0; p < P; p++)
        for (size_t q = 0; q < P; q++)
          out[l * size + p * P + q] = in[(std::min(p, q) * P + std::max(p, q)) * LANES<T> + l];
    return;
  }
  const auto block = [&](size_t row, size_t column) {
    for (size_t i = row; i < row + w; i++)
      entries_to_rows(
          in, [&](size_t k) { return std::min(i, column + k) * P + std::max(i, column + k); }, used,
          out + i * P + column, size);
  };
  // A block beside the diagonal is read twice while it is in the cache, for its rows and for its columns. Tiles of
  // blocks, because each row of each lane's matrix is on a page of its own.
  over_tiles(P, [&](size_t p_from, size_t p_to) {
    over_tiles(P, [&](size_t q_from, size_t q_to) {
      if (q_from < p_from) return;
      for (size_t p = p_from; p < p_to; p += w)
        for (size_t q = std::max(p, q_from); q < q_to; q += w) {
          const size_t row = std::min(p, P - w), column = std::min(q, P - w);
          block(row, column);
          if (row != column) block(column, row);
        }
    });
  });
}

/// Evaluates points from … to of theta [R, P] (f64, row-major) into f [R], g [R, P], H [R, P, P] where not null.
template <class T>
void evaluate_points(const Problem<T>& problem, const double* theta, size_t from, size_t to, double* f, double* g,
                     double* H) {
  constexpr size_t L = LANES<T>;
  const size_t P = problem.P;
  ModelWorkspace<T> w(problem, H != nullptr);
  Aligned<T> x(P * L), fs(L), gs(P * L), Hs(H ? P * P * L : 1);
  for (size_t r = from; r < to; r += L) {
    const size_t used = std::min<size_t>(L, to - r);
    lanes_from_rows(theta + r * P, P, used, x.get());
    Model<T>::evaluate(problem, x.get(), fs.get(), g || H ? gs.get() : nullptr, H ? Hs.get() : nullptr, w);
    for (size_t l = 0; l < used; l++) f[r + l] = fs[l];
    if (g) rows_from_lanes(gs.get(), P, used, g + r * P);
    if (H) symmetric_from_lanes(Hs.get(), P, used, H + r * P * P);
  }
}

}  // namespace MS_TARGET
