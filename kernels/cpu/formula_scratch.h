// Scratch memory of one thread for formulas: what a tile of rows keeps between the instructions, and how they read it.
#pragma once

#include <algorithm>
#include <vector>

#include "lane_rows.h"

namespace MS_TARGET {

using manystart::Aligned;
using manystart::Formula;
using manystart::Problem;

/// An operand of the tile at hand: p[r · stride], one number for all lanes where `scalar`.
template <class T>
struct Reader {
  const T* p;
  size_t stride;
  bool scalar;
  MS_INLINE Vec<T> get(const Reader& o, int r, int v) {
    const T* at = o.p + r * o.stride;
    return o.scalar ? broadcast(*at) : load(at + v * W<T>);
  }
};

/// Scratch memory of one thread for one formula.
template <class T>
struct FormulaScratch {
  static constexpr int L = LANES<T>;
  int cap = 1, rows = 0;
  Aligned<T> lanes;                         // [registers][cap][L]
  Aligned<T> parameters;                    // [registers][L]
  Aligned<T> z, delta, curvature, product;  // [cap][L]
  Aligned<T> gathered, y, c, o;             // [columns][cap][L] and [cap][L], mini-batches only
  std::vector<int> order;                   // parameters with a derivative
  std::vector<Reader<T>> slopes, pairs;     // of z by each of them, and products of two
  std::vector<T*> out;
  bool shared = true;
  Aligned<T> f, g, H;  // of lanes that are evaluated a second time
  /// Shares of the rows of each lane [N][L], and the same as numbers of times; null where they are the problem's.
  const T* own = nullptr;
  const Times<T>* times = nullptr;

  explicit FormulaScratch(const Problem<T>& p) {
    const Formula& formula = *p.formula;
    // All registers of a tile stay in the first-level cache.
    const size_t row_bytes = (formula.body.registers + 4) * L * sizeof(T);
    cap = std::clamp(int(24 * 1024 / row_bytes), 1, 32);
    cap = std::max(1, std::min(cap, p.d.rows));
    const size_t tile = size_t(cap) * L;
    lanes.resize(std::max<size_t>(1, formula.body.registers) * tile);
    parameters.resize(std::max<size_t>(1, formula.prelude.registers) * L);
    for (auto* a : {&z, &delta, &curvature, &product}) a->resize(tile);
  }
};

}  // namespace MS_TARGET
