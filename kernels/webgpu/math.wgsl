// Elementary functions on F, which is vec4f (four rows) or f32 (one row): free of overflow and cancellation, from the same
// formulas as kernels/cpu/math.h. WGSL promises neither NaN, nor infinity, nor the order of sums, so what depends on them is
// made from bits and by choosing between two values.

#if WIDE
alias F = vec4f;
alias I = vec4i;
alias U = vec4u;
alias B = vec4<bool>;
fn total(v: F) -> f32 { return (v.x + v.y) + (v.z + v.w); }
#else
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
fn total(v: F) -> f32 { return v; }
#end

// Not constants: the compiler would refuse to make an infinity of them.
var<private> infinityBits: u32 = 0x7f800000u;
fn infinity() -> F { return F(bitcast<f32>(infinityBits)); }

fn isNan(x: F) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u); }
fn keepNan(value: F, x: F) -> F { return select(value, x, isNan(x)); }

/// weight · term, 0 where the weight is 0 even if the term is infinite.
fn part(weight: F, term: F) -> F { return select(weight * term, F(0.0), weight == F(0.0)); }

fn expNegative(x: F) -> F { return exp(max(x, F(-104.0))); }

fn expAny(x: F) -> F {
  return select(exp(clamp(x, F(-104.0), F(88.72283))), infinity(), x > F(88.72283));
}

/// e^x − 1 for x ≤ 0: by a minimax polynomial down to −ln2/2 (coefficients of kernels/cpu/math.h).
fn expm1Negative(x: F) -> F {
  let r = max(x, F(-0.35));
  let q = fma(fma(fma(fma(F(0.00138841371268088226), r, F(0.00836649901266333976)), r, F(0.0416671732062968476)), r, F(0.166665440245860033)), r, F(0.499999982583237053));
  return select(expNegative(x) - F(1.0), fma(q * r, r, r), x > F(-0.35));
}

/// 2 atanh(s) for |s| ≤ 0.1716, by its series.
fn twiceAtanh(s: F) -> F {
  let z = s * s;
  let q = fma(fma(fma(fma(F(0.18181819), z, F(0.22222222)), z, F(0.2857143)), z, F(0.4)), z, F(0.6666667));
  return fma(q * z, s, s + s);
}

/// log(1 + x) for x in [0, 1].
fn log1pUnit(x: F) -> F {
  let big = x > F(0.41421356);
  let f = select(x, (x - F(1.0)) * F(0.5), big);
  return select(F(0.0), F(0.6931472), big) + twiceAtanh(f / (F(2.0) + f));
}

/// Natural logarithm of a positive normal number; −∞ at 0.
fn logPositive(x: F) -> F {
  let bits = bitcast<I>(x);
  // Exponent such that the mantissa falls in [√½, √2).
  let e = (bits - I(0x3f3504f3)) >> U(23u);
  let f = bitcast<F>(bits - (e << U(23u))) - F(1.0);
  let n = F(e);
  let y = fma(n, F(0.693359375), fma(n, F(-0.00021219444), twiceAtanh(f / (F(2.0) + f))));
  return select(y, -infinity(), x <= F(0.0));
}

struct Sigmoid {
  up: F,    // logistic(z)
  down: F,  // logistic(−z)
  e: F,     // e^−|z|
}
fn sigmoid(z: F) -> Sigmoid {
  let e = expNegative(-abs(z));
  let big = keepNan(F(1.0) / (F(1.0) + e), z);
  let small = e * big;
  let up = z >= F(0.0);
  return Sigmoid(select(small, big, up), select(big, small, up), e);
}
