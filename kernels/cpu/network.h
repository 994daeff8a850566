// Loss, gradient and exact Hessian of a network for one lane group (formulas: kernels/README.md). Rows pass in tiles;
// the activations of a tile stay in cache and nothing of size N × h is kept.
#pragma once

#include <algorithm>

#include "firth.h"
#include "formula.h"
#include "gemm.h"
#include "hidden.h"
#include "hidden_hessian.h"

namespace MS_TARGET {

template <class T>
class Network {
 public:
  static constexpr int L = LANES<T>;

  /// f [L]; g [P][L] and H [P·P][L] where not null. H: entries with row ≤ column only. All 64-byte aligned.
  static void evaluate(const Problem<T>& p, const T* theta, T* f, T* g, T* H, Workspace<T>& w) {
    clear(p, f, g);
    const bool fused = OneHidden<T>::fits(p);
    for (int r0 = 0; r0 < p.d.rows; r0 += w.cap) {
      w.rows = std::min(w.cap, p.d.rows - r0);
      w.x = p.x.get() + size_t(r0) * p.S;
      if (fused) OneHidden<T>::forward(p, theta, w);
      else forward(p, theta, w);
      losses(p, w, r0, f, g || H, H);
      if (!g && !H) continue;
      if (fused) {
        if (H) OneHiddenHessian<T>::add(p, theta, w, H, r0 == 0);
        if (g) OneHidden<T>::gradient(p, theta, w, g);
        continue;
      }
      backward(p, theta, w);
      if (g) gradient(p, w, g);
      if (H) Hessian<T>::add(p, theta, w, H, r0 == 0);
    }
    penalty(p, theta, f, g, H);
    if (p.d.firth) add_firth(p, theta, f, g, H);
  }

  /// f and g over a mini-batch that differs between lanes: the mean is over the weights of each lane's rows.
  static void evaluate_rows(const Problem<T>& p, const T* theta, LaneRows<T> batch, T* f, T* g, Workspace<T>& w) {
    clear(p, f, g);
    const size_t tile = size_t(w.cap) * L;
    w.gathered.resize(p.S * tile);
    w.y.resize(p.targets() * tile), w.c.resize(tile), w.o.resize(tile);
    T total[L] = {};
    for (int r = 0; r < batch.count; r++)
      for (int l = 0; l < L; l++)
        if (uint32_t(r) < batch.lane_count[l])
          total[l] += LaneRows<T>::weight(p, w.own, batch.rows[size_t(r) * L + l], l);
    for (int r0 = 0; r0 < batch.count; r0 += w.cap) {
      w.rows = std::min(w.cap, batch.count - r0);
      w.x = nullptr;
      for (int r = 0; r < w.rows; r++)
        for (int l = 0; l < L; l++) {
          const bool mine = uint32_t(r0 + r) < batch.lane_count[l];
          const uint32_t row = mine ? batch.rows[size_t(r0 + r) * L + l] : 0;
          for (int k = 0; k < p.S; k++) w.gathered[(size_t(k) * w.cap + r) * L + l] = p.x[size_t(row) * p.S + k];
          for (int k = 0; k < p.targets(); k++) w.y[(size_t(k) * w.cap + r) * L + l] = p.y[size_t(k) * p.d.rows + row];
          w.o[size_t(r) * L + l] = p.offset[row];
          w.c[size_t(r) * L + l] = mine && total[l] > 0 ? LaneRows<T>::weight(p, w.own, row, l) / total[l] : T(0);
        }
      forward(p, theta, w);
      losses(p, w, 0, f, true, false);
      backward(p, theta, w);
      gradient(p, w, g);
    }
    penalty(p, theta, f, g, nullptr);
    if (p.d.firth) add_firth<T>(p, theta, f, g, nullptr);
  }

