// Operations of formulas over doubles, balls and intervals, for proofs. Functions that enclosures.h does not have are
// made here from their series or by one corrected step from a library's value, which need not be trusted; a radius goes
// through them by the mean value theorem. An interval is taken as a ball around its middle: boxes of proofs are small.
#pragma once

#include "elementary.h"
#include "formula_program.h"
#include "problem.h"
#include "terms.h"

namespace MS_TARGET {

namespace formula_op = manystart::formula;

/// √x = g + d/(2g) − d²/(8ξ³), d = x − g², where ξ² ≥ g²/2 for |d| ≤ g²/2.
MS_INLINE Ball sqrt_of(const Ball& x) {
  const V g = vsqrt(x.hi);
  const Ball d = x - ball(g) * g;
  const V size = (magnitude(d) + d.rad) * upwards, square = g * g;
  const Ball y = ball(g) + d / ball(2.0 * g);
  const auto good = (g > 0.0) & (size <= 0.499 * square);
  // Neither factor underflows or overflows.
  return widened({y.hi, y.lo, nan_unless(good, y.rad)}, size / square * (size / g) * 0.5);
}

/// atan x = a + atan d, d = (x − tan a)/(1 + x tan a); atan d differs from d by less than |d|³.
MS_INLINE Ball atan_of(const Ball& x) {
  V a;
  for (int l = 0; l < W<double>; l++) a[l] = std::atan(x.hi[l]);
  const auto at = sine_cosine(ball(a));
  const Ball t = at.sine / at.cosine, m = middle(x);
  const Ball d = (m - t) / (m * t + vec(1));
  const V size = (magnitude(d) + d.rad) * upwards;
  const Ball y = ball(a) + d;
  return widened({y.hi, y.lo, nan_unless(size <= 0.5, y.rad)}, size * size * size + x.rad);
}

/// erf x = 1 − 2Φ(−√2 x) for x ≥ 0; its slope is below 2/√π < 1.13.
MS_INLINE Ball erf_of(const Ball& x) {
  const Ball at = middle(x);
  const auto negative = at.hi < 0.0;
  const auto m = mills_of(select(negative, -at, at) * constant(0x1.6a09e667f3bcdp+0, -0x1.bdd3413b26456p-54));
  const Ball y = ball(1.0) - scaled(m.phi * m.ratio, vec(2));
  return widened(select(negative, -y, y), 1.13 * x.rad);
}

MS_INLINE V minimum_of(const V& a) { return a; }
MS_INLINE V minimum_of(const Ball& a) { return lower(a); }
MS_INLINE V minimum_of(const Interval& a) { return a.lo; }

/// x^y (log x)^k; exactly 0 where x is 0 and y positive.
MS_INLINE Ball power_of(const Ball& x, const Ball& y, int k) {
  const auto nothing = (x.hi == 0.0) & (x.lo == 0.0) & (x.rad == 0.0) & (minimum_of(y) > 0.0);
  const Ball l = log_of(select(nothing, ball(1.0), x));
  Ball p = exponential(y * l).e;
  for (int i = 0; i < k; i++) p = p * l;
  return select(nothing, ball(0.0), p);
}

MS_INLINE Ball unary_of(int op, const Ball& a) {
  switch (op) {
    case formula_op::neg: return -a;
    case formula_op::exp: return exponential(a).e;
    case formula_op::log: return log_of(a);
    case formula_op::sqrt: return sqrt_of(a);
    case formula_op::sin: return sine_cosine(a).sine;
    case formula_op::cos: return sine_cosine(a).cosine;
    case formula_op::tanh: return tanh_of(a).value;
    case formula_op::sech2: return tanh_of(a).first;
    case formula_op::atan: return atan_of(a);
    default: return erf_of(a);
  }
}
MS_INLINE V unary_of(int op, const V& x) {
  Pack<double, 1> a;
  a.v[0] = x;
  switch (op) {
    case formula_op::neg: return -x;
    case formula_op::exp: return vexp<double, 1>(a).v[0];
    case formula_op::log: return vlog<double, 1>(a).v[0];
    case formula_op::sqrt: return vsqrt(x);
    case formula_op::sin: return vsin<double, 1>(a).v[0];
    case formula_op::cos: return vcos<double, 1>(a).v[0];
    case formula_op::tanh:
    case formula_op::sech2: {
      Pack<double, 1> value, slope;
      vtanh<double, 1>(a, value, slope);
      return op == formula_op::tanh ? value.v[0] : slope.v[0];
    }
    case formula_op::atan: return vatan<double, 1>(a).v[0];
    default: return verf<double, 1>(a).v[0];
  }
}
MS_INLINE V power_of(const V& x, const V& y, int k) {
  Pack<double, 1> a, b;
  a.v[0] = x, b.v[0] = y;
  return vpow_log<double, 1>(a, b, k).v[0];
}

/// The ball around an interval.
MS_INLINE Ball around(const Interval& a) {
  const V middle = 0.5 * (a.lo + a.hi);
  return {middle, V{}, up(vmax(a.hi - middle, middle - a.lo) * upwards)};
}
MS_INLINE Interval unary_of(int op, const Interval& a) {
  return op == formula_op::neg ? -a : interval(unary_of(op, around(a)));
}
MS_INLINE Interval power_of(const Interval& x, const Interval& y, int k) {
  return interval(power_of(around(x), around(y), k));
}

MS_INLINE V quotient(const V& a, const V& b) { return a / b; }
MS_INLINE Ball quotient(const Ball& a, const Ball& b) { return a / b; }
/// NaN where b holds 0.
MS_INLINE Interval quotient(const Interval& a, const Interval& b) {
  const auto good = (b.lo > 0.0) | (b.hi < 0.0);
  return a * Interval{nan_unless(good, down(1.0 / b.hi)), nan_unless(good, up(1.0 / b.lo))};
}

/// The registers of a formula for one pack of rows, over numbers of the kind S.
template <class S>
class FormulaTape {
 public:
  /// The sign of something that is compared may be either on a row that counts.
  bool kink = false;

