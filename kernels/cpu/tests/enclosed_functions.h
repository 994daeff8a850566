// The operations that kernels/cpu/prover.h encloses, computed exactly or between bounds (exact.h), with where they are
// defined and how close enclosures of them must be.
#pragma once

#include <gmpxx.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "../prover.h"
#include "check.h"
#include "exact.h"

struct Interval {
  double lo, hi;
  /// Of a ball that it stands for, whose ends may be rounded to its middle.
  double rad = 0;
};

/// Where numbers are drawn from: 2^from … 2^to, and near `points`.
struct Range {
  double from, to;
  bool positive = false;
  std::vector<double> points;
  /// Extrema of any of the functions, within an ulp.
  std::vector<double> turns;
  /// The same for those that return at each multiple of this.
  double period = 0;

  /// Doubles of the interval at or beside the extrema.
  std::vector<double> extrema(const Interval& a) const {
    std::vector<double> out;
    const auto keep = [&](double x) {
      if (x >= a.lo && x <= a.hi) out.push_back(x);
    };
    for (const double x : turns) keep(x);
    if (period > 0 && std::fabs(a.lo) < 1e9) {
      const double first = std::floor(a.lo / period);
      for (int k = 0; k <= 5; k++) keep((first + k) * period);
    }
    return out;
  }
};

using Domain = std::function<bool(const Interval&, const Interval&)>;

struct Function {
  int number;
  std::string name;
  /// Where intervals must have ends, and balls a radius.
  Domain domain, ball_domain;
  /// Where intervals end at the function's extrema, and balls of points are small.
  Domain tight;
  /// What may be added to relative bounds for an argument of this size.
  std::function<double(double)> floor;
};

template <class Value>
struct Group {
  std::vector<Function> functions;
  bool two;
  Range range;
  /// All functions at a point.
  std::function<std::vector<Value>(const Value&, const Value&)> at;
};

// --- rationals

struct Rational {
  mpq_class q;
  bool defined = true;

  Rational() = default;
  explicit Rational(double x) : q(x) {}
  Rational(double a, double b, double c) : q(mpq_class(a) + mpq_class(b) + mpq_class(c)) {}
};
inline bool is_defined(const Rational& v) { return v.defined; }
inline bool is_above(const Rational& v, double a, double b = 0, double c = 0) {
  if (std::isinf(a)) return a < 0;
  return b == 0 && c == 0 ? v.q >= mpq_class(a) : v.q >= mpq_class(a) + mpq_class(b) + mpq_class(c);
}
inline bool is_below(const Rational& v, double a, double b = 0, double c = 0) {
  if (std::isinf(a)) return a > 0;
  return b == 0 && c == 0 ? v.q <= mpq_class(a) : v.q <= mpq_class(a) + mpq_class(b) + mpq_class(c);
}
inline double nearest(const Rational& v) { return v.q.get_d(); }

inline double largest(const Interval& a) { return std::max(std::fabs(a.lo), std::fabs(a.hi)); }
inline double smallest(const Interval& a) { return a.lo > 0 ? a.lo : a.hi < 0 ? -a.hi : 0; }

inline Group<Rational> arithmetic() {
  using manystart::Operation;
  constexpr double huge = 0x1p1020, ball_huge = 0x1p950;
  const auto sums = [](double most) {
    return [most](const Interval& a, const Interval& b) { return largest(a) <= most && largest(b) <= most; };
  };
  const auto products = [](double most) {
    return [most](const Interval& a, const Interval& b) {
      return largest(a) <= most && largest(b) <= most && largest(a) * largest(b) <= most;
    };
  };
  const auto quotients = [](double most) {
    return [most](const Interval& a, const Interval& b) {
      return largest(a) <= most && largest(b) <= most && smallest(b) >= 1 / most && largest(a) / smallest(b) <= most;
    };
  };
  // What underflows in a quotient of tiny numbers is much of it.
  const Domain fine = [ratios = quotients(ball_huge)](const Interval& a, const Interval& b) {
    return smallest(a) >= 0x1p-900 && smallest(b) >= 0x1p-900 && ratios(a, b);
  };
  const auto tiny = [](double) { return 1e-280; };
  return {{{int(Operation::add), "+", sums(huge), sums(ball_huge), sums(ball_huge), tiny},
           {int(Operation::subtract), "-", sums(huge), sums(ball_huge), sums(ball_huge), tiny},
           {int(Operation::multiply), "*", products(huge), products(ball_huge), products(ball_huge), tiny},
           {int(Operation::divide), "/", quotients(huge), quotients(ball_huge), fine, tiny}},
          true,
          {-120, 120, false, {}, {}},
          [](const Rational& x, const Rational& y) {
            std::vector<Rational> out(4);
            out[0].q = x.q + y.q, out[1].q = x.q - y.q, out[2].q = x.q * y.q;
            if (sgn(y.q) != 0) out[3].q = x.q / y.q;
            else out[3].defined = false;
            return out;
          }};
}