  /// Outputs of a tile's rows, offsets included: fills w.z [C][cap][L] for rows r0 … r0 + w.rows − 1.
  static void predict(const Problem<T>& p, const T* theta, Workspace<T>& w, int r0) {
    w.rows = std::min(w.cap, p.d.rows - r0);
    w.x = p.x.get() + size_t(r0) * p.S;
    forward(p, theta, w);
    if (manystart::response_of(p.d.loss) == manystart::Response::classes) return;
    for (int k = 0; k < p.d.outputs; k++)
      for (int r = 0; r < w.rows; r++)
        for (int l = 0; l < L; l++) w.z[(size_t(k) * w.cap + r) * L + l] += p.offset[r0 + r];
  }

 private:
  static void clear(const Problem<T>& p, T* f, T* g) {
    std::fill(f, f + L, T(0));
    if (g) std::fill(g, g + size_t(p.P) * L, T(0));
  }

  /// z of the tile's rows, without the offsets.
  static void forward(const Problem<T>& p, const T* theta, Workspace<T>& w) {
    const int last = int(p.layers.size()) - 1, extra = p.d.bias ? 1 : 0;
    const size_t tile = size_t(w.cap) * L;
    for (int m = 0; m <= last; m++) {
      const Layer& layer = p.layers[m];
      for (int k = 0; k < layer.units; k++) {
        const T* weights = theta + size_t(layer.at + k * layer.stride) * L;
        T* u = m == last ? w.z.get() + k * tile : w.act[m + 1].get() + (extra + k) * tile;
        if (m == 0 && w.x) product(Shared<T>{w.x, 1, p.S}, w.rows, stored(weights, 1), p.S, u, 1, Into::set);
        else
          product(PerLane<T>{m == 0 ? w.gathered.get() : w.act[m].get(), w.cap, 1}, w.rows, stored(weights, 1),
                  layer.stride, u, 1, Into::set);
        if (m < last)
          activate<T>(p.d.activation, u, u, w.d1[m].get() + k * tile, w.second ? w.d2[m].get() + k * tile : nullptr,
                      size_t(w.rows) * VPL<T>);
      }
    }
  }

  /// U registers of the tile's rows of output `at_output`, from register `from` on; `sum`: Σ ℓ so far, one register for
  /// each of the lane group.
  template <Loss K, int U>
  MS_INLINE void scalar_pack(const Problem<T>& p, const Workspace<T>& w, int r0, int at_output, int from, Vec<T>* sum,
                             T* delta, T* curvature) {
    const size_t at = size_t(from) * W<T>, shift = size_t(at_output) * w.cap * L;
    const T* target = p.y.data() + size_t(at_output) * p.d.rows;
    Pack<T, U> z, y, c;
    MS_EACH {
      const int r = (from + k) / VPL<T>;
      z.v[k] = load(w.z.get() + shift + at + k * W<T>) +
               (w.x ? broadcast(p.offset[r0 + r]) : load(w.o.get() + at + k * W<T>));
      y.v[k] = w.x ? broadcast(target[r0 + r]) : load(w.y.get() + shift + at + k * W<T>);
      c.v[k] = !w.x    ? load(w.c.get() + at + k * W<T>)
               : w.own ? load(w.own + size_t(r0) * L + at + k * W<T>)
                       : broadcast(p.c[r0 + r]);
    }
    const auto t = loss_terms<T, K, U>(z, y, p.loss_constants.data());
    // Rows without weight are not there, whatever their loss.
    const Pack<T, U> zero = T(0);
    const auto absent = c == zero;
    const Pack<T, U> value = select(absent, zero, c * t.value);
    MS_EACH sum[(from + k) % VPL<T>] += value.v[k];
    if (delta) store(delta + at, select(absent, zero, c * t.first));
    if (curvature) store(curvature + at, select(absent, zero, c * t.second));
  }

