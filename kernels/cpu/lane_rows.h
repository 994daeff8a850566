// Rows that differ between the lanes of a group: mini-batches, and resamples with the times that each row is there.
#pragma once

#include <utility>
#include <vector>

#include "lanes.h"
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
};

/// Rows of a mini-batch, different for every lane: numbers [count][L]; a lane's rows beyond its own count have weight
/// 0.
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