// --- between bounds

using exact::Real;
inline bool is_defined(const Real& v) { return v.defined(); }
inline bool is_above(const Real& v, double a) { return mpfr_cmp_d(v.lo.get(), a) >= 0; }
inline bool is_below(const Real& v, double a) { return mpfr_cmp_d(v.hi.get(), a) <= 0; }
inline exact::Number sum_of(double a, double b, double c) {
  exact::Number sum(exact::all_bits);
  mpfr_set_d(sum.get(), a, MPFR_RNDN);
  mpfr_add_d(sum.get(), sum.get(), b, MPFR_RNDN);
  mpfr_add_d(sum.get(), sum.get(), c, MPFR_RNDN);
  return sum;
}
inline bool is_above(const Real& v, double a, double b, double c) {
  return mpfr_greaterequal_p(v.lo.get(), sum_of(a, b, c).get());
}
inline bool is_below(const Real& v, double a, double b, double c) {
  return mpfr_lessequal_p(v.hi.get(), sum_of(a, b, c).get());
}
inline double nearest(const Real& v) { return mpfr_get_d(v.lo.get(), MPFR_RNDN); }

/// What is not defined.
inline Real nothing() { return Real(std::numeric_limits<double>::quiet_NaN()); }

/// φ(t), Φ(−t) and Φ(−t)/φ(t) for t ≥ 0. Far out by the convergents of 1/(t + 1/(t + 2/(t + …))), which lie on either
/// side by turns; they differ by less than 12!/t^24 of it there.
struct Tail {
  Real density, tail, ratio;
};
inline Tail tail_of(const Real& t) {
  static const Real root = exact::rising(mpfr_sqrt, Real(2) * exact::pi()),
                    half_root = exact::rising(mpfr_sqrt, exact::half(Real(1)));
  Tail r;
  r.density = exact::rising(mpfr_exp, -exact::half(t * t)) / root;
  if (mpfr_cmp_d(t.lo.get(), 0x1p20) < 0) {
    // erfc falls.
    const Real at = t * half_root;
    mpfr_erfc(r.tail.lo.get(), at.hi.get(), MPFR_RNDD), mpfr_erfc(r.tail.hi.get(), at.lo.get(), MPFR_RNDU);
    r.tail = exact::half(r.tail);
    r.ratio = r.tail / r.density;
    return r;
  }
  Real bounds[2];
  for (int end = 0; end < 2; end++) {
    Real v = t;
    for (int k = 11 + end; k >= 1; k--) v = t + Real(k) / v;
    bounds[end] = Real(1) / v;
  }
  mpfr_min(r.ratio.lo.get(), bounds[0].lo.get(), bounds[1].lo.get(), MPFR_RNDD);
  mpfr_max(r.ratio.hi.get(), bounds[0].hi.get(), bounds[1].hi.get(), MPFR_RNDU);
  r.tail = r.ratio * r.density;
  return r;
}

/// hazard, excess, log Φ, u Φ and its derivatives.
inline std::vector<Real> normal_functions(const Real& z, const Real&) {
  static const Real log_root = exact::half(exact::rising(mpfr_log, Real(2) * exact::pi()));
  const bool negative = z.negative();
  const Real t = negative ? -z : z;
  const auto m = tail_of(t);
  const Real other = Real(1) - m.tail, share = negative ? m.tail : other;
  const Real hazard = negative ? Real(1) / m.ratio : m.density / other;
  return {
      hazard,
      hazard + z,
      negative ? exact::rising(mpfr_log, m.ratio) - exact::half(t * t) - log_root : exact::rising(mpfr_log1p, -m.tail),
      z * share,
      share + z * m.density,
      m.density * (Real(2) - z * z)};
}

