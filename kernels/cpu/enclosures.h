// Enclosures of exp, expm1, log1p, log, tanh, the logistic function, sine, cosine and the normal distribution's Mills
// ratio, for balls. Truncation errors are bounded where they stand; the arithmetic bounds its own. A ball's radius is
// taken through a function by the mean value theorem, so that functions themselves see points.
#pragma once

#include "interval.h"

namespace MS_TARGET {

struct Exponential {
  Ball e, less_one;
};

/// 2^k for integers |k| ≤ 1020 kept in doubles.
MS_INLINE V power_of_two(V k) {
  const V shift = vec(0x1.8p52);
  const UintD n = (UintD)(k + shift) - (UintD)shift;
  return (V)((n + 1023) << 52);
}

/// e^r − 1 = Σ r^j / j! up to j = 14 at r / 16, then four times (1 + p)² − 1. For |r| ≤ 0.36 the series leaves out less
/// than |s| · 0.0225^14 / 15! < 2^−118 |s|, s = r / 16; the squarings multiply relative errors by less than 2.
MS_INLINE Ball expm1_near(const Ball& r) {
  static constexpr double c[14][2] = {
      {0x1.0000000000000p+0, 0x0.0p+0},
      {0x1.0000000000000p-1, 0x0.0p+0},
      {0x1.5555555555555p-3, 0x1.5555555555555p-57},
      {0x1.5555555555555p-5, 0x1.5555555555555p-59},
      {0x1.1111111111111p-7, 0x1.1111111111111p-63},
      {0x1.6c16c16c16c17p-10, -0x1.f49f49f49f49fp-65},
      {0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-73},
      {0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-76},
      {0x1.71de3a556c734p-19, -0x1.c154f8ddc6c00p-73},
      {0x1.27e4fb7789f5cp-22, 0x1.cbbc05b4fa99ap-76},
      {0x1.ae64567f544e4p-26, -0x1.c062e06d1f209p-80},
      {0x1.1eed8eff8d898p-29, -0x1.2aec959e14c06p-83},
      {0x1.6124613a86d09p-33, 0x1.f28e0cc748ebep-87},
      {0x1.93974a8c07c9dp-37, 0x1.05d6f8a2efd1fp-92},
  };
  const Ball s = scaled(r, vec(0x1p-4));
  // From the ninth term on doubles do: their rounding is below 2^−53 · 0.0225^8 / 9! of the sum.
  V tail = vec(c[13][0]);
  for (int j = 12; j >= 8; j--) tail = tail * s.hi + c[j][0];
  Ball p = {tail, V{}, vabs<double>(tail) * 0x1p-49};
  for (int j = 7; j >= 0; j--) p = p * s + constant(c[j][0], c[j][1]);
  p = p * s;
  p = widened(p, vabs<double>(s.hi) * 0x1p-117);
  for (int k = 0; k < 4; k++) p = scaled(p, vec(2)) + p * p;
  return p;
}

/// e^x and e^x − 1. Below −700 the ball is that of all numbers up to e^−700; beyond 700, or where a radius is above 1,
/// NaN.
MS_INLINE Exponential exponential(const Ball& x) {
  const auto low = x.hi < -700.0;
  const V shift = vec(0x1.8p52);
  const V k = select<double>(low, V{}, (x.hi * 0x1.71547652b82fep+0 + shift) - shift);
  // k times the upper 42 bits of log 2 is exact.
  const Ball at = {select<double>(low, V{}, x.hi), select<double>(low, V{}, x.lo), V{}};
  const Ball r = (at - ball(k * 0x1.62e42fefa3800p-1)) - constant(0x1.ef35793c76730p-45, 0x1.f97b57a079a19p-103) * k;
  const V scale = power_of_two(vmin(vmax(k, vec(-1020)), vec(1020)));
  const Ball p = scaled(expm1_near(r), scale);
  Ball e = p + ball(scale);
  Ball less_one = select(k == 0.0, p, p + ball(scale) + vec(-1));
  // |e^x′ − e^x| ≤ e^x (ρ + ρ²) for |x′ − x| ≤ ρ ≤ 1.
  const V spread = (magnitude(e) + e.rad) * (x.rad + x.rad * x.rad) * upwards;
  e = widened(e, spread), less_one = widened(less_one, spread);
  const V floor = vec(1e-304);
  const Ball none = {V{}, V{}, floor}, minus_one = {vec(-1), V{}, floor};
  e = select(low, none, e), less_one = select(low, minus_one, less_one);
  const auto good = (x.hi <= 700.0) & (x.lo == x.lo) & (x.rad <= 1.0);
  e.rad = nan_unless(good, e.rad), less_one.rad = nan_unless(good, less_one.rad);
  return {e, less_one};
}

/// guess + log(1 + d) = guess + d − d²/2 + …, where what is left out is below |d|³ for |d| ≤ ½.
MS_INLINE Ball corrected_log(V guess, const Ball& d) {
  const V size = (magnitude(d) + d.rad) * upwards;
  const Ball y = ball(guess) + (d - scaled(d * d, vec(0.5)));
  return widened({y.hi, y.lo, nan_unless(size <= 0.5, y.rad)}, size * size * size);
}
/// log(1 + x), x > −1: a library's logarithm is corrected by one Newton step whose error is bounded, so it need not be
/// trusted.
MS_INLINE Ball log1p_of(const Ball& x) {
  V guess;
  for (int l = 0; l < W<double>; l++) guess[l] = std::log1p(x.hi[l]);
  const Ball at = middle(x);
  const auto back = exponential(ball(-guess));
  // (1 + x) e^−guess − 1, which cancels in another way near 0 than away from it. Near x = −1 what is left of 1 + x is
  // as small as the lower part of x.
  const Ball m = back.less_one, sum = at + vec(1), far = sum * back.e + vec(-1);
  const V room = lower(sum) * (1 - 4 * unit) - x.rad * (1 + 4 * unit);
  const Ball y = corrected_log(guess, select((x.hi > 1.0) | (x.hi < -0.5), far, at + m + at * m));
  return widened({y.hi, y.lo, nan_unless(room > 0.0, y.rad)}, x.rad / room * upwards);
}
MS_INLINE Ball log_of(const Ball& x) {
  V guess;
  for (int l = 0; l < W<double>; l++) guess[l] = std::log(x.hi[l]);
  const V room = (x.hi * (1 - 8 * unit) - x.rad) * (1 - 4 * unit);
  const Ball y = corrected_log(guess, middle(x) * exponential(ball(-guess)).e + vec(-1));
  return widened({y.hi, y.lo, nan_unless(room > 0.0, y.rad)}, x.rad / room * upwards);
}

/// −|x|, as a ball; the kink at 0 does no harm, for | |x′| − |x| | ≤ |x′ − x|.
MS_INLINE Ball minus_abs(const Ball& x) { return select(x.hi > 0.0, -x, x); }

/// tanh and its derivative 4e/(1 + e)², e = e^(−2|u|).
struct Tanh {
  Ball value, first;
};
MS_INLINE Tanh tanh_of(const Ball& u) {
  const auto x = exponential(scaled(minus_abs(u), vec(2)));
  const Ball q = ball(1.0) / (x.less_one + vec(2));
  const Ball t = -(x.less_one * q);
  return {select(u.hi < 0.0, -t, t), scaled(x.e * (q * q), vec(4))};
}

/// logistic(u), logistic(−u) and e^−|u|.
struct Shares {
  Ball up, down, e;
};
MS_INLINE Shares sigmoid_of(const Ball& u) {
  const Ball e = exponential(minus_abs(u)).e;
  const Ball big = ball(1.0) / (e + vec(1)), small = e * big;
  const auto positive = u.hi >= 0.0;
  return {select(positive, big, small), select(positive, small, big), e};
}
/// log(1 + e^u)
MS_INLINE Ball softplus_of(const Ball& u, const Ball& e) {
  const Ball rest = log1p_of(e);
  return select(u.hi > 0.0, u + rest, rest);
}

struct SineCosine {
  Ball sine, cosine;
};
/// By Taylor's series at x − k π/2, |x − k π/2| ≤ 0.79, whose terms fall by a factor of more than 1000 where they are
/// cut off.
MS_INLINE SineCosine sine_cosine(const Ball& x) {
  const V shift = vec(0x1.8p52);
  const V shifted = x.hi * 0x1.45f306dc9c883p-1 + shift, k = shifted - shift;
  const Ball r = middle(x) - constant(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54) * k;
  const Ball square = r * r;
  Ball sine = r, cosine = ball(1.0), s = r, c = cosine;
  for (int n = 1; n <= 14; n++) {
    c = -(c * square) / ball((2.0 * n - 1) * (2.0 * n));
    s = -(s * square) / ball((2.0 * n) * (2.0 * n + 1));
    sine = sine + s, cosine = cosine + c;
  }
  const auto good = (vabs<double>(x.hi) <= 1e8) & (magnitude(r) <= 0.79);
  sine = widened(sine, magnitude(s) + s.rad + x.rad), cosine = widened(cosine, magnitude(c) + c.rad + x.rad);
  sine.rad = nan_unless(good, sine.rad), cosine.rad = nan_unless(good, cosine.rad);
  const Int<double> quarter = (Int<double>)shifted;
  const auto swap = (quarter & 1) != 0, down = (quarter & 2) != 0, other = ((quarter + 1) & 2) != 0;
  const Ball a = select(swap, cosine, sine), b = select(swap, sine, cosine);
  return {select(down, -a, a), select(other, -b, b)};
}

/// φ(t) and the Mills ratio M(t) = Φ(−t)/φ(t) for t ≥ 0, where the radius of t is taken up by the caller (M′ = tM − 1
/// is in (−1, 0)).
///
/// Up to t = 5, M = √(π/2) e^{t²/2} − Σ t^(2k+1)/(2k+1)!!, whose terms beyond k = 79 are below half of the one before:
/// 25/161. Beyond, M = 1/(t + 1/(t + 2/(t + …))), whose convergents lie on either side by turns.
struct Mills {
  Ball phi, ratio;
};
MS_INLINE Ball mills_near(const Ball& t) {
  const Ball square = t * t;
  Ball term = t, sum = t;
  for (int k = 1; k < 80; k++) {
    term = term * square / ball(2 * k + 1.0);
    sum = sum + term;
  }
  sum = widened(sum, (magnitude(term) + term.rad) * 2);
  return constant(0x1.40d931ff62706p+0, -0x1.a6a0d6f814637p-54) * exponential(scaled(square, vec(0.5))).e - sum;
}
MS_INLINE Ball mills_convergent(const Ball& t, int depth) {
  Ball v = t;
  for (int k = depth; k >= 1; k--) v = t + ball(double(k)) / v;
  return ball(1.0) / v;
}
MS_INLINE Mills mills_of(const Ball& t) {
  const Ball phi = constant(0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56) * exponential(-scaled(t * t, vec(0.5))).e;
  const auto far = t.hi > 5.0;
  const Ball at = middle(t), five = ball(5.0);
  Ball ratio = mills_near(select(far, five, at));
  if (any_lane<double>(far)) {
    const Ball beyond = select(far, at, five);
    const Ball a = mills_convergent(beyond, 50), b = mills_convergent(beyond, 51);
    const Ball middle_of = scaled(a + b, vec(0.5)), half = scaled(a - b, vec(0.5));
    ratio = select(far, widened(middle_of, (magnitude(half) + half.rad + a.rad + b.rad) * upwards), ratio);
  }
  return {phi, widened(ratio, t.rad)};
}

/// The hazard r(z) = φ(z)/Φ(z), its excess r + z, and log Φ(z).
struct NormalBalls {
  Ball hazard, excess;
};
MS_INLINE NormalBalls normal_of(const Ball& z) {
  const auto negative = z.hi < 0.0;
  const Ball t = select(negative, -z, z);
  const auto m = mills_of(t);
  const Ball tail = m.phi * m.ratio;
  const Ball hazard = select(negative, ball(1.0) / m.ratio, m.phi / (ball(1.0) - tail));
  // Where z < 0: (1 − tM)/M.
  return {hazard, select(negative, (ball(1.0) - t * m.ratio) / m.ratio, hazard + z)};
}
MS_INLINE Ball log_normal_of(const Ball& z) {
  const auto negative = z.hi < 0.0;
  const auto m = mills_of(select(negative, -z, z));
  const Ball left = log_of(m.ratio) - scaled(z * z, vec(0.5)) - constant(0x1.d67f1c864beb5p-1, -0x1.65b5a1b7ff5dfp-55);
  return select(negative, left, log1p_of(-(m.phi * m.ratio)));
}

}  // namespace MS_TARGET
