// Activations and losses with their derivatives over three kinds of numbers: doubles, balls (value and first
// derivative) and intervals (derivatives over a whole interval, by what is known of their monotonicity). Formulas:
// src/models/losses. A loss or activation that is here is marked in the lists of loss.h.
#pragma once

#include "enclosures.h"
#include "loss.h"

namespace MS_TARGET {

template <class S>
struct Jet {
  S value, first, second;
};

/// The constants that src/models/losses gives a loss with parameters: as they are, and what follows from the first ones
/// by division or a logarithm as balls, so that a proof is about the function of exactly these numbers.
struct LossConstants {
  double plain[3];
  Ball exact[3];

  LossConstants(Loss loss, const double* q) : plain{q[0], q[1], q[2]}, exact{ball(q[0]), ball(q[1]), ball(q[2])} {
    if (loss == Loss::negativeBinomial) exact[1] = log_of(exact[0]), exact[2] = ball(1.0) / exact[0];
    if (loss == Loss::student) exact[2] = scaled(exact[0] * exact[1], vec(2));
  }
};

// --- doubles

template <Activation A>
MS_INLINE Jet<V> activation_jet(const V& u) {
  Pack<double, 1> at, value, first, second;
  at.v[0] = u;
  activation_terms<double, A, 1>(at, value, first, second);
  return {value.v[0], first.v[0], second.v[0]};
}
template <Loss K>
MS_INLINE Jet<V> loss_jet(const V& z, const V& y, const LossConstants& q) {
  Pack<double, 1> at, target;
  at.v[0] = z, target.v[0] = y;
  const auto t = loss_terms<double, K, 1>(at, target, q.plain);
  return {t.value.v[0], t.first.v[0], t.second.v[0]};
}

// --- balls: no second derivatives

/// u Φ(u) with its derivatives Φ + u φ and (2 − u²) φ.
MS_INLINE Jet<Ball> gelu_of(const Ball& u) {
  const auto negative = u.hi < 0.0;
  const auto m = mills_of(select(negative, -u, u));
  const Ball tail = m.phi * m.ratio, cdf = select(negative, tail, ball(1.0) - tail);
  return {u * cdf, cdf + u * m.phi, m.phi * (ball(2.0) - u * u)};
}

template <Activation A>
MS_INLINE Jet<Ball> activation_jet(const Ball& u) {
  if constexpr (A == Activation::tanh) {
    const auto t = tanh_of(u);
    return {t.value, t.first, Ball{}};
  } else if constexpr (A == Activation::logistic) {
    const auto s = sigmoid_of(u);
    return {s.up, s.up * s.down, Ball{}};
  } else if constexpr (A == Activation::softplus) {
    const auto s = sigmoid_of(u);
    return {softplus_of(u, s.e), s.up, Ball{}};
  } else if constexpr (A == Activation::relu) {
    const auto positive = u.hi > 0.0;
    return {select(positive, u, ball(0.0)), select(positive, ball(1.0), ball(0.0)), Ball{}};
  } else if constexpr (A == Activation::sin) {
    const auto t = sine_cosine(u);
    return {t.sine, t.cosine, Ball{}};
  } else if constexpr (A == Activation::gelu) {
    const auto t = gelu_of(u);
    return {t.value, t.first, Ball{}};
  } else {
    return {u, ball(1.0), Ball{}};
  }
}

/// q = u/(e^u − 1) and k = 1 − u/(1 − e^−u) = 1 − q − u at u = e^z: −log(1 − e^−u) has the derivatives −q and −q k in
/// z.
struct Cloglog {
  Ball u, q, k;
};
MS_INLINE Cloglog cloglog_of(const Ball& z) {
  const Ball u = exponential(z).e;
  // e^u − 1 overflows where u e^−u is nothing.
  const auto far = u.hi > 600.0;
  const Ball q = select(far, Ball{V{}, V{}, vec(1e-250)}, u / exponential(select(far, ball(1.0), u)).less_one);
  return {u, q, ball(1.0) - q - u};
}

template <Loss K>
MS_INLINE Jet<Ball> loss_jet(const Ball& z, const V& y, [[maybe_unused]] const LossConstants& q) {
  const Ball one = ball(1.0);
  const V not_y = 1.0 - y;
  // 1 − y may be rounded; as a ball it is exact.
  const Ball no = one - ball(y), yes = ball(y);
  if constexpr (K == Loss::squared) {
    const Ball r = z - yes;
    return {scaled(r * r, vec(0.5)), r, Ball{}};
  } else if constexpr (K == Loss::logistic) {
    const auto s = sigmoid_of(z);
    const Ball against = select(z.hi > 0.0, no * z, -(yes * z));
    return {against + log1p_of(s.e), no * s.up - yes * s.down, Ball{}};
  } else if constexpr (K == Loss::brier) {
    const auto s = sigmoid_of(z);
    const Ball d = no * s.up - yes * s.down;
    return {scaled(d * d, vec(0.5)), d * (s.up * s.down), Ball{}};
  } else if constexpr (K == Loss::probit) {
    const Ball nothing = ball(0.0);
    const Ball event = select(y == 0.0, nothing, yes * log_normal_of(z)),
               other = select(not_y == 0.0, nothing, no * log_normal_of(-z));
    return {-(event + other), no * normal_of(-z).hazard - yes * normal_of(z).hazard, Ball{}};
  } else if constexpr (K == Loss::cloglog) {
    const auto c = cloglog_of(z);
    const Ball minus = exponential(-c.u).less_one;
    const Ball event = -select(c.u.hi > 0.7, log1p_of(-(minus + one)), log_of(-minus));
    const Ball rest = no * c.u;
    return {select(y == 0.0, rest, yes * event + rest), rest - yes * c.q, Ball{}};
  } else if constexpr (K == Loss::poisson) {
    const Ball u = exponential(z).e;
    return {u - yes * z, u - yes, Ball{}};
  } else if constexpr (K == Loss::negativeBinomial) {
    const Ball w = z + q.exact[1];
    const auto s = sigmoid_of(w);
    return {(yes + q.exact[2]) * softplus_of(w, s.e) - yes * z, q.exact[2] * s.up - yes * s.down, Ball{}};
  } else if constexpr (K == Loss::huber) {
    // ½ c² + δ (|r| − |c|) with c = r cut to ±δ, so that either side of the edge will do where the ball holds it.
    const Ball r = z - yes, edge = q.exact[0], size = select(r.hi < 0.0, -r, r);
    const auto near = (size.hi < edge.hi) | ((size.hi == edge.hi) & (size.lo <= 0.0));
    const Ball c = select(near, size, edge), first = widened(c, select<double>(near, V{}, r.rad));
    return {scaled(c * c, vec(0.5)) + edge * (size - c), select(r.hi < 0.0, -first, first), Ball{}};
  } else if constexpr (K == Loss::student) {
    const Ball r = z - yes, t = q.exact[1] * (r * r);
    return {q.exact[0] * log1p_of(t), q.exact[2] * r / (one + t), Ball{}};
  } else {
    const Ball u = yes * exponential(-z).e;
    return {z + u, one - u, Ball{}};
  }
}

// --- intervals

/// A monotone function from its balls at both ends.
MS_INLINE Interval between(const Ball& a, const Ball& b) { return hull(interval(a), interval(b)); }
MS_INLINE Interval at_least(const Interval& a, V most) { return {a.lo, vmax(a.hi, most)}; }
MS_INLINE Interval at_least(const Interval& a, double most) { return at_least(a, vec(most)); }
MS_INLINE Interval at_most(const Interval& a, V least) { return {vmin(a.lo, least), a.hi}; }
MS_INLINE Interval at_most(const Interval& a, double least) { return at_most(a, vec(least)); }
MS_INLINE Int<double> holds(const Interval& a, double x) { return (a.lo <= x) & (a.hi >= x); }
/// Whether it comes within 10⁻¹⁵ of x, for an x that is no double.
MS_INLINE Int<double> touches(const Interval& a, double x) { return (a.lo <= x + 1e-15) & (a.hi >= x - 1e-15); }

/// Whether it comes near x + 2πn for a whole n.
MS_INLINE Int<double> passes(const Interval& a, double x) {
  constexpr double per = 0.15915494309189535;
  const V lo = (a.lo - x) * per, hi = (a.hi - x) * per, room = (vabs<double>(lo) + vabs<double>(hi) + 2.0) * 1e-15,
          shift = vec(0x1.8p52);
  const V nearest = (lo - room + shift) - shift, next = select<double>(nearest < lo - room, nearest + 1.0, nearest);
  return next <= hi + room;
}
/// Sine from its balls at both ends: its extrema are at ±π/2.
MS_INLINE Interval wave(const Interval& a, const Ball& lo, const Ball& hi, double top, double bottom) {
  const Interval s = between(lo, hi), high = select(passes(a, top), at_least(s, 1), s);
  return select(passes(a, bottom), at_most(high, -1), high);
}

/// v = s(1 − s) and its derivative v(1 − 2s) over u: v has its maximum ¼ at 0, v(1 − 2s) its extrema ±1/(6√3) at s = (3
/// ∓ √3)/6.
MS_INLINE Interval bell(const Interval& u, const Shares& a, const Shares& b) {
  const Interval v = between(a.up * a.down, b.up * b.down);
  return select(holds(u, 0), at_least(v, 0.25), v);
}
MS_INLINE Interval bell_slope(const Interval& s, const Shares& a, const Shares& b) {
  Interval v = between(a.up * a.down * (a.down - a.up), b.up * b.down * (b.down - b.up));
  v = select(touches(s, 0.21132486540518712), at_least(v, 0.09622504486493766), v);
  return select(touches(s, 0.78867513459481288), at_most(v, -0.09622504486493766), v);
}

template <Activation A>
MS_INLINE Jet<Interval> activation_jet(const Interval& u) {
  const Ball lo = ball(u.lo), hi = ball(u.hi);
  if constexpr (A == Activation::tanh) {
    const auto a = tanh_of(lo), b = tanh_of(hi);
    const Interval t = between(a.value, b.value), first = between(a.first, b.first);
    // −2t(1 − t²) has its extrema ∓4/(3√3) at t = ±1/√3.
    Interval second = between(-scaled(a.value * a.first, vec(2)), -scaled(b.value * b.first, vec(2)));
    second = select(touches(t, 0.57735026918962576), at_most(second, -0.76980035891950105), second);
    second = select(touches(t, -0.57735026918962576), at_least(second, 0.76980035891950105), second);
    return {t, select(holds(u, 0), at_least(first, 1), first), second};
  } else if constexpr (A == Activation::logistic) {
    const auto a = sigmoid_of(lo), b = sigmoid_of(hi);
    const Interval s = between(a.up, b.up);
    return {s, bell(u, a, b), bell_slope(s, a, b)};
  } else if constexpr (A == Activation::softplus) {
    const auto a = sigmoid_of(lo), b = sigmoid_of(hi);
    return {between(softplus_of(lo, a.e), softplus_of(hi, b.e)), between(a.up, b.up), bell(u, a, b)};
  } else if constexpr (A == Activation::relu) {
    // A unit at its kink is found by the evaluator, and nothing is proved.
    const auto positive = u.lo > 0.0;
    return {select(positive, u, interval(0.0)), select(positive, interval(1.0), interval(0.0)), interval(0.0)};
  } else if constexpr (A == Activation::sin) {
    const auto a = sine_cosine(lo), b = sine_cosine(hi);
    constexpr double right = 1.5707963267948966, turn = 3.141592653589793;
    const Interval sine = wave(u, a.sine, b.sine, right, -right);
    return {sine, wave(u, a.cosine, b.cosine, 0, turn), -sine};
  } else if constexpr (A == Activation::gelu) {
    const auto a = gelu_of(lo), b = gelu_of(hi);
    // uΦ has its minimum where Φ + uφ = 0, Φ + uφ its extrema at ±√2, (2 − u²)φ at 0 and ±2.
    Interval value = between(a.value, b.value), first = between(a.first, b.first), second = between(a.second, b.second);
    value = select(touches(u, -0.7517915246935645), at_most(value, -0.16997120747990369), value);
    first = select(touches(u, 1.4142135623730951), at_least(first, 1.128904145185155), first);
    first = select(touches(u, -1.4142135623730951), at_most(first, -0.1289041451851548), first);
    second = select(holds(u, 0), at_least(second, 0.7978845608028654), second);
    second = select(holds(u, 2) | holds(u, -2), at_most(second, -0.10798193302637611), second);
    return {value, first, second};
  } else {
    return {u, interval(1.0), interval(0.0)};
  }
}

template <Loss K>
MS_INLINE Jet<Interval> loss_jet(const Interval& z, const V& y, [[maybe_unused]] const LossConstants& q) {
  const Ball lo = ball(z.lo), hi = ball(z.hi);
  const Ball no = ball(1.0) - ball(y), yes = ball(y);
  if constexpr (K == Loss::squared) {
    return {Interval{}, z - interval(y), interval(1.0)};
  } else if constexpr (K == Loss::logistic) {
    const auto a = sigmoid_of(lo), b = sigmoid_of(hi);
    return {Interval{}, between(no * a.up - yes * a.down, no * b.up - yes * b.down), bell(z, a, b)};
  } else if constexpr (K == Loss::brier) {
    const auto a = sigmoid_of(lo), b = sigmoid_of(hi);
    const Interval d = between(no * a.up - yes * a.down, no * b.up - yes * b.down), s = bell(z, a, b);
    return {Interval{}, d * s, s * s + d * bell_slope(between(a.up, b.up), a, b)};
  } else if constexpr (K == Loss::probit) {
    // r is convex and falls with slopes in (−1, 0), so that r(r + z) = −r′ falls from 1 to 0 (Sampford, Annals of
    // Mathematical Statistics 24, 1953).
    const auto la = normal_of(lo), lb = normal_of(hi), ra = normal_of(-lo), rb = normal_of(-hi);
    const Interval event = between(la.hazard * la.excess, lb.hazard * lb.excess),
                   other = between(ra.hazard * ra.excess, rb.hazard * rb.excess);
    return {Interval{}, between(no * ra.hazard - yes * la.hazard, no * rb.hazard - yes * lb.hazard),
            interval(yes) * event + interval(no) * other};
  } else if constexpr (K == Loss::cloglog) {
    const auto a = cloglog_of(lo), b = cloglog_of(hi);
    const Interval q = between(a.q, b.q), k = between(a.k, b.k);
    return {Interval{}, between(no * a.u - yes * a.q, no * b.u - yes * b.q),
            interval(no) * between(a.u, b.u) - interval(yes) * (q * k)};
  } else if constexpr (K == Loss::poisson) {
    const Ball a = exponential(lo).e, b = exponential(hi).e;
    return {Interval{}, between(a - yes, b - yes), between(a, b)};
  } else if constexpr (K == Loss::negativeBinomial) {
    const Ball below = lo + q.exact[1], above = hi + q.exact[1];
    const auto a = sigmoid_of(below), b = sigmoid_of(above);
    const Interval first = between(q.exact[2] * a.up - yes * a.down, q.exact[2] * b.up - yes * b.down);
    return {Interval{}, first, interval(yes + q.exact[2]) * bell({lower(below), upper(above)}, a, b)};
  } else if constexpr (K == Loss::huber) {
    // r cut to ±δ; its slope jumps at the edges, and between its values lie all mean slopes, which is what the mean
    // value theorem and with it Krawczyk's test ask of a function with a Lipschitz constant (Clarke).
    const Interval r = {lower(lo - yes), upper(hi - yes)};
    const V edge = vec(q.plain[0]);
    const auto near = (r.lo > -edge) & (r.hi < edge), far = (r.lo > edge) | (r.hi < -edge);
    const Interval slope = select(near, interval(1.0), select(far, interval(0.0), Interval{V{}, vec(1)}));
    const Interval cut = {vmin(vmax(r.lo, -edge), edge), vmin(vmax(r.hi, -edge), edge)};
    const V nothing = (r.lo - r.lo) + (r.hi - r.hi);
    return {Interval{}, {cut.lo + nothing, cut.hi + nothing}, {slope.lo + nothing, slope.hi + nothing}};
  } else if constexpr (K == Loss::student) {
    // With t = k r², up to the factor (ν + 1)k: r/(1 + t) has its extrema ±1/(2√k) at t = 1, its slope (1 − t)/(1 + t)²
    // has 1 at 0 and −⅛ at t = 3.
    const Ball one = ball(1.0), from = lo - yes, to = hi - yes, s = q.exact[1] * (from * from),
               t = q.exact[1] * (to * to);
    const V root = vec(std::sqrt(q.plain[1])), most = 0.5 / root * (1 + 1e-14);
    const Interval u = {lower(from) * root, upper(to) * root};
    const auto meets = [&](double x) { return (u.lo <= x + 1e-14) & (u.hi >= x - 1e-14); };
    Interval first = between(from / (one + s), to / (one + t));
    first = select(meets(1), at_least(first, most), first);
    first = select(meets(-1), at_most(first, -most), first);
    Interval second = between((one - s) / ((one + s) * (one + s)), (one - t) / ((one + t) * (one + t)));
    second = select(meets(0), at_least(second, 1), second);
    second = select(meets(1.7320508075688772) | meets(-1.7320508075688772), at_most(second, -0.125), second);
    const Interval factor = interval(q.exact[2]);
    return {Interval{}, factor * first, factor * second};
  } else {
    const Ball a = yes * exponential(-lo).e, b = yes * exponential(-hi).e;
    return {Interval{}, between(ball(1.0) - a, ball(1.0) - b), between(a, b)};
  }
}

// --- softmax

MS_INLINE V middle_of(const V& a) { return a; }
MS_INLINE V middle_of(const Ball& a) { return a.hi; }
MS_INLINE V exp_of(const V& a) {
  Pack<double, 1> at;
  at.v[0] = a;
  return vexp<double, 1>(at).v[0];
}
MS_INLINE Ball exp_of(const Ball& a) { return exponential(a).e; }
MS_INLINE V log_value(const V& a) {
  V r;
  for (int l = 0; l < W<double>; l++) r[l] = std::log(a[l]);
  return r;
}
MS_INLINE Ball log_value(const Ball& a) { return log_of(a); }
MS_INLINE V number(const V&, double x) { return vec(x); }
MS_INLINE Ball number(const Ball&, double x) { return ball(x); }
MS_INLINE Interval number(const Interval&, double x) { return interval(x); }

/// Probabilities p_c of classes from z [C]; returns log Σ e^z_c.
template <class S>
S probabilities(const S* z, S* p, int C) {
  V top = middle_of(z[0]);
  for (int c = 1; c < C; c++) top = vmax(top, middle_of(z[c]));
  S total = number(z[0], 0);
  for (int c = 0; c < C; c++) {
    p[c] = exp_of(S(z[c] + -top));
    total = total + p[c];
  }
  const S share = number(z[0], 1) / total;
  for (int c = 0; c < C; c++) p[c] = p[c] * share;
  return log_value(total) + top;
}
/// p_c = 1/(1 + Σ e^(z_d − z_c)) falls with every other z and rises with its own.
inline void probabilities(const Interval* z, Interval* p, int C) {
  for (int c = 0; c < C; c++) {
    Ball most = ball(1.0), least = ball(1.0);
    for (int d = 0; d < C; d++) {
      if (d == c) continue;
      most = most + exponential(ball(z[d].hi) - ball(z[c].lo)).e;
      least = least + exponential(ball(z[d].lo) - ball(z[c].hi)).e;
    }
    p[c] = between(ball(1.0) / most, ball(1.0) / least);
  }
}

}  // namespace MS_TARGET
