// Elementary functions over SIMD registers, from one formula in f64 and f32, without table look-ups, branches or libm.
#pragma once

#include "lanes.h"

namespace MS_TARGET {

template <class T>
struct Constants;
template <>
struct Constants<double> {
  static constexpr double magic = 6755399441055744.0;  // 1.5 · 2^52: adding it rounds to an integer
  static constexpr int mantissa = 52;
  static constexpr int64_t bias = 1023;
  static constexpr double log2e = 1.4426950408889634074;
  static constexpr double ln2_high = 6.93147180369123816490e-01;
  static constexpr double ln2_low = 1.90821492927058770002e-10;
  static constexpr double exp_low = -707.0, exp_high = 709.78;
  // Where the series of expm1 may stop: r^(terms+1)/(terms+1)! is below rounding for |r| ≤ ln2/2.
  static constexpr int exp_terms = 13;
  static constexpr int log_terms = 11;
};
template <>
struct Constants<float> {
  static constexpr float magic = 12582912.0f;
  static constexpr int mantissa = 23;
  static constexpr int32_t bias = 127;
  static constexpr float log2e = 1.44269504f;
  static constexpr float ln2_high = 0.693359375f;
  static constexpr float ln2_low = -2.12194440e-4f;
  static constexpr float exp_low = -86.0f, exp_high = 88.72f;
  static constexpr int exp_terms = 7;
  static constexpr int log_terms = 5;
};

/// 1/n!
constexpr double inverse_factorial(int n) {
  double f = 1;
  for (int i = 2; i <= n; i++) f *= i;
  return 1 / f;
}

/// e^x = (1 + p) s with p = e^r − 1 accurate relative to itself and s = 2^n; 2^n as 2·2^(n−1), so that n may be 1024.
template <class T>
struct ExpParts {
  Vec<T> p, half_s;
  decltype(Vec<T>{} < Vec<T>{}) tiny;
};
template <class T>
MS_INLINE ExpParts<T> exp_parts(Vec<T> x) {
  using K = Constants<T>;
  const auto tiny = x < K::exp_low;
  const Vec<T> c = x < K::exp_low ? broadcast(T(K::exp_low)) : x;
  const Vec<T> shifted = fma(c, broadcast(T(K::log2e)), broadcast(T(K::magic)));
  const Vec<T> n = shifted - K::magic;
  Vec<T> r = fma(n, broadcast(T(-K::ln2_high)), c);
  r = fma(n, broadcast(T(-K::ln2_low)), r);
  Vec<T> q = broadcast(T(inverse_factorial(K::exp_terms)));
#pragma GCC unroll 16
  for (int k = K::exp_terms - 1; k >= 2; k--) q = fma(q, r, broadcast(T(inverse_factorial(k))));
  const Vec<T> p = fma(q * r, r, r);
  const Int<T> bits = ((Int<T>)shifted - (Int<T>)broadcast(T(K::magic)) + (K::bias - 1)) << K::mantissa;
  return {p, (Vec<T>)bits, tiny};
}

/// e^x; 0 below the smallest normal number, +∞ above the largest, NaN for NaN.
template <class T>
MS_INLINE Vec<T> vexp(Vec<T> x) {
  using K = Constants<T>;
  const Vec<T> capped = x > K::exp_high ? broadcast(T(K::exp_high)) : x;
  const auto e = exp_parts<T>(capped);
  Vec<T> y = (1 + e.p) * e.half_s;
  y = y + y;
  y = e.tiny ? Vec<T>{} : y;
  return x > K::exp_high ? broadcast(std::numeric_limits<T>::infinity()) : y;
}

/// e^x − 1, relative error a few eps, for x ≤ 0.
template <class T>
MS_INLINE Vec<T> vexpm1_negative(Vec<T> x) {
  const auto e = exp_parts<T>(x);
  const Vec<T> s = e.half_s + e.half_s;
  const Vec<T> y = fma(s, e.p, s - 1);
  return e.tiny ? broadcast(T(-1)) : y;
}

/// 2 atanh(s) for |s| ≤ 0.1716, by its series.
template <class T>
MS_INLINE Vec<T> twice_atanh(Vec<T> s) {
  using K = Constants<T>;
  const Vec<T> z = s * s;
  Vec<T> q = broadcast(T(2.0 / (2 * K::log_terms + 1)));
#pragma GCC unroll 16
  for (int k = K::log_terms - 1; k >= 1; k--) q = fma(q, z, broadcast(T(2.0 / (2 * k + 1))));
  return fma(q * z, s, s + s);
}

/// log(1 + x) for x in [0, 1].
template <class T>
MS_INLINE Vec<T> vlog1p_unit(Vec<T> x) {
  using K = Constants<T>;
  const auto big = x > T(0.41421356);
  const Vec<T> f = big ? (x - 1) * T(0.5) : x;
  const Vec<T> k = big ? broadcast(T(1)) : Vec<T>{};
  const Vec<T> y = twice_atanh<T>(f / (2 + f));
  return fma(k, broadcast(T(K::ln2_high)), fma(k, broadcast(T(K::ln2_low)), y));
}

/// Natural logarithm of a positive normal number; −∞ at 0, NaN below.
template <class T>
MS_INLINE Vec<T> vlog(Vec<T> x) {
  using K = Constants<T>;
  const Int<T> one = (Int<T>)broadcast(T(1));
  // Exponent such that the mantissa falls in [√½, √2).
  const Int<T> root = (Int<T>)broadcast(T(0.70710678118654752440));
  const Int<T> shifted = (Int<T>)x - root;
  const Int<T> e = shifted >> K::mantissa;
  const Vec<T> m = (Vec<T>)((Int<T>)x - (e << K::mantissa));
  Vec<T> n;
  n = __builtin_convertvector(e, Vec<T>);
  const Vec<T> f = m - 1;
  const Vec<T> y = twice_atanh<T>(f / (2 + f));
  Vec<T> out = fma(n, broadcast(T(K::ln2_high)), fma(n, broadcast(T(K::ln2_low)), y));
  const T inf = std::numeric_limits<T>::infinity();
  out = x == inf ? x : out;
  out = x == 0 ? broadcast(-inf) : out;
  out = x >= 0 ? out : broadcast(std::numeric_limits<T>::quiet_NaN());
  (void)one;
  return out;
}

/// logistic(z) and logistic(−z), and e^−|z|.
template <class T>
struct Sigmoid {
  Vec<T> up, down, e;
};
template <class T>
MS_INLINE Sigmoid<T> vsigmoid(Vec<T> z) {
  const Vec<T> e = vexp<T>(-vabs<T>(z));
  const Vec<T> big = 1 / (1 + e);
  const Vec<T> small = e * big;
  const auto positive = z >= 0;
  return {positive ? big : small, positive ? small : big, e};
}

/// tanh u and its derivative 4e/(1+e)², e = e^(−2|u|); both keep their digits near 0 and in the tails.
template <class T>
MS_INLINE void vtanh(Vec<T> u, Vec<T>& value, Vec<T>& derivative) {
  const Vec<T> a = vabs<T>(u);
  const auto parts = exp_parts<T>(a * T(-2));
  const Vec<T> s = parts.half_s + parts.half_s;
  Vec<T> em1 = fma(s, parts.p, s - 1);
  Vec<T> e = fma(s, parts.p, s);
  em1 = parts.tiny ? broadcast(T(-1)) : em1;
  e = parts.tiny ? Vec<T>{} : e;
  const Vec<T> d = 1 / (em1 + 2);
  const Vec<T> t = -em1 * d;
  value = u < 0 ? -t : t;
  derivative = 4 * e * (d * d);
}

template <class T, int N>
MS_INLINE Vec<T> polynomial(const double (&c)[N], Vec<T> x) {
  Vec<T> y = broadcast(T(c[N - 1]));
#pragma GCC unroll 16
  for (int i = N - 2; i >= 0; i--) y = fma(y, x, broadcast(T(c[i])));
  return y;
}

// Cody's rational approximations to erf and erfc (Mathematics of Computation 23, 1969), lowest power first.
constexpr double erf_p[] = {3209.37758913846947, 377.485237685302021, 113.864154151050156, 3.1611237438705656,
                            0.185777706184603153};
constexpr double erf_q[] = {2844.23683343917062, 1282.61652607737228, 244.024637934444173, 23.6012909523441209, 1};
constexpr double mid_p[] = {1230.33935479799725, 2051.07837782607147, 1712.04761263407058,
                            881.95222124176909,  298.635138197400131, 66.1191906371416295,
                            8.88314979438837594, 0.564188496988670089, 2.15311535474403846e-8};
constexpr double mid_q[] = {1230.33935480374942, 3439.36767414372164, 4362.61909014324716,
                            3290.79923573345963, 1621.38957456669019, 537.181101862009858,
                            117.693950891312499, 15.7449261107098347, 1};
constexpr double far_p[] = {6.58749161529837803e-4, 0.0160837851487422766, 0.125781726111229246,
                            0.360344899949804439,   0.305326634961232344,  0.0163153871373020978};
constexpr double far_q[] = {0.00233520497626869185, 0.0605183413124413191, 0.527905102951428412,
                            1.87295284992346725,    2.56852019228982242,   1};

/// What probit needs at z: log Φ(z), the hazard r = φ/Φ, and r + z (which cancels in the lower tail when formed naively).
template <class T>
struct Normal {
  Vec<T> log_cdf, hazard, excess;
};
template <class T>
MS_INLINE Normal<T> vnormal(Vec<T> z) {
  const T sqrt_pi = T(1.7724538509055160273), sqrt_2_over_pi = T(0.79788456080286535588);
  const T root_half = T(0.70710678118654752440), far_from = T(5.65685424949238019);
  const auto lower = z < 0;
  const Vec<T> t = vabs<T>(z);
  const Vec<T> x = t * root_half;
  const Vec<T> square = x * x;
  // The density's exponent to full precision: t² = high + low.
  const Vec<T> gauss = vexp<T>(T(-0.5) * (t * t));
  const Vec<T> erf_small = x * polynomial<T>(erf_p, square) / polynomial<T>(erf_q, square);
  const Vec<T> bounded = vmin(x, broadcast(T(4)));
  const Vec<T> mid = polynomial<T>(mid_p, bounded) / polynomial<T>(mid_q, bounded);
  const Vec<T> safe = vmax(x, broadcast(T(1)));
  const Vec<T> y = 1 / (safe * safe);
  const Vec<T> w = sqrt_pi * (y * polynomial<T>(far_p, y) / polynomial<T>(far_q, y));
  const Vec<T> far = (1 - w) / (sqrt_pi * safe);
  const auto is_small = x <= T(0.46875);
  const auto is_far = t > far_from;
  const Vec<T> erfcx = is_small ? (1 - erf_small) / gauss : (is_far ? far : mid);
  const Vec<T> erfc = is_small ? 1 - erf_small : gauss * erfcx;
  // Lower tail.
  const Vec<T> hazard_low = is_far ? t / (1 - w) : sqrt_2_over_pi / erfcx;
  const Vec<T> excess_low = is_far ? t * w / (1 - w) : hazard_low - t;
  const Vec<T> log_low = vlog<T>(T(0.5) * erfcx) - T(0.5) * (t * t);
  // Upper half: Φ = 1 − erfc/2, log Φ = log1p(−erfc/2) = −2 atanh(q/(2 − q)), q = erfc/2 ≤ ½: |s| ≤ 1/3 needs the log.
  const Vec<T> q = T(0.5) * erfc;
  const Vec<T> cdf = 1 - q;
  const Vec<T> log_high = q < T(0.25) ? -twice_atanh<T>(q / (2 - q)) : vlog<T>(cdf);
  const Vec<T> hazard_high = T(0.5) * sqrt_2_over_pi * gauss / cdf;
  return {lower ? log_low : log_high, lower ? hazard_low : hazard_high, lower ? excess_low : hazard_high + z};
}

}  // namespace MS_TARGET