  template <Loss K>
  static void scalar_losses(const Problem<T>& p, Workspace<T>& w, int r0, T* f, bool need_g, bool need_h) {
    constexpr int U = 4, rest = VPL<T> < U ? VPL<T> : U;
    const int registers = w.rows * VPL<T>, C = p.d.outputs;
    const size_t tile = size_t(w.cap) * L;
    if (need_h && C > 1) std::fill(w.curvature.get(), w.curvature.get() + C * C * tile, T(0));
    Vec<T> sum[VPL<T>];
    for (int v = 0; v < VPL<T>; v++) sum[v] = load(f + v * W<T>);
    for (int k = 0; k < C; k++) {
      T* delta = need_g ? w.sensitivity(int(p.layers.size()) - 1) + k * tile : nullptr;
      T* curvature = need_h ? w.curvature.get() + size_t(k * C + k) * tile : nullptr;
      int i = 0;
      for (; i + U <= registers; i += U) scalar_pack<K, U>(p, w, r0, k, i, sum, delta, curvature);
      for (; i < registers; i += rest) scalar_pack<K, rest>(p, w, r0, k, i, sum, delta, curvature);
    }
    for (int v = 0; v < VPL<T>; v++) store(f + v * W<T>, sum[v]);
  }

  /// As scalar_pack, for the logistic loss where all rows weigh the same: Σ log(1 + e^−|z|) = log(1 + q) with
  /// 1 + q = Π (1 + e^−|z|), formed without the 1, so that small q keep their digits. One logarithm serves many rows.
  template <int U>
  MS_INLINE void logistic_pack(const Problem<T>& p, const Workspace<T>& w, int r0, int from, Vec<T>* sum, Vec<T>* q,
                               T* delta, T* curvature) {
    const size_t at = size_t(from) * W<T>;
    Pack<T, U> z, y;
    MS_EACH {
      const int r = (from + k) / VPL<T>;
      z.v[k] = load(w.z.get() + at + k * W<T>) + broadcast(p.offset[r0 + r]);
      y.v[k] = broadcast(p.y[r0 + r]);
    }
    const Pack<T, U> c = p.c[0];
    const auto t = logistic_terms<T, U>(z, y);
    MS_EACH {
      const int v = (from + k) % VPL<T>;
      sum[v] += t.linear.v[k];
      q[v] = fma(t.e.v[k], q[v] + T(1), q[v]);
    }
    if (delta) store(delta + at, c * t.first);
    if (curvature) store(curvature + at, c * t.up_down);
  }

  MS_INLINE Vec<T> log_of(Vec<T> q) {
    Pack<T, 1> odds;
    odds.v[0] = q;
    return log_of_odds<T, 1>(odds).v[0];
  }

  /// As logistic_pack, of rows that each lane has its own number of times.
  template <int U>
  MS_INLINE void repeated_pack(const Problem<T>& p, const Workspace<T>& w, int r0, int from, Vec<T>* sum, Vec<T>* q,
                               T* delta, T* curvature) {
    const size_t at = size_t(from) * W<T>, own = size_t(r0) * L + at;
    Pack<T, U> z, y, c;
    MS_EACH {
      const int r = (from + k) / VPL<T>;
      z.v[k] = load(w.z.get() + at + k * W<T>) + broadcast(p.offset[r0 + r]);
      y.v[k] = broadcast(p.y[r0 + r]);
      c.v[k] = load(w.own + own + k * W<T>);
    }
    const auto t = logistic_terms<T, U>(z, y);
    const Pack<T, U> zero = T(0);
    const auto absent = c == zero;
    const Pack<T, U> linear = select(absent, zero, c * t.linear);
    const Pack<T, U> power = repeated<T, U>(t.e, w.times->low + own);
    MS_EACH {
      const int v = (from + k) % VPL<T>;
      sum[v] += linear.v[k];
      q[v] = fma(power.v[k], q[v] + T(1), q[v]);
    }
    if (delta) store(delta + at, select(absent, zero, c * t.first));
    if (curvature) store(curvature + at, select(absent, zero, c * t.up_down));
  }

