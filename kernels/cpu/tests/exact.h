// Real numbers between two of MPFR, for tests: operations round outwards, so that the exact result always lies between.
#pragma once

#include <mpfr.h>

namespace exact {

/// Bits of an end; sums of doubles of any size are exact in `all_bits`.
constexpr mpfr_prec_t bits = 400, all_bits = 2300;

/// A number of MPFR that owns its digits.
class Number {
 public:
  explicit Number(mpfr_prec_t precision = bits) { mpfr_init2(v_, precision); }
  Number(const Number& a) : Number(mpfr_get_prec(a.v_)) { mpfr_set(v_, a.v_, MPFR_RNDN); }
  Number& operator=(const Number& a) {
    if (this != &a) mpfr_set_prec(v_, mpfr_get_prec(a.v_)), mpfr_set(v_, a.v_, MPFR_RNDN);
    return *this;
  }
  ~Number() { mpfr_clear(v_); }
  mpfr_ptr get() { return v_; }
  mpfr_srcptr get() const { return v_; }

 private:
  mpfr_t v_;
};

/// All numbers from lo to hi; NaN where nothing is defined.
struct Real {
  Number lo, hi;

  Real() = default;
  explicit Real(double x) { mpfr_set_d(lo.get(), x, MPFR_RNDN), mpfr_set_d(hi.get(), x, MPFR_RNDN); }
  /// The sum of doubles that `bits` may not hold.
  Real(double a, double b, double c = 0) {
    Number sum(all_bits);
    mpfr_set_d(sum.get(), a, MPFR_RNDN);
    mpfr_add_d(sum.get(), sum.get(), b, MPFR_RNDN);
    mpfr_add_d(sum.get(), sum.get(), c, MPFR_RNDN);
    mpfr_set(lo.get(), sum.get(), MPFR_RNDD), mpfr_set(hi.get(), sum.get(), MPFR_RNDU);
  }
  explicit Real(const Number& a) : lo(a), hi(a) {}
  bool defined() const { return !mpfr_nan_p(lo.get()) && !mpfr_nan_p(hi.get()); }
  bool negative() const { return mpfr_sgn(lo.get()) < 0; }
};

inline Real operator-(const Real& a) {
  Real r;
  mpfr_neg(r.lo.get(), a.hi.get(), MPFR_RNDD), mpfr_neg(r.hi.get(), a.lo.get(), MPFR_RNDU);
  return r;
}
inline Real operator+(const Real& a, const Real& b) {
  Real r;
  mpfr_add(r.lo.get(), a.lo.get(), b.lo.get(), MPFR_RNDD), mpfr_add(r.hi.get(), a.hi.get(), b.hi.get(), MPFR_RNDU);
  return r;
}
inline Real operator-(const Real& a, const Real& b) { return a + -b; }

using Operation2 = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);
/// The least and the largest result over the four pairs of ends.
inline Real corners(Operation2 f, const Real& a, const Real& b) {
  Real r;
  Number v;
  bool first = true;
  for (mpfr_srcptr x : {a.lo.get(), a.hi.get()})
    for (mpfr_srcptr y : {b.lo.get(), b.hi.get()}) {
      f(v.get(), x, y, MPFR_RNDD);
      if (first || mpfr_nan_p(v.get()) || mpfr_less_p(v.get(), r.lo.get())) mpfr_set(r.lo.get(), v.get(), MPFR_RNDD);
      f(v.get(), x, y, MPFR_RNDU);
      if (first || mpfr_nan_p(v.get()) || mpfr_greater_p(v.get(), r.hi.get())) mpfr_set(r.hi.get(), v.get(), MPFR_RNDU);
      first = false;
    }
  return r;
}
inline Real operator*(const Real& a, const Real& b) { return corners(mpfr_mul, a, b); }
/// b does not hold 0.
inline Real operator/(const Real& a, const Real& b) { return corners(mpfr_div, a, b); }

using Function = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
/// A function that rises all over a.
inline Real rising(Function f, const Real& a) {
  Real r;
  const bool inexact = f(r.lo.get(), a.lo.get(), MPFR_RNDD) != 0;
  if (!mpfr_equal_p(a.lo.get(), a.hi.get())) f(r.hi.get(), a.hi.get(), MPFR_RNDU);
  else {
    mpfr_set(r.hi.get(), r.lo.get(), MPFR_RNDN);
    if (inexact) mpfr_nextabove(r.hi.get());
  }
  return r;
}
/// A function whose slope is within ±1, by its value at the lower end.
inline Real gentle(Function f, const Real& a) {
  Real r;
  Number width;
  f(r.lo.get(), a.lo.get(), MPFR_RNDD), f(r.hi.get(), a.lo.get(), MPFR_RNDU);
  mpfr_sub(width.get(), a.hi.get(), a.lo.get(), MPFR_RNDU);
  mpfr_sub(r.lo.get(), r.lo.get(), width.get(), MPFR_RNDD), mpfr_add(r.hi.get(), r.hi.get(), width.get(), MPFR_RNDU);
  return r;
}
/// x^y for points x and y.
inline Real power(const Real& x, const Real& y) {
  Real r;
  mpfr_pow(r.lo.get(), x.lo.get(), y.lo.get(), MPFR_RNDD), mpfr_pow(r.hi.get(), x.lo.get(), y.lo.get(), MPFR_RNDU);
  return r;
}
inline Real half(const Real& a) {
  Real r;
  mpfr_div_2ui(r.lo.get(), a.lo.get(), 1, MPFR_RNDD), mpfr_div_2ui(r.hi.get(), a.hi.get(), 1, MPFR_RNDU);
  return r;
}
inline Real pi() {
  Real r;
  mpfr_const_pi(r.lo.get(), MPFR_RNDD), mpfr_const_pi(r.hi.get(), MPFR_RNDU);
  return r;
}

}  // namespace exact
