// Elementary functions over packs of SIMD registers, from one formula in f64 and f32, without branches or libm. Tables
// have eight entries, which a permutation within registers looks up.
#pragma once

#include "pack.h"

namespace MS_TARGET {

template <class T>
struct Constants;
template <>
struct Constants<double> {
  // 1.5 · 2^52 + 8 · 1023: adding it rounds to an integer and leaves that, with 8 times the exponent's bias, in the
  // last bits.
  static constexpr double magic = 6755399441055744.0 + 8 * 1023;
  static constexpr int mantissa = 52;
  static constexpr double log2e = 1.4426950408889634074;
  static constexpr double ln2_high = 6.93147180369123816490e-01;
  static constexpr double ln2_low = 1.90821492927058770002e-10;
  static constexpr double exp_low = -707.0, exp_high = 709.78, exp_zero = -709.09;
  // 2^(j/8), j = 0 … 7: its bits less those of 1 + j/8, and what rounding cut off.
  alignas(64) static constexpr int64_t root_bits[] = {0x0,
                                                      -0x8d47c382ae85,
                                                      -0xf901f5ce48eb,
                                                      -0x140252ac9d5d9,
                                                      -0x15f619980c433,
                                                      -0x1531abdd55f25,
                                                      -0x1176066a52c53,
                                                      -0xa7e723045b79};
  alignas(64) static constexpr double root_rest[] = {0.0,
                                                     -3.046782079812471e-17,
                                                     3.982015231465646e-17,
                                                     2.5382502794888315e-17,
                                                     -9.667293313452913e-17,
                                                     7.949834809697621e-17,
                                                     8.199010020581497e-17,
                                                     3.283107224245627e-17};
  // Minimax polynomial q: e^r − 1 = r + r² q(r) for |r| ≤ ln2/16, relative error 1.2e-16 (Remez exchange at 60 digits).
  static constexpr double expm1[] = {0.5000000000000178141,   0.1666666666666555825,   0.04166666659041219604,
                                     0.008333333346524140759, 0.001388970282570355536, 0.0001984136248055766988};
  static constexpr int log_terms = 11;
};
template <>
struct Constants<float> {
  static constexpr float magic = 12582912.0f + 8 * 127;
  static constexpr int mantissa = 23;
  static constexpr float log2e = 1.44269504f;
  static constexpr float ln2_high = 0.693359375f;
  static constexpr float ln2_low = -2.12194440e-4f;
  static constexpr float exp_low = -86.0f, exp_high = 88.72f, exp_zero = -88.03f;
  alignas(64) static constexpr int32_t root_bits[] = {0x0,      -0x46a3e, -0x7c810, -0xa0129,
                                                      -0xafb0d, -0xa98d6, -0x8bb03, -0x53f39};
  alignas(64) static constexpr float root_rest[] = {0.0f,
                                                    -1.3077539939843064e-08f,
                                                    3.797635272917432e-08f,
                                                    -4.018999533172973e-08f,
                                                    2.4203234971764687e-08f,
                                                    8.070904833346049e-09f,
                                                    -2.4755326677450284e-08f,
                                                    -1.1239277952768134e-08f};
  // As above, relative error 5.1e-9.
  static constexpr double expm1[] = {0.5000000040545894129, 0.1666796255630773697, 0.04166577184144181932};
  static constexpr int log_terms = 5;
};

template <class T, int U, int N>
MS_INLINE Pack<T, U> polynomial(const double (&c)[N], const Pack<T, U>& x) {
  Pack<T, U> y = T(c[N - 1]);
#pragma GCC unroll 16
  for (int i = N - 2; i >= 0; i--) y = fma(y, x, Pack<T, U>(T(c[i])));
  return y;
}

/// 4 times the polynomial at 2x, whose constants are exact multiples.
template <class T, int U, int N>
MS_INLINE Pack<T, U> doubled_polynomial(const double (&c)[N], const Pack<T, U>& x) {
  Pack<T, U> y = T(c[N - 1] * double(2 << N));
#pragma GCC unroll 16
  for (int i = N - 2; i >= 0; i--) y = fma(y, x, Pack<T, U>(T(c[i] * double(4 << i))));
  return y;
}

/// e^x = (1 + p) 2^(k/8), with p = e^r − 1 accurate relative to itself and k, with 8 times the exponent's bias, in the
/// last bits. x must be in [exp_zero, exp_high].
template <class T, int U>
struct ExpParts {
  Pack<T, U> p;
  Bits<T, U> k;
};
template <class T, int U>
MS_INLINE ExpParts<T, U> exp_parts(const Pack<T, U>& x) {
  using K = Constants<T>;
  using V = Pack<T, U>;
  const V shifted = fma(x, V(8 * K::log2e), V(K::magic));
  const V k = shifted - V(K::magic);
  const V r = fma(k, V(-K::ln2_low / 8), fma(k, V(-K::ln2_high / 8), x));
  const V q = polynomial<T, U>(K::expm1, r);
  return {fma(q * r, r, r), bits(shifted)};
}

/// 2^(k/8) for k as above. At exp_zero it is exactly 0; there, below the smallest normal number, it is between 0 and
/// that.
template <class T, int U>
MS_INLINE Pack<T, U> eighth_power(const Bits<T, U>& k) {
  using K = Constants<T>;
  return Pack<T, U>((k << (K::mantissa - 3)) + pick<T, U>(K::root_bits, k));
}

/// e^x; 0 below the smallest normal number, +∞ above the largest, NaN for NaN.
template <class T, int U>
MS_INLINE Pack<T, U> vexp(const Pack<T, U>& x) {
  using K = Constants<T>;
  using V = Pack<T, U>;
  const auto e = exp_parts<T, U>(max(V(K::exp_low), min(V(K::exp_high), x)));
  // 2^(k/8) may be 2^1024, which is no number: the half of it is.
  const V half_s = eighth_power<T, U>(e.k + (-8));
  const V half = fma(half_s, e.p, half_s);
  const V y = select(x > K::exp_high, V(std::numeric_limits<T>::infinity()), half + half);
  return select(x < K::exp_low, V(T(0)), y);
}

/// e^x for x ≤ 0.
template <class T, int U>
MS_INLINE Pack<T, U> vexp_negative(const Pack<T, U>& x) {
  using K = Constants<T>;
  const auto e = exp_parts<T, U>(max(Pack<T, U>(K::exp_zero), x));
  const auto s = eighth_power<T, U>(e.k);
  return fma(s, e.p, s);
}

/// e^r 2^(k/8) − 1 for s = 2^(k/8), k ≤ 0. What rounding cut off s counts only where s − 1 is small, and there it is
/// that of the table; elsewhere it is below rounding.
template <class T, int U>
MS_INLINE Pack<T, U> less_one(const Pack<T, U>& s, const ExpParts<T, U>& e) {
  return fma(s, e.p, (s - T(1)) + Pack<T, U>(pick<T, U>(Constants<T>::root_rest, e.k)));
}

/// e^x − 1, relative error a few eps, for x ≤ 0.
template <class T, int U>
MS_INLINE Pack<T, U> vexpm1_negative(const Pack<T, U>& x) {
  using K = Constants<T>;
  const auto e = exp_parts<T, U>(max(Pack<T, U>(K::exp_zero), x));
  return less_one<T, U>(eighth_power<T, U>(e.k), e);
}

/// 2 atanh(s) for |s| ≤ 0.1716, by its series.
template <class T, int U>
MS_INLINE Pack<T, U> twice_atanh(const Pack<T, U>& s) {
  using K = Constants<T>;
  using V = Pack<T, U>;
  const V z = s * s;
  V q = T(2.0 / (2 * K::log_terms + 1));
#pragma GCC unroll 16
  for (int k = K::log_terms - 1; k >= 1; k--) q = fma(q, z, V(T(2.0 / (2 * k + 1))));
  return fma(q * z, s, s + s);
}

/// log(1 + x) for x in [0, 1].
template <class T, int U>
MS_INLINE Pack<T, U> vlog1p_unit(const Pack<T, U>& x) {
  using K = Constants<T>;
  using V = Pack<T, U>;
  const auto big = x > T(0.41421356);
  const V f = select(big, (x - T(1)) * T(0.5), x);
  const V high = select(big, V(K::ln2_high), V(T(0))), low = select(big, V(K::ln2_low), V(T(0)));
  return high + (low + twice_atanh<T, U>(f / (T(2) + f)));
}

/// Natural logarithm of a positive normal number; −∞ at 0, NaN below.
template <class T, int U>
MS_INLINE Pack<T, U> vlog(const Pack<T, U>& x) {
  using K = Constants<T>;
  using V = Pack<T, U>;
  // Exponent such that the mantissa falls in [√½, √2).
  const auto e = (bits(x) - bits(V(T(0.70710678118654752440)))) >> K::mantissa;
  const V n = number(e);
  const V f = V(bits(x) - (e << K::mantissa)) - T(1);
  const V y = twice_atanh<T, U>(f / (T(2) + f));
  const T inf = std::numeric_limits<T>::infinity();
  V out = fma(n, V(K::ln2_high), fma(n, V(K::ln2_low), y));
  out = select(x == inf, x, out);
  out = select(x == T(0), V(-inf), out);
  return select(x >= T(0), out, V(std::numeric_limits<T>::quiet_NaN()));
}

/// logistic(z) and logistic(−z), and e^−|z|.
template <class T, int U>
struct Sigmoid {
  Pack<T, U> up, down, e;
};
template <class T, int U>
MS_INLINE Sigmoid<T, U> vsigmoid(const Pack<T, U>& z) {
  using V = Pack<T, U>;
  const V e = vexp_negative<T, U>(-abs(z));
  const V big = T(1) / (T(1) + e);
  const V small = e * big;
  const auto positive = z >= T(0);
  return {select(positive, big, small), select(positive, small, big), e};
}

/// tanh u and its derivative 4e/(1+e)², e = e^(−2|u|); both keep their digits near 0 and in the tails.
template <class T, int U>
MS_INLINE void vtanh(const Pack<T, U>& u, Pack<T, U>& value, Pack<T, U>& derivative) {
  using K = Constants<T>;
  using V = Pack<T, U>;
  // As exp_parts at −2|u|, with half the remainder: the factor 2 goes into the constants. One constant for ln2 is
  // enough: its error is less than what the rounding of u does to e.
  const V x = max(V(K::exp_zero / 2), negative_abs(u));
  const V shifted = fma(x, V(16 * K::log2e), V(K::magic));
  const V k = shifted - V(K::magic);
  const V t = fma(k, V(T(-0.69314718055994530942 / 16)), x);
  const V q = doubled_polynomial<T, U>(K::expm1, t);
  const ExpParts<T, U> parts{fma(q * t, t, t + t), bits(shifted)};
  const V s = eighth_power<T, U>(parts.k);
  const V em1 = less_one<T, U>(s, parts);
  const V e = fma(s, parts.p, s);
  const V d = T(1) / (em1 + T(2));
  // Doubled by a sum, because the multipliers have enough to do.
  const V twice = d + d;
  value = negative_with_sign(em1 * d, u);
  derivative = e * (twice * twice);
}

// Cody's rational approximations to erf and erfc (Mathematics of Computation 23, 1969), lowest power first.
constexpr double erf_p[] = {3209.37758913846947, 377.485237685302021, 113.864154151050156, 3.1611237438705656,
                            0.185777706184603153};
constexpr double erf_q[] = {2844.23683343917062, 1282.61652607737228, 244.024637934444173, 23.6012909523441209, 1};
constexpr double mid_p[] = {1230.33935479799725, 2051.07837782607147,  1712.04761263407058,
                            881.95222124176909,  298.635138197400131,  66.1191906371416295,
                            8.88314979438837594, 0.564188496988670089, 2.15311535474403846e-8};
constexpr double mid_q[] = {1230.33935480374942, 3439.36767414372164, 4362.61909014324716,
                            3290.79923573345963, 1621.38957456669019, 537.181101862009858,
                            117.693950891312499, 15.7449261107098347, 1};
constexpr double far_p[] = {6.58749161529837803e-4, 0.0160837851487422766, 0.125781726111229246,
                            0.360344899949804439,   0.305326634961232344,  0.0163153871373020978};
constexpr double far_q[] = {0.00233520497626869185, 0.0605183413124413191, 0.527905102951428412,
                            1.87295284992346725,    2.56852019228982242,   1};

/// What probit needs at z: log Φ(z), the hazard r = φ/Φ, and r + z (which cancels in the lower tail when formed
/// naively).
template <class T, int U>
struct Normal {
  Pack<T, U> log_cdf, hazard, excess;
};
template <class T, int U>
MS_INLINE Normal<T, U> vnormal(const Pack<T, U>& z) {
  using V = Pack<T, U>;
  const T sqrt_pi = T(1.7724538509055160273), sqrt_2_over_pi = T(0.79788456080286535588);
  const T root_half = T(0.70710678118654752440), far_from = T(5.65685424949238019), one = T(1), half = T(0.5);
  const auto lower = z < T(0);
  const V t = abs(z);
  const V x = t * root_half;
  const V square = x * x;
  const V gauss = vexp_negative<T, U>(T(-0.5) * (t * t));
  const V erf_small = x * polynomial<T, U>(erf_p, square) / polynomial<T, U>(erf_q, square);
  const V bounded = min(x, V(T(4)));
  const V mid = polynomial<T, U>(mid_p, bounded) / polynomial<T, U>(mid_q, bounded);
  const V safe = max(x, V(one));
  const V y = one / (safe * safe);
  const V w = sqrt_pi * (y * polynomial<T, U>(far_p, y) / polynomial<T, U>(far_q, y));
  const V far = (one - w) / (sqrt_pi * safe);
  const auto is_small = x <= T(0.46875);
  const auto is_far = t > far_from;
  const V erfcx = select(is_small, (one - erf_small) / gauss, select(is_far, far, mid));
  const V erfc = select(is_small, one - erf_small, gauss * erfcx);
  // Lower tail.
  const V hazard_low = select(is_far, t / (one - w), sqrt_2_over_pi / erfcx);
  const V excess_low = select(is_far, t * w / (one - w), hazard_low - t);
  const V log_low = vlog<T, U>(half * erfcx) - half * (t * t);
  // Upper half: Φ = 1 − erfc/2, log Φ = log1p(−erfc/2) = −2 atanh(q/(2 − q)), q = erfc/2 ≤ ½: |s| ≤ 1/3 needs the log.
  const V q = half * erfc;
  const V cdf = one - q;
  const V log_high = select(q < T(0.25), -twice_atanh<T, U>(q / (T(2) - q)), vlog<T, U>(cdf));
  const V hazard_high = half * sqrt_2_over_pi * gauss / cdf;
  return {select(lower, log_low, log_high), select(lower, hazard_low, hazard_high),
          select(lower, excess_low, hazard_high + z)};
}

/// Φ(z) and its density.
template <class T, int U>
struct NormalCdf {
  Pack<T, U> cdf, density;
};
template <class T, int U>
MS_INLINE NormalCdf<T, U> vnormal_cdf(const Pack<T, U>& z) {
  using V = Pack<T, U>;
  const T one = T(1), half = T(0.5);
  const V t = abs(z), x = t * T(0.70710678118654752440), square = x * x;
  const V gauss = vexp_negative<T, U>(T(-0.5) * (t * t));
  const V erf_small = x * polynomial<T, U>(erf_p, square) / polynomial<T, U>(erf_q, square);
  const V bounded = min(x, V(T(4)));
  const V mid = polynomial<T, U>(mid_p, bounded) / polynomial<T, U>(mid_q, bounded);
  const V safe = max(x, V(one)), y = one / (safe * safe);
  const T root = T(0.56418958354775628695);  // 1/√π
  const V far = (root - y * polynomial<T, U>(far_p, y) / polynomial<T, U>(far_q, y)) / safe;
  const V tail = gauss * select(x <= T(4), mid, far);
  const V lower = half * select(x <= T(0.46875), one - erf_small, tail);
  return {select(z < T(0), lower, one - lower), T(0.39894228040143267794) * gauss};
}

/// The nearest whole number of |x| < 2^(mantissa − 1).
template <class T, int U>
MS_INLINE Pack<T, U> vround(const Pack<T, U>& x) {
  const T whole = sizeof(T) == 8 ? T(6755399441055744.0) : T(12582912.0);
  return (x + whole) - whole;
}

// (−1)^k / (2k + 3)! and (−1)^k / (2k + 4)!, k = 0, 1, …: sin r = r + r³ S(r²) and cos r = 1 − r²/2 + r⁴ C(r²) for |r|
// ≤ π/4.
constexpr double sin_series[] = {-1.0 / 6,
                                 1.0 / 120,
                                 -1.0 / 5040,
                                 1.0 / 362880,
                                 -1.0 / 39916800,
                                 1.0 / 6227020800.0,
                                 -1.0 / 1307674368000.0,
                                 1.0 / 355687428096000.0};
constexpr double cos_series[] = {1.0 / 24,          -1.0 / 720,           1.0 / 40320,           -1.0 / 3628800,
                                 1.0 / 479001600.0, -1.0 / 87178291200.0, 1.0 / 20922789888000.0};

/// sin u and cos u: u less a multiple of π/2 in three parts (Cody and Waite 1980). The error is that of a rounding of
/// u.
template <class T, int U>
MS_INLINE void vsin(const Pack<T, U>& u, Pack<T, U>& sine, Pack<T, U>& cosine) {
  using V = Pack<T, U>;
  constexpr bool wide = sizeof(T) == 8;
  const T high = wide ? T(1.5707963267341256) : T(1.5703125),
          mid = wide ? T(6.077100506303966e-11) : T(4.837512969970703e-4);
  const T low = wide ? T(2.0222662487959506e-21) : T(7.549789948768648e-8);
  const V k = vround<T, U>(u * T(0.63661977236758134308));
  const V r = fma(k, V(-low), fma(k, V(-mid), fma(k, V(-high), u)));
  const V s = r * r;
  const V near_sine = fma(r * s, polynomial<T, U>(sin_series, s), r);
  const V near_cosine = fma(s * s, polynomial<T, U>(cos_series, s), T(1) - T(0.5) * s);
  // The quadrant, as the fraction of k/4: 0, ¼, ½ or ¾.
  const V turns = k * T(0.25), quadrant = turns - vround<T, U>(turns - T(0.375));
  const auto odd = (quadrant == T(0.25)) | (quadrant == T(0.75));
  const V a = select(odd, near_cosine, near_sine), b = select(odd, near_sine, near_cosine);
  sine = select(quadrant >= T(0.5), -a, a);
  cosine = select((quadrant == T(0.25)) | (quadrant == T(0.5)), -b, b);
}

}  // namespace MS_TARGET
