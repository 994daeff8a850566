// f, g and H of a network or a formula at one point, over doubles, balls or intervals: SIMD lanes are rows. Formulas:
// kernels/README.md. Only entries of H with row ≤ column are formed.
#pragma once

#include <vector>

#include "formula_enclosures.h"
#include "problem.h"

namespace MS_TARGET {

using manystart::Problem;

MS_INLINE V lane(const V& a, int l) { return vec(a[l]); }
MS_INLINE Ball lane(const Ball& a, int l) { return {vec(a.hi[l]), vec(a.lo[l]), vec(a.rad[l])}; }
MS_INLINE Interval lane(const Interval& a, int l) { return {vec(a.lo[l]), vec(a.hi[l])}; }
/// The sum over lanes, in every lane.
template <class S>
S over_lanes(const S& a) {
  S sum = lane(a, 0);
  for (int l = 1; l < W<double>; l++) sum = sum + lane(a, l);
  return sum;
}
MS_INLINE Interval divided(const Interval& a, const Ball& total) { return a * interval(ball(1.0) / total); }
MS_INLINE Ball divided(const Ball& a, const Ball& total) { return a / total; }
MS_INLINE V divided(const V& a, const Ball& total) { return a / total.hi; }
MS_INLINE V lift(const V&, const V& x) { return x; }
MS_INLINE Ball lift(const Ball&, const V& x) { return ball(x); }
MS_INLINE Interval lift(const Interval&, const V& x) { return interval(x); }
MS_INLINE Int<double> at_kink(const V& u) { return u == 0.0; }
MS_INLINE Int<double> at_kink(const Ball& u) { return ~(vabs<double>(u.hi) * (1 - 4 * unit) > u.rad); }
MS_INLINE Int<double> at_kink(const Interval& u) { return ~((u.lo > 0.0) | (u.hi < 0.0)); }

template <class S>
class Derivatives {
 public:
  S f;
  /// [P] and [P, P]; every lane holds the same after `evaluate`.
  std::vector<S> g, H;
  /// A relu unit's pre-activation may be 0 on a row.
  bool kink = false;

  Derivatives(const Problem<double>& problem, bool hessian)
      : p(problem), M(int(p.layers.size())), second(hessian), tape(problem),
        constants(p.d.loss, p.d.loss_constants.data()) {
    for (int i = 0; i < p.d.rows; i++)
      if (p.weight[i] > 0) rows.push_back(i);
    g.resize(p.P);
    if (second) H.resize(size_t(p.P) * p.P);
    x.resize(p.S);
    act.resize(M), d1.resize(M), d2.resize(M), delta.resize(M), s.resize(M);
    for (int m = 0; m < M; m++) {
      const int units = p.layers[m].units;
      for (auto* list : {&act, &d1, &d2, &delta, &s}) (*list)[m].resize(units);
    }
    const int C = p.d.outputs;
    z.resize(C), probability.resize(C), curvature.resize(size_t(C) * C);
    if (second) T.resize(M), R.resize(M), row.resize(p.P), side.resize(p.P);
  }

  /// theta [P], the same in every lane.
  void evaluate(const std::vector<S>& theta) {
    const S zero = number(f, 0);
    f = zero, kink = false;
    std::fill(g.begin(), g.end(), zero);
    std::fill(H.begin(), H.end(), zero);
    Ball total = ball(0.0);
    for (int i : rows) total = total + ball(p.weight[i]);
    if (p.formula) tape.prelude(theta, second ? 2 : 1);
    for (size_t from = 0; from < rows.size(); from += W<double>) {
      load_rows(from);
      if (p.formula) {
        formula();
        continue;
      }
      forward(theta);
      losses();
      backward(theta);
      if (second) hessian(theta);
    }
    kink = kink || tape.kink;
    f = divided(over_lanes(f), total);
    for (S& v : g) v = divided(over_lanes(v), total);
    for (int i = 0; second && i < p.P; i++)
      for (int j = i; j < p.P; j++) H[at(i, j)] = divided(over_lanes(H[at(i, j)]), total);
    penalty(theta);
  }

  size_t at(int i, int j) const { return size_t(i) * p.P + j; }

 private:
  const Problem<double>& p;
  const int M;
  const bool second;
  std::vector<int> rows;
  /// One pack of rows: inputs [S] (the ones of the bias first), outputs of the units, φ′, φ″, δ and s of every layer.
  std::vector<V> x;
  std::vector<std::vector<S>> act, d1, d2, delta, s;
  std::vector<S> z, probability, curvature, row, side;
  /// For one layer l: T[m] and R[m], [units of l, units of m].
  std::vector<std::vector<S>> T, R;
  V weight;
  std::vector<V> y;
  FormulaTape<S> tape;
  const LossConstants constants;

