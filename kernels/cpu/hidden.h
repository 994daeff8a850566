// Networks with one hidden layer and one output: a tile passes once forward and once backward, in registers as far as
// they go, because stores cost as much as arithmetic. φ and φ′ of the tile are all that is kept in between, and φ″
// where a Hessian wants it.
#pragma once

#include <algorithm>

#include "gemm.h"
#include "loss.h"
#include "workspace.h"

namespace MS_TARGET {

template <class T>
class OneHidden {
 public:
  /// Whether the fused passes apply.
  static bool fits(const Problem<T>& p) {
    return p.layers.size() == 2 && p.d.outputs == 1 && manystart::response_of(p.d.loss) != manystart::Response::classes;
  }

  /// z of the tile's rows, without the offsets.
  static void forward(const Problem<T>& p, const T* theta, Workspace<T>& w) {
#define MS_CASE(name, ...) \
  case Activation::name: return forward_by<Activation::name>(p, theta, w);
    switch (p.d.activation) { MS_ACTIVATIONS(MS_CASE) }
#undef MS_CASE
  }

  /// Adds the tile's part to g.
  static void gradient(const Problem<T>& p, const T* theta, Workspace<T>& w, T* g) {
    const Layer &hidden = p.layers[0], &last = p.layers[1];
    const int extra = p.d.bias ? 1 : 0, first = std::min(p.S, NB_MAX);
    const size_t tile = size_t(w.cap) * L;
    const T* above = w.sensitivity(1);
    if (extra)
      for (int v = 0; v < VPL<T>; v++) {
        T* out = g + size_t(last.at) * L + v * W<T>;
        Vec<T> sum = load(out);
        for (int r = 0; r < w.rows; r++) sum += load(above + size_t(r) * L + v * W<T>);
        store(out, sum);
      }
    for (int k = 0; k < hidden.units; k++) {
      const size_t to_out = size_t(last.at + extra + k) * L;
      T* own = g + size_t(hidden.at + k * hidden.stride) * L;
      T* d1 = w.d1[0].get() + k * tile;
      unit_gradients<NB_MAX>(first, p, w, w.act[1].get() + (extra + k) * tile, d1, above, theta + to_out, own,
                             g + to_out);
      if (p.S == first) continue;
      T* sums = w.q.get();
      product(Shared<T>{w.x + first, p.S, 1}, p.S - first, stored(d1, 1), w.rows, sums, 1, Into::set);
      for (int s = first; s < p.S; s++)
        for (int v = 0; v < VPL<T>; v++) {
          T* place = own + size_t(s) * L + v * W<T>;
          store(place,
                fma(load(theta + to_out + v * W<T>), load(sums + size_t(s - first) * L + v * W<T>), load(place)));
        }
    }
  }

 private:
  static constexpr int L = LANES<T>;

  /// z of R rows from row r on, in V registers of the lane group from register v0 on. `ready`: φ holds u.
  template <Activation A, int R, int V>
  static void forward_rows(const Problem<T>& p, const T* theta, Workspace<T>& w, int r, int v0, bool ready) {
    constexpr int U = R * V;
    const Layer &hidden = p.layers[0], &last = p.layers[1];
    const int extra = p.d.bias ? 1 : 0, S = p.S;
    const size_t tile = size_t(w.cap) * L, at = size_t(r) * L + v0 * W<T>;
    const T* x = w.x + size_t(r) * S;
    const T* to_out = theta + size_t(last.at) * L + v0 * W<T>;
    const T* weights = theta + size_t(hidden.at) * L + v0 * W<T>;
    T* a = w.act[1].get() + extra * tile + at;
    T* d1 = w.d1[0].get() + at;
    T* d2 = w.second ? w.d2[0].get() + at : nullptr;
    // Register k of a pack: row k / V, register k % V of the lane group.
    const auto place = [](int k) { return k / V * L + k % V * W<T>; };
    Pack<T, U> z;
    MS_EACH z.v[k] = extra ? load(to_out + k % V * W<T>) : Vec<T>{};
    to_out += extra * L;
    for (int unit = 0; unit < hidden.units; unit++, to_out += L, a += tile, d1 += tile) {
      Pack<T, U> u, value, first, second;
      if (ready) {
        MS_EACH u.v[k] = load(a + place(k));
      } else {
        MS_EACH u.v[k] = extra ? load(weights + k % V * W<T>) : Vec<T>{};
        weights += extra * L;
        for (int s = extra; s < S; s++, weights += L) {
          const auto weight = load_pack<V>(weights);
          MS_EACH u.v[k] = fma(broadcast(x[k / V * S + s]), weight.v[k % V], u.v[k]);
        }
      }
      activation_terms<T, A, U>(u, value, first, second);
      const auto weight = load_pack<V>(to_out);
      MS_EACH {
        store(a + place(k), value.v[k]);
        store(d1 + place(k), first.v[k]);
        if (d2) store(d2 + unit * tile + place(k), second.v[k]);
        z.v[k] = fma(value.v[k], weight.v[k % V], z.v[k]);
      }
    }
    MS_EACH store(w.z.get() + at + place(k), z.v[k]);
  }

