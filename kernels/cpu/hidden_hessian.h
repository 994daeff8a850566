// The exact Hessian of a network with one hidden layer and one output, from what its forward pass keeps. With
// t_j = w_j φ′_j ℓ″: R of units j and k is t_j w_k φ′_k, plus w_j φ″_j ℓ′ where they are one.
#pragma once

#include "gemm.h"
#include "hessian.h"
#include "workspace.h"

namespace MS_TARGET {

template <class T>
class OneHiddenHessian {
 public:
  static constexpr int L = LANES<T>;

  static void add(const Problem<T>& p, const T* theta, Workspace<T>& w, T* H, bool first) {
    const Layer &hidden = p.layers[0], &last = p.layers[1];
    const int extra = p.d.bias ? 1 : 0, S = p.S, P = p.P;
    const size_t tile = size_t(w.cap) * L;
    const Into into = first ? Into::set : Into::add;
    const T *slope = w.sensitivity(1), *curvature = w.curvature.get();
    const T* weights = theta + size_t(last.at + extra) * L;
    const T* ones_and_units = w.act[1].get();
    T *t = w.q.get(), *r = w.rm[0].get();
    const auto at = [](const T* a, ptrdiff_t row, int v) { return load(a + row * L + v * W<T>); };
    Hessian<T>::form_pairs(p, w);
    for (int j = 0; j < hidden.units; j++) {
      const T *d1 = w.d1[0].get() + j * tile, *d2 = w.d2[0].get() + j * tile, *wj = weights + j * L;
      for (int row = 0; row < w.rows; row++)
        for (int v = 0; v < VPL<T>; v++)
          store(t + row * L + v * W<T>, at(d1, row, v) * at(curvature, row, v) * at(wj, 0, v));
      for (int k = j; k < hidden.units; k++) {
        const T *d1k = w.d1[0].get() + k * tile, *wk = weights + k * L;
        for (int row = 0; row < w.rows; row++)
          for (int v = 0; v < VPL<T>; v++) {
            Vec<T> value = at(t, row, v) * (at(d1k, row, v) * at(wk, 0, v));
            if (k == j) value = fma(at(d2, row, v) * at(slope, row, v), at(wj, 0, v), value);
            store(r + row * L + v * W<T>, value);
          }
        Hessian<T>::first_block(p, w, j, k, r, H, first);
      }
      // Weights of unit j beside those of the output: the bias's, where there is one, then each unit's.
      T* column = H + (size_t(hidden.at + j * hidden.stride) * P + last.at) * L;
      const Shared<T> inputs{w.x, S, 1};
      if (extra) product(inputs, S, stored(t, 1), w.rows, column, P, into);
      for (int k = 0; k < hidden.units; k++) {
        const T* a = ones_and_units + (extra + k) * tile;
        T* out = column + size_t(extra + k) * L;
        if (k != j)
          product(inputs, S, [=](ptrdiff_t row, int v) { return at(t, row, v) * at(a, row, v); }, w.rows, out, P, into);
        else
          product(
              inputs, S,
              [=](ptrdiff_t row, int v) {
                return fma(at(t, row, v), at(a, row, v), at(d1, row, v) * at(slope, row, v));
              },
              w.rows, out, P, into);
      }
    }
    for (int k = 0; k < last.stride; k++) {
      const T* a = ones_and_units + k * tile;
      product(
          PerLane<T>{a, 1, w.cap}, last.stride - k,
          [=](ptrdiff_t row, int v) { return at(curvature, row, v) * at(a, row, v); }, w.rows,
          H + (size_t(last.at + k) * P + last.at + k) * L, 1, into);
    }
  }
};

}  // namespace MS_TARGET