  void load_rows(size_t from) {
    const int extra = p.d.bias ? 1 : 0;
    const int C = p.d.loss == Loss::softmax ? 1 : p.d.outputs;
    y.resize(C);
    for (int l = 0; l < W<double>; l++) {
      const bool there = from + l < rows.size();
      const int i = rows[there ? from + l : rows.size() - 1];
      for (int k = extra; k < p.S; k++) x[k][l] = p.x[size_t(i) * p.S + k];
      for (size_t k = 0; k < tape.columns.size(); k++) tape.columns[k][l] = p.columns[k * p.d.rows + i];
      for (int c = 0; c < C; c++) y[c][l] = p.y[size_t(c) * p.d.rows + i];
      weight[l] = there ? p.weight[i] : 0;
      offset[l] = p.offset[i];
    }
  }
  V offset;

  /// The rows' part of f, g and H for a formula.
  void formula() {
    const auto& code = *p.formula;
    tape.body(weight > 0.0, second ? 2 : 1);
    const S at_row = tape.read(code.z);
    Jet<S> jet = {at_row, number(f, 1), number(f, 0)};
    if (code.has_loss) jet = loss(at_row + lift(f, offset), y[0]);
    const S slope = jet.first * weight, bend = jet.second * weight;
    f = f + jet.value * weight;
    for (int i = 0; i < p.P; i++) g[i] = g[i] + slope * tape.read(code.first[i]);
    if (!second) return;
    for (int i = 0; i < p.P && code.has_loss; i++) {
      const S left = bend * tape.read(code.first[i]);
      for (int j = i; j < p.P; j++) H[at(i, j)] = H[at(i, j)] + left * tape.read(code.first[j]);
    }
    for (const auto& [i, j, operand] : code.second) H[at(i, j)] = H[at(i, j)] + slope * tape.read(operand);
  }

  void forward(const std::vector<S>& theta) {
    const int extra = p.d.bias ? 1 : 0;
    for (int m = 0; m < M; m++) {
      const auto& layer = p.layers[m];
      for (int k = 0; k < layer.units; k++) {
        const S* w = theta.data() + layer.at + k * layer.stride;
        S u = extra ? w[0] : number(f, 0);
        for (int e = 0; e < layer.inputs; e++)
          u = m == 0 ? u + w[extra + e] * x[extra + e] : u + w[extra + e] * act[m - 1][e];
        if (m + 1 == M) {
          z[k] = p.d.loss == Loss::softmax ? u : u + lift(f, offset);
          continue;
        }
        if (p.d.activation == Activation::relu && any_lane<double>(at_kink(u) & (weight > 0.0))) kink = true;
        const auto jet = activation(u);
        act[m][k] = jet.value, d1[m][k] = jet.first, d2[m][k] = jet.second;
      }
    }
  }

  Jet<S> activation(const S& u) const {
#define MS_CASE(name, ...) \
  case Activation::name: return activation_jet<Activation::name>(u);
    switch (p.d.activation) { MS_ACTIVATIONS(MS_CASE) }
#undef MS_CASE
    return Jet<S>();
  }
  /// Softmax stands apart: its outputs go together.
  Jet<S> loss(const S& at, const V& target) const {
#define MS_CASE(name, ...)                                      \
  case Loss::name:                                              \
    if constexpr (Loss::name == Loss::softmax) return Jet<S>(); \
    else return loss_jet<Loss::name>(at, target, constants);
    switch (p.d.loss) { MS_LOSSES(MS_CASE) }
#undef MS_CASE
    return Jet<S>();
  }

  /// δ of the outputs and the curvature of the loss, times the weights.
  void losses() {
    const int C = p.d.outputs;
    auto& out = delta[M - 1];
    if (p.d.loss != Loss::softmax) {
      for (int c = 0; c < C; c++) {
        const auto jet = loss(z[c], y[c]);
        f = f + jet.value * weight, out[c] = jet.first * weight;
        for (int d = 0; second && d < C; d++) curvature[c * C + d] = d == c ? jet.second * weight : number(f, 0);
      }
      return;
    }
    if constexpr (std::is_same_v<S, Interval>) probabilities(z.data(), probability.data(), C);
    else {
      S value = probabilities(z.data(), probability.data(), C);
      for (int c = 0; c < C; c++) value = value + -z[c] * select<double>(y[0] == double(c), vec(1), V{});
      f = f + value * weight;
    }
    for (int c = 0; c < C; c++) {
      const S q = probability[c] + lift(f, select<double>(y[0] == double(c), vec(-1), V{}));
      out[c] = q * weight;
      for (int d = 0; second && d < C; d++) {
        const S other = d == c ? number(f, 1) - probability[c] : -probability[d];
        curvature[c * C + d] = probability[c] * other * weight;
      }
    }
  }

