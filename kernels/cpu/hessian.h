// The exact Hessian of a network: sensitivities of one unit at a time, then products over the rows of a tile. Entries
// with row ≤ column only; the first tile assigns, later ones add.
#pragma once

#include "gemm.h"
#include "workspace.h"

namespace MS_TARGET {

template <class T>
class Hessian {
 public:
  static void add(const Problem<T>& p, const T* theta, Workspace<T>& w, T* H, bool first) {
    const int M = int(p.layers.size());
    form_pairs(p, w);
    for (int l = 0; l < M; l++)
      for (int j = 0; j < p.layers[l].units; j++) {
        sensitivities(p, theta, w, l, j);
        for (int m = l; m < M; m++)
          for (int k = m == l ? j : 0; k < p.layers[m].units; k++) {
            if (l == 0 && m == 0) first_block(p, w, j, k, w.rm[0].get() + k * size_t(w.cap) * L, H, first);
            else other_block(p, w, l, j, m, k, H, first);
          }
      }
  }

  /// Products x_d x_e (d ≤ e) of the tile's rows, [rows][products].
  static void form_pairs(const Problem<T>& p, Workspace<T>& w) {
    // Where one tile holds all rows they never change.
    if (w.pairs_ready) return;
    w.pairs_ready = w.cap >= p.d.rows;
    for (int r = 0; r < w.rows; r++) {
      const T* x = w.x + size_t(r) * p.S;
      T* out = w.pairs.get() + size_t(r) * w.products;
      for (int d = 0; d < p.S; d++)
        for (int e = d; e < p.S; e++) *out++ = x[d] * x[e];
    }
  }

  /// Block of units j ≤ k of the first layer, from their R over the tile: the same products of inputs for every lane.
  static void first_block(const Problem<T>& p, Workspace<T>& w, int j, int k, const T* r, T* H, bool first) {
    T* G = w.block_out.get();
    product(Shared<T>{w.pairs.get(), w.products, 1}, w.products, stored(r, 1), w.rows, G, 1, Into::set);
    for (int d = 0; d < p.S; d++)
      for (int e = d; e < p.S; e++, G += L) {
        put(H + (size_t(j * p.S + d) * p.P + k * p.S + e) * L, G, first);
        if (j != k && d != e) put(H + (size_t(j * p.S + e) * p.P + k * p.S + d) * L, G, first);
      }
  }

 private:
  static constexpr int L = LANES<T>;

  /// T^{l,m} and R^{l,m} of unit j of layer l over the tile, into w.tm[m] and w.rm[m] for m ≥ l ([units_m][cap][L]).
  static void sensitivities(const Problem<T>& p, const T* theta, Workspace<T>& w, int l, int j) {
    const int last = int(p.layers.size()) - 1, extra = p.d.bias ? 1 : 0;
    const size_t tile = size_t(w.cap) * L, used = size_t(w.rows) * L;
    for (int m = l + 1; m <= last; m++) {
      const Layer& layer = p.layers[m];
      // φ′ times T of the layer below; for m = l + 1 only unit j is there.
      for (int k = 0; k < layer.units; k++) {
        T* t = w.tm[m].get() + k * tile;
        const T* weights = theta + size_t(layer.at + k * layer.stride + extra) * L;
        const int from = m == l + 1 ? j : 0, to = m == l + 1 ? j + 1 : layer.inputs;
        for (size_t i = 0; i < used; i += W<T>) {
          const int v = int(i % L);
          Vec<T> sum{};
          for (int e = from; e < to; e++) {
            Vec<T> d = load(w.d1[m - 1].get() + e * tile + i);
            if (m > l + 1) d *= load(w.tm[m - 1].get() + e * tile + i);
            sum = fma(load(weights + e * L + v), d, sum);
          }
          store(t + i, sum);
        }
      }
    }
    const int C = p.d.outputs;
    for (int c = 0; c < C; c++) {
      T* r = w.rm[last].get() + c * tile;
      for (size_t i = 0; i < used; i += W<T>) {
        Vec<T> sum{};
        if (l == last) sum = load(w.curvature.get() + (size_t(c) * C + j) * tile + i);
        else
          for (int b = 0; b < C; b++)
            sum = fma(load(w.curvature.get() + (size_t(c) * C + b) * tile + i), load(w.tm[last].get() + b * tile + i),
                      sum);
        store(r + i, sum);
      }
    }
    for (int m = last - 1; m >= l; m--) {
      const Layer& above = p.layers[m + 1];
      // In the layer of the source only units from j on are needed: H is symmetric.
      for (int k = m == l ? j : 0; k < p.layers[m].units; k++) {
        T* r = w.rm[m].get() + k * tile;
        const T* weights = theta + size_t(above.at + extra + k) * L;
        for (size_t i = 0; i < used; i += W<T>) {
          const int v = int(i % L);
          Vec<T> sum{};
          for (int q = 0; q < above.units; q++)
            sum = fma(load(weights + size_t(q) * above.stride * L + v), load(w.rm[m + 1].get() + q * tile + i), sum);
          sum *= load(w.d1[m].get() + k * tile + i);
          const Vec<T> curved = load(w.d2[m].get() + k * tile + i) * load(w.s[m].get() + k * tile + i);
          if (m == l) sum = k == j ? sum + curved : sum;
          else sum = fma(curved, load(w.tm[m].get() + k * tile + i), sum);
          store(r + i, sum);
        }
      }
    }
  }

  static void put(T* at, const T* value, bool first) {
    for (int i = 0; i < L; i += W<T>) store(at + i, first ? load(value + i) : load(at + i) + load(value + i));
  }

  /// All other blocks: column (m, k, e) against all inputs d of unit (l, j).
  static void other_block(const Problem<T>& p, Workspace<T>& w, int l, int j, int m, int k, T* H, bool first) {
    const size_t tile = size_t(w.cap) * L, used = size_t(w.rows) * L;
    const int extra = p.d.bias ? 1 : 0;
    const Layer &low = p.layers[l], &top = p.layers[m];
    const T* r = w.rm[m].get() + k * tile;
    const T* delta = w.sensitivity(m) + k * tile;
    for (int e = 0; e < top.stride; e++) {
      const int unit = e - extra;  // unit of the layer below m that feeds this weight; −1 for the bias
      const T* a = w.act[m].get() + e * tile;
      T* q = w.q.get();
      for (size_t i = 0; i < used; i += W<T>) {
        Vec<T> value = unit < 0 ? load(r + i) : load(r + i) * load(a + i);
        if (unit >= 0 && m > l && (m > l + 1 || unit == j)) {
          Vec<T> t = load(w.d1[m - 1].get() + unit * tile + i);
          if (m > l + 1) t *= load(w.tm[m - 1].get() + unit * tile + i);
          value = fma(load(delta + i), t, value);
        }
        store(q + i, value);
      }
      T* out = H + (size_t(low.at + j * low.stride) * p.P + top.at + k * top.stride + e) * L;
      if (l == 0) product(Shared<T>{w.x, p.S, 1}, p.S, stored(q, 1), w.rows, out, p.P, first ? Into::set : Into::add);
      else
        product(PerLane<T>{w.act[l].get(), 1, w.cap}, low.stride, stored(q, 1), w.rows, out, p.P,
                first ? Into::set : Into::add);
    }
  }
};

}  // namespace MS_TARGET