inline std::vector<Real> tanh_functions(const Real& x, const Real&) {
  const Real t = exact::rising(mpfr_tanh, x), sech = exact::gentle(mpfr_sech, x), first = sech * sech;
  return {t, first, -(Real(2) * t * first)};
}
/// logistic with its derivatives, softplus.
inline std::vector<Real> logistic_functions(const Real& x, const Real&) {
  // e^−|x|
  const bool negative = x.negative();
  const Real e = exact::rising(mpfr_exp, negative ? x : -x), big = Real(1) / (Real(1) + e), small = e * big;
  const Real sech = exact::gentle(mpfr_sech, exact::half(x)), first = exact::half(sech) * exact::half(sech);
  return {negative ? small : big, first, -(first * exact::rising(mpfr_tanh, exact::half(x))),
          negative ? exact::rising(mpfr_log1p, e) : x + exact::rising(mpfr_log1p, e)};
}
inline std::vector<Real> powers(const Real& x, const Real& y) {
  const int sign = mpfr_sgn(x.lo.get());
  if (!x.defined() || sign < 0 || (sign == 0 && mpfr_sgn(y.lo.get()) <= 0)) return {nothing(), nothing(), nothing()};
  if (sign == 0) return {Real(0), Real(0), Real(0)};
  const Real p = exact::corners(mpfr_pow, x, y), l = exact::rising(mpfr_log, x);
  return {p, p * l, p * l * l};
}

inline Domain from_to(double from, double to) {
  return [from, to](const Interval& a, const Interval&) { return a.lo >= from && a.hi <= to; };
}
/// An interval that is one point.
inline Domain points_of(const Domain& domain) {
  return [domain](const Interval& a, const Interval& b) { return a.lo == a.hi && b.lo == b.hi && domain(a, b); };
}
/// Only narrow intervals, for functions that take the ball around one.
inline Domain narrow(const Domain& domain) {
  return [domain](const Interval& a, const Interval& b) {
    return a.hi - a.lo <= 1e-4 * smallest(a) && b.hi - b.lo <= 1e-4 * smallest(b) && domain(a, b);
  };
}

