// Elementary functions that formulas may use beside those of math.h: sin, cos, atan, erf and powers, from one formula
// in f64 and f32. Errors: sin and cos below 1 ulp of the larger of the result and eps while |x| ≤ `turns` quarter
// turns, that of libm beyond; atan and erf a few ulp; x^y = e^(y log x) as many ulp as |y log x|.
#pragma once

#include <type_traits>

#include "math.h"

namespace MS_TARGET {

template <class T>
struct Turn;
template <>
struct Turn<double> {
  // 1.5 · 2^52: adding it rounds to an integer and leaves that in the last bits.
  static constexpr double magic = 6755399441055744.0, per_turn = 6.36619772367581382433e-01;
  // π/2 in parts; the first has 33 bits, so that its products with up to 2^20 quarter turns are exact.
  static constexpr double first = 1.57079632673412561417e+00, second = 6.07710050630396597660e-11,
                          third = 2.02226624879595063154e-21, largest = 1.6e6;
};
template <>
struct Turn<float> {
  static constexpr float magic = 12582912.0f, per_turn = 0.636619772f;
  static constexpr float first = 1.5703125f, second = 4.837512969970703125e-4f, third = 7.54978995489188216e-8f,
                         largest = 4000.0f;
};

// Minimax polynomials on [−π/4, π/4]: sin x = x + x³ S(x²), cos x = 1 − x²/2 + x⁴ C(x²) (FreeBSD's k_sin.c and k_cos.c
// give them).
constexpr double sine[] = {-1.66666666666666324348e-01, 8.33333333332248946124e-03,  -1.98412698298579493134e-04,
                           2.75573137070700676789e-06,  -2.50507602534068634195e-08, 1.58969099521155010221e-10};
constexpr double cosine[] = {4.16666666666666019037e-02,  -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                             -2.75573143513906633035e-07, 2.08757232129817482790e-09,  -1.13596475577881948265e-11};

/// sin(x + quarters · π/2).
template <class T, int U>
MS_INLINE Pack<T, U> vsin(const Pack<T, U>& x, int quarters = 0) {
  using K = Turn<T>;
  using V = Pack<T, U>;
  const V shifted = fma(x, V(K::per_turn), V(K::magic));
  const V k = shifted - V(K::magic);
  const auto turn = bits(shifted) + typename VecOf<T>::scalar_int(quarters);
  const V near = x - k * V(K::first);
  const V part = k * V(K::second);
  const V r = near - part;
  const V low = ((near - r) - part) - k * V(K::third);
  const V z = r * r;
  const V half = T(0.5) * z, one = T(1);
  const V sin_r = r + (fma(z * r, polynomial<T, U>(sine, z), low));
  const V w = one - half;
  const V cos_r = w + (((one - w) - half) + (z * z * polynomial<T, U>(cosine, z) - r * low));
  Mask<T, U> swap, down;
  MS_EACH {
    swap.m[k] = (turn.i[k] & 1) != 0;
    down.m[k] = (turn.i[k] & 2) != 0;
  }
  V y = select(swap, cos_r, sin_r);
  y = select(down, -y, y);
  const auto far = abs(x) > K::largest;
  if (any(far)) {
    MS_EACH for (int l = 0; l < W<T>; l++) {
      if (!far.m[k][l]) continue;
      const int q = quarters & 3;
      const T s = std::sin(x.v[k][l]), c = std::cos(x.v[k][l]);
      y.v[k][l] = q == 0 ? s : q == 1 ? c : q == 2 ? -s : -c;
    }
  }
  return y;
}
template <class T, int U>
MS_INLINE Pack<T, U> vcos(const Pack<T, U>& x) {
  return vsin<T, U>(x, 1);
}

// Rational approximation atan x = x + x³ P(x²)/Q(x²) for |x| ≤ 0.66 (Moshier's Cephes, atan.c), lowest power first.
constexpr double atan_p[] = {-6.485021904942025371773e1, -1.228866684490136173410e2, -7.500855792314704667340e1,
                             -1.615753718733365076637e1, -8.750608600031904122785e-1};
constexpr double atan_q[] = {1.945506571482613964425e2, 4.853903996359136964868e2, 4.328810604912902668951e2,
                             1.650270098316988542046e2, 2.485846490142306297962e1, 1};

template <class T, int U>
MS_INLINE Pack<T, U> vatan(const Pack<T, U>& x) {
  using V = Pack<T, U>;
  const V size = abs(x), one = T(1), zero = T(0);
  const auto steep = size > T(2.41421356237309504880), middle = size > T(0.66);
  const V t = select(steep, -one / size, select(middle, (size - one) / (size + one), size));
  const V base = select(steep, V(T(1.57079632679489661923)), select(middle, V(T(0.78539816339744830962)), zero));
  const V low =
      select(steep, V(T(6.123233995736765886130e-17)), select(middle, V(T(3.061616997868382943065e-17)), zero));
  const V z = t * t;
  const V y = fma(t * z, polynomial<T, U>(atan_p, z) / polynomial<T, U>(atan_q, z), t);
  return copysign(base + (y + low), x);
}

template <class T, int U>
MS_INLINE Pack<T, U> verf(const Pack<T, U>& x) {
  using V = Pack<T, U>;
  const V size = abs(x), one = T(1);
  const V square = x * x;
  const V small = x * polynomial<T, U>(erf_p, square) / polynomial<T, U>(erf_q, square);
  const V bounded = min(size, V(T(6)));
  const V tail =
      vexp_negative<T, U>(-(bounded * bounded)) * polynomial<T, U>(mid_p, bounded) / polynomial<T, U>(mid_q, bounded);
  const V y = select(size <= T(0.46875), small, copysign(one - tail, x));
  return select(x == x, y, x);
}

/// x^y (log x)^k; 0 where x is 0 and y positive, NaN for x < 0.
template <class T, int U>
MS_INLINE Pack<T, U> vpow_log(const Pack<T, U>& x, const Pack<T, U>& y, int k) {
  using V = Pack<T, U>;
  const V zero = T(0), one = T(1);
  const V l = vlog<T, U>(x);
  V p = vexp<T, U>(y * l);
  p = select(y == zero, one, p);
  if (k > 0) p = p * l;
  if (k > 1) p = p * l;
  return select((x == zero) & (y > zero), zero, p);
}

}  // namespace MS_TARGET