  /// With one logarithm for many rows: all of one weight, or REPEATED as often as each lane has them.
  template <bool REPEATED>
  static void logistic_losses(const Problem<T>& p, Workspace<T>& w, int r0, T* f, bool need_g, bool need_h) {
    constexpr int U = 4, rest = VPL<T> < U ? VPL<T> : U, most = rows_together<T, REPEATED> * VPL<T>;
    T* delta = need_g ? w.sensitivity(int(p.layers.size()) - 1) : nullptr;
    T* curvature = need_h ? w.curvature.get() : nullptr;
    const int registers = w.rows * VPL<T>;
    for (int i = 0; i < registers;) {
      const int end = std::min(registers, i + most);
      Vec<T> sum[VPL<T>] = {}, q[VPL<T>] = {};
      const auto add = [&](auto size) __attribute__((always_inline)) {
        constexpr int N = decltype(size)::value;
        if constexpr (REPEATED) repeated_pack<N>(p, w, r0, i, sum, q, delta, curvature);
        else logistic_pack<N>(p, w, r0, i, sum, q, delta, curvature);
      };
      for (; i + U <= end; i += U) add(std::integral_constant<int, U>());
      for (; i < end; i += rest) add(std::integral_constant<int, rest>());
      for (int v = 0; v < VPL<T>; v++) {
        T* to = f + v * W<T>;
        if constexpr (REPEATED) store(to, load(to) + fma(load(w.times->unit + v * W<T>), log_of(q[v]), sum[v]));
        else store(to, load(to) + (sum[v] + log_of(q[v])) * p.c[0]);
      }
    }
    if constexpr (REPEATED)
      w.times->add_more(r0, w.rows, f, [&](int r, int l) { return w.z[size_t(r) * L + l] + p.offset[r0 + r]; });
  }

  static void softmax_losses(const Problem<T>& p, Workspace<T>& w, int r0, T* f, bool need_g, bool need_h) {
    constexpr int U = VPL<T>;
    using V = Pack<T, U>;
    const int C = p.d.outputs;
    const size_t tile = size_t(w.cap) * L;
    T* delta = w.sensitivity(int(p.layers.size()) - 1);
    const V zero = T(0), one = T(1);
    for (int r = 0; r < w.rows; r++) {
      const size_t at = size_t(r) * L;
      const V y = w.x ? V(p.y[r0 + r]) : load_pack<U>(w.y.get() + at);
      const V c = !w.x    ? load_pack<U>(w.c.get() + at)
                  : w.own ? load_pack<U>(w.own + size_t(r0) * L + at)
                          : V(p.c[r0 + r]);
      V top = load_pack<U>(w.z.get() + at), own = zero;
      for (int k = 0; k < C; k++) top = max(load_pack<U>(w.z.get() + k * tile + at), top);
      V total = zero, rest = zero;
      for (int k = 0; k < C; k++) {
        const V zk = load_pack<U>(w.z.get() + k * tile + at);
        const V e = vexp<T, U>(zk - top);
        const auto mine = y == T(k);
        store(delta + k * tile + at, e);
        total = total + e;
        rest = rest + select(mine, zero, e);
        own = select(mine, zk, own);
      }
      // ℓ = log Σ e^{z − z_y}: by log1p of the others where the own class leads.
      const V leads = vlog1p_unit<T, U>(min(rest, one));
      const V value = select((own == top) & (rest <= one), leads, (top - own) + vlog<T, U>(total));
      const auto absent = c == zero;
      store(f, load_pack<U>(f) + select(absent, zero, c * value));
      if (!need_g) continue;
      const V cc = select(absent, zero, c);
      for (int k = 0; k < C; k++) store(delta + k * tile + at, load_pack<U>(delta + k * tile + at) / total);
      if (need_h)
        for (int a = 0; a < C; a++)
          for (int b = 0; b < C; b++) {
            V other = zero;
            if (a == b) {
              for (int k = 0; k < C; k++)
                if (k != a) other = other + load_pack<U>(delta + k * tile + at);
            } else {
              other = -load_pack<U>(delta + b * tile + at);
            }
            store(w.curvature.get() + (a * C + b) * tile + at, cc * load_pack<U>(delta + a * tile + at) * other);
          }
      for (int k = 0; k < C; k++) {
        const V d = load_pack<U>(delta + k * tile + at);
        store(delta + k * tile + at, cc * select(y == T(k), -(rest / total), d));
      }
    }
  }

