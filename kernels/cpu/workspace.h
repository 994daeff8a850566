// Scratch memory of one thread for networks: what a tile of rows keeps between the passes.
#pragma once

#include <algorithm>
#include <vector>

#include "lane_rows.h"

namespace MS_TARGET {

using manystart::Aligned;
using manystart::Layer;
using manystart::Problem;

/// Scratch memory of one thread for one problem.
template <class T>
class Workspace {
 public:
  static constexpr int L = LANES<T>;
  /// Products x_d x_e per row, for the first layer's block of H.
  const int products;
  int cap;
  int rows = 0;
  const T* x = nullptr;  // first row of the tile, [rows, S]; null for gathered rows
  Aligned<T> gathered;   // [S][cap][L]
  Aligned<T> y, c, o;    // [cap][L], gathered rows only
  std::vector<Aligned<T>> act, d1, d2, delta, s, tm, rm;
  Aligned<T> z, curvature, q, pairs, block_out;
  bool second = false, pairs_ready = false;
  /// Shares of the rows of each lane [N][L], summing to 1; null where they are the problem's.
  const T* own = nullptr;
  /// The same as numbers of times; null where rows of the problem differ in weight.
  const Times<T>* times = nullptr;

  Workspace(const Problem<T>& p, bool hessian) : products(p.S * (p.S + 1) / 2), second(hessian) {
    // A tile's X products must stay in the second-level cache while all pairs of units pass over them.
    cap = hessian ? std::clamp(int(384 * 1024 / (products * sizeof(T))), 16, 128) : 48;
    cap = std::max(1, std::min(cap, p.d.rows));
    const size_t M = p.layers.size(), tile = size_t(cap) * L;
    const int extra = p.d.bias ? 1 : 0;
    act.resize(M);
    for (auto* list : {&d1, &d2, &delta, &s, &tm, &rm}) list->resize(M);
    for (size_t m = 0; m < M; m++) {
      const size_t units = p.layers[m].units;
      if (hessian || m + 1 == M) delta[m].resize(units * tile);
      if (m > 0) {
        act[m].resize((p.layers[m].inputs + extra) * tile);
        if (extra) std::fill(act[m].get(), act[m].get() + tile, T(1));
      }
      if (m + 1 < M) {
        d1[m].resize(units * tile);
        if (hessian) s[m].resize(units * tile), d2[m].resize(units * tile);
      }
      if (hessian) tm[m].resize(units * tile), rm[m].resize(units * tile);
    }
    const size_t C = p.d.outputs;
    z.resize(C * tile);
    curvature.resize((hessian ? C * C : 1) * tile);
    q.resize(std::max(tile, size_t(p.S) * L));
    if (hessian) pairs.resize(size_t(cap) * products + 16), block_out.resize(size_t(products) * L);
  }

  /// δ of layer m, [units][cap][L]. Where no Hessian needs φ′ again it takes the place of φ′.
  T* sensitivity(int m) { return second || size_t(m) + 1 == d1.size() ? delta[m].get() : d1[m].get(); }
};

}  // namespace MS_TARGET
