// Real numbers as balls: an unevaluated sum hi + lo of two doubles (106 bits) and a radius that bounds every error made
// so far, a SIMD register of them at a time. No rounding mode is switched: a bound of each operation's own error is
// added to the radius.
//
// Error bounds of the double-double operations, u = 2⁻⁵³: sum 3u², product 5u², quotient 15u² of the result (Joldes,
// Muller and Popescu, ACM Transactions on Mathematical Software 44, 2017); here 4u², 8u² and 32u² are taken. Radii are
// sums of a few positive terms, rounded to nearest, so that a factor of 1 + 16u makes them bounds. `tiny` covers what
// underflows. Whatever overflows or leaves a domain becomes NaN, and no comparison holds for it.
#pragma once

#include "lanes.h"

namespace MS_TARGET {

using V = Vec<double>;

constexpr double unit = 0x1p-53, tiny = 1e-290, upwards = 1 + 16 * unit;

MS_INLINE V vec(double x) { return broadcast<double>(x); }
MS_INLINE V nan_unless(Int<double> good, V x) {
  return select<double>(good, x, vec(std::numeric_limits<double>::quiet_NaN()));
}

struct TwoParts {
  V hi, lo;
};
/// hi + lo = a + b exactly (Knuth).
MS_INLINE TwoParts two_sum(V a, V b) {
  const V s = a + b, bb = s - a;
  return {s, (a - (s - bb)) + (b - bb)};
}
/// The same where |a| ≥ |b| (Dekker).
MS_INLINE TwoParts quick_two_sum(V a, V b) {
  const V s = a + b;
  return {s, b - (s - a)};
}
/// hi + lo = a b exactly, but for underflow.
MS_INLINE TwoParts two_product(V a, V b) {
  const V p = a * b;
#if defined(__AVX512F__) || defined(__AVX2__) || defined(__aarch64__)
  return {p, fma(a, b, -p)};
#else
  const V split = vec(0x1p27 + 1);
  const V ta = split * a, tb = split * b;
  const V ah = ta - (ta - a), bh = tb - (tb - b);
  const V al = a - ah, bl = b - bh;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
#endif
}

struct Ball {
  V hi, lo, rad;
};
MS_INLINE Ball ball(V x) { return {x, V{}, V{}}; }
MS_INLINE Ball ball(double x) { return ball(vec(x)); }
/// A constant given to 106 bits.
MS_INLINE Ball constant(double hi, double lo) { return {vec(hi), vec(lo), vec(std::fabs(hi) * 0x1p-106)}; }
MS_INLINE V magnitude(const Ball& a) { return vabs<double>(a.hi); }

MS_INLINE Ball operator-(const Ball& a) { return {-a.hi, -a.lo, a.rad}; }
/// AccurateDWPlusDW.
MS_INLINE Ball operator+(const Ball& a, const Ball& b) {
  const auto s = two_sum(a.hi, b.hi), t = two_sum(a.lo, b.lo);
  const auto v = quick_two_sum(s.hi, s.lo + t.hi);
  const auto z = quick_two_sum(v.hi, t.lo + v.lo);
  return {z.hi, z.lo, (a.rad + b.rad + vec(4 * unit * unit) * vabs<double>(z.hi)) * upwards + tiny};
}
MS_INLINE Ball operator-(const Ball& a, const Ball& b) { return a + -b; }
MS_INLINE Ball operator+(const Ball& a, V b) { return a + ball(b); }
/// DWTimesDW1.
MS_INLINE Ball operator*(const Ball& a, const Ball& b) {
  const auto c = two_product(a.hi, b.hi);
  const auto z = quick_two_sum(c.hi, c.lo + (a.hi * b.lo + a.lo * b.hi));
  const V A = magnitude(a), B = magnitude(b);
  return {z.hi, z.lo, (A * b.rad + a.rad * (B + b.rad) + vec(8 * unit * unit) * vabs<double>(z.hi)) * upwards + tiny};
}
/// DWTimesFP1.
MS_INLINE Ball operator*(const Ball& a, V b) {
  const auto c = two_product(a.hi, b);
  const auto z = quick_two_sum(c.hi, a.lo * b + c.lo);
  return {z.hi, z.lo, (a.rad * vabs<double>(b) + vec(8 * unit * unit) * vabs<double>(z.hi)) * upwards + tiny};
}
/// By a positive power of two that neither overflows nor underflows.
MS_INLINE Ball scaled(const Ball& a, V power) { return {a.hi * power, a.lo * power, a.rad * power}; }
/// DWDivDW2. What underflows in the rest is divided by b too: up to 2^−1070. NaN where b holds 0.
MS_INLINE Ball operator/(const Ball& a, const Ball& b) {
  const V q = a.hi / b.hi;
  const auto p = two_product(q, b.hi);
  const V rest = ((a.hi - p.hi) - p.lo) + a.lo - q * b.lo;
  const auto z = quick_two_sum(q, rest / b.hi);
  const V B = magnitude(b) * (1 - 4 * unit), room = (B - b.rad) * (1 - 4 * unit);
  const V rad =
      ((a.rad + vabs<double>(z.hi) * upwards * b.rad + 0x1p-1070) / room + vec(32 * unit * unit) * vabs<double>(z.hi)) *
          upwards +
      tiny;
  return {z.hi, z.lo, nan_unless(room > 0.0, rad)};
}
MS_INLINE Ball select(Int<double> mask, const Ball& a, const Ball& b) {
  return {select<double>(mask, a.hi, b.hi), select<double>(mask, a.lo, b.lo), select<double>(mask, a.rad, b.rad)};
}
MS_INLINE Ball widened(const Ball& a, V more) { return {a.hi, a.lo, (a.rad + more) * upwards}; }
/// The ball's middle, as a point.
MS_INLINE Ball middle(const Ball& a) { return {a.hi, a.lo, V{}}; }

}  // namespace MS_TARGET
