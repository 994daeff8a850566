// Counter-based random numbers; the twin of src/core/rng.ts, bit for bit. Compiled without contraction on every target,
// with no fma, so that θ0 does not depend on the machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "problem.h"

namespace manystart {

struct Philox {
  uint32_t key0, key1;
  explicit Philox(uint64_t seed) : key0(uint32_t(seed)), key1(uint32_t(seed >> 32)) {}

  void block(uint32_t counter, uint64_t start, uint32_t stream, uint32_t out[4]) const {
    uint32_t c0 = counter, c1 = uint32_t(start), c2 = uint32_t(start >> 32), c3 = stream, k0 = key0, k1 = key1;
    for (int round = 0; round < 10; round++) {
      const uint64_t a = uint64_t(0xd2511f53u) * c0, b = uint64_t(0xcd9e8d57u) * c2;
      c0 = uint32_t(b >> 32) ^ c1 ^ k0;
      c1 = uint32_t(b);
      c2 = uint32_t(a >> 32) ^ c3 ^ k1;
      c3 = uint32_t(a);
      k0 += 0x9e3779b9u;
      k1 += 0xbb67ae85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
  }
};

constexpr uint32_t stream_init = 0, stream_batches = 1, stream_rows = 5;

/// log x for x in (0, 1], in the order of operations that src/core/rng.ts states.
inline double plain_log(double x) {
  double m = x, k = 0;
  while (m < 0.7071067811865476) m = m * 2, k = k + 1;
  const double s = (m - 1) / (m + 1), z = s * s;
  double sum = 1.0 / 23;
  for (int n = 21; n >= 1; n -= 2) sum = sum * z + 1.0 / n;
  return 2 * s * sum - k * 1.90821492927058770002e-10 - k * 0.693147180369123816490;
}

template <int N>
inline double horner(const double (&c)[N], double x) {
  double y = c[N - 1];
  for (int i = N - 2; i >= 0; i--) y = y * x + c[i];
  return y;
}

/// Φ⁻¹(u): Wichura's AS 241, PPND16 (Applied Statistics 37, 1988).
inline double normal_quantile(double u) {
  static const double A[] = {3.387132872796366608,  133.14166789178437745, 1971.5909503065514427,
                             13731.693765509461125, 45921.953931549871457, 67265.770927008700853,
                             33430.575583588128105, 2509.0809287301226727};
  static const double B[] = {1,
                             42.313330701600911252,
                             687.1870074920579083,
                             5394.1960214247511077,
                             21213.794301586595867,
                             39307.89580009271061,
                             28729.085735721942674,
                             5226.495278852854561};
  static const double C[] = {1.42343711074968357734,   4.6303378461565452959,   5.7694972214606914055,
                             3.64784832476320460504,   1.27045825245236838258,  0.24178072517745061177,
                             0.0227238449892691845833, 7.7454501427834140764e-4};
  static const double D[] = {1,
                             2.05319162663775882187,
                             1.6763848301838038494,
                             0.68976733498510000455,
                             0.14810397642748007459,
                             0.0151986665636164571966,
                             5.475938084995344946e-4,
                             1.05075007164441684324e-9};
  static const double E[] = {6.6579046435011037772,     5.4637849111641143699,    1.7848265399172913358,
                             0.29656057182850489123,    0.026532189526576123093,  0.0012426609473880784386,
                             2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static const double F[] = {1,
                             0.59983220655588793769,
                             0.13692988092273580531,
                             0.0148753612908506148525,
                             7.868691311456132591e-4,
                             1.8463183175100546818e-5,
                             1.4215117583164458887e-7,
                             2.04426310338993978564e-15};
  const double q = u - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return (q * horner(A, r)) / horner(B, r);
  }
  const double r = std::sqrt(-plain_log(q < 0 ? u : 1 - u));
  const double x = r <= 5 ? horner(C, r - 1.6) / horner(D, r - 1.6) : horner(E, r - 5) / horner(F, r - 5);
  return q < 0 ? -x : x;
}

inline double uniform(uint32_t word) { return (double(word) + 0.5) / 4294967296.0; }

/// θ0 [P] of a start: scale_p (2u − 1), or scale_p Φ⁻¹(u).
inline void start_point(const Philox& philox, uint64_t start, bool normal, const double* scale, int P, double* out) {
  uint32_t word[4];
  for (int p = 0; p < P; p++) {
    if (p % 4 == 0) philox.block(uint32_t(p / 4), start, stream_init, word);
    const double u = uniform(word[p % 4]);
    out[p] = normal ? scale[p] * normal_quantile(u) : scale[p] * (2 * u - 1);
  }
}

/// The twin of src/models/network/parameterMap.ts: slices of the first layer's units through `first` [S, S], then the
/// last layer times `scale` [C] and its biases plus `shift` [C].
struct ParameterMap {
  std::vector<double> first, scale, shift;
};

/// In place, in plain IEEE operations, so that every engine gets the same bits.
inline void apply_map(const ParameterMap& map, const std::vector<Layer>& layers, bool bias, double* theta,
                      double* slice) {
  const Layer& first = layers.front();
  const int S = first.stride;
  for (int k = 0; k < first.units; k++) {
    double* t = theta + first.at + k * S;
    for (int i = 0; i < S; i++) slice[i] = t[i];
    for (int i = 0; i < S; i++) {
      double sum = 0;
      for (int j = 0; j < S; j++) sum += map.first[size_t(i) * S + j] * slice[j];
      t[i] = sum;
    }
  }
  const Layer& last = layers.back();
  for (int k = 0; k < last.units; k++) {
    double* t = theta + last.at + k * last.stride;
    for (int i = 0; i < last.stride; i++) t[i] *= map.scale[k];
    if (bias) t[0] += map.shift[k];
  }
}

/// Order of n rows in an epoch.
inline void shuffle_epoch(const Philox& philox, uint64_t start, uint64_t epoch, uint32_t n, uint32_t* order,
                          uint32_t stream = stream_batches) {
  for (uint32_t i = 0; i < n; i++) order[i] = i;
  uint32_t word[4];
  uint64_t block = ~uint64_t(0);
  for (uint32_t i = n - 1; i >= 1; i--) {
    const uint64_t at = epoch * n + i;
    if (at / 4 != block) philox.block(uint32_t(block = at / 4), start, stream, word);
    const uint32_t j = uint32_t(std::floor(double(word[at % 4]) * (double(i) + 1) / 4294967296.0));
    const uint32_t t = order[i];
    order[i] = order[j], order[j] = t;
  }
}

/// How the rows of a run are drawn; the twin of src/core/resampling.ts.
struct Resampling {
  enum class Kind : uint8_t { bootstrap, poisson, folds, split };
  Kind kind = Kind::bootstrap;
  /// Folds, or rows that a split leaves out.
  uint32_t size = 0;
  uint64_t seed = 0;
};

}  // namespace manystart