  explicit FormulaTape(const manystart::Problem<double>& problem) : p(problem) {
    if (!p.formula) return;
    lanes.resize(p.formula->body.registers);
    parameters.resize(p.formula->prelude.registers);
    columns.resize(p.formula->columns);
  }

  /// What depends on the parameters alone. @param stage 0: z, 1: its gradient too, 2: its Hessian too
  void prelude(const std::vector<S>& theta, int stage) {
    kink = false, counts = Int<double>{} - 1;
    std::copy(theta.begin(), theta.end(), parameters.begin());
    run(p.formula->prelude, stage, parameters);
  }
  /// The rest, on a pack of rows: `columns` must hold them.
  void body(const Int<double>& counted, int stage) {
    counts = counted;
    run(p.formula->body, stage, lanes);
  }
  S read(int operand) const {
    const size_t k = size_t(operand) >> 2;
    switch (operand & 3) {
      case formula_op::lane: return lanes[k];
      case formula_op::parameter: return parameters[k];
      case formula_op::row: return from(columns[k]);
      default: return from(vec(p.formula->constants[k]));
    }
  }
  std::vector<V> columns;

 private:
  const manystart::Problem<double>& p;
  std::vector<S> lanes, parameters;
  Int<double> counts;

  static S from(const V& x) {
    if constexpr (std::is_same_v<S, V>) return x;
    else if constexpr (std::is_same_v<S, Ball>) return ball(x);
    else return interval(x);
  }
  static Int<double> unsure(const S& a) {
    if constexpr (std::is_same_v<S, V>) return a == 0.0;
    else if constexpr (std::is_same_v<S, Ball>) return ~(vabs<double>(a.hi) * (1 - 4 * unit) > a.rad);
    else return ~((a.lo > 0.0) | (a.hi < 0.0));
  }
  static S choose(const Int<double>& mask, const S& a, const S& b) {
    if constexpr (std::is_same_v<S, V>) return select<double>(mask, a, b);
    else return select(mask, a, b);
  }
  /// Whether a is positive, where its sign is sure.
  Int<double> positive(const S& a) {
    if (any_lane<double>(unsure(a) & counts)) kink = true;
    return minimum_of(a) > 0.0;
  }

  void run(const formula_op::Stages& code, int stage, std::vector<S>& out) {
    const S one = from(vec(1)), zero = from(V{});
    for (int i = 0; i < code.ends[stage]; i++) {
      const auto& in = code.code[i];
      const S a = read(in.a), b = read(in.b);
      S& to = out[in.dst];
      switch (in.op) {
        case formula_op::add: to = a + b; break;
        case formula_op::sub: to = a - b; break;
        case formula_op::mul: to = a * b; break;
        case formula_op::div: to = quotient(a, b); break;
        case formula_op::fma: to = a * b + read(in.c); break;
        case formula_op::abs: to = choose(positive(a), a, -a); break;
        case formula_op::sign: to = choose(positive(a), one, -one); break;
        case formula_op::min: to = choose(positive(b - a), a, b); break;
        case formula_op::max: to = choose(positive(b - a), b, a); break;
        case formula_op::less:
        case formula_op::less_equal: to = choose(positive(b - a), one, zero); break;
        case formula_op::equal: positive(b - a), to = zero; break;
        case formula_op::pow: to = power_of(a, b, 0); break;
        case formula_op::pow_log: to = power_of(a, b, 1); break;
        case formula_op::pow_log2: to = power_of(a, b, 2); break;
        // A condition is 0 or another number for certain: comparisons give one of two, else a kink.
        case formula_op::where: {
          const auto none = is_zero(a);
          to = choose(none, read(in.c), b);
          break;
        }
        default: to = unary_of(in.op, a);
      }
    }
  }
  Int<double> is_zero(const S& a) {
    if constexpr (std::is_same_v<S, V>) return a == 0.0;
    else if constexpr (std::is_same_v<S, Ball>) {
      const auto zero = (a.hi == 0.0) & (a.lo == 0.0);
      if (any_lane<double>(unsure(a) & ~(zero & (a.rad <= 1e-280)) & counts)) kink = true;
      return zero;
    } else {
      const auto zero = (a.lo == 0.0) & (a.hi == 0.0);
      if (any_lane<double>(unsure(a) & ~zero & counts)) kink = true;
      return zero;
    }
  }
};

}  // namespace MS_TARGET
