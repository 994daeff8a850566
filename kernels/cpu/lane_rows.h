// Rows that differ between the lanes of a group: mini-batches, and resamples with the times that each row is there.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "loss.h"
#include "problem.h"

namespace MS_TARGET {

using manystart::Problem;

/// How often each row is in the resample of a lane, where all rows of the problem weigh the same.
template <class T>
struct Times {
  /// The times modulo 8 [N][L].
  const uint8_t* low;
  /// [L] Share of a row that is there once.
  const T* unit;
  /// [L] Rows that are there more often, each with the times that `low` leaves out.
  const std::vector<std::pair<uint32_t, uint32_t>>* more;

  /// Adds what `low` leaves out of the logistic losses of the rows r0 … r0 + rows − 1 to f [L]; z(r, l): output of row
  /// r0 + r in lane l.
  template <class Z>
  void add_more(int r0, int rows, T* f, Z z) const {
    for (int l = 0; l < LANES<T>; l++)
      for (const auto& [row, times] : more[l]) {
        const int r = int(row) - r0;
        if (r < 0 || r >= rows) continue;
        const auto e = vexp_negative<T, 1>(Pack<T, 1>(-std::abs(z(r, l))));
        f[l] = fmas(unit[l] * T(times), log_of_odds<T, 1>(e).v[0][0], f[l]);
      }
  }
};

/// (1 + e)^n − 1 of n modulo 8 from `low` [U·W], by the bits of n with (1 + e)² − 1 = e (e + 2), formed without the 1,
/// so that small e keep their digits. Where no lane has a bit, its factor is 1, which changes nothing: so it may be
/// left out.
template <class T, int U>
MS_INLINE Pack<T, U> repeated(const Pack<T, U>& e, const uint8_t* low) {
  constexpr uint64_t each_byte = 0x0101010101010101u;
  constexpr int bytes = std::min(8, U * W<T>);
  uint64_t any = 0;
  for (int i = 0; i < U * W<T>; i += bytes) {
    uint64_t some = 0;
    std::memcpy(&some, low + i, bytes);
    any |= some;
  }
  Pack<T, U> power;
  MS_EACH power.v[k] = keep<T>(low + k * W<T>, 1, e.v[k]);
  if (any & 6 * each_byte) {
    Pack<T, U> e2;
    MS_EACH {
      e2.v[k] = e.v[k] * (e.v[k] + T(2));
      power.v[k] = fma(keep<T>(low + k * W<T>, 2, e2.v[k]), power.v[k] + T(1), power.v[k]);
    }
    if (any & 4 * each_byte) MS_EACH {
        const Vec<T> e4 = e2.v[k] * (e2.v[k] + T(2));
        power.v[k] = fma(keep<T>(low + k * W<T>, 4, e4), power.v[k] + T(1), power.v[k]);
      }
  }
  return power;
}

/// Rows whose logarithms are taken together. A row brings a factor of 2, or of at most 2^7 where it is repeated: 2^64
/// and 2^112 are far from overflow in f32, 2^448 in f64.
template <class T, bool REPEATED>
constexpr int rows_together = REPEATED && sizeof(T) == 4 ? 16 : 64;

/// Rows of each lane: numbers [count][L]; a lane's rows beyond its own count have weight 0.
template <class T>
struct LaneRows {
  const uint32_t* rows;
  int count;
  const uint32_t* lane_count;
  /// Weights of the rows of each lane [N][L]; null where they are the problem's.
  const T* own = nullptr;
  /// The same as numbers of times; null where rows of the problem differ in weight.
  const Times<T>* times = nullptr;
  MS_INLINE T weight(const Problem<T>& p, const T* own, uint32_t row, int lane) {
    return own ? own[size_t(row) * LANES<T> + lane] : p.weight[row];
  }
};

}  // namespace MS_TARGET
