// Elementary functions, free of overflow and cancellation, from the same formulas as kernels/cpu/math.h. WGSL promises neither NaN,
// nor infinity, nor the order of sums, so what depends on them is made from bits and by choosing between two values.

// Not constants: the compiler would refuse to make an infinity of them.
var<private> infinityBits: u32 = 0x7f800000u;
fn infinity() -> f32 { return bitcast<f32>(infinityBits); }

fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn keepNan(value: f32, x: f32) -> f32 { return select(value, x, isNan(x)); }

/// weight · term, 0 where the weight is 0 even if the term is infinite.
fn part(weight: f32, term: f32) -> f32 { return select(weight * term, 0.0, weight == 0.0); }

fn expNegative(x: f32) -> f32 { return exp(max(x, -104.0)); }

fn expAny(x: f32) -> f32 {
  return select(exp(clamp(x, -104.0, 88.72283)), infinity(), x > 88.72283);
}

/// e^x − 1 for x ≤ 0: by a minimax polynomial down to −ln2/2 (coefficients of kernels/cpu/math.h).
fn expm1Negative(x: f32) -> f32 {
  let r = max(x, -0.35);
  let q = fma(fma(fma(fma(0.00138841371268088226, r, 0.00836649901266333976), r, 0.0416671732062968476), r, 0.166665440245860033), r, 0.499999982583237053);
  return select(expNegative(x) - 1.0, fma(q * r, r, r), x > -0.35);
}

/// 2 atanh(s) for |s| ≤ 0.1716, by its series.
fn twiceAtanh(s: f32) -> f32 {
  let z = s * s;
  let q = fma(fma(fma(fma(0.18181819, z, 0.22222222), z, 0.2857143), z, 0.4), z, 0.6666667);
  return fma(q * z, s, s + s);
}

/// log(1 + x) for x in [0, 1].
fn log1pUnit(x: f32) -> f32 {
  let big = x > 0.41421356;
  let f = select(x, (x - 1.0) * 0.5, big);
  return select(0.0, 0.6931472, big) + twiceAtanh(f / (2.0 + f));
}

/// Natural logarithm of a positive normal number; −∞ at 0.
fn logPositive(x: f32) -> f32 {
  let bits = bitcast<i32>(x);
  // Exponent such that the mantissa falls in [√½, √2).
  let e = (bits - 0x3f3504f3) >> 23u;
  let f = bitcast<f32>(bits - (e << 23u)) - 1.0;
  let n = f32(e);
  let y = fma(n, 0.693359375, fma(n, -0.00021219444, twiceAtanh(f / (2.0 + f))));
  return select(y, -infinity(), x <= 0.0);
}

struct Sigmoid {
  up: f32,    // logistic(z)
  down: f32,  // logistic(−z)
  e: f32,     // e^−|z|
}
fn sigmoid(z: f32) -> Sigmoid {
  let e = expNegative(-abs(z));
  let big = keepNan(1.0 / (1.0 + e), z);
  let small = e * big;
  let up = z >= 0.0;
  return Sigmoid(select(small, big, up), select(big, small, up), e);
}
