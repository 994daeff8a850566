// Intervals [lo, hi] of doubles, a SIMD register of them at a time. Bounds are rounded to nearest and moved outwards by
// at least one place, to y ± (φ|y| + η) with φ = u(1 + 4u), which is no more than two (Rump, Zimmermann, Boldo and
// Melquiond, BIT 49, 2009). Whatever overflows becomes NaN.
#pragma once

#include "ball.h"

namespace MS_TARGET {

/// At most, at least the exact result of the operation that was rounded to y.
MS_INLINE V down(V y) { return y - (vabs<double>(y) * (unit * (1 + 4 * unit)) + 0x1p-1074); }
MS_INLINE V up(V y) { return y + (vabs<double>(y) * (unit * (1 + 4 * unit)) + 0x1p-1074); }

struct Interval {
  V lo, hi;
};
MS_INLINE Interval interval(V x) { return {x, x}; }
MS_INLINE Interval interval(double x) { return interval(vec(x)); }
MS_INLINE Interval operator-(const Interval& a) { return {-a.hi, -a.lo}; }
// A sum that rounds to 0 is 0.
MS_INLINE Interval operator+(const Interval& a, const Interval& b) {
  const V lo = a.lo + b.lo, hi = a.hi + b.hi;
  return {select<double>(lo == 0.0, V{}, down(lo)), select<double>(hi == 0.0, V{}, up(hi))};
}
MS_INLINE Interval operator-(const Interval& a, const Interval& b) { return a + -b; }
/// Minimum and maximum of four products; NaN if one of them is not finite, which comparisons alone could lose.
MS_INLINE Interval operator*(const Interval& a, const Interval& b) {
  const V p = a.lo * b.lo, q = a.lo * b.hi, r = a.hi * b.lo, s = a.hi * b.hi;
  const V nothing = ((p - p) + (q - q)) + ((r - r) + (s - s));
  const V lo = vmin(vmin(p, q), vmin(r, s)), hi = vmax(vmax(p, q), vmax(r, s));
  const auto zero = ((a.lo == 0.0) & (a.hi == 0.0)) | ((b.lo == 0.0) & (b.hi == 0.0));
  return {select<double>(zero, V{}, down(lo)) + nothing, select<double>(zero, V{}, up(hi)) + nothing};
}
MS_INLINE Interval operator*(const Interval& a, V b) {
  const V p = a.lo * b, q = a.hi * b;
  const V nothing = (p - p) + (q - q);
  const auto zero = ((a.lo == 0.0) & (a.hi == 0.0)) | (b == 0.0);
  return {select<double>(zero, V{}, down(vmin(p, q))) + nothing, select<double>(zero, V{}, up(vmax(p, q))) + nothing};
}
MS_INLINE Interval operator*(V b, const Interval& a) { return a * b; }
MS_INLINE Interval select(Int<double> mask, const Interval& a, const Interval& b) {
  return {select<double>(mask, a.lo, b.lo), select<double>(mask, a.hi, b.hi)};
}
/// The smallest interval around two; NaN if either is.
MS_INLINE Interval hull(const Interval& a, const Interval& b) {
  const V nothing = ((a.lo - a.lo) + (b.lo - b.lo)) + ((a.hi - a.hi) + (b.hi - b.hi));
  return {vmin(a.lo, b.lo) + nothing, vmax(a.hi, b.hi) + nothing};
}
/// An interval around a ball.
MS_INLINE V lower(const Ball& a) { return down(a.hi + down(a.lo - a.rad)); }
MS_INLINE V upper(const Ball& a) { return up(a.hi + up(a.lo + a.rad)); }
MS_INLINE Interval interval(const Ball& a) { return {lower(a), upper(a)}; }

}  // namespace MS_TARGET
