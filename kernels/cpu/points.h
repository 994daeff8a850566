// Evaluation of many points through the boundary: row-major arrays in and out, lanes innermost between. The kernels'
// results are transposed in registers and written once.
#pragma once

#include <vector>

#include "model.h"
#include "parts.h"

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

/// W numbers as doubles.
MS_INLINE VecD load_doubles(const double* p) { return load(p); }
MS_INLINE VecD load_doubles(const float* p) {
  typedef float Half __attribute__((vector_size(BYTES / 2)));
  return __builtin_convertvector(*reinterpret_cast<const Half*>(p), VecD);
}

/// n entries of every lane, entry i at in[source(i)·L] → out [used][n] row-major. Every lane is written from its first
/// entry to its last, so that the processor fetches the lines that come next before they are written.
template <class T, class Source>
MS_INLINE void entries_to_rows(const T* in, Source source, size_t n, size_t used, double* out) {
  constexpr size_t L = LANES<T>, w = W<double>;
  if (n < w) {
    for (size_t l = 0; l < used; l++)
      for (size_t i = 0; i < n; i++) out[l * n + i] = in[source(i) * L + l];
    return;
  }
  for (size_t l0 = 0; l0 < used; l0 += w) {
    for (size_t begin = 0; begin < n; begin += w) {
      // The last block overlaps its neighbour where blocks do not fit.
      const size_t i = std::min(begin, n - w);
      VecD v[w];
      for (size_t k = 0; k < w; k++) v[k] = load_doubles(in + source(i + k) * L + l0);
      transpose(v);
      for (size_t l = 0; l < w && l0 + l < used; l++) std::memcpy(out + (l0 + l) * n + i, &v[l], sizeof v[l]);
    }
  }
}

/// in [n][L] → out [used][n] row-major.
template <class T>
void rows_from_lanes(const T* in, size_t n, size_t used, double* out) {
  entries_to_rows(in, [](size_t i) { return i; }, n, used, out);
}

/// Where the entries of a symmetric matrix [P, P] are among those with row ≤ column.
inline std::vector<uint32_t> upper_places(size_t P) {
  std::vector<uint32_t> places(P * P);
  for (size_t p = 0; p < P; p++)
    for (size_t q = 0; q < P; q++) places[p * P + q] = uint32_t(std::min(p, q) * P + std::max(p, q));
  return places;
}

/// in [P·P][L], entries with row ≤ column → out [used][P, P], both triangles; `places` of P.
template <class T>
void symmetric_from_lanes(const T* in, const std::vector<uint32_t>& places, size_t used, double* out) {
  const uint32_t* place = places.data();
  entries_to_rows(in, [=](size_t i) { return size_t(place[i]); }, places.size(), used, out);
}

/// Evaluates its part of the points theta [R, P] (f64, row-major) into f [R], g [R, P], H [R, P, P] where not null.
template <class T>
void evaluate_points(const Problem<T>& problem, const double* theta, manystart::Parts& parts, double* f, double* g,
                     double* H) {
  constexpr size_t L = LANES<T>;
  const size_t P = problem.P;
  ModelWorkspace<T> w(problem, H != nullptr);
  const auto places = H ? upper_places(P) : std::vector<uint32_t>();
  Aligned<T> x(P * L), fs(L), gs(P * L), Hs(H ? P * P * L : 1);
  for (size_t from, to; parts.next(from, to);)
    for (size_t r = from; r < to; r += L) {
      const size_t used = std::min<size_t>(L, to - r);
      lanes_from_rows(theta + r * P, P, used, x.get());
      Model<T>::evaluate(problem, x.get(), fs.get(), g || H ? gs.get() : nullptr, H ? Hs.get() : nullptr, w);
      for (size_t l = 0; l < used; l++) f[r + l] = fs[l];
      if (g) rows_from_lanes(gs.get(), P, used, g + r * P);
      if (H) symmetric_from_lanes(Hs.get(), places, used, H + r * P * P);
    }
}

}  // namespace MS_TARGET