  void backward(const std::vector<S>& theta) {
    const int extra = p.d.bias ? 1 : 0;
    for (int m = M - 1; m >= 0; m--) {
      const auto& layer = p.layers[m];
      if (m + 1 < M) {
        const auto& next = p.layers[m + 1];
        for (int k = 0; k < layer.units; k++) {
          S sum = number(f, 0);
          for (int q = 0; q < next.units; q++)
            sum = sum + delta[m + 1][q] * theta[next.at + q * next.stride + extra + k];
          s[m][k] = sum, delta[m][k] = d1[m][k] * sum;
        }
      }
      for (int k = 0; k < layer.units; k++) {
        S* to = g.data() + layer.at + k * layer.stride;
        if (extra) to[0] = to[0] + delta[m][k];
        for (int e = 0; e < layer.inputs; e++)
          to[extra + e] =
              m == 0 ? to[extra + e] + delta[m][k] * x[extra + e] : to[extra + e] + delta[m][k] * act[m - 1][e];
      }
    }
  }

  void hessian(const std::vector<S>& theta) {
    const int extra = p.d.bias ? 1 : 0;
    for (int l = 0; l < M; l++) {
      const int U = p.layers[l].units;
      reach(theta, l);
      for (int m = l; m < M; m++) {
        const auto& layer = p.layers[m];
        for (int j = 0; j < U; j++)
          for (int k = m == l ? j : 0; k < layer.units; k++) {
            const S r = R[m][j * layer.units + k];
            // The bracket of kernels/README.md, over the inputs e of unit k.
            if (extra) row[0] = r;
            for (int e = 0; e < layer.inputs; e++) {
              row[extra + e] = m == 0 ? r * x[extra + e] : r * act[m - 1][e];
              if (m > l)
                row[extra + e] = row[extra + e] + delta[m][k] * (d1[m - 1][e] * T[m - 1][j * layer.inputs + e]);
            }
            add_block(l, j, m, k);
          }
      }
    }
  }

  /// T[m] and R[m] of the units of layer l, m ≥ l.
  void reach(const std::vector<S>& theta, int l) {
    const int U = p.layers[l].units, extra = p.d.bias ? 1 : 0;
    for (int m = l; m < M; m++) {
      const auto& layer = p.layers[m];
      T[m].resize(size_t(U) * layer.units), R[m].resize(size_t(U) * layer.units);
      for (int j = 0; j < U; j++)
        for (int k = 0; k < layer.units; k++) {
          S sum = number(f, m == l && j == k ? 1 : 0);
          const S* w = theta.data() + layer.at + k * layer.stride + extra;
          if (m == l + 1) sum = w[j] * d1[l][j];
          else
            for (int e = 0; m > l && e < layer.inputs; e++)
              sum = sum + w[e] * (d1[m - 1][e] * T[m - 1][j * layer.inputs + e]);
          T[m][j * layer.units + k] = sum;
        }
    }
    for (int m = M - 1; m >= l; m--) {
      const int units = p.layers[m].units;
      for (int j = 0; j < U; j++)
        for (int k = 0; k < units; k++) {
          S sum = number(f, 0);
          if (m + 1 == M) {
            for (int c = 0; c < units; c++) sum = sum + curvature[k * units + c] * T[m][j * units + c];
          } else {
            const auto& next = p.layers[m + 1];
            for (int q = 0; q < next.units; q++)
              sum = sum + theta[next.at + q * next.stride + extra + k] * R[m + 1][j * next.units + q];
            sum = sum * d1[m][k];
            if (m > l || j == k) sum = sum + d2[m][k] * T[m][j * units + k] * s[m][k];
          }
          R[m][j * units + k] = sum;
        }
    }
  }

  /// H += a_d · row over the inputs d of unit j of layer l and those of unit k of layer m.
  void add_block(int l, int j, int m, int k) {
    const int extra = p.d.bias ? 1 : 0;
    const auto &from = p.layers[l], &to = p.layers[m];
    const int column = to.at + k * to.stride;
    for (int d = 0; d < from.stride; d++) {
      const int line = from.at + j * from.stride + d;
      S* h = H.data() + at(line, column);
      const int first = l == m && j == k ? d : 0;
      if (d < extra) {
        for (int e = first; e < to.stride; e++) h[e] = h[e] + row[e];
      } else if (l == 0) {
        const V a = x[d];
        for (int e = first; e < to.stride; e++) h[e] = h[e] + row[e] * a;
      } else {
        const S a = act[l - 1][d - extra];
        for (int e = first; e < to.stride; e++) h[e] = h[e] + row[e] * a;
      }
    }
  }

  void penalty(const std::vector<S>& theta) {
    const S half = number(f, 0.5);
    for (int i = 0; i < p.P; i++) {
      if (!(p.penalty[i] > 0)) continue;
      const S ridge = number(f, p.penalty[i]), slope = ridge * theta[i];
      f = f + half * slope * theta[i];
      g[i] = g[i] + slope;
      if (second) H[at(i, i)] = H[at(i, i)] + ridge;
    }
  }
};

}  // namespace MS_TARGET