  static void losses(const Problem<T>& p, Workspace<T>& w, int r0, T* f, bool need_g, bool need_h) {
    if (p.d.loss == Loss::logistic && p.d.outputs == 1 && w.x && !w.own && p.equal_weights)
      return logistic_losses<false>(p, w, r0, f, need_g, need_h);
    if (p.d.loss == Loss::logistic && p.d.outputs == 1 && w.x && w.own && w.times)
      return logistic_losses<true>(p, w, r0, f, need_g, need_h);
    switch (p.d.loss) {
#define MS_CASE(name, ...)                                                            \
  case Loss::name:                                                                    \
    if constexpr (manystart::response_of(Loss::name) == manystart::Response::classes) \
      return softmax_losses(p, w, r0, f, need_g, need_h);                             \
    else return scalar_losses<Loss::name>(p, w, r0, f, need_g, need_h);
      MS_LOSSES(MS_CASE)
#undef MS_CASE
    }
  }

  static void backward(const Problem<T>& p, const T* theta, Workspace<T>& w) {
    const size_t tile = size_t(w.cap) * L, used = size_t(w.rows) * L;
    const int extra = p.d.bias ? 1 : 0;
    for (int m = int(p.layers.size()) - 1; m >= 1; m--) {
      const Layer& above = p.layers[m];
      for (int e = 0; e < above.inputs; e++) {
        T* d1 = w.d1[m - 1].get() + e * tile;
        T* s = w.second ? w.s[m - 1].get() + e * tile : d1;
        product(PerLane<T>{w.sensitivity(m), w.cap, 1}, w.rows,
                stored(theta + size_t(above.at + extra + e) * L, above.stride), above.units, s, 1,
                w.second ? Into::set : Into::scale);
        if (!w.second) continue;
        T* delta = w.delta[m - 1].get() + e * tile;
        for (size_t i = 0; i < used; i += W<T>) store(delta + i, load(d1 + i) * load(s + i));
      }
    }
  }

  static void gradient(const Problem<T>& p, Workspace<T>& w, T* g) {
    const size_t tile = size_t(w.cap) * L;
    for (size_t m = 0; m < p.layers.size(); m++) {
      const Layer& layer = p.layers[m];
      for (int k = 0; k < layer.units; k++) {
        T* out = g + size_t(layer.at + k * layer.stride) * L;
        const T* delta = w.sensitivity(m) + k * tile;
        if (m == 0 && w.x) product(Shared<T>{w.x, p.S, 1}, p.S, stored(delta, 1), w.rows, out, 1, Into::add);
        else
          product(PerLane<T>{m == 0 ? w.gathered.get() : w.act[m].get(), 1, w.cap}, layer.stride, stored(delta, 1),
                  w.rows, out, 1, Into::add);
      }
    }
  }

  static void penalty(const Problem<T>& p, const T* theta, T* f, T* g, T* H) {
    if (!p.penalized) return;
    T sum[L] = {};
    for (int k = 0; k < p.P; k++) {
      const T ridge = p.penalty[k];
      if (!(ridge > 0)) continue;
      const T* t = theta + size_t(k) * L;
      for (int l = 0; l < L; l++) {
        sum[l] = fmas(ridge * t[l], t[l], sum[l]);
        if (g) g[size_t(k) * L + l] += ridge * t[l];
        if (H) H[(size_t(k) * p.P + k) * L + l] += ridge;
      }
    }
    for (int l = 0; l < L; l++) f[l] += T(0.5) * sum[l];
  }
};

}  // namespace MS_TARGET
