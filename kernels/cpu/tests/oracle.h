// Losses of networks in long double over hyper-dual numbers: v + a ε₁ + b ε₂ + ab ε₁ε₂, ε² = 0, whose last part is the
// second derivative along two directions, exact but for rounding. The definition, row by row, without any of the
// kernels.
#pragma once

#include <cmath>
#include <vector>

#include "../problem.h"

struct Hyper {
  using R = long double;
  R v = 0, a = 0, b = 0, ab = 0;
  Hyper(R v = 0, R a = 0, R b = 0, R ab = 0) : v(v), a(a), b(b), ab(ab) {}
  friend Hyper operator+(const Hyper& x, const Hyper& y) { return {x.v + y.v, x.a + y.a, x.b + y.b, x.ab + y.ab}; }
  friend Hyper operator*(const Hyper& x, const Hyper& y) {
    return {x.v * y.v, x.v * y.a + x.a * y.v, x.v * y.b + x.b * y.v, x.v * y.ab + x.a * y.b + x.b * y.a + x.ab * y.v};
  }
  friend Hyper operator-(const Hyper& x, const Hyper& y) { return x + Hyper(-1) * y; }
  /// f(x) from f, f′ and f″ at its value.
  Hyper through(R f, R f1, R f2) const { return {f, f1 * a, f1 * b, f1 * ab + f2 * a * b}; }
};

inline Hyper exp(const Hyper& x) {
  const auto e = std::exp(x.v);
  return x.through(e, e, e);
}
inline Hyper log(const Hyper& x) { return x.through(std::log(x.v), 1 / x.v, -1 / (x.v * x.v)); }
inline Hyper logistic(const Hyper& x) {
  const auto p = 1 / (1 + std::exp(-x.v)), q = 1 / (1 + std::exp(x.v));
  return x.through(p, p * q, p * q * (q - p));
}
inline Hyper softplus(const Hyper& x) {
  const auto p = 1 / (1 + std::exp(-x.v)), q = 1 / (1 + std::exp(x.v));
  return x.through(std::fmax(x.v, 0.0L) + std::log1p(std::exp(-std::fabs(x.v))), p, p * q);
}
inline Hyper activate(manystart::Activation kind, const Hyper& x) {
  using manystart::Activation;
  switch (kind) {
    case Activation::tanh: {
      const auto t = std::tanh(x.v), s = 1 / (std::cosh(x.v) * std::cosh(x.v));
      return x.through(t, s, -2 * t * s);
    }
    case Activation::logistic: return logistic(x);
    case Activation::softplus: return softplus(x);
    case Activation::sin: return x.through(std::sin(x.v), std::cos(x.v), -std::sin(x.v));
    default: return x;
  }
}

/// ℓ(z, y) of one row.
inline Hyper loss(manystart::Loss kind, const std::vector<Hyper>& z, const double* y) {
  using manystart::Loss;
  Hyper sum;
  if (kind == Loss::softmax) {
    for (const Hyper& k : z) sum = sum + exp(k);
    return log(sum) - z[size_t(y[0])];
  }
  for (size_t k = 0; k < z.size(); k++) {
    const Hyper difference = z[k] - Hyper(y[k]), miss = logistic(z[k]) - Hyper(y[k]);
    switch (kind) {
      case Loss::squared: sum = sum + Hyper(0.5L) * difference * difference; break;
      case Loss::logistic: sum = sum + softplus(z[k]) - Hyper(y[k]) * z[k]; break;
      case Loss::poisson: sum = sum + exp(z[k]) - Hyper(y[k]) * z[k]; break;
      case Loss::gamma: sum = sum + z[k] + Hyper(y[k]) * exp(Hyper(-1) * z[k]); break;
      case Loss::brier: sum = sum + Hyper(0.5L) * miss * miss; break;
      default: sum = Hyper(NAN);
    }
  }
  return sum;
}

/// f at θ along two directions. Rows without weight are not there.
inline Hyper objective(const manystart::Description& d, const double* x, const double* y, const double* weight,
                       const double* offset, const std::vector<Hyper>& theta) {
  Hyper total;
  long double weights = 0;
  const int C = d.loss == manystart::Loss::softmax ? 1 : d.outputs;
  for (int i = 0; i < d.rows; i++) {
    if (weight[i] == 0) continue;
    std::vector<Hyper> below(x + size_t(i) * d.inputs, x + size_t(i + 1) * d.inputs);
    size_t at = 0;
    for (size_t m = 0; m <= d.hidden.size(); m++) {
      const bool last = m == d.hidden.size();
      std::vector<Hyper> units(last ? d.outputs : d.hidden[m]);
      for (Hyper& u : units) {
        if (d.bias) u = theta[at++];
        for (const Hyper& e : below) u = u + theta[at++] * e;
        if (last && d.loss != manystart::Loss::softmax) u = u + Hyper(offset[i]);
        if (!last) u = activate(d.activation, u);
      }
      below = units;
    }
    total = total + Hyper(weight[i]) * loss(d.loss, below, y + size_t(i) * C);
    weights += weight[i];
  }
  total = total * Hyper(1 / weights);
  for (size_t p = 0; p < theta.size(); p++) total = total + Hyper(0.5L * d.penalty[p]) * theta[p] * theta[p];
  return total;
}