inline std::vector<Group<Real>> functions() {
  using manystart::Operation;
  const auto is = [](Operation op, const char* name, const Domain& domain, const Domain& tight, double floor) {
    // A radius of more than 1 of an exponent is too much.
    const Domain ball_domain = [domain](const Interval& a, const Interval& b) { return a.rad <= 0.25 && domain(a, b); };
    return Function{int(op), name, domain, ball_domain, tight, [floor](double x) { return floor * std::max(1.0, x); }};
  };
  const auto simple = [](int (*f)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t)) {
    return [f](const Real& x, const Real&) { return std::vector<Real>{exact::rising(f, x)}; };
  };
  // Beside absolute errors of 2^−104 of 1 or the argument: where differences may vanish. Elsewhere what underflows.
  constexpr double near = 0x1p-90, tiny = 1e-270, most = 1e300, far = 1e15;
  // A series up to t = 5 whose terms are some 2^21 times as large as the sum.
  constexpr double tails = 0x1p-68;
  const Domain all = from_to(-most, most), normal = [](const Interval& a, const Interval&) {
    return largest(a) <= far && largest(a) * a.rad <= 0.25;
  };
  std::vector<Group<Real>> out;
  out.push_back({{is(Operation::exp, "exp", from_to(-most, 700), from_to(-most, 700), tiny),
                  is(Operation::expm1, "expm1", from_to(-most, 700), from_to(-most, 700), tiny)},
                 false,
                 {-60, 9, false, {0, 700, -700}, {}},
                 [](const Real& x, const Real&) {
                   // Near −1 more digits are needed.
                   Real less_one;
                   if (mpfr_cmp_si(x.hi.get(), -200) < 0) less_one = Real(exact::Number(exact::all_bits));
                   mpfr_expm1(less_one.lo.get(), x.lo.get(), MPFR_RNDD);
                   mpfr_expm1(less_one.hi.get(), x.hi.get(), MPFR_RNDU);
                   return std::vector<Real>{exact::rising(mpfr_exp, x), less_one};
                 }});
  out.push_back(
      {{is(Operation::log1p, "log1p", from_to(-0x1.fffffffffffffp-1, 1e280), from_to(-0.999999, 1e255), tiny)},
       false,
       {-60, 1, false, {-1, 0}, {}},
       simple(mpfr_log1p)});
  out.push_back({{is(Operation::log, "log", from_to(1e-295, 1e280), from_to(1e-280, 1e255), near)},
                 false,
                 {-200, 200, true, {1}, {}},
                 simple(mpfr_log)});
  out.push_back({{is(Operation::tanh, "tanh", all, all, tiny), is(Operation::tanh_first, "tanh'", all, all, tiny),
                  is(Operation::tanh_second, "tanh''", all, all, tiny)},
                 false,
                 {-60, 5.5, false, {0}, {0, 0.6584789484624084, -0.6584789484624084}},
                 tanh_functions});
  out.push_back(
      {{is(Operation::logistic, "logistic", all, all, tiny), is(Operation::logistic_first, "logistic'", all, all, tiny),
        is(Operation::logistic_second, "logistic''", all, all, near),
        is(Operation::softplus, "softplus", all, all, tiny)},
       false,
       {-60, 9, false, {0}, {0, 1.3169578969248166, -1.3169578969248166}},
       logistic_functions});
  out.push_back(
      {{is(Operation::hazard, "hazard", normal, normal, tails), is(Operation::excess, "excess", normal, normal, tails),
        is(Operation::log_normal, "log Phi", normal, normal, tails), is(Operation::gelu, "gelu", normal, normal, tails),
        is(Operation::gelu_first, "gelu'", normal, normal, tails),
        is(Operation::gelu_second, "gelu''", normal, normal, tails)},
       false,
       {-40, 5.3, false, {0, 5, -5, 38}, {0, -0.7517915246935645, 1.4142135623730951, -1.4142135623730951, 2, -2}},
       normal_functions});
  const Domain turns = from_to(-1e8, 1e8);
  out.push_back({{is(Operation::sine, "sin", turns, turns, near), is(Operation::cosine, "cos", turns, turns, near)},
                 false,
                 {-60, 26, false, {}, {}, 1.5707963267948966},
                 [](const Real& x, const Real&) {
                   return std::vector<Real>{exact::gentle(mpfr_sin, x), exact::gentle(mpfr_cos, x)};
                 }});
  const Domain roots = from_to(1e-285, most);
  out.push_back({{is(Operation::square_root, "sqrt", narrow(roots), points_of(from_to(1e-240, most)), tiny)},
                 false,
                 {-200, 200, true, {}, {}},
                 simple(mpfr_sqrt)});
  out.push_back(
      {{is(Operation::arc_tangent, "atan", narrow(from_to(-1e140, 1e140)), points_of(from_to(-1e8, 1e8)), near)},
       false,
       {-60, 60, false, {0, 1, -1}, {}},
       simple(mpfr_atan)});
  out.push_back({{is(Operation::error_function, "erf", narrow(normal), points_of(normal), tails)},
                 false,
                 {-60, 4, false, {0, 1, -1}, {}},
                 simple(mpfr_erf)});
  // e^(y log x) with y log x known to 2^−100 of it; between 2^−500 and 2^500 powers of a logarithm are far from all
  // ends.
  const Domain bases = [](const Interval& a, const Interval& b) {
    const double last = std::max(std::fabs(std::log(a.lo)), std::fabs(std::log(a.hi)));
    const double room = ((a.hi - a.lo) + a.rad + 0x1p-53 * a.hi) / a.lo * largest(b) + last * ((b.hi - b.lo) + b.rad);
    return a.lo >= 1e-200 && a.hi <= 1e200 && last * largest(b) <= 350 && room <= 0.5;
  };
  const Domain off_one = [bases](const Interval& a, const Interval& b) {
    return bases(a, b) && std::fabs(std::log(a.lo)) >= 1e-3;
  };
  out.push_back({{is(Operation::power, "x^y", narrow(bases), points_of(bases), tiny),
                  is(Operation::power_log, "x^y log x", narrow(bases), points_of(off_one), tiny),
                  is(Operation::power_log2, "x^y log^2 x", narrow(bases), points_of(off_one), tiny)},
                 true,
                 {-10, 10, true, {1, 2, 0.5}, {}},
                 powers});
  return out;
}
