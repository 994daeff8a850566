// Fills the prover's table for one target: included by prover_*.cc after MS_TARGET and MS_TABLE are set.
#include "prove.h"

namespace MS_TARGET {

using manystart::Operation;

MS_INLINE Ball apply(Operation op, const Ball& a, const Ball& b) {
  switch (op) {
    case Operation::add: return a + b;
    case Operation::subtract: return a - b;
    case Operation::multiply: return a * b;
    case Operation::divide: return a / b;
    case Operation::exp: return exponential(a).e;
    case Operation::expm1: return exponential(a).less_one;
    case Operation::log1p: return log1p_of(a);
    case Operation::log: return log_of(a);
    case Operation::tanh: return tanh_of(a).value;
    case Operation::tanh_first: return tanh_of(a).first;
    case Operation::tanh_second: {
      const auto t = tanh_of(a);
      return -scaled(t.value * t.first, vec(2));
    }
    case Operation::logistic: return sigmoid_of(a).up;
    case Operation::logistic_first:
    case Operation::logistic_second: {
      const auto s = sigmoid_of(a);
      return op == Operation::logistic_first ? s.up * s.down : s.up * s.down * (s.down - s.up);
    }
    case Operation::softplus: return softplus_of(a, sigmoid_of(a).e);
    case Operation::hazard: return normal_of(a).hazard;
    case Operation::excess: return normal_of(a).excess;
    case Operation::sine: return sine_cosine(a).sine;
    case Operation::cosine: return sine_cosine(a).cosine;
    case Operation::gelu: return gelu_of(a).value;
    case Operation::gelu_first: return gelu_of(a).first;
    case Operation::gelu_second: return gelu_of(a).second;
    case Operation::square_root: return sqrt_of(a);
    case Operation::arc_tangent: return atan_of(a);
    case Operation::error_function: return erf_of(a);
    case Operation::power: return power_of(a, b, 0);
    case Operation::power_log: return power_of(a, b, 1);
    case Operation::power_log2: return power_of(a, b, 2);
    default: return log_normal_of(a);
  }
}
MS_INLINE Interval apply(Operation op, const Interval& a, const Interval& b) {
  switch (op) {
    case Operation::add: return a + b;
    case Operation::subtract: return a - b;
    case Operation::multiply: return a * b;
    case Operation::divide: return quotient(a, b);
    case Operation::tanh: return activation_jet<Activation::tanh>(a).value;
    case Operation::tanh_first: return activation_jet<Activation::tanh>(a).first;
    case Operation::tanh_second: return activation_jet<Activation::tanh>(a).second;
    case Operation::logistic: return activation_jet<Activation::logistic>(a).value;
    case Operation::logistic_first: return activation_jet<Activation::logistic>(a).first;
    case Operation::logistic_second: return activation_jet<Activation::logistic>(a).second;
    case Operation::softplus: return activation_jet<Activation::softplus>(a).value;
    case Operation::sine: return activation_jet<Activation::sin>(a).value;
    case Operation::cosine: return activation_jet<Activation::sin>(a).first;
    case Operation::gelu: return activation_jet<Activation::gelu>(a).value;
    case Operation::gelu_first: return activation_jet<Activation::gelu>(a).first;
    case Operation::gelu_second: return activation_jet<Activation::gelu>(a).second;
    // As formulas take them.
    case Operation::square_root: return unary_of(formula_op::sqrt, a);
    case Operation::arc_tangent: return unary_of(formula_op::atan, a);
    case Operation::error_function: return unary_of(formula_op::erf, a);
    case Operation::power: return power_of(a, b, 0);
    case Operation::power_log: return power_of(a, b, 1);
    case Operation::power_log2: return power_of(a, b, 2);
    // The rest is monotone.
    default: return between(apply(op, ball(a.lo), ball(b.lo)), apply(op, ball(a.hi), ball(b.hi)));
  }
}

MS_INLINE V gather(const double* from, size_t at, size_t n, size_t stride) {
  V r;
  for (int l = 0; l < W<double>; l++) r[l] = from[std::min(at + l, n - 1) * stride];
  return r;
}
MS_INLINE void scatter(double* to, size_t at, size_t n, size_t stride, const V& v) {
  for (int l = 0; l < W<double> && at + l < n; l++) to[(at + l) * stride] = v[l];
}

inline void enclose(int op, size_t n, const double* alo, const double* ahi, const double* blo, const double* bhi,
                    double* lo, double* hi) {
  for (size_t at = 0; at < n; at += W<double>) {
    const Interval a = {gather(alo, at, n, 1), gather(ahi, at, n, 1)};
    const Interval b = blo ? Interval{gather(blo, at, n, 1), gather(bhi, at, n, 1)} : a;
    const Interval r = apply(Operation(op), a, b);
    scatter(lo, at, n, 1, r.lo), scatter(hi, at, n, 1, r.hi);
  }
}
inline void enclose_balls(int op, size_t n, const double* a, const double* b, double* out) {
  for (size_t at = 0; at < n; at += W<double>) {
    const Ball x = {gather(a, at, n, 3), gather(a + 1, at, n, 3), gather(a + 2, at, n, 3)};
    const Ball y = b ? Ball{gather(b, at, n, 3), gather(b + 1, at, n, 3), gather(b + 2, at, n, 3)} : x;
    const Ball r = apply(Operation(op), x, y);
    scatter(out, at, n, 3, r.hi), scatter(out + 1, at, n, 3, r.lo), scatter(out + 2, at, n, 3, r.rad);
  }
}

inline void prove_points(const Problem<double>& problem, const double* theta, manystart::Parts& parts,
                         const Proofs& out) {
  Prover prover(problem);
  for (size_t from, to; parts.next(from, to);)
    for (size_t r = from; r < to; r++) prover.prove(theta + r * problem.P, r, out);
}
inline void settle_points(const Problem<double>& problem, const double* theta, manystart::Parts& parts,
                          const Proofs& out) {
  Prover prover(problem);
  for (size_t from, to; parts.next(from, to);)
    for (size_t r = from; r < to; r++) prover.settle(theta + r * problem.P, r, out);
}
inline bool box_holds(const Problem<double>& problem, const double* center, const double* radii) {
  return Prover(problem).holds(center, radii);
}

inline void box_derivatives(const Problem<double>& problem, const double* lo, const double* hi, double* out) {
  const size_t P = problem.P;
  Derivatives<Interval> box(problem, true);
  std::vector<Interval> x(P);
  for (size_t i = 0; i < P; i++) x[i] = {vec(lo[i]), vec(hi[i])};
  box.evaluate(x);
  double* h = out + 2 * P;
  for (size_t i = 0; i < P; i++) {
    out[i] = box.g[i].lo[0], out[P + i] = box.g[i].hi[0];
    for (size_t j = 0; j < P; j++) {
      const Interval& e = box.H[box.at(int(std::min(i, j)), int(std::max(i, j)))];
      h[i * P + j] = e.lo[0], h[P * P + i * P + j] = e.hi[0];
    }
  }
  Derivatives<Ball> exact(problem, false);
  std::vector<Ball> point(P);
  for (size_t i = 0; i < P; i++) point[i] = ball(lo[i]);
  exact.evaluate(point);
  double* balls = h + 2 * P * P;
  for (size_t i = 0; i <= P; i++) {
    const Ball& b = i == 0 ? exact.f : exact.g[i - 1];
    balls[3 * i] = b.hi[0], balls[3 * i + 1] = b.lo[0], balls[3 * i + 2] = b.rad[0];
  }
}

}  // namespace MS_TARGET

namespace manystart {
namespace MS_TABLE {
const ProverKernels prover = {MS_TARGET::prove_points,    MS_TARGET::settle_points, MS_TARGET::box_holds,
                              MS_TARGET::box_derivatives, MS_TARGET::enclose,       MS_TARGET::enclose_balls};
}  // namespace MS_TABLE
}  // namespace manystart