  template <Activation A, int R, int V>
  static void forward_tile(const Problem<T>& p, const T* theta, Workspace<T>& w, int from, int to, bool ready) {
    for (int v = 0; v < VPL<T>; v += V) {
      int r = from;
      for (; r + R <= to; r += R) forward_rows<A, R, V>(p, theta, w, r, v, ready);
      for (; r < to; r++) forward_rows<A, 1, V>(p, theta, w, r, v, ready);
    }
  }

  template <Activation A>
  static void forward_by(const Problem<T>& p, const T* theta, Workspace<T>& w) {
#if defined(__AVX512F__)
    // Long sums want many of them at a time; beside short ones φ and φ′ want the registers.
    if (p.S > 16) forward_tile<A, 8, 1>(p, theta, w, 0, w.rows, false);
    else forward_tile<A, 4, 1>(p, theta, w, 0, w.rows, false);
#else
    if (p.S <= 12) return forward_tile<A, 2, 2>(p, theta, w, 0, w.rows, false);
    // The registers do not hold enough long sums beside φ and φ′: they are formed apart.
    const Layer& hidden = p.layers[0];
    const size_t tile = size_t(w.cap) * L;
    constexpr int rows = 4 * NB_MAX;
    for (int r = 0; r < w.rows; r += rows) {
      const int end = std::min(w.rows, r + rows);
      for (int k = 0; k < hidden.units; k++)
        product(Shared<T>{w.x + size_t(r) * p.S, 1, p.S}, end - r,
                stored(theta + size_t(hidden.at + k * hidden.stride) * L, 1), p.S,
                w.act[1].get() + (p.d.bias + k) * tile + size_t(r) * L, 1, Into::set);
      forward_tile<A, 2, 2>(p, theta, w, r, end, true);
    }
#endif
  }

  /// One unit's first NB weights: g += w Σ_rows φ′ δ_out x, which is Σ δ x with δ = φ′ w δ_out, and that to the output:
  /// g_out += Σ_rows δ_out φ. φ′ δ_out replaces φ′ where further weights need it. Column 0 of x holds ones where there
  /// are biases.
  template <int NB>
  static void unit_gradient(const Problem<T>& p, const Workspace<T>& w, const T* a, T* d1, const T* above,
                            const T* weight, T* g, T* g_out) {
    const bool keep = p.S > NB, ones = p.d.bias;
    for (int v0 = 0; v0 < VPL<T>; v0 += VB) {
      Vec<T> acc[NB][VB] = {}, out[VB];
#pragma GCC unroll 4
      for (int v = 0; v < VB; v++) out[v] = load(g_out + (v0 + v) * W<T>);
      for (int r = 0; r < w.rows; r++) {
        const size_t at = size_t(r) * L + v0 * W<T>;
        const T* x = w.x + size_t(r) * p.S;
        Vec<T> part[VB];
#pragma GCC unroll 4
        for (int v = 0; v < VB; v++) {
          const Vec<T> d = load(above + at + v * W<T>);
          out[v] = fma(load(a + at + v * W<T>), d, out[v]);
          part[v] = load(d1 + at + v * W<T>) * d;
          if (keep) store(d1 + at + v * W<T>, part[v]);
          acc[0][v] = ones ? acc[0][v] + part[v] : fma(broadcast(x[0]), part[v], acc[0][v]);
        }
#pragma GCC unroll 16
        for (int n = 1; n < NB; n++) {
          const Vec<T> b = broadcast(x[n]);
#pragma GCC unroll 4
          for (int v = 0; v < VB; v++) acc[n][v] = fma(b, part[v], acc[n][v]);
        }
      }
#pragma GCC unroll 4
      for (int v = 0; v < VB; v++) {
        store(g_out + (v0 + v) * W<T>, out[v]);
        const Vec<T> factor = load(weight + (v0 + v) * W<T>);
#pragma GCC unroll 16
        for (int n = 0; n < NB; n++) {
          T* place = g + size_t(n) * L + (v0 + v) * W<T>;
          store(place, fma(factor, acc[n][v], load(place)));
        }
      }
    }
  }

  template <int NB, class... Rest>
  static void unit_gradients(int n, const Rest&... rest) {
    if constexpr (NB > 1) {
      if (n < NB) return unit_gradients<NB - 1>(n, rest...);
    }
    unit_gradient<NB>(rest...);
  }
};

}  // namespace MS_TARGET
